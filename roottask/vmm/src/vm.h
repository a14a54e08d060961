/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that the parts of a machine share. */
#ifndef NOVAVMM_SRC_VM_H
#define NOVAVMM_SRC_VM_H

#include "nova/abi/inject.h"
#include "novavmm/access.h"
#include "novavmm/vm.h"

/* Bits of the interruptibility state: interrupts wait for one instruction, after STI or (only VMX
 * distinguishes them) MOV SS. */
#define SHADOW (NOVA_STA_STI | NOVA_STA_SS)

/* Sets the initial handlers of a machine. */
void novavmm_exit_handlers(struct nova_vm *vm);

/* Makes the CPU exit where these handlers need it, and after an NMI until its IRET (SVM). */
void novavmm_exit_controls(struct nova_vcpu *vcpu);

/* Returns the state that the message of an exit has to carry for these handlers. @p tells_length:
 * the CPU reports the length of each instruction; else the library counts prefixes in the guest's
 * memory. */
nova_mtd_t novavmm_exit_mtd(enum nova_vm_exit exit, bool tells_length);

/* State that is needed to fetch code: see novavmm_vcpu_access(). */
#define FETCH_MTD (NOVA_MTD_CS_SS | NOVA_MTD_CR | NOVA_MTD_MSR)

/* Handles one exit; the portal is the event's. */
nova_portal_handler novavmm_vcpu_serve;

/* Handles an event that ends a handler of exits, for the struct nova_vcpu @p argument. */
void novavmm_vcpu_break(void *argument);

/* Makes a waiting virtual CPU check for an interrupt or the machine's end. */
void novavmm_vcpu_wake(struct nova_vcpu *vcpu);

/* Adds the events that an interrupt controller or a handler has for a virtual CPU to the reply. */
void novavmm_vcpu_deliver(struct nova_vcpu *vcpu);

/* CR8 is the task priority of the local APIC. The first function copies the guest's value to the
 * APIC before the exit is handled; the second copies the APIC's value back. */
void novavmm_vcpu_take_priority(struct nova_vcpu *vcpu);
void novavmm_vcpu_give_priority(struct nova_vcpu *vcpu);

/* Emulates a write of CR8. */
void novavmm_vcpu_write_cr8(struct nova_vcpu *vcpu);

/* Returns whether an interrupt could be taken if the guest were ready for it. */
bool novavmm_vcpu_has_interrupt(const struct nova_vcpu *vcpu);

/* Returns whether an NMI is pending that a halted virtual CPU would take. */
bool novavmm_vcpu_wakes_by_nmi(const struct nova_vcpu *vcpu);

/* Work that needs more of a virtual CPU's state than most exits carry. */
enum vcpu_recall {
        VCPU_CUT_IP = 1,          /* its instruction pointer has reached 4 GiB */
        VCPU_PORT_STRING = 2,     /* it is at a string access to `port` */
        VCPU_DEAD = 4,            /* nothing can wake it; a report is due */
        VCPU_STEP = 8,            /* it has stepped over an emulated instruction */
        VCPU_RESET = 16,          /* it starts again */
        VCPU_REPORT = 32,         /* nova_vm_report() waits for its state */
        VCPU_RESETS_MACHINE = 64, /* it has reset the machine; a report is due */
        VCPU_RAISE = 128          /* it gets exception `vector`, whose error code depends on CR0 */
};

/* Recalls a virtual CPU before it continues, to do this work: a recall carries all state. */
void novavmm_vcpu_recall_for(struct nova_vcpu *vcpu, enum vcpu_recall purpose);

/* Does the work for which a virtual CPU was recalled. */
void novavmm_vcpu_recalled(struct nova_vcpu *vcpu);

/* Returns the memory and devices that its instructions reach. Valid where all state is present. */
struct nova_access novavmm_vcpu_access(const struct nova_vcpu *vcpu);

/* Emulates the instruction that accessed a device's memory. */
void novavmm_mmio_access(struct nova_vcpu *vcpu, uint64_t address);

/* Emulates a string instruction that accessed a port: nova_vcpu.port. */
void novavmm_port_string(struct nova_vcpu *vcpu);

/* For a thread that an event ends while it holds the lock, in a function of the monitor: ends the
 * machine, and releases the lock. */
void novavmm_vm_break(struct nova_vm *vm);

/* Start and end the thread that calls devices at their alarms. */
int novavmm_timer_start(struct nova_vm *vm);
void novavmm_timer_stop(struct nova_vm *vm);

/* Checks whether a device has an earlier alarm than the timer thread knows. Called with the
 * lock. */
void novavmm_timer_check(struct nova_vm *vm);

#endif
