/* SPDX-License-Identifier: BSD-2-Clause */
/* Initial states of virtual CPUs, for loaders: real mode, protected mode, long mode. */
#ifndef NOVAVMM_REGISTERS_H
#define NOVAVMM_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "nova/abi/utcb.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Control register bits. */
#define NOVA_CR0_PE    0x1        /**< protected mode */
#define NOVA_CR0_ET    0x10       /**< always set */
#define NOVA_CR0_NE    0x20       /**< x87 errors are exceptions */
#define NOVA_CR0_PG    0x80000000 /**< paging */
#define NOVA_CR4_PAE   0x20       /**< page table entries of 8 bytes */
#define NOVA_CR4_LA57  0x1000     /**< five levels of page tables */
#define NOVA_CR4_XSAVE 0x40000    /**< OSXSAVE */

/** EFER bits. */
#define NOVA_EFER_SCE 0x1   /**< SYSCALL */
#define NOVA_EFER_LME 0x100 /**< long mode is enabled */
#define NOVA_EFER_LMA 0x400 /**< long mode is active */
#define NOVA_EFER_NXE 0x800 /**< no-execute */

/** Flag bits. */
#define NOVA_FLAG_RESERVED 0x2     /**< always set */
#define NOVA_FLAG_TF       0x100   /**< single step */
#define NOVA_FLAG_IF       0x200   /**< interrupts are enabled */
#define NOVA_FLAG_DF       0x400   /**< string instructions decrement */
#define NOVA_FLAG_RF       0x10000 /**< no instruction breakpoint */
#define NOVA_FLAG_VM       0x20000 /**< virtual-8086 mode */

/** Returns the privilege level of a virtual CPU, 0 to 3: the DPL of SS; 3 in virtual-8086 mode.
 * Needs the groups NOVA_MTD_CS_SS and NOVA_MTD_EFL. */
static inline unsigned nova_registers_privilege(const struct nova_utcb_state *state)
{
        return state->flags & NOVA_FLAG_VM ? 3 : state->ss.ar >> 5 & 3;
}

/** Returns the place of CR8 in a message, which needs the group NOVA_MTD_CR8; NULL on x86-32, whose
 * messages do not contain it. */
static inline nova_word_t *nova_registers_cr8(struct nova_utcb_state *state)
{
#if __SIZEOF_POINTER__ == 8
        return &state->cr8;
#else
        (void)state;
        return NULL;
#endif
}

/** All groups of a virtual CPU's initial state. */
#define NOVA_START_MTD                                                                    \
        (NOVA_MTD_ACDB | NOVA_MTD_BSD | NOVA_MTD_ESP | NOVA_MTD_EIP | NOVA_MTD_EFL |      \
         NOVA_MTD_DS_ES | NOVA_MTD_FS_GS | NOVA_MTD_CS_SS | NOVA_MTD_TR | NOVA_MTD_LDTR | \
         NOVA_MTD_GDTR | NOVA_MTD_IDTR | NOVA_MTD_CR | NOVA_MTD_SYS | NOVA_MTD_INJ |      \
         NOVA_MTD_STA | NOVA_MTD_R8_R15 | NOVA_MTD_MSR | NOVA_MTD_CR8)

/** Sets real mode at @p sel:@p offset. All other state is as after a reset. */
void nova_registers_real(struct nova_utcb_event *event, uint16_t sel, uint16_t offset);

/** Sets protected mode without paging at @p ip, flat segments with the selectors @p code and @p
 * data. */
void nova_registers_protected(struct nova_utcb_event *event, uint32_t ip, uint16_t code,
                              uint16_t data);

/** Sets long mode at @p ip: page tables at @p cr3, flat segments with the selectors @p code and
 *  @p data. x86-64 only. */
void nova_registers_long(struct nova_utcb_event *event, uint64_t ip, uint64_t cr3, uint16_t code,
                         uint16_t data);

#ifdef __cplusplus
}
#endif

#endif
