/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the states of a secure VM's two pages in all interleavings of their users, which are two
 * virtual CPUs and the VMM: `pages_model FRAMES NORMALS VERSIONS USES [STATES]`. FRAMES and NORMALS
 * are the numbers of pages in secure memory and in the VMM's memory. VERSIONS is the maximum number
 * of encryptions, STATES is the maximum number of states. USES has these letters:
 *
 * - s: snapshots; w: write protection; p: exits that use a frame; r: replays
 * - h: UV_SHARE_PAGE and the shared view; o: only the first page is used
 * - v: versions are renumbered; with VERSIONS 3 the number of encryptions then has no limit
 * - u: states that no step can tell from each other count as different states (pages_same.h)
 *
 * page.c and frame.c are the ultravisor's own. This program models page_ops.c, memory.c and the
 * kernel: a step is one section under the service's lock, one reply, or one access. A page's
 * content is its first word. pages_model.py runs this program with the real sources, and then once
 * for each of several faults that it puts into them. */
#include <sys/mman.h>

#include "pages_model.h"
#include "pages_same.h"

static char step_text[80];

/* Lets the guest write another secret into the frame of a page. */
static void write_secret(unsigned page, unsigned frame)
{
        const uint16_t word = SECRET | (now.page[page].ghost == (SECRET | 1) ? 2 : 1);

        put_word(frame_word(frame), word);
        now.page[page].ghost = word;
}

/* Lets the guest write through a mapping. @return false: no mapping permits the write */
static bool use(unsigned page, unsigned view)
{
        const unsigned map = now.map[page][view];

        if (!(map & WRITABLE))
                return false;
        if (map & AT_FRAME)
                write_secret(page, map & 15);
        else
                now.normal[map & 15] = GARBAGE;
        return true;
}

static bool is_secure_access(const struct page *page, unsigned view)
{
        return view && !page->shared;
}

/* Decides what to do for an access. */
static bool look(struct vcpu *vcpu)
{
        const struct page *const page = &real[vcpu->page];

        vcpu->secure = is_secure_access(page, vcpu->view);
        if (vcpu->write &&
            page_is_protected(page, vcpu->secure ? PAGE_SECURE_PLACE : PAGE_SHARED_PLACE) &&
            (!vcpu->secure || page->state == PAGE_SECURE))
                return false; /* the guest ends */
        vcpu->next = vcpu->secure ? GET : GET_SHARED;
        return true;
}

/* Makes the secure place present, or lets the virtual CPU ask the VMM for it. The VMM may answer at
 * any time, with or without the page. The answer alone changes nothing, so it is not a step: the
 * virtual CPU looks again in its next step. */
static bool get(struct vcpu *vcpu)
{
        struct page *const page = &real[vcpu->page];

        if (page->state == PAGE_NONE && !page->shared)
                page_fill(&pages, page);
        if (page->state == PAGE_SECURE || page->shared)
                vcpu->next = MAP;
        return vcpu->next == MAP;
}

static bool get_shared(struct vcpu *vcpu)
{
        struct page *const page = &real[vcpu->page];
        const bool has = page->normal != PAGE_NO_PAGE;

        page->asked = !has;
        now.page[vcpu->page].invited = page->asked;
        if (has)
                vcpu->next = MAP;
        return true;
}

/* Returns true if the other virtual CPU's reply may still map the page read-only. */
static bool other_gives_narrow(const struct vcpu *vcpu)
{
        const struct vcpu *const other = &now.vcpu[vcpu == now.vcpu];

        return other->gives == GIVES_NARROW && other->page == vcpu->page;
}

static void map_secure(struct vcpu *vcpu, struct page *page)
{
        bool writable = true;

        if (page->snapshot && vcpu->write)
                page->snapshot = false;
        if (page_is_protected(page, PAGE_SECURE_PLACE) || page->snapshot)
                writable = false;
        if (page->narrow && writable)
                revoke(AT_FRAME + page->frame - first_frame());
        page->narrow = !writable || (page->narrow && other_gives_narrow(vcpu));
        vcpu->given = (uint8_t)((AT_FRAME + page->frame - first_frame()) | writable * WRITABLE);
}

