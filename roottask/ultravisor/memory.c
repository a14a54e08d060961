/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of secure guests: mapping of pages at exits, and access by the ultravisor. */
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/guard.h"
#include "vm.h"

/* The access belongs to a walk of the guest's page tables (SVM); the access is a write; it fetches
 * code. */
#define NPF_TABLE   0x200000000u
#define VMX_LINEAR  0x80u
#define VMX_FINAL   0x100u
#define QUAL_WRITE  0x2u
#define NPF_FETCH   0x10u
#define VMX_FETCH   0x4u
#define BLOCK_BYTES (FRAME_BLOCK * FRAME_BYTES)
#define REPEATS     64u /* exits for one address without progress */
#define TRIES       64u /* attempts to move a page that cannot be moved at once */

struct frames memory_frames;

/* Finds a page that can be moved out, of all pages of a VM. The lock is held, and released after
 * each part of the pages. @return its guest-physical address; UINT64_MAX: there is none */
static uint64_t find_victim(struct vm *vm)
{
        uint64_t gpa = page_victim(&vm->pages);

        for (uint64_t parts = page_total(&vm->pages) / PAGE_PART; parts && gpa == UINT64_MAX;
             parts--) {
                vm_yield();
                gpa = page_victim(&vm->pages);
        }
        return gpa;
}

/* Asks the VMM to move a page out, so that a frame becomes free. */
static bool make_room(struct nova_vcpu *vcpu)
{
        struct vm *const vm = vm_of(vcpu);

        for (unsigned i = 0; i < TRIES; i++) {
                uint64_t parameters[4] = {0, 0, NOVA_UV_ORDER_PAGE, 0};
                bool free;

                vm_lock();
                free = page_room(&vm->pages);
                parameters[0] = free ? 0 : find_victim(vm);
                vm_unlock();
                if (free)
                        return true;
                if (parameters[0] == UINT64_MAX)
                        break;
                reflect(vcpu, NOVA_H_SVM_PAGE_OUT, parameters, NULL);
                if (vm->machine.end != NOVA_VM_RUNS)
                        return false;
        }
        nova_vcpu_fail(vcpu, "no secure memory is left for it, and its VMM moves no page out");
        return false;
}

/* Asks the VMM for a page. Another virtual CPU may get it meanwhile, so the caller checks again
 * whether the page is present.
 * @return the status of the VMM's answer */
static int request(struct nova_vcpu *vcpu, uint64_t gpa, unsigned flags)
{
        const uint64_t parameters[4] = {gpa, flags, NOVA_UV_ORDER_PAGE, 0};

        return reflect(vcpu, NOVA_H_SVM_PAGE_IN, parameters, NULL);
}

static void fail_request(struct nova_vcpu *vcpu, uint64_t gpa, int status)
{
        nova_vcpu_fail(vcpu, "its VMM does not provide the page at 0x%llx (status %d)",
                       (unsigned long long)gpa, status);
}

/* Resources that a page lacks before an exit can use it. */
enum need { NEED_NOTHING, NEED_SLOT, NEED_FRAME, NEED_CONTENT };

/* Makes the secure place of a page present, if that needs nothing. The lock is held. */
static enum need fill(struct vm *vm, struct page *page, uint64_t gpa)
{
        if (page->state == PAGE_NONE && !page_fill_block(&vm->pages, gpa))
                page_fill(&vm->pages, page);
        if (page->state == PAGE_SECURE)
                return NEED_NOTHING;
        return page->state == PAGE_OUT && page_room(&vm->pages) ? NEED_CONTENT : NEED_FRAME;
}

/* Tries to make the secure place of a page present. A page that is shared has none. */
static enum need try_get(struct vm *vm, uint64_t gpa)
{
        enum need need = NEED_SLOT;
        struct page *page;

        vm_lock();
        page = page_find(&vm->pages, gpa);
        if (page)
                need = page->shared ? NEED_NOTHING : fill(vm, page, gpa);
        vm_unlock();
        return need;
}

