/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercall numbers, flags and the identifier word. @spec 5, 7.5, 8.5
 *
 * Registers of arguments 1 to 5. Argument 1 is the identifier, and on return the status:
 *   x86-32, SYSENTER: EAX, EDI, ESI, EBX, EBP; ECX = return SP, EDX = return IP
 *   x86-64, SYSCALL: RDI, RSI, RDX, RAX, R8; RCX and R11 are clobbered
 */
#ifndef NOVA_ABI_HYPERCALL_H
#define NOVA_ABI_HYPERCALL_H

#include "nova/abi/types.h"

/** Hypercalls: ROW(number, NAME, function, "spec section"). @spec 5 */
#define NOVA_HYPERCALL_ROWS(ROW)                  \
        ROW(0x0, CALL, call, "5.2.1")             \
        ROW(0x1, REPLY, reply, "5.2.2")           \
        ROW(0x2, CREATE_PD, create_pd, "5.3.1")   \
        ROW(0x3, CREATE_EC, create_ec, "5.3.2")   \
        ROW(0x4, CREATE_SC, create_sc, "5.3.3")   \
        ROW(0x5, CREATE_PT, create_pt, "5.3.4")   \
        ROW(0x6, CREATE_SM, create_sm, "5.3.5")   \
        ROW(0x7, REVOKE, revoke, "5.3.6")         \
        ROW(0x8, LOOKUP, lookup, "5.3.7")         \
        ROW(0x9, EC_CTRL, ec_ctrl, "5.4.1")       \
        ROW(0xa, SC_CTRL, sc_ctrl, "5.4.2")       \
        ROW(0xb, SM_CTRL, sm_ctrl, "5.4.3")       \
        ROW(0xc, ASSIGN_PCI, assign_pci, "5.5.1") \
        ROW(0xd, ASSIGN_GSI, assign_gsi, "5.5.2") \
        ROW(0xe, EXTENSION, extension, "extension")

#define NOVA_HYPERCALL_COUNT 16 /**< numbers that an identifier can hold */

/* The identifier: bits 3..0 number, 7..4 flags, from bit 8 up a selector. */
#define NOVA_ID_NUMBER_MASK 0xf /**< bits 3..0: number */
#define NOVA_ID_FLAGS_SHIFT 4   /**< bits 7..4: flags */
#define NOVA_ID_FLAGS_MASK  0xf /**< the flags, shifted down */
#define NOVA_ID_SEL_SHIFT   8   /**< from bit 8 up: a selector */

/* Flags, as bits of the identifier. */
#define NOVA_CALL_DB    0x10 /**< disable blocking: return COM_TIM if the callee is busy */
#define NOVA_CALL_DD    0x20 /**< disable donation */
#define NOVA_CALL_DL    0x40 /**< extension: return DEADLOCK, not COM_TIM, for a cyclic call */
#define NOVA_PD_ACCOUNT 0x40 /**< extension, create_pd: own account; argument 4: bytes */
#define NOVA_EC_GLOBAL  0x10 /**< create_ec: global thread */
#define NOVA_EC_TSC     0x40 /**< extension, create_ec, virtual CPU: its TSC counts stolen time */
#define NOVA_REVOKE_SR  0x10 /**< revoke from the caller's own space, too */
#define NOVA_SM_UP_OP   0x00 /**< sm_ctrl: up */
#define NOVA_SM_DN_OP   0x10 /**< sm_ctrl: down */
#define NOVA_SM_ZC      0x20 /**< sm_ctrl: down sets the counter to zero */
/** Extension, sm_ctrl down: wait at most until the TSC reaches the value in arguments 2 (bits
 * 63..32) and 3 (bits 31..0). */
#define NOVA_SM_TIMEOUT 0x40

/* Extension groups (flag nibble of number 0xe) and their operations (argument 2). */
#define NOVA_EXT_OBJECT     0x10 /**< group: objects */
#define NOVA_EXT_PD_DESTROY 0x0  /**< argument 1: PD; destroys the PD and everything in it */
#define NOVA_EXT_NAME_SET   0x1  /**< argument 1: PD, EC, PT or SM; 3 (x86-32: 3, 4): its name */
#define NOVA_EXT_NAME_GET   0x2  /**< as SET; out: argument 2, on x86-32 also 3: the name */
#define NOVA_NAME_SIZE      8    /**< size of a name in bytes; shorter names are padded with 0 */
#define NOVA_EXT_PD_LIMIT   0x3  /**< argument 3: QPD, 4: CPUs 31..0, 5: CPUs 63..32 */
#define NOVA_EXT_EC_RECEIVE 0x4  /**< argument 1: EC; 3: bytes that a message may use */
#define NOVA_EC_RECEIVE_ALL (~(nova_word_t)0) /**< bytes: no limit; the initial setting */

#define NOVA_EXT_THREAD      0x30 /**< group: the calling thread */
#define NOVA_EXT_THREAD_EXIT 0x0  /**< the thread ends */
#define NOVA_EXT_THREAD_TLS  0x1  /**< argument 3: base of FS (x86-64), GS (x86-32); 0: none */

#define NOVA_EXT_QUOTA       0x20 /**< group: accounts; argument 1: PD */
#define NOVA_EXT_QUOTA_GIVE  0x0  /**< argument 3: bytes, 4: PD whose account pays */
#define NOVA_EXT_QUOTA_TAKE  0x1  /**< argument 3: bytes; they return to the parent account */
#define NOVA_EXT_QUOTA_QUERY 0x2  /**< out: argument 2: bytes used, 3: limit in bytes */

#define NOVA_EXT_MACHINE       0x40 /**< group: the machine; root PD only */
#define NOVA_EXT_MACHINE_RESET 0x0  /**< resets the machine */
#define NOVA_EXT_MACHINE_OFF   0x1  /**< powers the machine off */

#ifndef __ASSEMBLER__

/** Numbers of the hypercalls. @spec 5 */
enum nova_hypercall {
#define NOVA_HYPERCALL_ENUM(number, name, function, spec) NOVA_##name = number,
        NOVA_HYPERCALL_ROWS(NOVA_HYPERCALL_ENUM)
#undef NOVA_HYPERCALL_ENUM
};

/** Returns the identifier of hypercall @p number with @p flags (NOVA_CALL_DB, …) and selector
 * @p sel. */
static inline nova_word_t nova_hypercall_id(enum nova_hypercall number, nova_word_t flags,
                                            nova_sel_t sel)
{
        return (nova_word_t)number | flags | sel << NOVA_ID_SEL_SHIFT;
}

/** Returns the hypercall number of identifier @p id, 0 to 15. */
static inline unsigned nova_id_number(nova_word_t id)
{
        return (unsigned)(id & NOVA_ID_NUMBER_MASK);
}

/** Returns the flags of identifier @p id in their places, bits 7..4. */
static inline unsigned nova_id_flags(nova_word_t id)
{
        return (unsigned)(id & NOVA_ID_FLAGS_MASK << NOVA_ID_FLAGS_SHIFT);
}

/** Returns the selector of identifier @p id: 24 bits on x86-32, 56 bits on x86-64. */
static inline nova_sel_t nova_id_sel(nova_word_t id)
{
        return id >> NOVA_ID_SEL_SHIFT;
}

#endif /* __ASSEMBLER__ */
#endif
