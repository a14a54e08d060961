/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual machine: memory, virtual CPUs, buses with devices, and what is done at each exit. */
#ifndef NOVAVMM_VM_H
#define NOVAVMM_VM_H

#include "novavmm/bus.h"
#include "novavmm/line.h"
#include "novavmm/memory.h"
#include "novavmm/vcpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Limits of a machine. */
#define NOVA_VM_VCPUS  8
#define NOVA_VM_ALARMS 16
#define NOVA_VM_NAME   16
#define NOVA_VM_WHY    160

/** Why a machine ended. */
enum nova_vm_end {
        NOVA_VM_RUNS,   /**< it did not */
        NOVA_VM_OFF,    /**< the guest switched it off */
        NOVA_VM_RESET,  /**< the guest reset it, for a restart or after a panic */
        NOVA_VM_HALTED, /**< all its virtual CPUs halted without interrupts: nothing wakes them */
        NOVA_VM_ERROR,  /**< the guest did what nobody can go on with, or a handler or device raised
                             an exception: a report was printed */
        NOVA_VM_STOPPED /**< by nova_vm_stop() */
};

/** Who has interrupts for virtual CPUs. Asked whenever one of them could take one. */
struct nova_vm_interrupts {
        bool (*pending)(void *context, unsigned vcpu); /**< whether there is one */
        int (*take)(void *context, unsigned vcpu);     /**< the vector, or less than 0 */
        void *context;                                 /**< handed to both */
};

/** What a machine is to be like. */
struct nova_vm_config {
        const char *name; /**< for reports */
        size_t memory;    /**< bytes of RAM */
        unsigned vcpus;   /**< 0: one. They run on the program's CPUs in turn, the caller's first */
        bool local_apic;  /**< virtual CPUs have local APICs; more than one need them */
        unsigned priority; /**< of virtual CPUs; 0: below the caller's. Timers have one more */
        bool report_halt;  /**< NOVA_VM_HALTED is an error, too: report it and end so */
        bool report_reset; /**< with NOVA_VM_RESET, print the registers of who did it, too */
        /** State that exits carry, by cause, besides what the library's own handlers use: for
         * yours, an OR of NOVA_MTD_… */
        nova_mtd_t mtd[NOVA_VM_EXIT_COUNT];
};

/** A virtual machine. Zeroed before it is created; its creator may read all of it. */
struct nova_vm {
        char name[NOVA_VM_NAME]; /**< for reports, cut to fit */
        struct nova_guest_memory memory;
        struct nova_bus ports; /**< devices at I/O ports */
        struct nova_bus mmio;  /**< devices at guest-physical addresses outside of RAM */
        struct nova_vm_interrupts interrupts;
        struct nova_clock clock;                        /**< for its devices */
        bool local_apic;                                /**< CPUID shows a local APIC */
        bool report_halt, report_reset;                 /**< as configured */
        bool svm;                                       /**< else VMX */
        nova_vcpu_handler *handler[NOVA_VM_EXIT_COUNT]; /**< by cause */
        nova_mtd_t mtd[NOVA_VM_EXIT_COUNT];             /**< state that exits carry, by cause */
        unsigned vcpus;                                 /**< virtual CPUs that it has */
        struct nova_vcpu vcpu[NOVA_VM_VCPUS];           /**< they, by number */
        enum nova_vm_end end;                           /**< why it ended, or NOVA_VM_RUNS */
        struct nova_vcpu *serving; /**< the virtual CPU whose exit is answered; NULL: another thread
                                        has the lock */
        char why[NOVA_VM_WHY];     /**< see nova_vm_why() */

        /* The library's own. */
        struct nova_mutex lock;                   /**< held while an exit is answered */
        struct nova_semaphore ended;              /**< up when `end` is set */
        struct nova_semaphore timer_wake;         /**< up when `armed` became earlier */
        struct nova_thread *timer;                /**< calls alarms */
        struct nova_alarm *alarm[NOVA_VM_ALARMS]; /**< of its devices */
        unsigned alarms;                          /**< how many there are */
        unsigned priority;                        /**< of virtual CPUs */
        uint64_t armed;                           /**< the earliest deadline that `timer` knows */
        nova_sel_t objects;                       /**< selectors of PD, ECs and SCs */
        nova_sel_t events;                        /**< event selectors of all virtual CPUs */
        unsigned events_order;                    /**< 2^events_order of them */
        const char *reset_means;                  /**< of nova_vm_reset(), to be reported */
        /** A virtual CPU switched its local APIC on or off; NULL: no local APICs */
        nova_vcpu_handler *apic_switched;
        void *apics;         /**< of `apic_switched` */
        bool xsave;          /**< CPUID shows XSAVE */
        bool in_line;        /**< its text on the console ended within a line */
        bool timer_quits;    /**< `timer` is to end */
        uint8_t causes[256]; /**< enum nova_vm_exit by event number */
};