bool memory_get(struct nova_vcpu *vcpu, uint64_t gpa)
{
        struct vm *const vm = vm_of(vcpu);
        int status = 0;

        for (unsigned i = 0; i < TRIES && vm->machine.end == NOVA_VM_RUNS; i++) {
                switch (try_get(vm, gpa)) {
                case NEED_NOTHING:
                        return true;
                case NEED_SLOT:
                        return false;
                case NEED_FRAME:
                        if (!make_room(vcpu))
                                return false;
                        status = 0; /* another virtual CPU took the frame for the last answer */
                        break;
                case NEED_CONTENT:
                        if (status) {
                                fail_request(vcpu, gpa, status);
                                return false;
                        }
                        status = request(vcpu, gpa, 0);
                }
        }
        fail_request(vcpu, gpa, status);
        return false;
}

/* Returns true if the shared place of a page is there; else notes that the VMM may provide it. */
static bool has_shared(struct vm *vm, uint64_t gpa)
{
        struct page *page;
        bool has;

        vm_lock();
        page = page_find(&vm->pages, gpa);
        has = page && page->normal != PAGE_NO_PAGE;
        if (page)
                page->asked = !has;
        vm_unlock();
        return has;
}

/* Fills the shared place of a page. If the VMM's answer brought back a page that was out instead
 * (page_in()), the VMM is asked again. */
static bool get_shared(struct nova_vcpu *vcpu, uint64_t gpa)
{
        struct vm *const vm = vm_of(vcpu);
        int status = 0;

        for (unsigned i = 0; i < TRIES && !status && vm->machine.end == NOVA_VM_RUNS; i++) {
                if (has_shared(vm, gpa))
                        return true;
                status = request(vcpu, gpa, NOVA_H_PAGE_IN_SHARED);
        }
        if (has_shared(vm, gpa))
                return true;
        fail_request(vcpu, gpa, status);
        return false;
}

static void give(struct nova_vcpu *vcpu, const void *from, unsigned order, uint64_t to,
                 unsigned rights)
{
        struct vm *const vm = vm_of(vcpu);
        struct vcpu *const own = &vm->vcpu[vcpu->number];

        own->given = to & ~vm->bit;
        own->given_bytes = (uint64_t)FRAME_BYTES << order;
        nova_vcpu_map(vcpu, nova_crd_mem(page_number(from), order, rights),
                      (nova_sel_t)(to >> NOVA_PAGE_BITS));
}

/* Maps the secure place of a page at one of its views. Below 1 MiB both views show it. */
static void map_secure(struct nova_vcpu *vcpu, struct page *page, uint64_t address)
{
        struct vm *const vm = vm_of(vcpu);
        const uint64_t gpa = address & ~vm->bit;
        unsigned rights = NOVA_MEM_RWX;

        if (address & vm->bit && gpa >= BLOCK_BYTES && page_is_whole(&vm->pages, gpa)) {
                const uint64_t offset = gpa % BLOCK_BYTES;

                give(vcpu, frame_address(&memory_frames, page->frame) - offset, 9, address - offset,
                     rights);
                return;
        }
        if (page->snapshot && vcpu->state->qual[0] & QUAL_WRITE)
                page->snapshot = false;
        if (page_is_protected(page, PAGE_SECURE_PLACE) || page->snapshot)
                rights &= ~(unsigned)NOVA_MEM_W;
        if (page->narrow && rights & NOVA_MEM_W) /* a mapping gets no further permissions */
                nova_revoke(nova_crd_mem(page_number(frame_address(&memory_frames, page->frame)), 0,
                                         NOVA_MEM_RWX),
                            0);
        page->narrow = !(rights & NOVA_MEM_W);
        give(vcpu, frame_address(&memory_frames, page->frame), 0, address, rights);
}

