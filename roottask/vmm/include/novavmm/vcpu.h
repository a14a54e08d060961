/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual CPU, as seen by the functions that handle its exits. */
#ifndef NOVAVMM_VCPU_H
#define NOVAVMM_VCPU_H

#include "novart/sync.h"
#include "novart/thread.h"
#include "novavmm/decode.h"
#include "novavmm/exit.h"
#include "novavmm/msr.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nova_lapic;
struct nova_vm;

/** Activities of a virtual CPU. */
enum nova_vcpu_activity {
        NOVA_VCPU_OFF,   /**< it waits for nova_vcpu_start_at() */
        NOVA_VCPU_RUNS,  /**< it executes the guest */
        NOVA_VCPU_HALTS, /**< it waits for an interrupt */
        NOVA_VCPU_DEAD   /**< it halts with interrupts disabled: only an NMI wakes it */
};

/** A virtual CPU. A handler of its exits holds the lock of its machine, unless it calls a function
 * that releases the lock, such as nova_vcpu_call_out(). */
struct nova_vcpu {
        struct nova_vm *vm;     /**< machine of the virtual CPU */
        unsigned number;        /**< number in its machine */
        nova_word_t cpu;        /**< the CPU that it runs on */
        enum nova_vm_exit exit; /**< cause of the current exit */
        unsigned event; /**< SVM's or VMX's number of the exit; during a recall by the library, that
                           of the previous exit */
        struct nova_utcb_state *state; /**< the guest's state from the exit's message */
        struct nova_utcb_more *more;   /**< the guest's state that the layout of 2012 lacks */
        nova_mtd_t changed;            /**< groups of state to be written back */
        struct nova_msr_kept msr;      /**< model-specific registers that the monitor stores */
        struct nova_lapic *lapic;      /**< its local APIC, which holds CR8; or NULL */
        struct nova_utcb_event start;  /**< initial state, groups NOVA_START_MTD */

        /* The rest is private to the library. */
        /** Its activity, which changes only while the machine is locked. */
        enum nova_vcpu_activity activity;
        nova_sel_t ec;                /**< selector of its EC; the next two are those of its SC, and
                                       * of the semaphore on which a handler waits for its end */
        struct nova_handler *handler; /**< handles its exits */
        struct nova_semaphore wake;   /**< semaphore for a waiting handler */
        uint32_t injection;           /**< exception that nova_vcpu_raise() requested; 0: none */
        uint32_t injection_error;     /**< error code of that exception */
        struct nova_semaphore parked; /**< gets an up when the virtual CPU will not run again */
        bool leaves;                  /**< a handler that has parked may return; atomic */
        bool nmi;                     /**< an NMI is pending */
        bool nmi_blocked;             /**< SVM: an NMI's handler has not executed its IRET */
        bool steps;                   /**< SVM: the virtual CPU single-steps over that IRET */
        bool running;                 /**< the virtual CPU has an SC */
        bool inside;                  /**< an exit is being handled */
        bool held_back;        /**< an interrupt of nova_vm.interrupts waits for a lower CR8 */
        bool waits;            /**< the handler waits for `wake` */
        unsigned recalled_for; /**< OR of enum vcpu_recall (src/vm.h): reasons for which the library
                                * recalls the virtual CPU; a recall carries all state */
        struct nova_vm_exit_port port;  /**< a string access, which waits for a recall */
        uint8_t vector;                 /**< vector of an exception that waits for a recall */
        struct nova_utcb_state *report; /**< buffer of a waiting nova_vm_report() for the state */
        struct nova_semaphore reported; /**< gets an up when `report` is filled in */
        uint64_t exits;                 /**< number of exits */
        bool gives;                     /**< the current reply maps a page (src/overlay.h) */
        bool settles;                   /**< it waits until no reply maps a page, and no virtual CPU
                                         * is in the guest with stale translations */
        bool stale; /**< the virtual CPU must discard its translations before it enters the guest */
        struct {
                uint64_t exit;       /**< number of the exit */
                uint64_t page;       /**< number of the page */
                unsigned changes;    /**< number of changes of overlay pages before the reply */
        } given;                     /**< the last page that a reply mapped */
        uint32_t call;               /**< state of nova_vcpu_call_out(); atomic */
        struct nova_decoded decoded; /**< the last instruction that accessed a device's memory */
};

/** Handles an exit: changes the state and adds the changed groups to @c changed. */
typedef void nova_vcpu_handler(struct nova_vcpu *vcpu);

/**
 * Continues after the instruction that caused the exit. A guest that single-steps gets its #DB at
 * the next instruction.
 *
 * Outside 64-bit mode instruction pointers have 32 bits. In 16-bit code they do not wrap at 64 KiB:
 * a fetch beyond the segment's limit raises #GP, as on a CPU.
 * @code
 * extern struct nova_vcpu *vcpu; // the argument of a handler of NOVA_VM_EXIT_CPUID
 *
 * vcpu->state->bx = 'N' | 'o' << 8 | 'v' << 16 | 'a' << 24;
 * vcpu->changed |= NOVA_MTD_ACDB;
 * nova_vcpu_skip(vcpu, 2);
 * @endcode
 * @param vcpu  the virtual CPU
 * @param bytes the instruction's length without prefixes (1 for PAUSE), for CPUs that do not report
 *              the length. On these CPUs, exits carry the state that is needed to count the
 *              prefixes
 */
void nova_vcpu_skip(struct nova_vcpu *vcpu, unsigned bytes);

/** Raises exception @p vector (0 to 31) without an error code, at the instruction that caused the
 * exit. */
