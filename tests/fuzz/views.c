/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses of a hostile guest to devices, with the help of a hostile VMM. The library's decoder and
 * page walk run as in the ultravisor, with both views of the memory (memory.c, access.c).
 *
 * Each read of a shared byte returns different data. No instruction may read such a byte twice, or
 * in any way other than by nova_copy_guarded(): the memory of the VMM is not mapped, so any other
 * access to it ends the program. Frames that are not pages of the guest are poisoned. Before and
 * after the ultravisor has its lock, the VMM and another virtual CPU may change pages. In 64-bit
 * mode the guest gets a page fault, or misses its code, only if its tables lead to no page. */
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "novart/guard.h"
#include "require.h"
#include "vm.h"

#define SLOT_PAGES 16u
#define PAGES      (2 * SLOT_PAGES) /* a slot below 1 MiB, and one at 1 MiB */
#define HIGH       VM_LOW_BYTES
#define NORMALS    8u
#define COUNT      512u
#define BIT        (UINT64_C(1) << 39)
#define DEVICES    0x200000u
#define TABLES     5u     /* the last pages are page tables, the topmost one first */
#define EXITS      4u     /* maximum number in an input */
#define WORK       50000u /* maximum number of times that an exit takes the lock */
#define ENTRY      0x07u  /* present, writable, for user mode */
#define LARGE      0x80u
#define PAGING     0x80000000u
#define VECTOR_PF  14
#define ADDRESS    0x000ffffffffff000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void novavmm_mmio_access(struct nova_vcpu *vcpu, uint64_t address);
void novavmm_port_string(struct nova_vcpu *vcpu);
uint32_t __real_frame_take(struct frames *frames); /* names of the linker's --wrap */
uint32_t __wrap_frame_take(struct frames *frames);
void __real_frame_give(struct frames *frames, uint32_t frame);
void __wrap_frame_give(struct frames *frames, uint32_t frame);

static uint8_t secure[COUNT * FRAME_BYTES] __attribute__((aligned(FRAME_BYTES)));
static uint8_t *normal;                    /* memory of the VMM: no access is possible */
static uint8_t stored[PAGES][FRAME_BYTES]; /* the VMM's copies of pages that are out */
static uint8_t reads[NORMALS * FRAME_BYTES];
static struct vm vm;
static struct nova_utcb_event event;
static const uint8_t *next; /* input that is left, ... */
static size_t left;         /* ... and its bytes */
static unsigned locks, changing;
static bool locked;
static bool changed;  /* others have changed a page during this exit */
static uint8_t fresh; /* next byte that a read of shared memory returns */

static uint8_t take(void)
{
        if (!left)
                return 0;
        left--;
        return *next++;
}

static uint64_t take_wide(void)
{
        uint64_t value = 0;

        for (unsigned i = 0; i < 8; i++)
                value = value << 8 | take();
        return value;
}

uint32_t __wrap_frame_take(struct frames *frames)
{
        const uint32_t frame = __real_frame_take(frames);

        if (frame != FRAME_NONE)
                __asan_unpoison_memory_region(frame_address(frames, frame), FRAME_BYTES);
        return frame;
}

void __wrap_frame_give(struct frames *frames, uint32_t frame)
{
        __real_frame_give(frames, frame);
        __asan_poison_memory_region(frame_address(frames, frame), FRAME_BYTES);
}

static uint64_t gpa_of(unsigned page)
{
        return page < SLOT_PAGES ? page * FRAME_BYTES : HIGH + (page - SLOT_PAGES) * FRAME_BYTES;
}

/* Functions for pages: the VMM's copies are not in its memory, which nothing can access. */

static uint8_t *stored_of(uint64_t gpa)
{
        return stored[gpa < HIGH ? gpa / FRAME_BYTES : SLOT_PAGES + (gpa - HIGH) / FRAME_BYTES];
}

