/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual machine: memory, virtual CPUs, buses with devices, and a function for each exit. */
#ifndef NOVAVMM_VM_H
#define NOVAVMM_VM_H

#include "novavmm/bus.h"
#include "novavmm/line.h"
#include "novavmm/memory.h"
#include "novavmm/vcpu.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nova_guest_pci;
struct nova_hv;
struct novavmm_hv_exits;
struct nova_secure;

/** Limits of a machine. */
#define NOVA_VM_VCPUS  8
#define NOVA_VM_ALARMS 16
#define NOVA_VM_NAME   16
#define NOVA_VM_WHY    160

/** Reasons why a machine ended. */
enum nova_vm_end {
        NOVA_VM_RUNS,   /**< it has not ended */
        NOVA_VM_OFF,    /**< the guest powered it off */
        NOVA_VM_RESET,  /**< the guest reset it, to restart or after a panic */
        NOVA_VM_HALTED, /**< all its virtual CPUs halted with interrupts disabled, or were stopped
                           by an INIT message, so no event can wake them */
        NOVA_VM_ERROR,  /**< the guest made a fatal error, or a handler or device raised an
                           exception: a report was printed */
        NOVA_VM_STOPPED /**< nova_vm_stop() ended it */
};

/** Source of interrupts for virtual CPUs. The functions are called whenever a virtual CPU could
 * take an interrupt. */
struct nova_vm_interrupts {
        bool (*pending)(void *context,
                        unsigned vcpu);            /**< returns true if an interrupt is pending */
        int (*take)(void *context, unsigned vcpu); /**< takes an interrupt; returns its vector, or a
                                                    * negative number if none is pending */
        void *context;                             /**< context of both functions */
};

/** Configuration of a machine. */
struct nova_vm_config {
        const char *name;    /**< name in reports */
        size_t memory;       /**< size of the RAM in bytes */
        unsigned vcpus;      /**< number of virtual CPUs; 0: one. They are spread over the program's
                                CPUs. If there are enough, none runs on the caller's CPU */
        const uint8_t *cpus; /**< the CPU of each virtual CPU; NULL: the library chooses them */
        bool local_apic;     /**< virtual CPUs have local APICs; required for more than one */
        unsigned priority;   /**< priority of virtual CPUs; 0: two below the caller's, or one
                                below it with @c secure. Timers have this priority + 1. A secure
                                guest runs at the ultravisor's priority */
        size_t kernel_memory; /**< size in bytes of the guest's own account of kernel memory, taken
                                 from the program's account; 0: the guest uses that account */
        bool same_tsc; /**< the TSC of a single virtual CPU counts stolen time, as the TSCs of
                        * several do: the kernel does not adjust it */
        struct nova_secure *secure; /**< connection of nova_secure_open(), which makes the guest
                                     * able to become secure; NULL: none */
        bool own_memory;  /**< the monitor provides the RAM: @c memory is 0, nova_vm.memory.find
                             finds it, and a handler of NOVA_VM_EXIT_MEMORY maps it */
        bool plain_calls; /**< VMCALL and VMMCALL of the guest have no prefixes, so the library does
                           * not fetch these instructions: their exits carry R8 to R15, control
                           * registers and MSRs only if @c mtd has those groups */
        bool hide_state;  /**< reports show neither registers nor memory of the guest, and of an
                           * address only the page */
        bool report_halt; /**< treat NOVA_VM_HALTED as an error and report it, unless the guest's
                           * UV_ESM has failed: then its stub has printed the reason */
        bool report_reset; /**< print the registers of the virtual CPU that resets the machine
                            * (NOVA_VM_RESET) */
        /** State that exits carry for the monitor's handlers, by cause, in addition to that of the
         * library's handlers: an OR of NOVA_MTD_… */
        nova_mtd_t mtd[NOVA_VM_EXIT_COUNT];
};

/** A virtual machine. All fields are zero before nova_vm_create(). The program may read all
 * fields. */
struct nova_vm {
        char name[NOVA_VM_NAME];         /**< name for reports, cut to fit */
        struct nova_guest_memory memory; /**< RAM of the guest */
        struct nova_bus ports;           /**< devices at I/O ports */
        struct nova_bus mmio;            /**< devices at guest-physical addresses outside RAM */
        struct nova_vm_interrupts interrupts;           /**< source of interrupts */
        struct nova_clock clock;                        /**< clock of its devices */
        bool local_apic;                                /**< CPUID shows a local APIC */
        bool report_halt, report_reset, hide_state;     /**< values of the configuration */
        bool svm;                                       /**< the CPU has SVM; otherwise VMX */
        nova_vcpu_handler *handler[NOVA_VM_EXIT_COUNT]; /**< handlers of exits, by cause */
        nova_mtd_t mtd[NOVA_VM_EXIT_COUNT];             /**< state that exits carry, by cause */
        unsigned vcpus;                                 /**< number of virtual CPUs */
        struct nova_vcpu vcpu[NOVA_VM_VCPUS];           /**< virtual CPUs, by number */
        enum nova_vm_end end;                           /**< reason of its end, or NOVA_VM_RUNS */
        struct nova_vcpu *serving; /**< virtual CPU whose exit is being handled; NULL: another
                                      thread holds the lock */
        char why[NOVA_VM_WHY];     /**< see nova_vm_why() */