/**
 * Make a machine: RAM, handlers for all exits, virtual CPUs that do not run yet.
 *
 * Devices are added, software is loaded and vcpu[n].start is filled before nova_vm_run().
 * @retval 0       done
 * @retval ENOTSUP this CPU or kernel runs no guests
 * @retval EINVAL  a value of @p config is out of its range
 * @retval ENOMEM  not so much memory
 * @retval EACCES  the program may not have memory that a guest can execute
 * @retval EAGAIN  no more selectors, threads or kernel memory
 */
int nova_vm_create(struct nova_vm *vm, const struct nova_vm_config *config);

/** @return why nova_vm_create() or nova_vm_run() returned @p error: what is in the way and what
 * helps, as the end of a sentence. Other functions' errors in strerror()'s words */
const char *nova_vm_why(const struct nova_vm *vm, int error);

/** Answer an exit in another way. Before nova_vm_run(). Its handler finds the groups of state of
 *  vm.mtd: general registers, instruction pointer and flags always, more by nova_vm_config.mtd. */
void nova_vm_on(struct nova_vm *vm, enum nova_vm_exit exit, nova_vcpu_handler *handler);

/** Call a device at its alarms. Before nova_vm_run(). @retval 0 done
 *  @retval ENOSPC there are NOVA_VM_ALARMS already */
int nova_vm_add_alarm(struct nova_vm *vm, struct nova_alarm *alarm);

/** Print that a machine has nothing to run, and why: "VM: guest NAME cannot be loaded: WHY."
 *  @param why of a loader (novavmm/load.h), or of who looked for its file, as the end of a sentence
 *  @return 1, the status of a program that ends for that */
int nova_vm_not_loaded(const struct nova_vm *vm, const char *why);

/** Let virtual CPU 0 run, from its start state; others begin halted. @return 0, or EAGAIN */
int nova_vm_run(struct nova_vm *vm);

/** Wait for a machine's end. @return why */
enum nova_vm_end nova_vm_wait(struct nova_vm *vm);

/** @return how a machine ended, as the end of a sentence that begins with its name */
const char *nova_vm_end_text(enum nova_vm_end end);

/** End a machine. Its memory stays until nova_vm_destroy(). Not with its lock: a handler or device
 *  would wait for itself for ever, and calls nova_vm_end_with(). */
void nova_vm_stop(struct nova_vm *vm);

/** Take a machine apart that has ended. */
void nova_vm_destroy(struct nova_vm *vm);

/** Keep a machine as it is: between these, no exit is answered. For threads that drive devices;
 *  handlers and devices are called with the lock, and would wait for themselves for ever. */
void nova_vm_lock(struct nova_vm *vm);
/** @see nova_vm_lock */
void nova_vm_unlock(struct nova_vm *vm);

/** End a machine. For handlers and devices, with its lock. */
void nova_vm_end_with(struct nova_vm *vm, enum nova_vm_end end);

/** End a machine that its guest resets, and print a line: guest, virtual CPU, and @p means, as the
 * end of a sentence that lives on: "port 0xcf9". With nova_vm_config.report_reset it goes on with
 *  registers, and the machine ends as soon as they are there. For handlers and devices, with its
 *  lock. */
void nova_vm_reset(struct nova_vm *vm, const char *means);

/** End a machine with a report: guest, virtual CPU, cause as printf() would write it, and of its
 *  registers those that the exit carries. */
__attribute__((format(printf, 2, 3))) void nova_vcpu_fail(struct nova_vcpu *vcpu,
                                                          const char *format, ...);

/**
 * Print where each virtual CPU of a machine is, and its registers, and let it go on: for one that
 * hangs.
 *
 * One thread at a time, not with the machine's lock, not from a handler or a device. A virtual CPU
 * that gets no time is waited for a second.
 */
void nova_vm_report(struct nova_vm *vm);

/** @return nanoseconds of the machine's clock, which its devices use */
uint64_t nova_vm_now(void *unused);

#ifdef __cplusplus
}
#endif

#endif
