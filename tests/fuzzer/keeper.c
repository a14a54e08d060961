/* SPDX-License-Identifier: BSD-2-Clause */
/* Keepers: threads of the root PD, one on each CPU, that answer the events of suspects and of
 * guests, and give suspects capabilities. Most replies to a suspect's event map pages or start the
 * suspect again; some also set random state. */
#include "fuzzer.h"

#define IDLE_MAX     64 /* maximum number of events without a hypercall; then the thread ends */
#define IMAGE_PIECES 48

struct keeper {
        struct thread *thread;
        uint64_t seed;
        volatile word_t events, exits;
};

static struct keeper keepers[CPUS_MAX];
static nova_sel_t awake; /* keepers wait here while plan.pauses */
static nova_crd_t image[IMAGE_PIECES];
static unsigned image_count;

static word_t sum(const volatile word_t *first)
{
        word_t n = 0;

        for (unsigned i = 0; i < CPUS_MAX; i++)
                n += *(const volatile word_t *)((const volatile char *)first +
                                                i * sizeof(struct keeper));
        return n;
}

void keepers_wake(void)
{
        for (unsigned i = 0; i < plan.cpus; i++)
                hc_sm_ctrl(awake, NOVA_SM_UP_OP);
}

word_t keepers_events(void)
{
        return sum(&keepers[0].events);
}

word_t keepers_exits(void)
{
        return sum(&keepers[0].exits);
}

static void add_flagged(struct nova_utcb *u, unsigned *n, nova_crd_t crd, word_t flags,
                        nova_sel_t hot)
{
        u->word[nova_utcb_item_index(*n)] = crd;
        u->word[nova_utcb_item_index(*n) + 1] = item_upper(NOVA_ITEM_DELEGATE | flags, hot);
        (*n)++;
}

static void add_item(struct nova_utcb *u, unsigned *n, nova_crd_t crd, nova_sel_t hot)
{
        add_flagged(u, n, crd, 0, hot);
}

/* Returns the record of a thread with this stack pointer, or NULL. */
static struct suspect *suspect_of(word_t sp)
{
        const word_t at = sp - plan.arenas;

        return at < ARENAS * SLOTS * SLOT ? (struct suspect *)(sp & ~(word_t)(SLOT - 1)) : NULL;
}

/* Adds the pages at an address to the reply, if the thread may have them. Returns whether it added
 * any. */
static bool page(struct nova_utcb *u, unsigned *n, const struct suspect *s, word_t address)
{
        const unsigned order = 4; /* order of the stacks of a PD */
        const word_t stacks = plan.arenas + (((word_t)s - plan.arenas) & ~(word_t)0xffff);

        if (address >= IMAGE_BEGIN && address < (word_t)__image_end) {
                for (unsigned i = 0; i < image_count; i++)
                        add_item(u, n, image[i], nova_crd_base(image[i]));
                return true;
        }
        if (address - stacks < 0x10000) {
                add_item(u, n, mem(stacks >> NOVA_PAGE_BITS, order, NOVA_MEM_R | NOVA_MEM_W),
                         stacks >> NOVA_PAGE_BITS);
                return true;
        }
        if (address - plan.shared < NOVA_PAGE_SIZE << SHARED_ORDER) {
                /* One page, also for devices, or a range from which a part can be revoked. */
                const word_t at = address >> NOVA_PAGE_BITS, first = at & ~(word_t)3;
                if (!plan.compares)
                        add_item(u, n, mem(at, 0, NOVA_MEM_RWX), at);
                else if (at == first)
                        add_flagged(u, n, mem(at, 0, NOVA_MEM_RWX), NOVA_ITEM_D, at);
                else
                        add_item(u, n, mem(first, 2, NOVA_MEM_RWX), first);
                return true;
        }
        return false;
}

/* Adds capabilities to the reply: the suspect's own PD, the root PD's objects in the zones, and
 * ports. The suspect's window selects those of one type. */