static bool misses_table(const struct nova_vcpu *vcpu)
{
        const uint64_t how = vcpu->state->qual[0];

        return vcpu->vm->svm ? how & NPF_TABLE : (how & (VMX_LINEAR | VMX_FINAL)) == VMX_LINEAR;
}

/* Returns true if an access of the guest leads to the secure place. The CPU's walks of page tables
 * do so in both views, as on CPUs of AMD: Linux loads its first page table by an address without
 * the bit. */
static bool is_secure_access(const struct nova_vcpu *vcpu, const struct page *page,
                             uint64_t address)
{
        if (page->shared)
                return false;
        return address & vm_of(vcpu)->bit || address < VM_LOW_BYTES ||
               (misses_table(vcpu) && page->normal == PAGE_NO_PAGE);
}

/* Kinds of memory at an address that the guest accesses. */
enum found { FOUND_NOTHING, FOUND_SECURE, FOUND_SHARED, FOUND_FORBIDDEN, FOUND_SHARED_CODE };

static bool is_fetch(const struct nova_vcpu *vcpu)
{
        return vcpu->state->qual[0] & (vcpu->vm->svm ? NPF_FETCH : VMX_FETCH);
}

/* Finds the kind of memory that the guest accesses in a page. */
static enum found kind_of(const struct nova_vcpu *vcpu, const struct page *page, uint64_t address)
{
        const bool secure = is_secure_access(vcpu, page, address);
        const bool present = secure ? page->state == PAGE_SECURE : page->normal != PAGE_NO_PAGE;

        if (!secure && is_fetch(vcpu))
                return FOUND_SHARED_CODE;
        if (present && vcpu->state->qual[0] & QUAL_WRITE &&
            page_is_protected(page, secure ? PAGE_SECURE_PLACE : PAGE_SHARED_PLACE))
                return FOUND_FORBIDDEN;
        return secure ? FOUND_SECURE : FOUND_SHARED;
}

/* Maps the secure place of a page, if it is present or needs nothing to be so.
 * @return true if the reply maps it */
static bool map_present(struct nova_vcpu *vcpu, struct page *page, uint64_t address)
{
        struct vm *const vm = vm_of(vcpu);
        const uint64_t gpa = address & ~vm->bit;

        if (fill(vm, page, gpa) != NEED_NOTHING)
                return false;
        page->aliased |= !(address & vm->bit) && gpa >= VM_LOW_BYTES;
        vm->aliases |= page->aliased;
        map_secure(vcpu, page, address);
        return true;
}

/* Maps the shared place of a page; if there is none, notes that the VMM may provide it.
 * @return true if the reply maps it */
static bool map_shared(struct nova_vcpu *vcpu, struct page *page, uint64_t address)
{
        const bool protected = page_is_protected(page, PAGE_SHARED_PLACE);

        page->asked = page->normal == PAGE_NO_PAGE;
        if (!page->asked)
                give(vcpu, vm_of(vcpu)->normal + (uint64_t)page->normal * FRAME_BYTES, 0, address,
                     protected ? NOVA_MEM_R : NOVA_MEM_R | NOVA_MEM_W);
        return !page->asked;
}

/* Finds what the guest accesses, and maps it if possible.
 * @param[out] mapped the reply maps it */
static enum found try_map(struct nova_vcpu *vcpu, uint64_t address, bool *mapped)
{
        struct vm *const vm = vm_of(vcpu);
        enum found found = FOUND_NOTHING;
        struct page *page;

        *mapped = false;
        vm_lock();
        page = page_find(&vm->pages, address & ~vm->bit);
        if (page)
                found = kind_of(vcpu, page, address);
        if (found == FOUND_SECURE)
                *mapped = map_present(vcpu, page, address);
        else if (found == FOUND_SHARED)
                *mapped = map_shared(vcpu, page, address);
        vm_unlock();
        return found;
}

/* Maps what the VMM has to provide first. If another virtual CPU changes the page meanwhile, the
 * guest exits again. If the VMM's answer did not fill the shared place, see get_shared(). */
