/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls of enlightened guests: a call's description, its statuses, and the table of calls. */
#ifndef NOVAVMM_HV_CALLS_H
#define NOVAVMM_HV_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nova_hv;

/** Statuses of calls: ROW(number, NAME, "words"). TLFS, appendix B. */
#define NOVA_HV_STATUSES(ROW)                                                  \
        ROW(0x00, SUCCESS, "success")                                          \
        ROW(0x02, INVALID_CODE, "unknown call")                                \
        ROW(0x03, INVALID_INPUT, "invalid call value")                         \
        ROW(0x04, INVALID_ALIGNMENT, "a block that is not aligned to 8 bytes") \
        ROW(0x05, INVALID_PARAMETER, "invalid parameter")                      \
        ROW(0x06, ACCESS_DENIED, "missing privilege")                          \
        ROW(0x07, INVALID_PARTITION_STATE, "wrong state of the partition")     \
        ROW(0x08, OPERATION_DENIED, "operation not permitted in this state")   \
        ROW(0x09, UNKNOWN_PROPERTY, "unknown property")                        \
        ROW(0x0b, INSUFFICIENT_MEMORY, "not enough memory")                    \
        ROW(0x0d, INVALID_PARTITION_ID, "unknown partition")                   \
        ROW(0x0e, INVALID_VP_INDEX, "unknown virtual processor")               \
        ROW(0x11, INVALID_PORT_ID, "unknown port")                             \
        ROW(0x12, INVALID_CONNECTION_ID, "unknown connection")                 \
        ROW(0x13, INSUFFICIENT_BUFFERS, "no free message buffer")              \
        ROW(0x15, INVALID_VP_STATE, "wrong state of the virtual processor")    \
        ROW(0x18, INVALID_SYNIC_STATE, "wrong state of the interrupt controller")

/** Statuses of calls, the lowest 16 bits of a call's result. */
enum nova_hv_status {
#define NOVA_HV_STATUS_ROW(number, name, words) NOVA_HV_##name = (number),
        NOVA_HV_STATUSES(NOVA_HV_STATUS_ROW)
#undef NOVA_HV_STATUS_ROW
};

/**
 * Returns the words of a status, or "unknown status". TLFS, appendix B.
 * @code
 * extern uint64_t result; // of a call
 *
 * printf("The call ended: %s.\n", nova_hv_status_text((enum nova_hv_status)(result & 0xffff)));
 * @endcode
 */
const char *nova_hv_status_text(enum nova_hv_status status);

/* Privileges of a partition: EBX:EAX of CPUID leaf 0x40000003. TLFS 4.2.2. */
#define NOVA_HV_PRIVILEGE_RUN_TIME          (UINT64_C(1) << 0) /**< MSR 0x40000010 */
#define NOVA_HV_PRIVILEGE_REFERENCE_COUNTER (UINT64_C(1) << 1) /**< MSR 0x40000020 */
#define NOVA_HV_PRIVILEGE_SYNIC             (UINT64_C(1) << 2) /**< MSRs 0x40000080 to 0x4000009f */
#define NOVA_HV_PRIVILEGE_TIMERS            (UINT64_C(1) << 3) /**< MSRs 0x400000b0 to 0x400000b7 */
#define NOVA_HV_PRIVILEGE_APIC_REGISTERS    (UINT64_C(1) << 4) /**< MSRs 0x40000070 to 0x40000073 */
#define NOVA_HV_PRIVILEGE_HYPERCALLS        (UINT64_C(1) << 5) /**< MSRs 0x40000000, 0x40000001 */
#define NOVA_HV_PRIVILEGE_VP_INDEX          (UINT64_C(1) << 6) /**< MSR 0x40000002 */
#define NOVA_HV_PRIVILEGE_RESET             (UINT64_C(1) << 7) /**< MSR 0x40000003 */
#define NOVA_HV_PRIVILEGE_REFERENCE_TSC     (UINT64_C(1) << 9) /**< MSR 0x40000021 */
#define NOVA_HV_PRIVILEGE_IDLE              (UINT64_C(1) << 10) /**< MSR 0x400000f0 */
#define NOVA_HV_PRIVILEGE_FREQUENCIES       (UINT64_C(1) << 11) /**< MSRs 0x40000022, 0x40000023 */
#define NOVA_HV_PRIVILEGE_POST_MESSAGES     (UINT64_C(1) << 36) /**< post a message */
#define NOVA_HV_PRIVILEGE_SIGNAL_EVENTS     (UINT64_C(1) << 37) /**< signal an event */
#define NOVA_HV_PRIVILEGE_VP_REGISTERS      (UINT64_C(1) << 49) /**< registers by calls */
#define NOVA_HV_PRIVILEGE_EXTENDED_CALLS    (UINT64_C(1) << 52) /**< calls 0x8001 and above */
/** Privileges that no guest has: those of a partition that runs or debugs other partitions. */
#define NOVA_HV_PRIVILEGES_OF_PARENT (UINT64_C(0x139c7) << 32)