static bool unmap(struct pages *pages, const struct page *page, uint64_t gpa, enum page_place place)
{
        (void)pages, (void)page, (void)gpa, (void)place;
        return true;
}

static bool uses(struct pages *pages, uint64_t gpa, uint64_t bytes)
{
        (void)pages, (void)gpa, (void)bytes;
        return false;
}

static bool copy_in(struct pages *pages, void *to, uint32_t page)
{
        (void)pages, (void)to;
        return page < NORMALS;
}

static bool copy_out(struct pages *pages, uint32_t page, const void *from)
{
        (void)pages, (void)from;
        return page < NORMALS;
}

static bool encrypt(struct pages *pages, uint64_t gpa, uint64_t version, const void *from, void *to,
                    uint8_t tag[PAGE_TAG_BYTES])
{
        (void)pages, (void)version, (void)to, (void)tag;
        memcpy(stored_of(gpa), from, FRAME_BYTES);
        return true;
}

static bool decrypt(struct pages *pages, uint64_t gpa, uint64_t version, const void *from,
                    const uint8_t tag[PAGE_TAG_BYTES], void *to)
{
        (void)pages, (void)version, (void)from, (void)tag;
        memcpy(to, stored_of(gpa), FRAME_BYTES);
        return true;
}

const struct page_ops memory_page_ops = {unmap, uses, copy_in, copy_out, encrypt, decrypt};

/* Changes a page, as the VMM and another virtual CPU of the guest can do. */
static void change(void)
{
        const uint8_t what = take();
        const uint64_t gpa = gpa_of(take() % PAGES);

        changed = true;
        switch (what % 8) {
        case 0:
                page_out(&vm.pages, gpa, what / 8 % NORMALS, what & 0x80 ? NOVA_UV_SNAPSHOT : 0);
                break;
        case 1:
                page_in(&vm.pages, gpa, what / 8 % NORMALS, 0);
                break;
        case 2:
                page_invalidate(&vm.pages, gpa);
                break;
        case 3:
                page_share(&vm.pages, gpa);
                break;
        case 4:
                page_unshare(&vm.pages, gpa);
                break;
        default:
                break;
        }
}

/* Lets the VMM or another virtual CPU take the lock, which is free. */
static void meanwhile(void)
{
        if (changing && left) {
                changing--;
                change();
        }
}

void vm_lock(void)
{
        require(!locked && locks++ < WORK);
        meanwhile();
        locked = true;
}

void vm_unlock(void)
{
        require(locked);
        locked = false;
        meanwhile();
}

void vm_yield(void)
{
        vm_unlock();
        vm_lock();
}

/* Answers a call as the VMM, which sees accesses to devices only. */
int reflect(struct nova_vcpu *vcpu, enum nova_h_call call, const uint64_t parameters[4],
            uint64_t *value)
{
        const uint8_t how = take();

        require(!locked && vcpu == &vm.machine.vcpu[0]);
        if (value)
                *value = how;
        if (call == NOVA_H_SVM_PAGE_IN && how & 1)
                page_in(&vm.pages, parameters[0], how >> 1 & (NORMALS - 1), 0);
        else if (call == NOVA_H_SVM_PAGE_OUT && how & 1)
                page_out(&vm.pages, parameters[0], how >> 1 & (NORMALS - 1), 0);
        else if (call == NOVA_H_MEMORY)
                require(!(parameters[0] & BIT) && !page_find(&vm.pages, parameters[0]));
        return 0;
}

/* Counts the reads of shared bytes. Only a comparison of two strings can name a byte twice. Under
 * the lock, the VMM cannot take the page away during the copy. */
int nova_copy_guarded(void *to, const void *from, size_t bytes)
{
        const bool compares = vm.machine.vcpu[0].decoded.in.operation == NOVA_OP_CMPS;
        const bool in = (const uint8_t *)from >= normal &&
                        (const uint8_t *)from < normal + NORMALS * FRAME_BYTES;
        const size_t at = (size_t)((in ? (const uint8_t *)from : (uint8_t *)to) - normal);

        require(locked && bytes <= 8 && at / FRAME_BYTES < NORMALS &&
                at % FRAME_BYTES + bytes <= FRAME_BYTES);
        for (size_t i = 0; in && i < bytes; i++) {
                require(reads[at + i]++ < 1 + compares);
                ((uint8_t *)to)[i] = fresh++;
        }
        return 0;
}