static void grant(struct keeper *k, struct nova_utcb *u)
{
        static const struct {
                uint16_t first;
                uint8_t order;
        } zones[] = {{SEL_SM, 5}, {SEL_PT, 5}, {SEL_EC, 5},
                     {SEL_SC, 5}, {SEL_PD, 3}, {SEL_VCPU, 4}};

        const word_t arena = u->word[0] % ARENAS;
        unsigned n = 0;

        add_item(u, &n, obj(group + SEL_PD + arena, ALL), SEL_PD + arena);
        for (unsigned i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
                if (random_below(&k->seed, 2))
                        add_item(
                                u, &n,
                                nova_crd(NOVA_CRD_OBJ, group + zones[i].first, zones[i].order, ALL),
                                zones[i].first);
        if (plan.compares)
                add_item(u, &n, io(PORT, PORT_ORDER), PORT);
        u->items = nova_utcb_items(0, n);
}

/* Fills a reply with any state: the kernel must reduce it to a state that a thread may have. The
 * reply also changes the instruction pointer, so that the thread begins again, or faults. At its
 * old place, a check of its registers, or REP STOS to its stack, would use the changed values. */
static nova_mtd_t any_state(struct keeper *k, struct nova_utcb *u)
{
        uint64_t *seed = &k->seed;

        u->state.ax = random_next(seed);
        u->state.cx = random_value(seed);
        u->state.bp = random_value(seed);
        u->state.flags = random_value(seed);
        u->state.dr7 = 0;
        u->state.inj_info = (uint32_t)random_value(seed);
        u->state.actv_state = (uint32_t)random_value(seed);
        u->state.cs.sel = (uint16_t)random_value(seed);
        u->state.cr0 = random_value(seed);
        u->state.ip = random_below(seed, 8) ? (word_t)suspect_again : random_place(seed);
        if (random_below(seed, 16) == 0)
                u->state.sp = random_place(seed);
        return random_next(seed) & MTD_ALLOWED;
}

/* Returns true if a thread must end because it gets nowhere, such as one whose account has no
 * memory for pages. */
static bool hopeless(struct suspect *s, unsigned event, word_t address)
{
        if (!s)
                return true;
        s->events++;
        s->idle = s->calls == s->calls_seen ? s->idle + 1 : 0;
        s->calls_seen = s->calls;
        s->last_event = event;
        s->last_address = address;
        return s->idle > IDLE_MAX;
}

/* Returns true if a thread has not run yet. Another event can arrive as STARTUP, because suspects
 * choose event bases and delegate portals. */
static bool is_new(unsigned event, const struct nova_utcb *u)
{
        return event == NOVA_EXC_STARTUP && !u->state.ip && u->state.sp % SLOT == SLOT - 64;
}

static void answer(struct keeper *k, unsigned event, struct nova_utcb *u)
{
        struct suspect *s = suspect_of(u->state.sp);
        const word_t address = event == NOVA_EXC_PF ? (word_t)u->state.qual[1] : 0;
        unsigned n = 0;
        nova_mtd_t mtd = NOVA_MTD_EIP | NOVA_MTD_EFL;
        bool resume = false;

        if (hopeless(s, event, address)) {
                u->state.ip = (word_t)suspect_end;
        } else if (event == NOVA_EXC_PF && page(u, &n, s, address)) {
                resume = true;
        } else if (event == NOVA_EXC_RECALL) {
                resume = true;
        } else {
                u->state.ip = (word_t)(is_new(event, u) ? suspect_start : suspect_again);
                if (event == NOVA_EXC_STARTUP && s)
                        page(u, &n, s, (word_t)s);
        }
        u->state.flags = 2;
        if (s && u->state.ip != (word_t)suspect_end && random_below(&k->seed, 12) == 0)
                mtd |= any_state(k, u);
        else if (resume)
                mtd = 0;
        u->state.mtd = mtd;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, n);
}

static void serve(struct thread *t)
{
        struct keeper *k = t->arg;
        const word_t n = t->portal - group;

        t->fn = serve;
        while (plan.pauses)
                hc_sm_ctrl(awake, NOVA_SM_DN_OP);
        if (n < SEL_GUEST && n % EVENTS == SHOP) {
                grant(k, t->utcb);
        } else if (n < SEL_GUEST) {
                k->events++;
                answer(k, n % EVENTS, t->utcb);
        } else if (n < SEL_SM) {
                k->exits++;
                const unsigned items = guest_reply(&k->seed, (unsigned)(n - SEL_GUEST), t->utcb);
                t->utcb->items = nova_utcb_items(NOVA_UTCB_MORE_WORDS, items);
        }
}

static void portals_make(const struct keeper *k, unsigned index)
{
        for (unsigned n = 0; n < EVENTS; n++)
                if (index || n != STILL)
                        EXPECT_EQ(hc_create_pt(group + EVENTS * index + n, ROOT_PD, k->thread->ec,
                                               NOVA_MTD_EXCEPTION, (word_t)portal_entry),
                                  NOVA_SUCCESS);
}

static void image_find(void)
{
        word_t at = IMAGE_BEGIN >> NOVA_PAGE_BITS;

        while (at < page_of(__image_end) && image_count < IMAGE_PIECES) {
                const nova_crd_t crd = look(NOVA_CRD_MEM, at);
                EXPECT(crd != 0);
                const unsigned order = nova_crd_order(crd);
                const word_t base = at & ~(((word_t)1 << order) - 1);
                image[image_count++] = mem(base, order, nova_crd_perms(crd) & ~NOVA_MEM_W & ALL);
                at = base + ((word_t)1 << order);
        }
        EXPECT(at >= page_of(__image_end));
}

void keepers_begin(uint64_t seed)
{
        for (unsigned i = 0; i < plan.cpus; i++)
                keepers[i].seed = (seed + i + 1) * 0x9e3779b97f4a7c15ull | 1;
}

void keepers_init(void)
{
        image_find();
        awake = semaphore(0);
        EXPECT_EQ(hc_create_sm(group + STILL, ROOT_PD, 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < plan.cpus; i++) {
                struct keeper *k = &keepers[i];
                k->thread = server(plan.cpu[i]);
                k->thread->arg = k;
                k->thread->fn = serve;
                portals_make(k, i);
        }
        for (unsigned n = 0; plan.guests && n < NOVA_HIP_VMI; n++)
                EXPECT_EQ(hc_create_pt(group + SEL_GUEST + n, ROOT_PD, keepers[0].thread->ec,
                                       MTD_ALLOWED, (word_t)portal_entry),
                          NOVA_SUCCESS);
}
