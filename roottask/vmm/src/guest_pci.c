/* SPDX-License-Identifier: BSD-2-Clause */
/* Connects a guest's view of a PCI function with the function (see novavmm/guest_pci.h). A thread
 * for each message delivers it; another one calls the service, because the handlers of exits
 * cannot: the guest's state is in their UTCB. */
#include "novavmm/guest_pci.h"

#include <errno.h>
#include <string.h>

#include "function.h"
#include "nova/crd.h"
#include "nova/extension.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/program.h"
#include "novart/time.h"
#include "slots.h"
#include "vm.h"

/* Interval in ns at which a thread that waits for messages checks whether it must end. If the
 * service has ended, no program wakes the thread. */
#define PATIENCE_NS 1000000000

static nova_word_t page_of(const volatile char *memory)
{
        return (nova_word_t)memory >> NOVA_PAGE_BITS;
}

/* Handles a write of the command register. The machine's lock is held, so there is one call at a
 * time. */
static void master(void *context, bool on)
{
        struct nova_guest_pci *const guest = context;

        if (guest->stops)
                return;
        guest->master = on;
        nova_semaphore_up(&guest->work);
        nova_semaphore_down(&guest->done);
}

static void *call_service(void *argument)
{
        struct nova_guest_pci *const guest = argument;

        for (;;) {
                nova_semaphore_down(&guest->work);
                if (guest->stops)
                        return NULL;
                novavmm_function_master(&guest->function, guest->master);
                nova_semaphore_up(&guest->done);
        }
}

/* Takes the BARs' memory back from the guest, whose next access maps the memory at the new place.
 * The reply to an exit of another virtual CPU may still map the memory at the old place, so this
 * function first waits for such replies. The lock is free meanwhile, and the registers have their
 * new values. */
static void moved(void *context)
{
        const struct nova_guest_pci *const guest = context;

        if (guest->pc->vm->serving)
                nova_vcpu_settle(guest->pc->vm->serving);
        if (guest->stops)
                return;
        for (unsigned i = 0; i < NOVA_PASS_BARS; i++) {
                const uint32_t pages = guest->function.shown.bar[i].bytes / NOVA_PAGE_SIZE;

                if (pages)
                        nova_revoke(nova_crd_mem(page_of(guest->function.memory[i]),
                                                 nova_crd_order_for(pages), NOVA_MEM_RWX),
                                    0);
        }
}

/* Registers are accessed with the width that the guest has used. */
static uint64_t read(void *context, unsigned bar, uint32_t at, unsigned bytes)
{
        const struct nova_guest_pci *const guest = context;
        const volatile char *const from = guest->function.memory[bar] + at;

        if (at & (bytes - 1))
                return UINT64_MAX;
        switch (bytes) {
        case 1:
                return *(const volatile uint8_t *)from;
        case 2:
                return *(const volatile uint16_t *)from;
        case 4:
                return *(const volatile uint32_t *)from;
        default:
                return *(const volatile uint64_t *)from;
        }
}

static void write(void *context, unsigned bar, uint32_t at, unsigned bytes, uint64_t value)
{
        const struct nova_guest_pci *const guest = context;
        volatile char *const to = guest->function.memory[bar] + at;

        if (at & (bytes - 1))
                return;
        switch (bytes) {
        case 1:
                *(volatile uint8_t *)to = (uint8_t)value;
                break;
        case 2:
                *(volatile uint16_t *)to = (uint16_t)value;
                break;
        case 4:
                *(volatile uint32_t *)to = (uint32_t)value;
                break;
        default:
                *(volatile uint64_t *)to = value;
        }
}

static void send(void *context, uint64_t address, uint32_t data)
{
        const struct nova_guest_pci *const guest = context;

        novavmm_slots_send(guest->pc, address, data);
}

/* Messages that come while an earlier one is being delivered are one message, as in a local
 * APIC. */
static void *receive(void *argument)
{
        const struct nova_guest_message *const message = argument;
        struct nova_guest_pci *const guest = message->owner;
        const nova_sel_t sel = guest->function.interrupt[message->number];

        while (!__atomic_load_n(&guest->stops, __ATOMIC_ACQUIRE)) {
                const enum nova_status status =
                        nova_sm_down_until(sel, NOVA_SM_ZC, nova_deadline_in(PATIENCE_NS));

                if (status == NOVA_COM_TIM)
                        continue;
                if (status != NOVA_SUCCESS)
                        break;
                nova_vm_lock(guest->pc->vm);
                if (!guest->stops) {
                        guest->messages++;
                        nova_pass_message(&guest->device, message->number);
                }
                nova_vm_unlock(guest->pc->vm);
        }
        return NULL;
}

/* Returns the order of the largest block around a page of a BAR that the guest may have. */
static unsigned block_order(const struct nova_guest_pci *guest, unsigned bar, uint32_t page)
{
        const uint32_t pages = guest->function.shown.bar[bar].bytes / NOVA_PAGE_SIZE;
        unsigned order = 0;

        while ((2u << order) <= pages) {
                const uint32_t size = 2u << order, first = page & ~(size - 1);

                for (uint32_t i = 0; i < size; i++)
                        if (!nova_pass_is_open(&guest->device, bar, first + i))
                                return order;
                order++;
        }
        return order;
}

/* Returns true if the guest may have memory at these addresses: RAM is below, APICs are above. */
static bool is_in_window(uint64_t address, uint64_t bytes)
{
        return address >= NOVA_GUEST_MEMORY_MAX && address + bytes <= NOVA_IOAPIC_AT;
}

