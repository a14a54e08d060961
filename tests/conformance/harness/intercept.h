/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of instructions that exit from a guest: the exit of each, and the control that requests
 * it. */
#ifndef CONFORMANCE_INTERCEPT_H
#define CONFORMANCE_INTERCEPT_H

#include "guest.h"

/* One instruction of a flat guest. Control bits 0 to 31 are the bits of ctrl[0], and control bits
 * 32 to 63 are those of ctrl[1]. */
struct intercept {
        const char *code;
        uint8_t size;
        uint8_t event;
        int8_t control;
        bool stays; /* without the control bit, the guest continues after the instruction */
};

#define FORCED (-1)
/* ALWAYS: the instruction exits whatever the controls are. ASKED: it exits if the control bit is
 * set. SWITCHED: it exits if the bit is set; otherwise the CPU executes it, and the guest
 * continues. */
#define ALWAYS(bytes, event)                                   \
        {                                                      \
                bytes, sizeof(bytes) - 1, event, FORCED, false \
        }
#define ASKED(bytes, event, bit)                            \
        {                                                   \
                bytes, sizeof(bytes) - 1, event, bit, false \
        }
#define SWITCHED(bytes, event, bit)                        \
        {                                                  \
                bytes, sizeof(bytes) - 1, event, bit, true \
        }

#define ROWS(table) table, sizeof(table) / sizeof(*(table))

/* Address of the TSS that descriptor 3 of the GDT describes. */
#define INTERCEPT_TSS 0x9800

/* Starts a flat guest with a TSS and an empty IDT, so that an exception causes a triple fault.
 * Returns the MTD of the reply. */
nova_mtd_t intercept_prepare(struct guest *g);
/* Writes a row's instruction to GUEST_CODE, and HLT after it. */
void intercept_place(struct guest *g, const struct intercept *row);
/* Sets the registers that the instructions of the tables need: eax is the address of operands, ecx
 * and edx are 0. Sets the control bit with this number, or none if it is 64. */
void intercept_registers(struct guest *g, unsigned control);
/* Checks that each row's instruction exits with its event. */
void expect_exits(struct guest *g, const struct intercept *rows, unsigned count);
/* Checks that the guest executes each SWITCHED row's instruction while its control bit is clear. */
void expect_no_exits(struct guest *g, const struct intercept *rows, unsigned count);

#endif
