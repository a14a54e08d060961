/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that the parts of a machine share. */
#ifndef NOVAVMM_SRC_VM_H
#define NOVAVMM_SRC_VM_H

#include "nova/abi/inject.h"
#include "nova/utcb.h"
#include "novavmm/access.h"
#include "novavmm/vm.h"

/* Bits of the interruptibility state: interrupts are blocked for one instruction after STI or MOV
 * SS. Only VMX distinguishes the two. */
#define SHADOW (NOVA_STA_STI | NOVA_STA_SS)

/* Sets the initial handlers of a machine. */
void novavmm_exit_handlers(struct nova_vm *vm);

/* Returns the flags of the page tables into which RAM is mapped: the guest's and, if a function is
 * passed through, the I/O MMU's, at the same addresses. */
static inline nova_word_t novavmm_ram_flags(const struct nova_vm *vm)
{
        return NOVA_ITEM_G | (vm->passed ? NOVA_ITEM_D : 0);
}

/* Returns an address of the guest for a report. The low bits of an address can tell a part of the
 * guest's state, such as its instruction pointer, so a report that hides the state has only the
 * page. */
static inline unsigned long long novavmm_report_address(const struct nova_vm *vm, uint64_t address)
{
        return vm->hide_state ? address & ~(uint64_t)(NOVA_PAGE_SIZE - 1) : address;
}

/* Sets the controls of a virtual CPU: it exits where the library's handlers need it and, under SVM
 * after an NMI, at its IRET. */
void novavmm_exit_controls(struct nova_vcpu *vcpu);

/* Returns the groups of state that the library's handlers need in the message of an exit. @p
 * tells_length: the CPU reports the length of each instruction; otherwise the library counts
 * prefixes in the guest's memory. */
nova_mtd_t novavmm_exit_mtd(enum nova_vm_exit exit, bool tells_length);

/* Groups of state that are needed to fetch code: see novavmm_vcpu_access(). */
#define FETCH_MTD (NOVA_MTD_CS_SS | NOVA_MTD_CR | NOVA_MTD_MSR)

/* Handles an exit. Its portal belongs to the event that caused the exit. */
nova_portal_handler novavmm_vcpu_serve;

/* Ends the machine after an exception has ended a handler of exits. @p argument is the struct
 * nova_vcpu. */
void novavmm_vcpu_break(void *argument);

/* Maps pages with the reply (see nova_vcpu_map()). @p flags: an OR of NOVA_ITEM_G, NOVA_ITEM_D */
static inline bool novavmm_vcpu_map(struct nova_vcpu *vcpu, nova_crd_t crd, nova_sel_t to,
                                    nova_word_t flags)
{
        const bool fits = nova_utcb_delegate(nova_thread_utcb(), crd, to, flags);

        vcpu->gives |= fits;
        return fits;
}

/* Offsets of a virtual CPU's selectors from nova_vcpu.ec. */
enum vcpu_selector {
        VCPU_EC,
        VCPU_SC,
        VCPU_REST, /* semaphore of novavmm_vcpu_rest() */
        VCPU_SELECTORS
};

/* Values of nova_vcpu.call: whether a virtual CPU's handler calls another program. The handler and
 * the thread that destroys the machine leave VCPU_CALLS by an atomic exchange, so only one of them
 * succeeds. */
enum vcpu_call {
        VCPU_CALLS_NOBODY, /* the handler is not in nova_vcpu_call_out() */
        VCPU_CALLS,        /* the handler may wait for another program */
        VCPU_ABANDONED     /* the machine is being destroyed, and nothing waits for the handler */
};

/* Gives up a handler that is in a call to another program, before its EC is destroyed. The machine
 * has ended. The handler holds no lock.
 * @return false if it is in no such call; then it will stop by itself */
bool novavmm_vcpu_abandon(struct nova_vcpu *vcpu);

/* Waits in a handler whose virtual CPU may lose its SC at any moment of the wait. Uses only a
 * semaphore of the kernel: a thread that lost its time in nova_semaphore_down() would keep the
 * guard of the queue, and each later up would wait for ever. */
void novavmm_vcpu_rest(const struct nova_vcpu *vcpu);

/* Lets the handler of a virtual CPU that has parked return, on the time of the thread that destroys
 * the handler. */
void novavmm_vcpu_let_go(struct nova_vcpu *vcpu);

/* Ends the call of a handler that has not been given up, and takes the machine's lock again. */
void novavmm_vcpu_end_call(struct nova_vcpu *vcpu);