/* Substitutes for the rest of the library. */

void nova_vcpu_skip(struct nova_vcpu *vcpu, unsigned bytes)
{
        require(bytes <= NOVA_CODE_BYTES);
        vcpu->state->ip += bytes;
}

void nova_vcpu_raise(struct nova_vcpu *vcpu, unsigned vector)
{
        (void)vcpu, (void)vector;
}

bool guest_pause(struct nova_vcpu *vcpu)
{
        (void)vcpu;
        return true;
}

void guest_wait_for_others(struct nova_vcpu *vcpu)
{
        (void)vcpu;
}

bool nova_vcpu_map(struct nova_vcpu *vcpu, nova_crd_t crd, nova_sel_t to)
{
        (void)vcpu, (void)crd, (void)to;
        return true;
}

static uint64_t port_read(void *context, uint64_t port, unsigned bytes)
{
        (void)context, (void)port, (void)bytes;
        return take();
}

static void port_write(void *context, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)context, (void)port, (void)bytes, (void)value;
}

/* Returns the page table entry that a byte of the input selects: a page in one of the views, or a
 * device. */
static uint64_t entry_of(uint8_t how)
{
        const uint64_t view = how & 0x20 ? BIT : 0;

        if (how & 0x80)
                return how & 0x40 ? 0 : (DEVICES + how % PAGES * FRAME_BYTES) | view | ENTRY;
        return gpa_of(how % PAGES) | view | (how & 0x40 ? ENTRY & ~2u : ENTRY);
}

/* Returns the content of a page in its secure place. @return NULL: it has none */
static uint8_t *content(uint64_t gpa)
{
        const struct page *const page = page_find(&vm.pages, gpa);

        if (!page)
                return NULL;
        if (page->state == PAGE_SECURE)
                return frame_address(&memory_frames, page->frame);
        return page->state == PAGE_OUT ? stored_of(gpa) : NULL;
}

/* Returns the content of the secure place to which an address leads. @param table the access is
 * part of a walk of the tables @return NULL: the address does not lead to a secure place with
 * content */
static uint8_t *secure_content(uint64_t address, bool table)
{
        const struct page *const page = page_find(&vm.pages, address & ~BIT);
        const bool leads = address & BIT || address < VM_LOW_BYTES ||
                           (table && page && page->normal == PAGE_NO_PAGE);

        return page && !page->shared && leads ? content(address & ~BIT) : NULL;
}

/* Translates a linear address of 64-bit mode by tables in secure places. @return false if they do
 * not translate it */
static bool translate(uint64_t linear, uint64_t *physical)
{
        uint64_t entry = event.state.cr3;

        for (unsigned level = event.state.cr4 & 0x1000 ? 5 : 4; level--;) {
                const unsigned number = linear >> (12 + 9 * level) & 511;
                const uint64_t offset = (UINT64_C(1) << (12 + 9 * level)) - FRAME_BYTES;
                const uint8_t *const table = secure_content(entry & ADDRESS, true);

                if (!table)
                        return false;
                memcpy(&entry, table + number * sizeof(entry), sizeof(entry));
                if (!(entry & 1))
                        return false;
                *physical = (entry & ADDRESS & ~offset) | (linear & offset);
                if (level && level < 3 && entry & LARGE)
                        return true;
        }
        return true;
}

/* Returns true if nothing but the guest's own tables can be the cause of its exception. */
static bool is_judged(const struct nova_vcpu *vcpu)
{
        return vcpu->vm->end == NOVA_VM_RUNS && !changed && event.more.efer &&
               event.state.cr0 & PAGING;
}