/* Maps the block around a page with the reply. */
static bool give(struct nova_vcpu *vcpu, struct nova_guest_pci *guest, uint64_t page)
{
        const uint64_t address = page << NOVA_PAGE_BITS;
        unsigned bar, order;
        uint32_t at;

        if (!nova_pass_find(&guest->device, address, NOVA_PAGE_SIZE, &bar, &at) ||
            !nova_pass_is_open(&guest->device, bar, at / NOVA_PAGE_SIZE))
                return false;
        order = block_order(guest, bar, at / NOVA_PAGE_SIZE);
        at &= ~(((uint32_t)NOVA_PAGE_SIZE << order) - 1);
        if (!is_in_window(guest->device.at[bar] + (uint64_t)at, (uint64_t)NOVA_PAGE_SIZE << order))
                return false;
        guest->placed++;
        return nova_vcpu_map(vcpu,
                             nova_crd_mem(page_of(guest->function.memory[bar] + at), order,
                                          NOVA_MEM_R | NOVA_MEM_W),
                             (nova_sel_t)((guest->device.at[bar] + at) >> NOVA_PAGE_BITS));
}

/* If a virtual CPU's next exit is at the same page, the mapping has failed, and the access is
 * emulated. */
static bool place(struct nova_vcpu *vcpu, uint64_t address)
{
        const uint64_t page = address >> NOVA_PAGE_BITS;
        struct nova_guest_pci *guest = vcpu->vm->passed;

        if (vcpu->given.exit + 1 == vcpu->exits && vcpu->given.page == page)
                return false;
        while (guest && nova_vpci_memory_device(&guest->pc->pci, page << NOVA_PAGE_BITS,
                                                NOVA_PAGE_SIZE) != &guest->device.pci)
                guest = guest->next;
        if (!guest || !give(vcpu, guest, page))
                return false;
        vcpu->given.exit = vcpu->exits;
        vcpu->given.page = page;
        return true;
}

static int start_threads(struct nova_guest_pci *guest)
{
        const struct nova_thread_attr attr = {
                .name = "vm pci",
                .cpu = NOVA_CPU_SELF,
                .priority = nova_thread_priority(nova_thread_self()),
        };
        int error = nova_thread_create(&guest->worker, &attr, call_service, guest);

        for (unsigned i = 0; i < guest->function.shown.messages && !error; i++) {
                struct nova_guest_message *const message = &guest->message[i];

                message->owner = guest;
                message->number = i;
                error = nova_thread_create(&message->thread, &attr, receive, message);
        }
        return error;
}

/* Puts the claimed function on the bus. */
static int connect(struct nova_guest_pci *guest, unsigned number)
{
        const struct nova_pass_host host = {master, moved, read, write, send, guest};
        struct nova_pc *const pc = guest->pc;
        struct nova_vm *const vm = pc->vm;
        int error;

        nova_pass_init(&guest->device, &guest->function.shown, &host);
        if (!pc->passed_end)
                pc->passed_end = FUNCTION_FIRST;
        if (!nova_pass_place(&guest->device, &pc->passed_end, FUNCTION_END)) {
                guest->function.why = "its memory is larger than the guest's range for devices";
                return ENOSPC;
        }
        error = start_threads(guest);
        if (!error)
                error = nova_vpci_add(&pc->pci, number, &guest->device.pci);
        if (error) {
                guest->function.why = strerror(error);
                return error;
        }
        guest->next = vm->passed;
        vm->passed = guest;
        vm->memory.keeps_cuts = true; /* the function's DMA must find the RAM at any time */
        vm->place = place;
        return 0;
}

int nova_guest_pci_attach(struct nova_guest_pci *guest, struct nova_pc *pc, unsigned number,
                          const char *name)
{
        int error;

        memset(guest, 0, sizeof(*guest));
        if (!number || number >= NOVA_VPCI_DEVICES || !pc->vm->local_apic) {
                guest->function.why = "the machine has no local APICs or no such device number";
                return EINVAL;
        }
        error = novavmm_vm_check_function(pc->vm, &guest->function.why);
        if (error)
                return error;
        error = novavmm_function_claim(&guest->function, name, pc->vm->objects);
        if (error)
                return error;
        guest->pc = pc;
        error = connect(guest, number);
        if (error)
                nova_guest_pci_detach(guest);
        return error;
}

/* A thread that waits for messages finds `stops` set after at most PATIENCE_NS. */
static void stop_threads(struct nova_guest_pci *guest)
{
        if (guest->worker) {
                nova_semaphore_up(&guest->work);
                nova_thread_join(guest->worker, NULL);
        }
        guest->worker = NULL;
        for (unsigned i = 0; i < NOVA_PASS_MESSAGES; i++) {
                if (guest->message[i].thread)
                        nova_thread_join(guest->message[i].thread, NULL);
                guest->message[i].thread = NULL;
        }
}

void nova_guest_pci_detach(struct nova_guest_pci *guest)
{
        struct nova_guest_pci **link;

        if (!guest->pc)
                return;
        nova_vm_lock(guest->pc->vm);
        __atomic_store_n(&guest->stops, true, __ATOMIC_RELEASE);
        for (link = &guest->pc->vm->passed; *link; link = &(*link)->next)
                if (*link == guest) {
                        *link = guest->next;
                        break;
                }
        nova_vm_unlock(guest->pc->vm);
        stop_threads(guest);
        novavmm_function_release(&guest->function);
        guest->pc = NULL;
}
