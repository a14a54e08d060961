/* SPDX-License-Identifier: BSD-2-Clause */
/* Message transfer descriptor: the groups of state that an event message carries. @spec 7.4 */
#ifndef NOVA_ABI_MTD_H
#define NOVA_ABI_MTD_H

#include "nova/abi/types.h"

/** Bits of an MTD: ROW(bit, NAME, "fields"). R8_R15 is an extension on x86-64 (HIP feature R8_R15).
 * The bits above R8_R15 are extensions for virtual CPUs (HIP features VCPU and XMM). @spec 7.4 */
#define NOVA_MTD_ROWS(ROW)                                     \
        ROW(0, ACDB, "ax, cx, dx, bx")                         \
        ROW(1, BSD, "bp, si, di")                              \
        ROW(2, ESP, "sp")                                      \
        ROW(3, EIP, "ip, instruction length")                  \
        ROW(4, EFL, "flags")                                   \
        ROW(5, DS_ES, "ds, es")                                \
        ROW(6, FS_GS, "fs, gs")                                \
        ROW(7, CS_SS, "cs, ss")                                \
        ROW(8, TR, "tr")                                       \
        ROW(9, LDTR, "ldtr")                                   \
        ROW(10, GDTR, "gdtr")                                  \
        ROW(11, IDTR, "idtr")                                  \
        ROW(12, CR, "cr0, cr2, cr3, cr4")                      \
        ROW(13, DR, "dr7")                                     \
        ROW(14, SYS, "sysenter cs, sp, ip")                    \
        ROW(15, QUAL, "exit qualifications")                   \
        ROW(16, CTRL, "execution controls")                    \
        ROW(17, INJ, "injection info, injection error")        \
        ROW(18, STA, "interruptibility state, activity state") \
        ROW(19, TSC, "tsc offset")                             \
        ROW(20, R8_R15, "r8 to r15")                           \
        ROW(21, CR8, "cr8")                                    \
        ROW(22, MSR, "efer, star, lstar, fmask, kernel gs")    \
        ROW(23, PAT, "pat")                                    \
        ROW(24, DEBUG, "dr0, dr1, dr2, dr3, dr6")              \
        ROW(25, GPA, "guest-physical address of the fault")    \
        ROW(26, XCR0, "xcr0")                                  \
        ROW(27, CSTAR_AUX, "cstar, tsc aux")                   \
        ROW(28, XMM, "xmm0 to xmm5")

#ifndef __ASSEMBLER__

/** A message transfer descriptor: an OR of NOVA_MTD_… bits. */
typedef nova_word_t nova_mtd_t;

/** Groups of state that an MTD names. @spec 7.4 */
enum nova_mtd_bit {
#define NOVA_MTD_ENUM(bit, name, fields) NOVA_MTD_##name = 1 << (bit),
        NOVA_MTD_ROWS(NOVA_MTD_ENUM)
#undef NOVA_MTD_ENUM
};

/** All bits that are valid for an exception. */
#define NOVA_MTD_EXCEPTION \
        (NOVA_MTD_ACDB | NOVA_MTD_BSD | NOVA_MTD_ESP | NOVA_MTD_EIP | NOVA_MTD_EFL | NOVA_MTD_QUAL)

/** Bits whose fields lie in struct nova_utcb_more. */
#define NOVA_MTD_MORE                                                                  \
        (NOVA_MTD_MSR | NOVA_MTD_PAT | NOVA_MTD_DEBUG | NOVA_MTD_GPA | NOVA_MTD_XCR0 | \
         NOVA_MTD_CSTAR_AUX)

#endif /* __ASSEMBLER__ */
#endif