/* Ends the test if the guest's code counts as missing although the guest's tables lead to a
 * page. */
void nova_vcpu_fail(struct nova_vcpu *vcpu, const char *format, ...)
{
        uint64_t physical;

        require(strncmp(format, "a jump to", 9) != 0 || !is_judged(vcpu) ||
                !translate(vcpu->state->ip, &physical) || !secure_content(physical, false));
        vcpu->vm->end = NOVA_VM_ERROR;
}

/* Ends the test if a page fault has no cause. The guest runs with privilege and without CR0.WP, so
 * tables that translate an address permit each access. */
void nova_vcpu_raise_error(struct nova_vcpu *vcpu, unsigned vector, uint32_t error)
{
        uint64_t physical;

        (void)error;
        require(vector != VECTOR_PF || !is_judged(vcpu) || !translate(vcpu->state->cr2, &physical));
}

/* Writes an entry of a table. */
static void set_entry(unsigned page, unsigned number, uint64_t entry)
{
        uint8_t *const table = content(gpa_of(page));

        if (table)
                memcpy(table + number * sizeof(entry), &entry, sizeof(entry));
}

/* Makes tables for the first 32 pages of linear addresses. The input gives the entries of the last
 * table, and may replace an entry of each upper table. */
static void make_tables(void)
{
        const unsigned first = PAGES - TABLES;

        for (unsigned i = 0; i + 1 < TABLES; i++) {
                const uint8_t how = take();
                const uint64_t view = how & 1 ? 0 : BIT;

                set_entry(first + i, 0,
                          how & 0x80 ? entry_of(how) : gpa_of(first + i + 1) | view | ENTRY);
        }
        for (unsigned i = 0; i < PAGES; i++)
                set_entry(PAGES - 1, i, entry_of(take()));
}

/* Sets the state of a page by a byte of the input. */
static void set_page(unsigned number, uint8_t how)
{
        struct page *const page = page_find(&vm.pages, gpa_of(number));

        if (!(how & 0x10) || number >= PAGES - TABLES) {
                require(page_fill(&vm.pages, page));
                memset(frame_address(&memory_frames, page->frame), how & 0xf7, FRAME_BYTES);
        }
        page->attributes[how >> 6 & 1] = how & 0x20 ? NOVA_UV_WRITE_PROTECTION : 0;
        if (how & 8)
                page->normal = how & (NORMALS - 1);
}

/* Shares pages, and moves some out, after their content has been written. */
static void move_page(unsigned number, uint8_t how)
{
        if (how & 0x40)
                page_out(&vm.pages, gpa_of(number), 0, 0);
        if (how & 0x80)
                page_share(&vm.pages, gpa_of(number));
}

static void add_slot(unsigned slot, uint64_t start)
{
        page_slot_reserve(&vm.pages, slot, start, SLOT_PAGES * FRAME_BYTES);
        page_slot_open(&vm.pages, slot, page_records(SLOT_PAGES * FRAME_BYTES));
}

/* Writes the instruction to the page that the last table names, if this page is a secure place. */
static void write_code(uint64_t linear)
{
        const uint8_t *const table = content(gpa_of(PAGES - 1));
        uint64_t entry;

        for (unsigned i = 0; i < NOVA_CODE_BYTES; i++) {
                const uint64_t at = linear + i;
                uint8_t *page, byte = take();

                memcpy(&entry, table + at / FRAME_BYTES % PAGES * sizeof(entry), sizeof(entry));
                page = content(entry & ~BIT & ~(uint64_t)(FRAME_BYTES - 1));
                if (page)
                        page[at % FRAME_BYTES] = byte;
        }
}