/* Recommendations to a guest: EAX of CPUID leaf 0x40000004. TLFS 2.4.5. */
#define NOVA_HV_HINT_REMOTE_FLUSH   (1u << 2)  /**< calls to flush other virtual processors */
#define NOVA_HV_HINT_APIC_REGISTERS (1u << 3)  /**< MSRs 0x40000070 to 0x40000072, not memory */
#define NOVA_HV_HINT_IPI            (1u << 10) /**< calls to send interrupts */
#define NOVA_HV_HINT_SETS           (1u << 11) /**< calls with sets for more than 64 processors */

#define NOVA_HV_BLOCK_MAX 4096 /**< bytes of an input or output block: it lies in one page */

/** One action of a call. All data is the library's copy: the guest cannot change it meanwhile. */
struct nova_hv_action {
        struct nova_hv *hv;   /**< partition of the caller */
        unsigned vcpu;        /**< number of the calling virtual CPU */
        const void *input;    /**< input header with its variable part */
        size_t variable;      /**< size of the variable part in 8-byte words */
        const void *element;  /**< rep call: input element, or NULL if the call has none */
        unsigned index;       /**< rep call: index of the element in the caller's list */
        void *output;         /**< output header, filled with 0; or NULL */
        void *output_element; /**< rep call: output element, filled with 0; or NULL */
};

/**
 * Performs one action. It must not wait. If it calls a function that uses the UTCB, such as
 * printf(), it must make the call through nova_vcpu_keep_message() for the virtual CPU in
 * nova_vm.serving.
 * @code
 * extern const struct nova_hv_action *action; // the function's argument
 * const uint64_t *const numbers = action->input;
 *
 * // The call's description has .input = 16 and .output = 8. The function then returns SUCCESS.
 * *(uint64_t *)action->output = numbers[0] + numbers[1];
 * @endcode
 * @return the call's status; any status except SUCCESS ends a rep call at this element and discards
 *         the action's output
 */
typedef enum nova_hv_status nova_hv_function(const struct nova_hv_action *action);

/**
 * Description of a call, for nova_hv_add().
 * @code
 * extern nova_hv_function add; // two numbers, and their sum
 *
 * static const struct nova_hv_call calls[] = {
 *         {.code = 0x9000, .input = 16, .output = 8, .function = add, .name = "add"},
 * };
 * @endcode
 */
struct nova_hv_call {
        uint16_t code;           /**< number of the call, bits 0 to 15 of the call value; not 0 */
        uint16_t input;          /**< size of the fixed input header in bytes */
        uint16_t input_element;  /**< rep call: size of an input element in bytes; 0: none */
        uint16_t output;         /**< size of the output header in bytes */
        uint16_t output_element; /**< rep call: size of an output element in bytes; 0: none */
        uint16_t slice;          /**< rep call: maximum number of elements before the guest runs
                                  * again; 0: 64 */
        bool rep;                /**< true if the call has a list of elements */
        bool variable;           /**< true if the input header may have a variable part */
        bool fast;               /**< true if parameters may be passed in registers */
        uint64_t privilege;      /**< privileges that the caller needs, an OR of
                                  * NOVA_HV_PRIVILEGE_…; 0: none */
        nova_hv_function *function; /**< function that performs an action; NULL: the call ends with
                                     * INVALID_CODE */
        const char *name;           /**< name of the call in reports */
};

/**
 * The library's calls in the order of their codes. The last row has code 0. TLFS, appendix A.
 * @code
 * for (const struct nova_hv_call *call = nova_hv_calls; call->code; call++)
 *         printf("%#06x %s\n", call->code, call->name);
 * @endcode
 */
extern const struct nova_hv_call nova_hv_calls[];

#ifdef __cplusplus
}
#endif

#endif
