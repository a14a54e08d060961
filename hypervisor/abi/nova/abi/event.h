/* SPDX-License-Identifier: BSD-2-Clause */
/* Event numbers: selector = event base + number. @spec 7.2, 8.2 */
#ifndef NOVA_ABI_EVENT_H
#define NOVA_ABI_EVENT_H

#include "nova/abi/types.h"

/** Events of a thread: ROW(number, NAME, "name"). @spec 7.2 */
#define NOVA_EXCEPTION_ROWS(ROW)      \
        ROW(0x00, DE, "#DE")          \
        ROW(0x01, DB, "#DB")          \
        ROW(0x03, BP, "#BP")          \
        ROW(0x04, OF, "#OF")          \
        ROW(0x05, BR, "#BR")          \
        ROW(0x06, UD, "#UD")          \
        ROW(0x07, NM, "#NM")          \
        ROW(0x08, DF, "#DF")          \
        ROW(0x0a, TS, "#TS")          \
        ROW(0x0b, NP, "#NP")          \
        ROW(0x0c, SS, "#SS")          \
        ROW(0x0d, GP, "#GP")          \
        ROW(0x0e, PF, "#PF")          \
        ROW(0x10, MF, "#MF")          \
        ROW(0x11, AC, "#AC")          \
        ROW(0x12, MC, "#MC")          \
        ROW(0x13, XM, "#XM")          \
        ROW(0x1e, STARTUP, "STARTUP") \
        ROW(0x1f, RECALL, "RECALL")

/* Events of virtual CPUs under both SVM and VMX. */
#define NOVA_VMI_STARTUP 0xfe /**< first event of a virtual CPU */
#define NOVA_VMI_RECALL  0xff /**< a virtual CPU was recalled */

#ifndef __ASSEMBLER__

/** Numbers of the events of a thread: portal = event base + number. @spec 7.2 */
enum nova_exception {
#define NOVA_EXCEPTION_ENUM(number, name, text) NOVA_EXC_##name = number,
        NOVA_EXCEPTION_ROWS(NOVA_EXCEPTION_ENUM)
#undef NOVA_EXCEPTION_ENUM
};

#endif /* __ASSEMBLER__ */
#endif