static void map_later(struct nova_vcpu *vcpu, uint64_t address, bool secure)
{
        struct vm *const vm = vm_of(vcpu);
        const uint64_t gpa = address & ~vm->bit;
        bool mapped;
        int status = 0;

        if (secure) {
                if (memory_get(vcpu, gpa))
                        try_map(vcpu, address, &mapped);
                return;
        }
        for (unsigned i = 0; i < TRIES && !status && vm->machine.end == NOVA_VM_RUNS; i++) {
                status = request(vcpu, gpa, NOVA_H_PAGE_IN_SHARED);
                if (try_map(vcpu, address, &mapped) != FOUND_SHARED || mapped)
                        return;
        }
        fail_request(vcpu, gpa, status);
}

static void fail_write(struct nova_vcpu *vcpu, uint64_t address)
{
        nova_vcpu_fail(vcpu, "a write to the page at 0x%llx, which its VMM has protected",
                       (unsigned long long)address);
}

/* Returns true if exits for one address follow each other: the kernel did not map the page, or its
 * VMM takes it away again and again. */
static bool makes_no_progress(struct nova_vcpu *vcpu, uint64_t address)
{
        struct vcpu *const own = &vm_of(vcpu)->vcpu[vcpu->number];

        if (own->last_address != address || own->last_exit + 1 != vcpu->exits)
                own->repeated = 0;
        own->last_address = address;
        own->last_exit = vcpu->exits;
        return own->repeated++ >= REPEATS;
}

bool memory_exit(struct nova_vcpu *vcpu)
{
        const uint64_t address = vcpu->more->gpa & ~(uint64_t)(FRAME_BYTES - 1);
        bool mapped;
        const enum found found = try_map(vcpu, address, &mapped);

        if (found == FOUND_NOTHING && !(address & vm_of(vcpu)->bit))
                return false;
        if (found == FOUND_NOTHING)
                nova_vcpu_fail(vcpu, "an access to 0x%llx, where it has no memory",
                               (unsigned long long)address);
        else if (found == FOUND_FORBIDDEN)
                fail_write(vcpu, address);
        else if (found == FOUND_SHARED_CODE)
                nova_vcpu_fail(vcpu, "code in the page at 0x%llx, which it shares with its VMM",
                               (unsigned long long)address);
        else if (makes_no_progress(vcpu, address))
                nova_vcpu_fail(vcpu,
                               "the page at 0x%llx cannot be mapped: no kernel memory is left for "
                               "it, or its VMM takes it away",
                               (unsigned long long)address);
        else if (!mapped)
                map_later(vcpu, address, found == FOUND_SECURE);
        return true;
}

/* Unmaps the aliases of a slot's pages. The lock is held, and released after each part of the
 * pages: the slot can vanish meanwhile. */
static void drop_slot_aliases(struct vm *vm, const struct page_slot *slot)
{
        for (uint64_t i = 0; slot->page && i < slot->bytes / FRAME_BYTES; i++) {
                struct page *const page = &slot->page[i];

                if (page->aliased) {
                        page->aliased = !vm->pages.ops->unmap(
                                &vm->pages, page, slot->start + i * FRAME_BYTES, PAGE_SECURE_PLACE);
                        vm->aliases |= page->aliased;
                }
                if (i % PAGE_PART == PAGE_PART - 1)
                        vm_yield();
        }
}

void memory_drop_aliases(struct vm *vm, const struct nova_vcpu *vcpu)
{
        if (!vm->aliases || !(vcpu->state->cr3 & vm->bit))
                return;
        vm_lock();
        vm->aliases = false;
        for (unsigned i = 0; i < PAGE_SLOTS; i++)
                drop_slot_aliases(vm, &vm->pages.slot[i]);
        vm_unlock();
}