/* Decides what the reply maps. If something has changed, the guest exits again. */
static bool map(struct vcpu *vcpu)
{
        struct page *const page = &real[vcpu->page];

        vcpu->next = GUEST;
        if (vcpu->secure != is_secure_access(page, vcpu->view))
                return true;
        if (vcpu->secure && page->state == PAGE_SECURE)
                map_secure(vcpu, page);
        else if (!vcpu->secure && page->normal != PAGE_NO_PAGE)
                vcpu->given =
                        (uint8_t)((AT_NORMAL + page->normal) |
                                  (page_is_protected(page, PAGE_SHARED_PLACE) ? 0 : WRITABLE));
        else
                return true;
        vcpu->gives = vcpu->given & WRITABLE ? GIVES : GIVES_NARROW;
        vcpu->next = REPLY;
        return true;
}

/* Lets the kernel map what a reply gives, unless a mapping exists there already. */
static bool reply(struct vcpu *vcpu)
{
        uint8_t *const at = &now.map[vcpu->page][vcpu->view];

        if (!*at)
                *at = vcpu->given;
        vcpu->given = 0;
        vcpu->next = GUEST;
        return true;
}

static bool share(struct vcpu *vcpu, bool shared)
{
        const uint64_t gpa = gpa_of(vcpu->page);
        const enum nova_u_status status =
                shared ? page_share(&pages, gpa) : page_unshare(&pages, gpa);

        if (status == NOVA_U_BUSY)
                return false; /* the guest tries again after a step of another user */
        now.page[vcpu->page].ghost = 0;
        if (!shared)
                now.page[vcpu->page].invited = 0;
        vcpu->next = GUEST;
        return true;
}

/* Pins a page, as the emulation of an instruction that accesses a device does. */
static bool pin(struct vcpu *vcpu, unsigned write)
{
        struct page *const page = &real[vcpu->page];

        if (page->shared || page->state != PAGE_SECURE ||
            (write && page_is_protected(page, PAGE_SECURE_PLACE)))
                return false;
        page->pins++;
        page->snapshot &= !write;
        vcpu->frame = (uint8_t)(page->frame - first_frame());
        vcpu->write = (uint8_t)write;
        vcpu->next = PINNED;
        return true;
}

static bool pinned(struct vcpu *vcpu, unsigned choice)
{
        if (choice && !vcpu->write)
                return false;
        if (choice) {
                write_secret(vcpu->page, vcpu->frame);
                return true;
        }
        real[vcpu->page].pins--;
        vcpu->next = GUEST;
        return true;
}

/* Lets a virtual CPU leave the guest. The mapping of its last reply exists now. */
static void leave(struct vcpu *vcpu, unsigned page, enum next next)
{
        *vcpu = (struct vcpu){.page = (uint8_t)page, .next = (uint8_t)next};
}

enum { IN_GUEST = 11 * PAGES + 1 };

/* Performs a step of a virtual CPU that runs its guest. */
static bool run(struct vcpu *vcpu, unsigned choice)
{
        const unsigned page = choice % PAGES, what = choice / PAGES;

        if (page && has('o'))
                return false;
        if (!has('h') && ((what < 6 && !(what & 1)) || what == 6 || what == 7))
                return false;
        if (!has('p') && (what == 8 || what == 9))
                return false;
        if (choice == IN_GUEST - 1) { /* a recall */
                const bool gives = vcpu->gives;

                leave(vcpu, 0, GUEST);
                return gives;
        }
        switch (what) {
        case 0:
        case 1:
                return use(page, what);
        case 2:
        case 3:
        case 4:
        case 5: /* an access for which the guest has no mapping */
                if (now.map[page][what & 1] & (what < 4 ? UINT8_MAX : WRITABLE))
                        return false;
                leave(vcpu, page, LOOK);
                vcpu->view = what & 1;
                vcpu->write = what > 3;
                return true;
        case 6:
        case 7:
                leave(vcpu, page, what == 6 ? SHARE : UNSHARE);
                return true;
        case 8:
        case 9:
                leave(vcpu, page, GUEST);
                return pin(vcpu, what & 1);
        default:
                return false;
        }
}

static bool vcpu_step(struct vcpu *vcpu, unsigned choice)
{
        if (vcpu->next == GUEST)
                return choice < IN_GUEST && run(vcpu, choice);
        if (vcpu->next == PINNED)
                return choice < 2 && pinned(vcpu, choice);
        if (choice)
                return false;
        switch (vcpu->next) {
        case LOOK:
                return look(vcpu);
        case GET:
                return get(vcpu);
        case GET_SHARED:
                return get_shared(vcpu);
        case MAP:
                return map(vcpu);
        case REPLY:
                return reply(vcpu);
        default:
                return share(vcpu, vcpu->next == SHARE);
        }
}

