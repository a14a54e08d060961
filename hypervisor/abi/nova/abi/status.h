/* SPDX-License-Identifier: BSD-2-Clause */
/* Status codes of hypercalls. @spec 5.1 */
#ifndef NOVA_ABI_STATUS_H
#define NOVA_ABI_STATUS_H

#include "nova/abi/types.h"

/** Statuses of hypercalls: ROW(number, NAME, "meaning"). @spec 5.1 */
#define NOVA_STATUS_ROWS(ROW)                           \
        ROW(0x0, SUCCESS, "success")                    \
        ROW(0x1, COM_TIM, "communication timeout")      \
        ROW(0x2, COM_ABT, "communication abort")        \
        ROW(0x3, BAD_HYP, "invalid hypercall")          \
        ROW(0x4, BAD_CAP, "invalid capability")         \
        ROW(0x5, BAD_PAR, "invalid parameter")          \
        ROW(0x6, BAD_FTR, "invalid feature")            \
        ROW(0x7, BAD_CPU, "invalid CPU number")         \
        ROW(0x8, BAD_DEV, "invalid device")             \
        ROW(0x9, OUT_OF_MEMORY, "out of kernel memory") \
        ROW(0xa, DEADLOCK, "call chain leads back to the caller")

#ifndef __ASSEMBLER__

/** Result of a hypercall: bits 7..0 of the first argument register. 0x9 and 0xa are extensions. */
enum nova_status {
#define NOVA_STATUS_ENUM(number, name, text) NOVA_##name = number,
        NOVA_STATUS_ROWS(NOVA_STATUS_ENUM)
#undef NOVA_STATUS_ENUM
};

#endif /* __ASSEMBLER__ */
#endif
