/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual CPU, as the functions see it that answer its exits. */
#ifndef NOVAVMM_VCPU_H
#define NOVAVMM_VCPU_H

#include "novart/sync.h"
#include "novart/thread.h"
#include "novavmm/exit.h"
#include "novavmm/msr.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nova_lapic;
struct nova_vm;

/** What a virtual CPU does. */
enum nova_vcpu_activity {
        NOVA_VCPU_OFF,   /**< it waits for nova_vcpu_start_at() */
        NOVA_VCPU_RUNS,  /**< it executes the guest */
        NOVA_VCPU_HALTS, /**< it waits for an interrupt */
        NOVA_VCPU_DEAD   /**< the same, but interrupts are off: only an NMI wakes it */
};

/** A virtual CPU. While one of its exits is answered, its machine is locked. */
struct nova_vcpu {
        struct nova_vm *vm;
        unsigned number;        /**< in its machine */
        nova_word_t cpu;        /**< the CPU that it runs on */
        enum nova_vm_exit exit; /**< why it left the guest */
        unsigned event;         /**< the number that SVM or VMX has for that; while the library
                                     has it recalled, that of the exit before */
        struct nova_utcb_state *state; /**< the guest's state: what the exit's message carries */
        struct nova_utcb_more *more;   /**< and what 2012 had no place for */
        nova_mtd_t changed;            /**< groups of state that are to be written back */
        struct nova_msr_kept msr;
        struct nova_lapic *lapic;     /**< where it has CR8, its local APIC; else NULL */
        struct nova_utcb_event start; /**< what it begins with: NOVA_START_MTD */

        /* The library's own. */
        /** Changes with the machine locked. */
        enum nova_vcpu_activity activity;
        nova_sel_t ec;                  /**< its EC, the SC at `ec` + 1 */
        struct nova_handler *handler;   /**< answers its exits */
        struct nova_semaphore wake;     /**< of a handler that waits */
        uint32_t injection;             /**< wanted by nova_vcpu_raise(); 0: none */
        uint32_t injection_error;       /**< and its error code */
        struct nova_semaphore parked;   /**< up when it will not run any more */
        bool nmi;                       /**< an NMI waits for it */
        bool nmi_blocked;               /**< SVM: until the IRET of the NMI's handler is done */
        bool steps;                     /**< of SVM: over that IRET */
        bool running;                   /**< it has an SC */
        bool inside;                    /**< an exit is being answered */
        bool waits;                     /**< its handler waits for `wake` */
        unsigned recalled_for;          /**< what the library wants to do when all state is there */
        uint16_t port;                  /**< of a string access that waits for that */
        uint8_t vector;                 /**< of an exception that waits for that */
        struct nova_utcb_state *report; /**< of nova_vm_report(), which waits: gets the state */
        struct nova_semaphore reported; /**< up when it has it */
        uint64_t exits;                 /**< how many there were */
};

/** Answers an exit: changes state, says what changed. */
typedef void nova_vcpu_handler(struct nova_vcpu *vcpu);

/**
 * Go on behind the instruction that caused the exit: a guest that single-steps gets its #DB there.
 *
 * Outside of 64-bit mode instruction pointers have 32 bits. In 16-bit code they do not end at
 * 64 KiB: what is fetched beyond the segment's limit raises #GP, as on a CPU.
 * @param vcpu  the virtual CPU
 * @param bytes the length without prefixes, for CPUs that do not report the whole; of PAUSE it
 * is 1. Where they do not, exits carry what the prefixes are counted with
 */
void nova_vcpu_skip(struct nova_vcpu *vcpu, unsigned bytes);

/** Raise an exception at the instruction that caused the exit, without an error code. */
void nova_vcpu_raise(struct nova_vcpu *vcpu, unsigned vector);

/**
 * Raise exception @p vector at the instruction that caused the exit, with an error code in
 * protected mode: exceptions of real mode have none, and a CPU of VMX refuses to inject one there.
 *
 * CR0 says which mode it is. Where messages of this cause do not carry it (nova_vm_config.mtd,
 * NOVA_MTD_CR), the virtual CPU is recalled for it: one exit more.
 * @param vcpu   the virtual CPU
 * @param vector 8, 10 to 14, or 17
 * @param error  the error code
 */
void nova_vcpu_raise_error(struct nova_vcpu *vcpu, unsigned vector, uint32_t error);

/**
 * Let a virtual CPU begin in real mode at page @p vector, as an APIC's STARTUP message does.
 *
 * Nothing happens to one that has begun. Its machine is locked.
 * @param vector the number of a page of 4 KiB: it begins at guest-physical address
 *               @p vector * 4096, CS is @p vector * 256, IP 0
 */
void nova_vcpu_start_at(struct nova_vcpu *vcpu, uint8_t vector);

/**
 * Stop a virtual CPU until nova_vcpu_start_at(), as an APIC's INIT message does: what it did and
 * what it waited for is forgotten, but for MSRs other than EFER and the FPU's registers.
 *
 * An exit that is being answered is not answered. Its machine is locked.
 */
void nova_vcpu_reset(struct nova_vcpu *vcpu);

/**
 * Give a virtual CPU an NMI, as soon as it can take one; several that wait are one. Nothing happens
 * to one that has not begun.
 *
 * One that came while the handler of another ran arrives right after its IRET. Its machine is
 * locked.
 */
void nova_vcpu_nmi(struct nova_vcpu *vcpu);

/** Let a virtual CPU look for interrupts: call it when there may be one. Its machine is locked. */
void nova_vcpu_kick(struct nova_vcpu *vcpu);

#ifdef __cplusplus
}
#endif

#endif