/* Makes the ultracall UV_PAGE_IN, and checks its effect. */
static bool page_in_step(unsigned page, unsigned normal, unsigned flags)
{
        const bool shared = real[page].normal != PAGE_NO_PAGE;
        const bool none = real[page].state == PAGE_NONE;
        const bool content = real[page].state == PAGE_OUT &&
                             now.normal[normal] == cipher_of(page, real[page].version);
        const enum nova_u_status status = page_in(&pages, gpa_of(page), normal, flags);

        if (content && now.normal[normal] != cipher_of(page, real[page].version))
                fail("an answer of the VMM loses no page that is out");
        if (status)
                return true; /* a refusal must change nothing that check() sees */
        if (!shared && real[page].normal != PAGE_NO_PAGE) {
                if (!now.page[page].invited)
                        fail("a page is shared after its guest has accessed it");
                if (now.normal[normal])
                        fail("a shared page begins with zeroes");
                now.page[page].invited = 0;
        } else if (none && now.phase == 0) {
                now.page[page].ghost = now.normal[normal];
        }
        return true;
}

enum { VMM = 4 * 2 * PAGES * NORMALS };

/* Performs a step of the VMM. */
static bool vmm_step(unsigned choice)
{
        const unsigned page = choice % PAGES, normal = choice / PAGES % NORMALS;
        const unsigned what = choice / (PAGES * NORMALS);

        if (normal >= normal_count || (page && has('o')) || (what == 1 && !has('s')) ||
            (what == 3 && !has('w')) || (what > 5 && !has('r')))
                return false;
        switch (what) {
        case 0:
        case 1:
                if (now.versions == most_versions)
                        return false;
                if (!page_out(&pages, gpa_of(page), normal, what ? NOVA_UV_SNAPSHOT : 0) &&
                    (real[page].state == PAGE_OUT || real[page].snapshot) &&
                    now.normal[normal] != cipher_of(page, real[page].version))
                        fail("a page that goes out is encrypted");
                return true;
        case 2:
                return page_in_step(page, normal, 0);
        case 3:
                return page_in_step(page, normal, NOVA_UV_WRITE_PROTECTION);
        case 4:
                return !normal && !page_invalidate(&pages, gpa_of(page));
        case 5:
                now.normal[normal] = GARBAGE;
                return !page;
        case 6:
                now.saved = now.normal[normal];
                return !page;
        default:
                now.normal[normal] = now.saved;
                return !page;
        }
}

/* Performs a step of UV_ESM. In the first step, UV_ESM measures page 0, which must be present. In
 * the second step, the guest starts. */
static bool esm_step(void)
{
        if (now.phase == 0 && (real[0].state != PAGE_SECURE || real[0].expected))
                return false;
        now.phase++;
        return now.phase <= 2;
}

enum { STEPS = VMM + 1 + VCPUS * IN_GUEST };

/* Returns false if the next step of a virtual CPU does not have this choice in any state. */
static bool has_choice(unsigned number)
{
        const unsigned choice = number - VMM - 1;

        if (number <= VMM)
                return true;
        switch (now.vcpu[choice / IN_GUEST].next) {
        case GUEST:
                return true;
        case PINNED:
                return choice % IN_GUEST < 2;
        default:
                return choice % IN_GUEST == 0;
        }
}

/* Performs a step in the state `now`. @return false: the step is not possible in this state */
static bool step(unsigned number)
{
        bool done;

        if (!has_choice(number))
                return false;
        restore();
        if (number < VMM)
                done = vmm_step(number);
        else if (number == VMM)
                done = esm_step();
        else
                done = now.phase == 2 && vcpu_step(&now.vcpu[(number - VMM - 1) / IN_GUEST],
                                                   (number - VMM - 1) % IN_GUEST);
        if (!done)
                return false;
        save();
        check();
        return true;
}

/* The states in the order in which they were found, and a hash table. The low half of an entry is
 * the number of a state, counted from 1. The high half is the high half of the state's hash. */
struct record {
        struct state state;
        uint32_t from;
        uint32_t step;
};

static struct record *records;
static uint64_t *table;
static uint32_t count, most, slots;

static uint64_t hash(const struct state *state)
{
        const uint64_t *const word = (const void *)state;
        uint64_t sum = 0;

        _Static_assert(sizeof(*state) % sizeof(*word) == 0, "whole words");
        for (unsigned i = 0; i < sizeof(*state) / sizeof(*word); i++)
                sum = (sum ^ word[i]) * 0x9e3779b97f4a7c15u, sum ^= sum >> 29;
        return sum;
}