void nova_vcpu_raise(struct nova_vcpu *vcpu, unsigned vector);

/**
 * Raises exception @p vector at the instruction that caused the exit, with an error code unless the
 * virtual CPU is in real mode. Exceptions of real mode have no error code, and VMX refuses to
 * inject one.
 *
 * CR0 determines the mode. If messages of this cause do not carry CR0 (nova_vm_config.mtd,
 * NOVA_MTD_CR), the library recalls the virtual CPU to get it, which costs one exit.
 * @code
 * extern struct nova_vcpu *vcpu;
 *
 * nova_vcpu_raise_error(vcpu, NOVA_EXC_GP, 0);
 * @endcode
 * @param vcpu   the virtual CPU
 * @param vector 8, 10 to 14, or 17
 * @param error  the error code
 */
void nova_vcpu_raise_error(struct nova_vcpu *vcpu, unsigned vector, uint32_t error);

/**
 * Starts a virtual CPU in real mode at page @p vector, as an APIC's STARTUP message does.
 *
 * Has no effect on a virtual CPU that has started. The caller holds its machine's lock.
 * @param vector the number of a 4 KiB page: the virtual CPU starts at guest-physical address
 *               @p vector * 4096, CS is @p vector * 256, IP 0
 */
void nova_vcpu_start_at(struct nova_vcpu *vcpu, uint8_t vector);

/**
 * Stops a virtual CPU until nova_vcpu_start_at(), as an APIC's INIT message does. The virtual CPU
 * loses its pending events and its state, except the FPU's registers and MSRs other than EFER.
 *
 * An exit in progress gets no reply. The caller holds its machine's lock.
 */
void nova_vcpu_reset(struct nova_vcpu *vcpu);

/**
 * Sends a virtual CPU an NMI, which it takes as soon as it can. Several pending NMIs merge into
 * one. Has no effect on a virtual CPU that has not started.
 *
 * An NMI that arrives while the handler of another NMI runs is delivered directly after that
 * handler's IRET. The caller holds the machine's lock.
 * @code
 * extern struct nova_vm vm;
 *
 * nova_vm_lock(&vm);
 * nova_vcpu_nmi(&vm.vcpu[0]);
 * nova_vm_unlock(&vm);
 * @endcode
 */
void nova_vcpu_nmi(struct nova_vcpu *vcpu);

/**
 * Maps pages of the monitor into the guest with the reply to the current exit, whose cause is
 * NOVA_VM_EXIT_STARTUP or NOVA_VM_EXIT_MEMORY. A reply maps at most NOVA_GUEST_BLOCKS ranges.
 *
 * The pages are mapped only when the guest continues. Until the virtual CPU's next exit,
 * nova_vcpu.gives is true: a monitor that revokes one of the pages meanwhile must revoke it again
 * after that exit.
 * @code
 * extern struct nova_vcpu *vcpu; // the argument of a handler of NOVA_VM_EXIT_MEMORY
 * extern char *page;             // page-aligned, executable for the monitor, too
 *
 * nova_vcpu_map(vcpu, nova_crd_mem((nova_word_t)page >> NOVA_PAGE_BITS, 0, NOVA_MEM_RWX),
 *               (nova_sel_t)(vcpu->more->gpa >> NOVA_PAGE_BITS));
 * @endcode
 * @param vcpu the virtual CPU
 * @param crd  pages of the monitor, with the permissions of the guest
 * @param to   number of the first guest-physical page, a multiple of the number of pages
 * @return false if the reply has no room
 */
bool nova_vcpu_map(struct nova_vcpu *vcpu, nova_crd_t crd, nova_sel_t to);

/**
 * Calls a function that may wait for another program, without the machine's lock.
 *
 * The exit's message stays valid, although the function may use the UTCB. If the machine is
 * destroyed meanwhile, the function is ended in the middle, so it must not hold locks or allocate
 * memory: it should consist of one call that waits, such as nova_call().
 * @param vcpu     the virtual CPU whose exit is being handled
 * @param function the function
 * @param argument passed to @p function
 * @return false if the machine has ended; then @p function was not called
 */
bool nova_vcpu_call_out(struct nova_vcpu *vcpu, void (*function)(void *argument), void *argument);

/**
 * Calls a function that may overwrite the UTCB, such as printf().
 *
 * The exit's message stays valid. The machine's lock stays held, so the machine is not destroyed
 * meanwhile, and the function may take locks. But it must not wait for another program that may
 * not answer: see nova_vcpu_call_out().
 * @param vcpu     the virtual CPU whose exit is being handled
 * @param function the function
 * @param argument passed to @p function
 */
void nova_vcpu_keep_message(struct nova_vcpu *vcpu, void (*function)(void *argument),
                            void *argument);

/**
 * Waits until no other virtual CPU's reply maps a page (nova_vcpu_map()), and no other virtual CPU
 * is in the guest with stale translations. Forces virtual CPUs in such a state to exit. For
 * handlers that are about to revoke pages permanently.
 *
 * Releases the machine's lock while it waits. The machine may end meanwhile. The handler's own
 * reply may still map a page. Call this function before nova_vcpu_map(), because two handlers that
 * have both mapped a page wait for each other.
 */
void nova_vcpu_settle(struct nova_vcpu *vcpu);

/** Makes a virtual CPU check for interrupts; must be called when an interrupt may be pending. The
 * caller holds its machine's lock. */
void nova_vcpu_kick(struct nova_vcpu *vcpu);

#ifdef __cplusplus
}
#endif

#endif