/* Stops a virtual CPU of the machine: it executes nothing before it starts again, with the state
 * after INIT. Called with the lock held. */
void novavmm_vcpu_stop(struct nova_vcpu *vcpu);

/* Ends the machine, or lets a virtual CPU report it, if no virtual CPU can run again: each one is
 * off, or has halted with interrupts off and has no pending NMI. Called with the lock held, after a
 * virtual CPU has halted or stopped. */
void novavmm_vm_check_dead(struct nova_vm *vm);

/* Makes a waiting virtual CPU check for an interrupt or the machine's end. */
void novavmm_vcpu_wake(struct nova_vcpu *vcpu);

/* Adds pending events to the reply: those of the interrupt controllers and of the handler. */
void novavmm_vcpu_deliver(struct nova_vcpu *vcpu);

/* Called by the alarm nova_vm.nmis: forces an exit of each virtual CPU that has not taken its
 * pending NMI yet. */
void novavmm_vcpu_late_nmis(void *machine, uint64_t now);

/* CR8 is the task priority of the local APIC. The first function copies the guest's value to the
 * APIC before the exit is handled; the second copies the APIC's value back. */
void novavmm_vcpu_take_priority(struct nova_vcpu *vcpu);
void novavmm_vcpu_give_priority(struct nova_vcpu *vcpu);

/* Emulates a write of CR8. */
void novavmm_vcpu_write_cr8(struct nova_vcpu *vcpu);

/* Returns true if an interrupt is pending, even if the guest cannot take it now. */
bool novavmm_vcpu_has_interrupt(const struct nova_vcpu *vcpu);

/* Returns true if an NMI is pending that would wake a halted virtual CPU. */
bool novavmm_vcpu_wakes_by_nmi(const struct nova_vcpu *vcpu);

/* Tasks that need more state of a virtual CPU than most exits carry. */
enum vcpu_recall {
        VCPU_CUT_IP = 1,          /* its instruction pointer has reached 4 GiB */
        VCPU_PORT_STRING = 2,     /* it is at a string access to `port` */
        VCPU_DEAD = 4,            /* nothing can wake it; a report is due */
        VCPU_STEP = 8,            /* it has stepped over an emulated instruction */
        VCPU_RESET = 16,          /* it starts again */
        VCPU_REPORT = 32,         /* nova_vm_report() waits for its state */
        VCPU_RESETS_MACHINE = 64, /* it has reset the machine; a report is due */
        VCPU_RAISE = 128,         /* it gets exception `vector`, whose error code depends on CR0 */
        VCPU_FLUSH = 256,         /* it discards its translations */
        VCPU_COVER = 512          /* its RAM is mapped, also under overlay pages */
};

/* Recalls a virtual CPU before it continues, because a recall carries all state, which the task
 * needs. */
void novavmm_vcpu_recall_for(struct nova_vcpu *vcpu, enum vcpu_recall purpose);

/* Performs the tasks for which a virtual CPU was recalled. */
void novavmm_vcpu_recalled(struct nova_vcpu *vcpu);

/* Returns the memory and devices that a virtual CPU's instructions access. Valid only if all state
 * is present. */
struct nova_access novavmm_vcpu_access(const struct nova_vcpu *vcpu);

/* Emulates the instruction that accessed a device's memory. */
void novavmm_mmio_access(struct nova_vcpu *vcpu, uint64_t address);

/* Emulates a string instruction that accessed a port: nova_vcpu.port. */
void novavmm_port_string(struct nova_vcpu *vcpu);

/* Raises the #DB of a single step. The exit carries NOVA_MTD_DEBUG. */
void novavmm_vcpu_raise_step(struct nova_vcpu *vcpu);

/* Checks that a function of a device may belong to the machine. A guest that can become secure has
 * only virtual devices: the function's DMA reaches only the RAM of the normal guest.
 * @param[out] why the reason of an error
 * @return 0 or ENOTSUP */
int novavmm_vm_check_function(const struct nova_vm *vm, const char **why);

/* Ends the machine and releases its lock. For a thread that an exception ends in a function of the
 * monitor while it holds the lock. */
void novavmm_vm_break(struct nova_vm *vm);

/* Start and end the thread that calls devices at their alarms. */
int novavmm_timer_start(struct nova_vm *vm);
void novavmm_timer_stop(struct nova_vm *vm);

/* Wakes the timer thread if a device has an alarm before the thread's deadline. Called with the
 * lock held. */
void novavmm_timer_check(struct nova_vm *vm);

#endif
