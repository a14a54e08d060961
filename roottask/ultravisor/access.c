/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's access to the memory of secure guests: it walks their page tables, decodes their
 * instructions, and emulates their accesses to devices. */
#include <string.h>

#include "novart/guard.h"
#include "vm.h"

#define TAKES 64u /* number of times that the VMM may take a page away during one access */

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

/* Returns true if a page can come into secure memory, but is not there. */
static bool is_missing(const struct page *page)
{
        return page && !page->shared && page->state != PAGE_SECURE;
}

/* Finds memory for find() or find_table(). Usually the page is present, and the lock is taken once.
 * The VMM can take a page away as soon as it is present: this must not look like memory that does
 * not exist, for which the guest gets an exception. */
static void *find_place(struct vm *vm, uint64_t address, size_t bytes, bool write, bool table)
{
        struct nova_vcpu *const vcpu = vm->machine.serving;
        const uint64_t gpa = (address & ~vm->bit) & ~(uint64_t)(FRAME_BYTES - 1);
        uint8_t *place = NULL;
        bool missing = true;

        if (!vcpu || address % FRAME_BYTES + bytes > FRAME_BYTES)
                return NULL;
        for (unsigned i = 0; i < TAKES && missing; i++) {
                struct page *page;
                bool secure;

                if (i && !memory_get(vcpu, gpa))
                        return NULL;
                vm_lock();
                page = page_find(&vm->pages, gpa);
                secure = address & vm->bit || gpa < VM_LOW_BYTES ||
                         (table && page && page->normal == PAGE_NO_PAGE);
                missing = secure && is_missing(page);
                if (secure && page)
                        place = pin_place(vm, page, gpa, write);
                vm_unlock();
        }
        if (missing)
                nova_vcpu_fail(vcpu, "its VMM takes the page at 0x%llx away each time",
                               (unsigned long long)gpa);
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

/* Reads or writes bytes of a shared page under the lock, so that the ultravisor does not access the
 * page after UV_PAGE_INVAL has returned.
 * @return false if the VMM has protected the page from this write */
static bool copy_shared(struct vm *vm, uint64_t address, bool write, void *value, unsigned bytes)
{
        const uint64_t gpa = (address & ~vm->bit) & ~(uint64_t)(FRAME_BYTES - 1);
        const struct page *page;
        bool forbidden;

        vm_lock();
        page = page_find(&vm->pages, gpa);
        forbidden = write && page && page_is_protected(page, PAGE_SHARED_PLACE);
        if (page && page->normal != PAGE_NO_PAGE && !forbidden) {
                uint8_t *const place =
                        vm->normal + (uint64_t)page->normal * FRAME_BYTES + address % FRAME_BYTES;

                nova_copy_guarded(write ? place : value, write ? value : place, bytes);
        }
        vm_unlock();
        return !forbidden;
}

/* Accesses a shared page for the library, which accesses it like a device. Any other page that this
 * function meets could not be made present, or may not be written: the guest cannot continue.
 * @return false if a device is there */
static bool access_ram(struct vm *vm, uint64_t address, bool write, void *value, unsigned bytes)
{
        struct nova_vcpu *const vcpu = vm->machine.serving;
        const uint64_t gpa = (address & ~vm->bit) & ~(uint64_t)(FRAME_BYTES - 1);
        const struct page *page;
        bool known, shared, forbidden;

        vm_lock();
        page = page_find(&vm->pages, gpa);
        known = page || address & vm->bit;
        shared = page && (page->shared || !(address & vm->bit || gpa < VM_LOW_BYTES));
        forbidden = write && page && !shared && page_is_protected(page, PAGE_SECURE_PLACE);
        vm_unlock();
        if (!known)
                return false;
        if (forbidden) {
                memory_fail_write(vcpu, address);
                return true;
        }
        if (!shared || !memory_get_shared(vcpu, gpa)) {
                nova_vcpu_fail(vcpu, "an instruction for devices cannot access the page at 0x%llx",
                               (unsigned long long)gpa);
                return true;
        }
        if (!copy_shared(vm, address, write, value, bytes))
                memory_fail_write(vcpu, address);
        return true;
}

static uint64_t read(void *context, uint64_t address, unsigned bytes)
{
        struct vm *const vm = context;
        const uint64_t parameters[4] = {address, bytes, false, 0};
        uint64_t value = UINT64_MAX;

        if (!access_ram(vm, address, false, &value, bytes))
                reflect(vm->machine.serving, NOVA_H_MEMORY, parameters, &value);
        return value;
}

/* Notes that the guest resets or starts a virtual CPU. A STARTUP message to a virtual CPU that runs
 * has no effect: only an INIT message, which clears the note, lets it start again. */
static void note_command(struct vm *vm, unsigned number, unsigned mode, unsigned vector)
{
        enum { INIT = 5, STARTUP = 6 };
        struct vcpu *const vcpu = &vm->vcpu[number];

        if (mode == INIT) {
                vcpu->resets = true;
                memset(vcpu->starts, 0, sizeof(vcpu->starts));
        } else if (mode == STARTUP) {
                vcpu->starts[vector / 64] |= UINT64_C(1) << vector % 64;
        }
}

/* Notes the messages between local APICs by which the guest starts and stops its virtual CPUs. Each
 * APIC has the number of its virtual CPU. A message that ends an INIT has no effect. A message with
 * a logical destination is not noted: the ultravisor does not know the guest's logical numbers. */
static void note_message(struct vm *vm, uint64_t address, uint64_t value)
{
        enum { APIC_LOW = 0xfee00300u, APIC_HIGH = 0xfee00310u };
        enum { TO_ONE = 0, TO_SELF = 1, LEVEL = 0x8000, ASSERT = 0x4000, LOGICAL = 0x800 };
        enum { TO_ALL = 0xff }; /* as a destination */
        const unsigned self = vm->machine.serving->number;
        const unsigned mode = value >> 8 & 7, vector = value & 0xff, shorthand = value >> 18 & 3;

        const unsigned to = vm->vcpu[self].destination;

        if (address == APIC_HIGH)
                vm->vcpu[self].destination = (uint8_t)(value >> 24);
        if (address != APIC_LOW || shorthand == TO_SELF || (value & (LEVEL | ASSERT)) == LEVEL ||
            (shorthand == TO_ONE && value & LOGICAL))
                return;
        for (unsigned i = 0; i < vm->vcpus; i++)
                if (i != self && (shorthand != TO_ONE || to == i || to == TO_ALL))
                        note_command(vm, i, mode, vector);
}

static void write(void *context, uint64_t address, unsigned bytes, uint64_t value)
{
        struct vm *const vm = context;
        const uint64_t parameters[4] = {address, bytes, true, value};

        if (!access_ram(vm, address, true, &value, bytes)) {
                note_message(vm, address, value);
                reflect(vm->machine.serving, NOVA_H_MEMORY, parameters, NULL);
        }
}

static void look(void *context)
{
        struct vm *const vm = context;
        struct vcpu *const own = &vm->vcpu[vm->machine.serving->number];

        if (own->pins)
                unpin(vm, own);
}

void access_init(struct vm *vm)
{
        const struct nova_bus_range devices = {0, UINT64_MAX, read, write, vm};

        nova_bus_add(&vm->machine.mmio, &devices);
        vm->machine.memory.find = find;
        vm->machine.memory.find_table = find_table;
        vm->machine.memory.find_context = vm;
        vm->machine.look = look;
        vm->machine.look_context = vm;
}