static void set_mode(struct nova_utcb_state *state, uint8_t mode)
{
        static const struct nova_segment flat = {.ar = 0xc93, .limit = UINT32_MAX};
        const unsigned first = PAGES - TABLES + (mode & 1 ? 0 : mode & 2 ? 2 : 1);

        for (unsigned i = 0; i < 6; i++)
                (&state->es)[i] = flat;
        state->cs.ar = mode & 2 ? 0xc9b : 0xa9b;
        state->cr0 = mode & 4 ? 1 : 0x80000001;
        state->cr3 = gpa_of(first) | (mode & 8 || mode & 2 ? 0 : BIT);
        state->cr4 = (mode & 0x10 ? 0 : 0x20) | (mode & 1 ? 0x1000 : 0);
        event.more.efer = mode & 2 ? 0 : 0x500;
        state->flags = 2u | (mode & 0x20 ? 0x400 : 0);
}

/* Sets registers: addresses near borders of the pages. */
static void set_registers(struct nova_utcb_state *state)
{
        nova_word_t *const general = &state->ax;

        for (unsigned i = 0; i < 16; i++) {
                const uint8_t page = take(), offset = take();

                general[i] = ((page % PAGES + 1) * FRAME_BYTES) + (int8_t)offset;
                if (page & 0x80)
                        general[i] = take_wide();
        }
}

static void begin(void)
{
        static const struct nova_bus_range ports = {0, 0xffff, port_read, port_write, NULL};
        struct nova_vcpu *const vcpu = &vm.machine.vcpu[0];

        __asan_unpoison_memory_region(secure, sizeof(secure));
        memset(secure, 0, sizeof(secure));
        require(frame_init(&memory_frames, secure, COUNT));
        __asan_poison_memory_region(secure, sizeof(secure));
        if (!normal)
                normal = mmap(NULL, NORMALS * FRAME_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                              -1, 0);
        memset(&vm, 0, sizeof(vm));
        memset(&event, 0, sizeof(event));
        vm.state = VM_SECURE;
        vm.bit = BIT;
        vm.normal = normal;
        vm.vcpus = vm.machine.vcpus = 1;
        vm.machine.serving = vcpu;
        vcpu->vm = &vm.machine;
        vcpu->state = &event.state;
        vcpu->more = &event.more;
        vm.pages.normal_pages = NORMALS;
        memory_prepare(&vm);
        access_init(&vm);
        nova_bus_add(&vm.machine.ports, &ports);
        add_slot(0, 0);
        add_slot(1, HIGH);
}

static void run(void)
{
        struct nova_vcpu *const vcpu = &vm.machine.vcpu[0];
        const uint8_t where = take();

        locks = 0;
        changed = false;
        memset(reads, 0, sizeof(reads));
        vcpu->exits++;
        if (where & 0x80) {
                memset(&vcpu->decoded, 0, sizeof(vcpu->decoded));
                vcpu->port.bytes = (uint8_t)(1u << where % 3);
                vcpu->port.in = where & 0x40;
                novavmm_port_string(vcpu);
        } else {
                novavmm_mmio_access(vcpu, DEVICES + where * (FRAME_BYTES / 4) -
                                                  (where & 3 ? where & 7 : 0));
        }
        vm.machine.look(vm.machine.look_context);
        for (unsigned i = 0; i < PAGES; i++)
                require(!page_find(&vm.pages, gpa_of(i))->pins);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        uint8_t how[PAGES];

        next = data;
        left = size;
        changing = 0;
        begin();
        for (unsigned i = 0; i < PAGES; i++)
                set_page(i, how[i] = take());
        make_tables();
        set_mode(&event.state, take());
        set_registers(&event.state);
        event.state.ip = (take() % PAGES) * FRAME_BYTES + FRAME_BYTES - take() % 16;
        write_code(event.state.ip);
        for (unsigned i = 0; i < PAGES; i++)
                move_page(i, how[i]);
        changing = take();
        for (unsigned i = 0; i < EXITS && left && vm.machine.end == NOVA_VM_RUNS; i++)
                run();
        while (page_end(&vm.pages))
                ;
        free(memory_frames.in_use);
        free(memory_frames.left);
        return 0;
}
