/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of secure guests: makes pages present, and maps them at exits. */
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "vm.h"

/* Bits of the access that an exit reports. TABLE, or LINEAR without FINAL: the CPU walks the
 * guest's page tables; WRITE: the access is a write; FETCH: the access fetches code. */
#define NPF_TABLE   0x200000000u
#define VMX_LINEAR  0x80u
#define VMX_FINAL   0x100u
#define QUAL_WRITE  0x2u
#define NPF_FETCH   0x10u
#define VMX_FETCH   0x4u
#define BLOCK_BYTES (FRAME_BLOCK * FRAME_BYTES)
#define REPEATS     64u /* exits for one address without progress */
#define TRIES       64u /* attempts to move a page in, or to move a page of each slot out */

struct frames memory_frames;

/* Releases the machine's lock and the service's lock for a moment, in the middle of an exit. The
 * caller must look up its pages again.
 * @return false if the machine has ended: the thread that ends it waits for this exit */
static bool pause_locked(struct nova_vcpu *vcpu)
{
        bool runs;

        vm_unlock();
        runs = guest_pause(vcpu) && vcpu->vm->end == NOVA_VM_RUNS;
        vm_lock();
        return runs;
}

/* Finds a page of a VM that can be moved out. The caller holds the machine's lock and the service's
 * lock, which are released after each part of the search.
 * @return its guest-physical address; UINT64_MAX: there is none, or the machine has ended */
static uint64_t find_victim(struct vm *vm, struct nova_vcpu *vcpu)
{
        uint64_t gpa = page_victim(&vm->pages);

        for (uint64_t parts = 2 * page_total(&vm->pages) / PAGE_PART;
             parts && gpa == UINT64_MAX && pause_locked(vcpu); parts--)
                gpa = page_victim(&vm->pages);
        return gpa;
}

/* Asks the VMM to move a page out, so that a frame becomes free. A page stays if another virtual
 * CPU's reply may still map it, perhaps with its whole block; then that virtual CPU has to exit.
 * After a page that stays, the next candidate is a page of another slot, because the VMM may refuse
 * to move out the pages of this slot.
 * During UV_ESM no page moves out: if no frame is free, another VM has taken those that were free
 * when UV_ESM counted them. */