        /* The rest is private to the library. */
        struct nova_mutex lock;                   /**< held while an exit is being handled */
        struct nova_mutex report_lock;            /**< held by nova_vm_report(); taken before
                                                   * `lock` */
        struct nova_semaphore ended;              /**< gets an up when `end` is set */
        struct nova_semaphore timer_wake;         /**< gets an up when `armed` becomes earlier */
        struct nova_thread *timer;                /**< calls alarms */
        struct nova_alarm *alarm[NOVA_VM_ALARMS]; /**< alarms of its devices */
        unsigned alarms;                          /**< number of alarms */
        struct nova_alarm nmis;                   /**< SVM: looks for NMIs that are late */
        unsigned priority;                        /**< priority of virtual CPUs */
        uint64_t armed;                           /**< deadline for which `timer` waits */
        nova_sel_t objects;                       /**< selectors of PD, ECs, SCs and SMs */
        nova_sel_t events;                        /**< event selectors of all virtual CPUs */
        unsigned events_order;                    /**< order of the range of event selectors */
        const char *reset_means; /**< cause given to nova_vm_reset(), for the report */
        /** Called when a virtual CPU enables or disables its local APIC; NULL: no local APICs */
        nova_vcpu_handler *apic_switched;
        void *apics; /**< context of `apic_switched` */
        /** called at the end of each exit, so that devices look for work without a notification;
         * NULL: none */
        void (*look)(void *context);
        void *look_context; /**< context of `look` */
        bool look_due; /**< the next `look`, which virtual CPU 0 calls even while it halts, lets
                        * devices continue the work that they paused */
        /** returns false if a report about the guest must not be printed now; NULL: each report is
         * printed */
        bool (*may_report)(struct nova_vm *vm);
        /** called with the machine's lock held when the machine ends; NULL: nothing is called */
        void (*ended_hook)(void *context);
        void *ended_context;        /**< context of `ended_hook` */
        struct nova_secure *secure; /**< nova_vm_config.secure */
        uint64_t virtio_features;   /**< features that all its virtio devices offer in addition */
        /** maps the page at a guest-physical address outside of RAM, if a function that is passed
         * through has memory there; returns false if the access must be emulated. NULL: none */
        bool (*place)(struct nova_vcpu *vcpu, uint64_t address);
        struct nova_guest_pci *passed;           /**< functions that are passed through, or NULL */
        struct nova_hv *hv;                      /**< interface of nova_hv_enable(), or NULL */
        const struct novavmm_hv_exits *hv_exits; /**< private: functions of `hv` */
        bool xsave;                              /**< CPUID shows XSAVE */
        bool same_tsc;       /**< the kernel does not adjust the TSCs of its virtual CPUs */
        bool timer_quits;    /**< `timer` must end */
        uint8_t causes[256]; /**< enum nova_vm_exit by event number */
};

/**
 * Creates a machine: RAM, handlers for all exits, and virtual CPUs that do not run yet.
 *
 * Add devices, load software and fill in vcpu[n].start before nova_vm_run().
 * @code
 * static struct nova_vm vm; // zeroed
 * const struct nova_vm_config config = {.name = "guest", .memory = 16u << 20};
 * const int error = nova_vm_create(&vm, &config);
 *
 * if (error)
 *         printf("no machine: %s.\n", nova_vm_why(&vm, error));
 * @endcode
 * @retval 0       done
 * @retval ENOTSUP this CPU or this kernel does not support guests
 * @retval EINVAL  a value of @p config is out of range
 * @retval ENOMEM  not enough memory
 * @retval EACCES  the program may not have memory that a guest can execute
 * @retval EAGAIN  no more selectors, threads or kernel memory
 */
int nova_vm_create(struct nova_vm *vm, const struct nova_vm_config *config);

/**
 * Explains an error of nova_vm_create(), nova_vm_run() or another function of the library. Call it
 * before the machine is destroyed: for EAGAIN and ENOMEM it checks which resource the program
 * lacks.
 * @code
 * extern struct nova_vm vm;
 * extern struct nova_pc pc;
 * const int error = nova_pc_create(&pc, &vm);
 *
 * if (error)
 *         printf("The board cannot be created: %s.\n", nova_vm_why(&vm, error));
 * @endcode
 * @param vm    the machine
 * @param error error that the function has returned
 * @return the reason, with the remedy, as the end of a sentence; for other functions than
 *         nova_vm_create() and nova_vm_run(), strerror() unless the error is EAGAIN or ENOMEM
 */
const char *nova_vm_why(struct nova_vm *vm, int error);

/**
 * Records that malloc() has returned NULL, so that nova_vm_why() names the missing resource: memory
 * or kernel memory.
 * @code
 * extern struct nova_vm vm;
 * const size_t bytes = 48u << 20;
 * void *const data = malloc(bytes);
 *
 * if (!data)
 *         printf("no disk: %s.\n", nova_vm_why(&vm, nova_vm_no_memory(&vm, bytes)));
 * @endcode
 * @param vm    the machine
 * @param bytes size that malloc() was called with
 * @return ENOMEM */
