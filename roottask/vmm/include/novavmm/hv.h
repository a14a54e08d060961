/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypercall interface of enlightened guests (Hv#1): CPUID leaves, MSRs, hypercall page, calls.
 * A guest finds it if its monitor calls nova_hv_enable(). */
#ifndef NOVAVMM_HV_H
#define NOVAVMM_HV_H

#include "nova/abi/utcb.h"
#include "novavmm/cpuid.h"
#include "novavmm/hv_calls.h"
#include "novavmm/hv_crash.h"
#include "novavmm/hv_synic.h"
#include "novavmm/lapic.h"
#include "novavmm/line.h"
#include "novavmm/overlay.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NOVA_HV_OWN_CALLS  16  /**< maximum number of a monitor's own calls */
#define NOVA_HV_VPS        8   /**< maximum number of virtual processors */
#define NOVA_HV_TIMERS     4   /**< synthetic timers of a virtual processor */
#define NOVA_HV_LAST_BYTES 160 /**< bytes for a text about a guest's last call */
#define NOVA_HV_FAST_MAX   112 /**< bytes of parameters in registers, with XMM0 to XMM5 */

/** Privileges that any machine can have. */
#define NOVA_HV_PRIVILEGES_USUAL                                                               \
        (NOVA_HV_PRIVILEGE_HYPERCALLS | NOVA_HV_PRIVILEGE_VP_INDEX | NOVA_HV_PRIVILEGE_RESET | \
         NOVA_HV_PRIVILEGE_EXTENDED_CALLS | NOVA_HV_PRIVILEGE_REFERENCE_COUNTER |              \
         NOVA_HV_PRIVILEGE_FREQUENCIES)

/** Privileges that the library offers; nova_hv_enable() lists the requirements of some of them. */
#define NOVA_HV_PRIVILEGES_ALL                                                                   \
        (NOVA_HV_PRIVILEGES_USUAL | NOVA_HV_PRIVILEGE_RUN_TIME | NOVA_HV_PRIVILEGE_IDLE |        \
         NOVA_HV_PRIVILEGE_VP_REGISTERS | NOVA_HV_PRIVILEGE_REFERENCE_TSC |                      \
         NOVA_HV_PRIVILEGE_APIC_REGISTERS | NOVA_HV_PRIVILEGE_TIMERS | NOVA_HV_PRIVILEGE_SYNIC | \
         NOVA_HV_PRIVILEGE_POST_MESSAGES | NOVA_HV_PRIVILEGE_SIGNAL_EVENTS)

/** Recommendations that the library offers. */
#define NOVA_HV_HINTS_ALL                                                             \
        (NOVA_HV_HINT_REMOTE_FLUSH | NOVA_HV_HINT_APIC_REGISTERS | NOVA_HV_HINT_IPI | \
         NOVA_HV_HINT_SETS)

/** Private to the library: memory for the parameters of one action. */
struct nova_hv_buffers {
        uint64_t input[NOVA_HV_BLOCK_MAX / 8];          /**< header */
        uint64_t element[NOVA_HV_BLOCK_MAX / 8];        /**< input elements of a slice */
        uint64_t output[NOVA_HV_BLOCK_MAX / 8];         /**< output header */
        uint64_t output_element[NOVA_HV_BLOCK_MAX / 8]; /**< output element */
};

/** A synthetic timer. */
struct nova_hv_timer {
        uint64_t config;  /**< MSR 0x400000b0, 0x400000b2, … */
        uint64_t count;   /**< MSR 0x400000b1, …: reference time, or period, in units of 100 ns */
        uint64_t due;     /**< reference time of its next expiration, or NOVA_NEVER */
        uint64_t expired; /**< reference time of the expiration whose message waits */
        bool waits;       /**< its message waits for a slot */
};

/** State of a virtual processor. */
struct nova_hv_vp {
        struct nova_lapic *lapic; /**< its local APIC, or NULL */
        uint64_t assist;          /**< MSR 0x40000073: place of the assist page */
        uint64_t ends;            /**< number of interrupts that were ended by MSR 0x40000070 */
        uint64_t quiet_ends;      /**< number of interrupts that were ended in the assist page */
        struct nova_hv_timer timer[NOVA_HV_TIMERS]; /**< synthetic timers */
        uint64_t timer_interrupts;                  /**< expirations of these timers */
        struct nova_hv_synic synic;                 /**< synthetic interrupt controller */
};

/** Outcomes of nova_hv_execute(). */
enum nova_hv_outcome {
        NOVA_HV_DONE,      /**< `result` is valid, and the caller continues after the instruction */
        NOVA_HV_CONTINUES, /**< the caller executes the instruction again; `value` has changed */
        NOVA_HV_UNDEFINED  /**< the caller gets #UD */
};

/** The last call that a guest made; nova_hv_last_text() describes it. */
struct nova_hv_last {
        uint64_t number; /**< number of calls so far, with continuations; 0: there was none */
        uint64_t value;  /**< call value: code, fast, number of elements, start index */
        uint64_t result; /**< result value: status, and number of completed elements */
        unsigned vcpu;   /**< number of the calling virtual processor */
        bool returned;   /**< the call has returned, so `outcome` and `result` are valid */
        enum nova_hv_outcome outcome; /**< next action of the caller */
};

/** A partition: the state of a machine's hypercall interface. Changes with the machine locked. */
struct nova_hv {
        struct nova_guest_memory *memory; /**< the guest's RAM */
        uint64_t privileges;              /**< the partition's privileges */
        uint64_t identity;                /**< MSR 0x40000000: the identity that the guest
                                           * reports */
        uint64_t hypercall;               /**< MSR 0x40000001: place of the hypercall page */
        bool enabled;                     /**< the hypercall page is enabled */
        bool xmm_input;                   /**< parameters may be passed in XMM registers */
        bool xmm_output;                  /**< calls with output may be fast */
        bool svm;                         /**< the CPU has SVM: the instruction is VMMCALL */
        bool resets;                      /**< the guest wrote MSR 0x40000003 */
        unsigned vcpus;                   /**< number of virtual processors */
        bool direct_timers;               /**< synthetic timers can raise interrupts */
        struct nova_clock clock;          /**< the machine's clock, for alarms */
        struct nova_alarm alarm;          /**< expiration of the next synthetic timer */
        struct nova_clock tsc;            /**< the guest's TSC, in ticks */
        uint64_t tsc_hz;                  /**< its frequency */
        uint64_t scale;                   /**< units of reference time per tick, times 2^64 */
        uint64_t offset;         /**< offset of reference time in units of 100 ns, modulo 2^64 */
        uint64_t reference_page; /**< MSR 0x40000021: place of the reference page */
        uint32_t hints;          /**< EAX of CPUID leaf 0x40000004 */
        struct nova_hv_vp vp[NOVA_HV_VPS]; /**< virtual processors, by number */
        uint64_t apic_hz;                  /**< frequency of the local APICs' timers */
        uint64_t stale;       /**< virtual processors that must discard their translations before
                                 the caller of a flush continues: bit n for number n */
        uint64_t flush_calls; /**< number of calls that flush */
        uint64_t flushes;     /**< number of virtual processors that they flushed */
        uint64_t ipi_calls;   /**< number of calls that sent interrupts */
        const struct nova_hv_call *own[NOVA_HV_OWN_CALLS]; /**< the monitor's own calls */
        unsigned owns;                                     /**< entries of `own` in use */
        /** Returns the time in units of 100 ns that a virtual processor has run; NULL: 0 */
        uint64_t (*run_time)(void *context, unsigned vcpu);
        void *run_time_context;           /**< argument of run_time */
        struct nova_hv_crash crash;       /**< the guest's last report */
        nova_hv_crash_function *crashed;  /**< receives reports; NULL: the guest lacks their MSRs */
        void *crash_context;              /**< argument of crashed */
        nova_hv_crash_function *reported; /**< private: nova_hv_config.crashed */
        void *report_context;             /**< private: argument of reported */
        const struct nova_hv_port *port[NOVA_HV_PORTS]; /**< destinations of connections */
        unsigned ports;                                 /**< entries of `port` in use */
        struct nova_hv_last last;                       /**< the guest's last call */
        struct nova_hv_buffers buffers; /**< private: the parameters of the current action */
};

/** Modes of a caller, which determine the registers of a call. */
enum nova_hv_mode {
        NOVA_HV_NOT_ALLOWED, /**< real mode, virtual-8086 mode, or not at CPL 0 */
        NOVA_HV_32,          /**< protected mode, also the compatibility mode of long mode */
        NOVA_HV_64           /**< 64-bit mode */
};

/** A call in its registers. */
struct nova_hv_frame {
        enum nova_hv_mode mode;             /**< mode of the caller */
        uint64_t value;                     /**< call value */
        uint64_t input;                     /**< address of the input block, or a parameter */
        uint64_t output;                    /**< address of the output block, or a parameter */
        uint8_t xmm[NOVA_HV_FAST_MAX - 16]; /**< 64-bit mode: XMM0 to XMM5 */
        uint64_t result;                    /**< result value */
        bool xmm_changed;                   /**< `input`, `output` or `xmm` have output */
};

/**
 * Initialises a partition with one virtual processor, a disabled hypercall page, and no calls of
 * the monitor. nova_hv_enable() calls it. TLFS 4.2.2.
 *
 * @param hv         the partition
 * @param memory     the guest's RAM
 * @param privileges NOVA_HV_PRIVILEGE_…
 * @retval 0      done
 * @retval EINVAL @p privileges has one of NOVA_HV_PRIVILEGES_OF_PARENT
 */
int nova_hv_init(struct nova_hv *hv, struct nova_guest_memory *memory, uint64_t privileges);

/** Configuration of the interface. */
struct nova_hv_config {
        uint64_t privileges; /**< NOVA_HV_PRIVILEGE_…: parts that the guest finds and may use */
        uint32_t hints;      /**< NOVA_HV_HINT_…: recommendations to the guest */
        bool direct_timers;  /**< synthetic timers can raise interrupts at the local APIC; without
                              * NOVA_HV_PRIVILEGE_SYNIC, NOVA_HV_PRIVILEGE_TIMERS needs it */
        bool xmm_input;  /**< fast calls may have more than 16 bytes of input, in XMM registers */
        bool xmm_output; /**< fast calls may have output, in the registers after the input. Both
                          * need a 64-bit kernel with NOVA_HIP_XMM, and NOVA_MTD_XMM in
                          * nova_vm_config.mtd[NOVA_VM_EXIT_HYPERCALL] */
        nova_hv_crash_function *crashed; /**< receives the reports of a guest that crashes; NULL:
                                          * the guest lacks MSRs 0x40000100 to 0x40000105 */
        void *crash_context;             /**< argument of crashed */
};

struct nova_vm;

/**
 * Offers the interface to a machine's guest. Call it after nova_vm_create() and before
 * nova_vm_run().
 *
 * The guest then finds CPUID leaves 0x40000000 to 0x40000006 of `Hv#1` and the MSRs of its
 * privileges. When it has set up the hypercall page, VMCALL or VMMCALL at CPL 0 makes calls.
 * TLFS 2, 3.13.
 * @code
 * extern struct nova_vm vm; // created
 * static struct nova_hv hv;
 * const struct nova_hv_config config = {.privileges = NOVA_HV_PRIVILEGES_USUAL};
 * const int error = nova_hv_enable(&hv, &vm, &config);
 *
 * if (error)
 *         printf("no interface: %s.\n", nova_vm_why(&vm, error));
 * @endcode
 * @param hv     the partition: memory that is overwritten, and must stay valid until
 *               nova_vm_destroy()
 * @param vm     the machine
 * @param config the parts that the guest gets
 * @retval 0       done
 * @retval EBUSY   the machine has the interface or other overlay pages already, or it runs
 * @retval EINVAL  a value of @p config contradicts another one, or is a privilege that no guest has
 * @retval ENOTSUP the library or the machine does not offer a value of @p config:
 *                 NOVA_HV_PRIVILEGE_REFERENCE_TSC needs several virtual CPUs or
 *                 nova_vm_config.same_tsc; NOVA_HV_PRIVILEGE_APIC_REGISTERS,
 *                 NOVA_HV_PRIVILEGE_TIMERS and NOVA_HV_PRIVILEGE_SYNIC need
 *                 nova_vm_config.local_apic, and an earlier nova_pc_create(); xmm_input and
 *                 xmm_output need NOVA_HIP_XMM and NOVA_MTD_XMM; a machine with
 *                 nova_vm_config.plain_calls cannot have the interface, unless its mtd has R8 to
 *                 R15, control registers and MSRs for NOVA_VM_EXIT_HYPERCALL
 * @retval ENOMEM  not enough memory
 * @retval EAGAIN  no more kernel memory
 * @retval EACCES  the program may not have memory that a guest can execute
 * @retval ENOSPC  the machine has NOVA_VM_ALARMS alarms already
 */
int nova_hv_enable(struct nova_hv *hv, struct nova_vm *vm, const struct nova_hv_config *config);

/** Parts of a machine that privileges need. */
struct nova_hv_machine {
        bool same_tsc;   /**< the kernel does not adjust the TSCs of the machine's virtual CPUs */
        bool local_apic; /**< its virtual CPUs have local APICs, and a PC connects them */
        bool xmm;        /**< messages of hypercalls contain XMM registers */
};

/** Checks a configuration as nova_hv_enable() does. @param[out] why the end of a sentence, if the
 * configuration is refused @return 0, EINVAL or ENOTSUP */
int nova_hv_check(const struct nova_hv_config *config, const struct nova_hv_machine *machine,
                  const char **why);

/**
 * Starts reference time at 0. Fills in the page of reference time (TLFS 12.7). nova_hv_enable()
 * calls it. The caller has filled in `memory` with its frames, and `tsc`.
 *
 * @param hv the partition
 * @param hz frequency of the guest's TSC, above 10 MHz
 */
void nova_hv_time_begin(struct nova_hv *hv, uint64_t hz);

/** Returns reference time in units of 100 ns: the value of MSR 0x40000020 and, while it is valid,
 * of the page of reference time. TLFS, chapter 12 */
uint64_t nova_hv_time(const struct nova_hv *hv);

/** Makes the page of reference time permanently invalid: a virtual CPU's TSC has changed, so no
 * scale and offset fit all virtual CPUs. The guest then uses the counter. TLFS 12.7 */
void nova_hv_time_break(struct nova_hv *hv);

/** Initialises the synthetic timers; none of them runs. nova_hv_enable() calls it. The caller has
 * filled in `clock`, and adds `alarm` to the machine. TLFS 12.4 */
void nova_hv_timers_begin(struct nova_hv *hv);

/** Begins an exit: if the guest ended an interrupt in the assist page, ends it in the local APIC.
 * TLFS 10.3.5. */
void nova_hv_assist_begin(struct nova_hv *hv, unsigned vcpu);

/** Ends an exit, after an interrupt was injected: records in the assist page whether the guest must
 * write the end-of-interrupt register. TLFS 10.3.5. */
void nova_hv_assist_end(struct nova_hv *hv, unsigned vcpu);

/** Returns the answer to a CPUID leaf from 0x40000000 to 0x400000ff. TLFS 2.3, 2.4. */
struct nova_cpuid nova_hv_cpuid(const struct nova_hv *hv, uint32_t leaf);

/** Returns true if @p number is in the range of the interface's MSRs. TLFS, appendix C */
bool nova_hv_has_msr(uint32_t number);

/** Returns true if a write of MSR @p number may move an overlay page. TLFS 5.2.1 */
bool nova_hv_moves_page(uint32_t number);

/** Reads MSR @p number of virtual CPU @p vcpu into @p value. TLFS, appendix C. @return false: the
 * guest gets #GP */
bool nova_hv_msr_get(const struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t *value);

/** Writes @p value to MSR @p number of virtual CPU @p vcpu. It may change overlay pages, and set
 * `resets`. TLFS, appendix C. @return false: the guest gets #GP, and nothing changed */
bool nova_hv_msr_set(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value);

/** Writes the name and version that an identity (MSR 0x40000000) contains to @p text, truncated to
 * @p bytes, as the end of a sentence. TLFS 3.9, 3.10.
 * @code
 * extern struct nova_hv hv;
 * char text[80];
 *
 * nova_hv_identity_text(hv.identity, text, sizeof(text));
 * printf("The guest says that it is %s.\n", text); // such as Linux 6.1.155
 * @endcode
 */
void nova_hv_identity_text(uint64_t identity, char *text, size_t bytes);

/** Writes the name and the status of the guest's last call to @p text, cut to @p bytes. The report
 * of a machine's end contains it.
 * @code
 * extern struct nova_hv hv;
 * char text[NOVA_HV_LAST_BYTES];
 *
 * nova_hv_last_text(&hv, text, sizeof(text));
 * printf("Last hypercall: %s.\n", text); // such as 0x0008 of vCPU 1, fast: success
 * @endcode
 */
void nova_hv_last_text(const struct nova_hv *hv, char *text, size_t bytes);

/** Fills in the hypercall page: VMMCALL (@p svm) or VMCALL and a near return, at offset 0. TLFS
 * 3.13. */
void nova_hv_page_fill(uint8_t *page, bool svm);

/**
 * Adds a call of the monitor. The description stays in the caller's memory. TLFS, chapter 3.
 *
 * @code
 * extern struct nova_hv hv;
 * extern nova_hv_function hello; // performs the call
 *
 * static struct nova_hv_call call = {.code = 0x9000, .input = 8, .output = 8, .name = "hello"};
 *
 * call.function = hello;
 * int error = nova_hv_add(&hv, &call);
 * @endcode
 * @retval 0      done
 * @retval EEXIST the library or the monitor has a call with this code
 * @retval EINVAL code 0, no function, elements of a call that is not a rep call, a rep call without
 *                elements, or more than a block
 * @retval ENOSPC NOVA_HV_OWN_CALLS calls have been added
 */
int nova_hv_add(struct nova_hv *hv, const struct nova_hv_call *call);

/** Returns the description of a call, or NULL. TLFS, appendix A. */
const struct nova_hv_call *nova_hv_find(const struct nova_hv *hv, uint16_t code);

/** Returns the caller's mode, by CR0.PE, RFLAGS.VM, CPL (the DPL of SS), EFER.LMA and CS.L. TLFS
 * 3.3, 3.7. */
enum nova_hv_mode nova_hv_mode_of(const struct nova_utcb_state *state, uint64_t efer);

/** Fills in a call from the caller's general registers. `xmm` of a fast call is 0. TLFS 3.7 */
void nova_hv_frame_load(struct nova_hv_frame *frame, enum nova_hv_mode mode,
                        const struct nova_utcb_state *state);

/** Changes the caller's registers after nova_hv_execute(). TLFS 3.7. @return the changed groups */
nova_mtd_t nova_hv_frame_store(const struct nova_hv_frame *frame, enum nova_hv_outcome outcome,
                               struct nova_utcb_state *state);

/**
 * Performs a call, or a part of a rep call. TLFS, chapter 3.
 *
 * The checks are made in this order, and the first failure determines the status: the interface is
 * enabled and the caller may call (#UD); the code is known (INVALID_CODE); the partition has the
 * privileges (ACCESS_DENIED); call value (INVALID_INPUT); XMM registers are permitted (#UD);
 * alignment of input, then of output (INVALID_ALIGNMENT); input block, then output block are in
 * RAM, in one page and not in an overlay, and share no bytes (INVALID_PARAMETER). Then the call's
 * function checks its parameters.
 *
 * The library copies each header and each element once into its own memory, and uses only the copy.
 * @param hv    the partition
 * @param vcpu  number of the calling virtual CPU
 * @param frame the call; changes as nova_hv_outcome describes
 * @return the caller's next action
 */
enum nova_hv_outcome nova_hv_execute(struct nova_hv *hv, unsigned vcpu,
                                     struct nova_hv_frame *frame);

#ifdef __cplusplus
}
#endif

#endif