static void add(struct state state, uint32_t from, uint32_t how)
{
        uint64_t sum;

        normalize(&state);
        sum = hash(&state);
        for (uint64_t i = sum % slots;; i = i + 1 == slots ? 0 : i + 1) {
                const uint32_t found = (uint32_t)table[i];

                if (found && ((table[i] ^ sum) >> 32 ||
                              memcmp(&records[found - 1].state, &state, sizeof(state)) != 0))
                        continue;
                if (found)
                        return;
                if (count == most) {
                        printf("There are more than %u states.\n", most);
                        exit(1);
                }
                records[count] = (struct record){state, from, how};
                table[i] = (sum & ~(uint64_t)UINT32_MAX) | ++count;
                return;
        }
}

static const char *describe(uint32_t number)
{
        static const char *const calls[] = {
                "UV_PAGE_OUT",   "snapshot", "UV_PAGE_IN", "UV_PAGE_IN read-only",
                "UV_PAGE_INVAL", "garbage",  "save",       "replay"};

        if (number < VMM)
                snprintf(step_text, sizeof(step_text), "VMM: %s, page %u, normal page %u",
                         calls[number / (PAGES * NORMALS)], number % PAGES,
                         number / PAGES % NORMALS);
        else if (number == VMM)
                snprintf(step_text, sizeof(step_text), "UV_ESM goes on");
        else
                snprintf(step_text, sizeof(step_text), "virtual CPU %u: choice %u",
                         (number - VMM - 1) / IN_GUEST, (number - VMM - 1) % IN_GUEST);
        return step_text;
}

/* Prints the steps that led to a state. Between two steps, the two pages, or the two virtual CPUs,
 * may have exchanged their numbers. */
static void print_path(uint32_t from, uint32_t how)
{
        if (from)
                print_path(records[from].from, records[from].step);
        printf("%s\n", describe(how));
}

static void begin(void)
{
        const uint8_t none = NONE;

        memory = must(aligned_alloc(FRAME_BYTES, (size_t)FRAME_BLOCK * FRAME_BYTES));
        memset(memory, 0, (size_t)FRAME_BLOCK * FRAME_BYTES);
        if (!frame_init(&frames, memory, FRAME_BLOCK))
                must(NULL);
        memset(frames.in_use, 0xff, FRAME_BLOCK / 8);
        pages = (struct pages){.ops = &ops, .frames = &frames, .normal_pages = NORMALS};
        page_slot_reserve(&pages, 0, BASE, (uint64_t)PAGES * FRAME_BYTES);
        page_slot_open(&pages, 0, must(page_records((uint64_t)PAGES * FRAME_BYTES)));
        real = pages.slot[0].page;
        for (unsigned i = 0; i < PAGES; i++)
                now.page[i].frame = now.page[i].normal = none;
        now.page[0].flags = 4;
        memset(now.nonce, 0xff, sizeof(now.nonce));
}

/* Returns zeroed memory. Asks for large pages, because the accesses are far from each other. */
static void *make_room(size_t bytes)
{
        void *const room = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (room == MAP_FAILED)
                must(NULL);
        madvise(room, bytes, MADV_HUGEPAGE);
        return room;
}

int main(int argc, char **argv)
{
        frame_count = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
        normal_count = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
        most_versions = argc > 3 ? (unsigned)atoi(argv[3]) : 0;
        most = argc > 5 ? (unsigned)atoi(argv[5]) : 6000000;
        for (const char *use = argc > 4 ? argv[4] : ""; *use; use++)
                uses[*use & 127] = true;
        if (!frame_count || frame_count > PAGES || normal_count > NORMALS || most_versions > 3)
                return 2;
        slots = most * 2 + 1;
        records = make_room((size_t)most * sizeof(*records));
        table = make_room((size_t)slots * sizeof(*table));
        begin();
        add(now, 0, 0);
        for (uint32_t i = 0; i < count; i++) {
                for (unsigned j = 0; j < STEPS; j++) {
                        now = records[i].state;
                        if (!step(j))
                                continue;
                        if (wrong) {
                                print_path(i, j);
                                printf("broken: %s\n", wrong);
                                return 3;
                        }
                        if (memcmp(&now, &records[i].state, sizeof(now)) != 0)
                                add(now, i, j);
                }
        }
        printf("%u states, all in order\n", count);
        while (page_end(&pages))
                ;
        free(frames.in_use);
        free(frames.left);
        free(memory);
        return 0;
}