static bool pin(struct vcpu *vcpu, struct page *page, uint64_t gpa)
{
        for (unsigned i = 0; i < vcpu->pins; i++)
                if (vcpu->pin[i] == gpa)
                        return true;
        if (vcpu->pins == VM_PINS)
                return false;
        vcpu->pin[vcpu->pins++] = gpa;
        page->pins++;
        return true;
}

/* Pins the secure place of a page until the exit has been answered. The lock is held.
 * @return NULL: the page is not present, is shared, or may not be written */
static uint8_t *pin_place(struct vm *vm, struct page *page, uint64_t gpa, bool write)
{
        struct vcpu *const vcpu = &vm->vcpu[vm->machine.serving->number];

        if (page->shared || page->state != PAGE_SECURE ||
            (write && page_is_protected(page, PAGE_SECURE_PLACE)) || !pin(vcpu, page, gpa))
                return NULL;
        page->snapshot &= !write;
        return frame_address(&memory_frames, page->frame);
}

/* Finds memory for find() or find_table(). Usually the page is present, and the lock is taken
 * once. */
static void *find_place(struct vm *vm, uint64_t address, size_t bytes, bool write, bool table)
{
        struct nova_vcpu *const vcpu = vm->machine.serving;
        const uint64_t gpa = (address & ~vm->bit) & ~(uint64_t)(FRAME_BYTES - 1);
        uint8_t *place = NULL;
        bool secure = true;

        if (!vcpu || address % FRAME_BYTES + bytes > FRAME_BYTES)
                return NULL;
        for (unsigned i = 0; i < 2 && secure && !place; i++) {
                struct page *page;

                if (i && !memory_get(vcpu, gpa))
                        return NULL;
                vm_lock();
                page = page_find(&vm->pages, gpa);
                secure = address & vm->bit || gpa < VM_LOW_BYTES ||
                         (table && page && page->normal == PAGE_NO_PAGE);
                if (secure && page)
                        place = pin_place(vm, page, gpa, write);
                vm_unlock();
        }
        return place ? place + address % FRAME_BYTES : NULL;
}

/* Finds memory for the library, which walks the guest's page tables and emulates its accesses to
 * devices. Returns NULL for a shared page, whose content the VMM can change at any time: the
 * library handles an access to it like an access to a device (memory_exit()). */
static void *find(void *context, uint64_t address, size_t bytes, bool write)
{
        return find_place(context, address, bytes, write, false);
}

/* Finds a page table. Like the CPU, it uses the secure place for an address without the bit if the
 * page has no shared place: a guest's first tables have no bit yet. */
static void *find_table(void *context, uint64_t address, size_t bytes, bool write)
{
        return find_place(context, address, bytes, write, true);
}

static void unpin(struct vm *vm, struct vcpu *own)
{
        vm_lock();
        while (own->pins) {
                struct page *const page = page_find(&vm->pages, own->pin[--own->pins]);

                if (page && page->pins)
                        page->pins--;
        }
        vm_unlock();
}

uint64_t memory_unmap_ahead(struct vm *vm, uint64_t gpa, uint64_t count)
{
        unsigned order;

        if (count == 1)
                return 1;
        vm_lock();
        order = page_row(&vm->pages, gpa, count);
        if (order) {
                const struct page *const page = page_find(&vm->pages, gpa);

                nova_revoke(nova_crd_mem(page_number(frame_address(&memory_frames, page->frame)),
                                         order, NOVA_MEM_RWX),
                            0);
        }
        vm_unlock();
        return UINT64_C(1) << order;
}

/* Finds the bytes of a shared page that the library accesses like a device. Any other page that
 * gets here could not be made present, or may not be written: the guest cannot continue.
 * @return false if a device is there */
