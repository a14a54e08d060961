/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of a machine know of each other. */
#ifndef NOVAVMM_SRC_VM_H
#define NOVAVMM_SRC_VM_H

#include "nova/abi/inject.h"
#include "novavmm/access.h"
#include "novavmm/vm.h"

/* In the interruptibility state: interrupts wait for one instruction, after STI or (VMX alone tells
 * them apart) MOV SS. */
#define SHADOW (NOVA_STA_STI | NOVA_STA_SS)

/* Sets the handlers that a machine begins with. */
void novavmm_exit_handlers(struct nova_vm *vm);

/* Has the CPU exit where these handlers need it, and behind an NMI until its IRET (SVM). */
void novavmm_exit_controls(struct nova_vcpu *vcpu);

/* State that the message of an exit has to carry for these handlers. @p tells_length: so does the
 * CPU, of each instruction; else its prefixes are counted in the guest's memory. */
nova_mtd_t novavmm_exit_mtd(enum nova_vm_exit exit, bool tells_length);

/* State with which code is fetched: see novavmm_vcpu_access(). */
#define FETCH_MTD (NOVA_MTD_CS_SS | NOVA_MTD_CR | NOVA_MTD_MSR)

/* Answers one exit; the portal is the event's. */
nova_portal_handler novavmm_vcpu_serve;

/* For a handler of exits that an event ends, of the struct nova_vcpu @p argument. */
void novavmm_vcpu_break(void *argument);

/* Lets a virtual CPU that waits see what there is: an interrupt, or the machine's end. */
void novavmm_vcpu_wake(struct nova_vcpu *vcpu);

/* Makes what an interrupt controller or a handler has for a virtual CPU part of the reply. */
void novavmm_vcpu_deliver(struct nova_vcpu *vcpu);

/* CR8 is the task priority of the local APIC. What the guest wrote to it goes there, before the
 * exit is answered; what became of it comes back. */
void novavmm_vcpu_take_priority(struct nova_vcpu *vcpu);
void novavmm_vcpu_give_priority(struct nova_vcpu *vcpu);

/* Does a write of CR8 in the guest's place. */
void novavmm_vcpu_write_cr8(struct nova_vcpu *vcpu);

/* Whether an interrupt could be taken, were the guest ready for it. */
bool novavmm_vcpu_has_interrupt(const struct nova_vcpu *vcpu);

/* Whether an NMI waits that a virtual CPU which halted would take. */
bool novavmm_vcpu_wakes_by_nmi(const struct nova_vcpu *vcpu);

/* What takes more of a virtual CPU's state than most exits carry. */
enum vcpu_recall {
        VCPU_CUT_IP = 1,          /* its instruction pointer has come to 4 GiB */
        VCPU_PORT_STRING = 2,     /* it is at a string access to `port` */
        VCPU_DEAD = 4,            /* nothing can wake it: that is to be reported */
        VCPU_STEP = 8,            /* it has stepped over an instruction that was done for it */
        VCPU_RESET = 16,          /* it begins again */
        VCPU_REPORT = 32,         /* nova_vm_report() waits for its state */
        VCPU_RESETS_MACHINE = 64, /* it has reset the machine: that is to be reported */
        VCPU_RAISE = 128          /* it gets exception `vector`, whose error code depends on CR0 */
};

/* Has a virtual CPU recalled before it goes on, to do that: a recall carries all state. */
void novavmm_vcpu_recall_for(struct nova_vcpu *vcpu, enum vcpu_recall purpose);

/* Does what a virtual CPU was recalled for. */
void novavmm_vcpu_recalled(struct nova_vcpu *vcpu);

/* What its instructions reach. Of use where all state is there. */
struct nova_access novavmm_vcpu_access(const struct nova_vcpu *vcpu);

/* Does the instruction that accessed a device's memory. */
void novavmm_mmio_access(struct nova_vcpu *vcpu, uint64_t address);

/* Does a string instruction that accessed a port: nova_vcpu.port. */
void novavmm_port_string(struct nova_vcpu *vcpu);

/* For a thread that an event ends while it holds the lock, in a function of the monitor's: ends the
 * machine, and frees the lock. */
void novavmm_vm_break(struct nova_vm *vm);

/* Begins and ends the thread that calls devices at their alarms. */
int novavmm_timer_start(struct nova_vm *vm);
void novavmm_timer_stop(struct nova_vm *vm);

/* Looks whether a device has an earlier alarm than the timer thread knows. With the lock. */
void novavmm_timer_check(struct nova_vm *vm);

#endif