static bool make_room(struct nova_vcpu *vcpu)
{
        struct vm *const vm = vm_of(vcpu);
        uint64_t parameters[4] = {UINT64_MAX, 0, NOVA_UV_ORDER_PAGE, 0};
        unsigned tries = 1;

        for (unsigned i = 0; i < tries; i++) {
                bool free;

                vm_lock();
                page_spare(&vm->pages, parameters[0]);
                tries = TRIES * page_slots(&vm->pages);
                free = page_room(&vm->pages);
                parameters[0] = free ? 0 : find_victim(vm, vcpu);
                vm_unlock();
                if (free)
                        return true;
                if (vm->pages.converting)
                        return false;
                if (parameters[0] == UINT64_MAX)
                        break;
                if (i)
                        guest_wait_for_others(vcpu);
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

/* Makes the secure place of a page present, if that needs no resource. The lock is held. */
static enum need fill(struct vm *vm, struct page *page, uint64_t gpa)
{
        if (page->state == PAGE_NONE && !page_fill_block(&vm->pages, gpa))
                page_fill(&vm->pages, page);
        if (page->state == PAGE_SECURE)
                return NEED_NOTHING;
        return page->state == PAGE_OUT && page_room(&vm->pages) ? NEED_CONTENT : NEED_FRAME;
}

/* Tries to make the secure place of a page present. A shared page has no secure place.
 * @param[out] races a number that changes when even a correct answer of the VMM can fail: the page
 *             has come and moved out again, or another VM has taken the frame */
static enum need try_get(struct vm *vm, uint64_t gpa, uint64_t *races)
{
        enum need need = NEED_SLOT;
        struct page *page;

        vm_lock();
        page = page_find(&vm->pages, gpa);
        if (page)
                need = page->shared ? NEED_NOTHING : fill(vm, page, gpa);
        *races = vm->pages.versions + vm->pages.frameless;
        vm_unlock();
        return need;
}

bool memory_get(struct nova_vcpu *vcpu, uint64_t gpa)
{
        struct vm *const vm = vm_of(vcpu);
        uint64_t before = 0, races;
        int status = 0;

        for (unsigned i = 0; i < TRIES && vm->machine.end == NOVA_VM_RUNS; i++) {
                switch (try_get(vm, gpa, &races)) {
                case NEED_NOTHING:
                        return true;
                case NEED_SLOT:
                        return false;
                case NEED_FRAME:
                        if (!make_room(vcpu))
                                return false;
                        break;
                case NEED_CONTENT:
                        if (status && races == before) {
                                fail_request(vcpu, gpa, status);
                                return false;
                        }
                        before = races;
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

bool memory_get_shared(struct nova_vcpu *vcpu, uint64_t gpa)
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
        own->given_narrow = !(rights & NOVA_MEM_W);
        nova_vcpu_map(vcpu, nova_crd_mem(page_number(from), order, rights),
                      (nova_sel_t)(to >> NOVA_PAGE_BITS));
}

/* Returns true if another virtual CPU's reply may still map a page without the permission to
 * write. */
static bool may_narrow(const struct nova_vcpu *vcpu, uint64_t gpa)
{
        const struct vm *const vm = vm_of(vcpu);

        for (unsigned i = 0; i < vm->vcpus; i++)
                if (i != vcpu->number && vm->machine.vcpu[i].gives && vm->vcpu[i].given_narrow &&
                    vm->vcpu[i].given == gpa)
                        return true;
        return false;
}

/* Unmaps a page that is mapped without the permission to write, because a new mapping does not
 * widen an old one. Another virtual CPU may map the page without that permission again. */
static void widen(const struct nova_vcpu *vcpu, struct page *page, uint64_t gpa)
{
        nova_revoke(nova_crd_mem(page_number(frame_address(&memory_frames, page->frame)), 0,
                                 NOVA_MEM_RWX),
                    0);
        page->narrow = may_narrow(vcpu, gpa);
}

/* Maps the secure place of a page in one of its views. Below 1 MiB both views show the secure
 * place. */
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
        if (!(rights & NOVA_MEM_W))
                page->narrow = true;
        else if (page->narrow)
                widen(vcpu, page, gpa);
        give(vcpu, frame_address(&memory_frames, page->frame), 0, address, rights);
}

static bool misses_table(const struct nova_vcpu *vcpu)
{
        const uint64_t how = vcpu->state->qual[0];

        return vcpu->vm->svm ? how & NPF_TABLE : (how & (VMX_LINEAR | VMX_FINAL)) == VMX_LINEAR;
}

/* Returns true if an access of the guest leads to the secure place. If the page has no shared
 * place, the CPU's walks of page tables lead there in both views, as on AMD CPUs: Linux loads its
 * first page table by an address without the bit. */
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

/* Maps the secure place of a page, if it is present or can be made present without a resource.
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

/* Finds the kind of memory that the guest accesses, and maps it if possible.
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

/* Maps a page that the VMM must provide first. If another virtual CPU changes the page meanwhile,
 * the guest exits again. If the VMM's answer did not fill the shared place, asks again, as
 * memory_get_shared() does. */
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

/* Returns the page of an address for a report: without the bit that selects the secure view. */
static unsigned long long plain(struct nova_vcpu *vcpu, uint64_t address)
{
        return address & ~vm_of(vcpu)->bit & ~(uint64_t)(FRAME_BYTES - 1);
}

void memory_fail_write(struct nova_vcpu *vcpu, uint64_t address)
{
        nova_vcpu_fail(vcpu, "a write to the page at 0x%llx, which its VMM has protected",
                       plain(vcpu, address));
}

/* Returns true if exits for one address follow each other: the kernel did not map the page, or the
 * VMM takes the page away each time. */
static bool makes_no_progress(struct nova_vcpu *vcpu, uint64_t address)
{
        struct vcpu *const own = &vm_of(vcpu)->vcpu[vcpu->number];

        if (own->last_address != address || own->last_exit + 1 != vcpu->exits)
                own->repeated = 0;
        own->last_address = address;
        own->last_exit = vcpu->exits;
        return own->repeated++ >= REPEATS;
}

/* Returns true if the VMM lends the ultravisor the shared place of a page, with all rights. */
static bool is_lent(struct vm *vm, uint64_t gpa)
{
        const unsigned rights = NOVA_MEM_R | NOVA_MEM_W;
        nova_crd_t crd = 0;
        struct page *page;

        vm_lock();
        page = page_find(&vm->pages, gpa);
        if (page && page->normal != PAGE_NO_PAGE)
                crd = nova_crd_mem(page_number(vm->normal + (uint64_t)page->normal * FRAME_BYTES),
                                   0, 0);
        vm_unlock();
        if (crd)
                nova_lookup(&crd);
        return (nova_crd_perms(crd) & rights) == rights;
}

/* Says why the kernel does not map a page. Only the secure place is memory that the VMM cannot take
 * away. */
static void fail_map(struct nova_vcpu *vcpu, uint64_t address, bool secure)
{
        struct vm *const vm = vm_of(vcpu);

        nova_vcpu_fail(vcpu, "the page at 0x%llx cannot be mapped: %s", plain(vcpu, address),
                       secure || is_lent(vm, address & ~vm->bit)
                               ? "too little kernel memory is left; enlarge 'kernel-memory' in the "
                                 "description of the ultravisor"
                               : "its VMM takes it away");
}

bool memory_exit(struct nova_vcpu *vcpu)
{
        const uint64_t address = vcpu->more->gpa & ~(uint64_t)(FRAME_BYTES - 1);
        bool mapped;
        const enum found found = try_map(vcpu, address, &mapped);

        if (found == FOUND_NOTHING && !(address & vm_of(vcpu)->bit))
                return false;
        if (found == FOUND_NOTHING)
                nova_vcpu_fail(vcpu,
                               "an access to the page at 0x%llx in the secure view, where it has "
                               "no memory",
                               plain(vcpu, address));
        else if (found == FOUND_FORBIDDEN)
                memory_fail_write(vcpu, address);
        else if (found == FOUND_SHARED_CODE)
                nova_vcpu_fail(vcpu, "code in the page at 0x%llx, which it shares with its VMM",
                               plain(vcpu, address));
        else if (makes_no_progress(vcpu, address))
                fail_map(vcpu, address, found == FOUND_SECURE);
        else if (!mapped)
                map_later(vcpu, address, found == FOUND_SECURE);
        return true;
}

/* Unmaps the aliases of a slot's pages. The caller holds the machine's lock and the service's lock,
 * which are released after each part of the pages: the slot can vanish meanwhile. */
static void drop_slot_aliases(struct nova_vcpu *vcpu, const struct page_slot *slot)
{
        struct vm *const vm = vm_of(vcpu);

        for (uint64_t i = 0; slot->page && i < slot->bytes / FRAME_BYTES; i++) {
                struct page *const page = &slot->page[i];

                if (page->aliased) {
                        page->aliased = !vm->pages.ops->unmap(
                                &vm->pages, page, slot->start + i * FRAME_BYTES, PAGE_SECURE_PLACE);
                        vm->aliases |= page->aliased;
                }
                if (i % PAGE_PART == PAGE_PART - 1 && !pause_locked(vcpu))
                        return;
        }
}

void memory_drop_aliases(struct nova_vcpu *vcpu)
{
        struct vm *const vm = vm_of(vcpu);

        if (!vm->aliases || !(vcpu->state->cr3 & vm->bit))
                return;
        vm_lock();
        vm->aliases = false;
        for (unsigned i = 0; i < PAGE_SLOTS; i++)
                drop_slot_aliases(vcpu, &vm->pages.slot[i]);
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

void memory_prepare(struct vm *vm)
{
        vm->pages.ops = &memory_page_ops;
        vm->pages.frames = &memory_frames;
        vm->pages.context = vm;
}
