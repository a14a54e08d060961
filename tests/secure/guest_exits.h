/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NOVA_TESTS_SECURE_GUEST_EXITS_H
#define NOVA_TESTS_SECURE_GUEST_EXITS_H

#include <stdint.h>

/* Instructions that leave the guest, or would if it were allowed to execute them. */
enum guest_exit {
        GUEST_EXIT_CPUID,
        GUEST_EXIT_INVD,
        GUEST_EXIT_WBINVD,
        GUEST_EXIT_PAUSE,
        GUEST_EXIT_RDPMC,
        GUEST_EXIT_MONITOR,
        GUEST_EXIT_MWAIT,
        GUEST_EXIT_VMRUN,
        GUEST_EXIT_VMLAUNCH,
        GUEST_EXIT_RSM,
        GUEST_EXIT_HAS_XSAVE,     /* CPUID: returns 1 if XSETBV can be used */
        GUEST_EXIT_XSETBV,        /* XCR0, with x87 and SSE */
        GUEST_EXIT_XSETBV_STATE,  /* XCR0 without x87, which is not allowed */
        GUEST_EXIT_XSETBV_BIT,    /* XCR0 with a bit that does not exist */
        GUEST_EXIT_XSETBV_NUMBER, /* XCR1, which does not exist */
        GUEST_EXIT_HALT,          /* HLT with IF set */
        GUEST_EXIT_TRIPLE         /* #UD without a usable IDT */
};

#define GUEST_EXIT_WRONG 0x100u /* the instruction had no effect */

/* Executes an instruction.
 * @return the vector of the exception that it raises; 0: none; GUEST_EXIT_WRONG */
uint32_t guest_exits_try(enum guest_exit kind);

#endif