int nova_vm_no_memory(struct nova_vm *vm, size_t bytes);

/**
 * Replaces the handler of an exit. Must be called before nova_vm_run(). The handler receives the
 * groups of state in vm.mtd: always general registers, instruction pointer and flags, and other
 * groups if nova_vm_config.mtd requests them.
 * @code
 * extern struct nova_vm vm;
 * void answer_cpuid(struct nova_vcpu *vcpu);
 *
 * nova_vm_on(&vm, NOVA_VM_EXIT_CPUID, answer_cpuid);
 * @endcode
 */
void nova_vm_on(struct nova_vm *vm, enum nova_vm_exit exit, nova_vcpu_handler *handler);

/** Adds an alarm of a device. Must be called before nova_vm_run(), without the machine's lock.
 * @retval 0 done
 * @retval ENOSPC the machine has NOVA_VM_ALARMS alarms already */
int nova_vm_add_alarm(struct nova_vm *vm, struct nova_alarm *alarm);

/** Prints why the software of a machine cannot be loaded: "VM: guest NAME cannot be loaded: WHY."
 *  @param why result of a loader (novavmm/load.h) or of the search for the file, as the end of a
 *            sentence
 * @return 1, the exit status for this case */
int nova_vm_not_loaded(const struct nova_vm *vm, const char *why);

/** Starts virtual CPU 0 in its start state. The other virtual CPUs wait until they are started. The
 * caller must not hold the machine's lock.
 * @return 0, or EAGAIN */
int nova_vm_run(struct nova_vm *vm);

/**
 * Waits for a machine's end.
 * @code
 * extern struct nova_vm vm;
 *
 * if (nova_vm_run(&vm) == 0) {
 *         const enum nova_vm_end end = nova_vm_wait(&vm);
 *
 *         nova_vm_destroy(&vm);
 *         printf("The guest %s.\n", nova_vm_end_text(end));
 * }
 * @endcode
 * @return the reason of the end
 */
enum nova_vm_end nova_vm_wait(struct nova_vm *vm);

/** Returns a description of a machine's end, as the end of a sentence that begins with its name. */
const char *nova_vm_end_text(enum nova_vm_end end);

/** Stops a machine. Its memory stays until nova_vm_destroy(). A caller that holds its lock would
 * deadlock, so handlers and devices call nova_vm_end_with() instead. */
void nova_vm_stop(struct nova_vm *vm);

/** Destroys a machine that has ended. */
void nova_vm_destroy(struct nova_vm *vm);

/**
 * Locks a machine: no exit is handled until nova_vm_unlock(). For threads that drive devices.
 * Handlers and devices hold the lock already; they would deadlock.
 * @code
 * extern struct nova_vm vm;
 * extern struct nova_line irq; // of a device
 *
 * nova_vm_lock(&vm);
 * nova_line_set(&irq, true);
 * nova_vm_unlock(&vm);
 * @endcode
 */
void nova_vm_lock(struct nova_vm *vm);
/** Locks a machine like nova_vm_lock(), but waits at most until a deadline, a value of the TSC.
 * @return 0; ETIMEDOUT: the lock was in use until then, and the caller does not hold it */
int nova_vm_lock_until(struct nova_vm *vm, uint64_t deadline);
/** @see nova_vm_lock */
void nova_vm_unlock(struct nova_vm *vm);

/** Ends a machine. For handlers and devices, which hold its lock. */
void nova_vm_end_with(struct nova_vm *vm, enum nova_vm_end end);

/** Ends a machine that its guest resets, and prints a line that names the guest, the virtual CPU
 * and @p means. This text, such as "port 0xcf9", must stay valid. With nova_vm_config.report_reset
 * the function also prints the registers, and the machine ends as soon as they have arrived. For
 * handlers and devices, which hold its lock. */
void nova_vm_reset(struct nova_vm *vm, const char *means);

/**
 * Ends a machine with a report: guest, virtual CPU, cause formatted as by printf(), and the
 * registers that the exit carries.
 * @code
 * extern struct nova_vcpu *vcpu; // the handler's argument
 *
 * nova_vcpu_fail(vcpu, "device 0x%x is not there", 7);
 * @endcode
 */
__attribute__((format(printf, 2, 3))) void nova_vcpu_fail(struct nova_vcpu *vcpu,
                                                          const char *format, ...);

/**
 * Prints the state of each virtual CPU, for a machine that hangs. The machine continues.
 *
 * The caller must not hold the machine's lock, so handlers and devices cannot call this function.
 * It waits at most a second for a virtual CPU that gets no time. Reports of several threads come
 * one after the other.
 */
void nova_vm_report(struct nova_vm *vm);

/** Reads the machine's clock, which its devices use. @return the time in nanoseconds */
uint64_t nova_vm_now(void *unused);

#ifdef __cplusplus
}
#endif

#endif