static bool is_ram(struct vm *vm, uint64_t address, bool write, uint8_t **place)
{
        struct nova_vcpu *const vcpu = vm->machine.serving;
        const uint64_t gpa = (address & ~vm->bit) & ~(uint64_t)(FRAME_BYTES - 1);
        const struct page *page;
        bool known, shared, forbidden;

        *place = NULL;
        vm_lock();
        page = page_find(&vm->pages, gpa);
        known = page || address & vm->bit;
        shared = page && (page->shared || !(address & vm->bit || gpa < VM_LOW_BYTES));
        vm_unlock();
        if (!known)
                return false;
        if (!shared || !get_shared(vcpu, gpa)) {
                nova_vcpu_fail(vcpu, "an instruction for devices cannot access the page at 0x%llx",
                               (unsigned long long)address);
                return true;
        }
        vm_lock();
        page = page_find(&vm->pages, gpa);
        forbidden = write && page && page_is_protected(page, PAGE_SHARED_PLACE);
        if (page && page->normal != PAGE_NO_PAGE && !forbidden)
                *place = vm->normal + (uint64_t)page->normal * FRAME_BYTES + address % FRAME_BYTES;
        vm_unlock();
        if (forbidden)
                fail_write(vcpu, address);
        return true;
}

static uint64_t read(void *context, uint64_t address, unsigned bytes)
{
        struct vm *const vm = context;
        const uint64_t parameters[4] = {address, bytes, false, 0};
        uint64_t value = UINT64_MAX;
        uint8_t *place;

        if (!is_ram(vm, address, false, &place))
                reflect(vm->machine.serving, NOVA_H_MEMORY, parameters, &value);
        else if (place)
                nova_copy_guarded(&value, place, bytes);
        return value;
}

/* Notes the messages between local APICs by which the guest starts and stops its virtual CPUs. Each
 * APIC has the number of its virtual CPU. */
static void note_message(struct vm *vm, uint64_t address, uint64_t value)
{
        enum { APIC_LOW = 0xfee00300u, APIC_HIGH = 0xfee00310u, INIT = 5, STARTUP = 6 };
        enum { TO_ONE = 0, TO_SELF = 1 };
        const unsigned self = vm->machine.serving->number;
        const unsigned mode = value >> 8 & 7, vector = value & 0xff, shorthand = value >> 18 & 3;

        if (address == APIC_HIGH)
                vm->vcpu[self].destination = (uint8_t)(value >> 24);
        for (unsigned i = 0; address == APIC_LOW && i < vm->vcpus; i++) {
                struct vcpu *const vcpu = &vm->vcpu[i];

                if (i == self || shorthand == TO_SELF ||
                    (shorthand == TO_ONE && vm->vcpu[self].destination != i))
                        continue;
                if (mode == STARTUP)
                        vcpu->starts[vector / 64] |= UINT64_C(1) << vector % 64;
                vcpu->resets |= mode == INIT;
        }
}

static void write(void *context, uint64_t address, unsigned bytes, uint64_t value)
{
        struct vm *const vm = context;
        const uint64_t parameters[4] = {address, bytes, true, value};
        uint8_t *place;

        if (!is_ram(vm, address, true, &place)) {
                note_message(vm, address, value);
                reflect(vm->machine.serving, NOVA_H_MEMORY, parameters, NULL);
        } else if (place) {
                nova_copy_guarded(place, &value, bytes);
        }
}

static void look(void *context)
{
        struct vm *const vm = context;
        struct vcpu *const own = &vm->vcpu[vm->machine.serving->number];

        if (own->pins)
                unpin(vm, own);
}

void memory_init(struct vm *vm)
{
        const struct nova_bus_range devices = {0, UINT64_MAX, read, write, vm};

        nova_bus_add(&vm->machine.mmio, &devices);
        vm->machine.memory.find = find;
        vm->machine.memory.find_table = find_table;
        vm->machine.memory.find_context = vm;
        vm->machine.look = look;
        vm->machine.look_context = vm;
}

void memory_prepare(struct vm *vm)
{
        vm->pages.ops = &memory_page_ops;
        vm->pages.frames = &memory_frames;
        vm->pages.context = vm;
}
