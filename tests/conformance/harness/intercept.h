/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of instructions that exit from a guest: the exit of each, and the control that requests
 * it. */
#ifndef CONFORMANCE_INTERCEPT_H
#define CONFORMANCE_INTERCEPT_H

#include "guest.h"

/* One instruction of a flat guest. Control bit n is bit n of ctrl[0], 32 + n that of ctrl[1]. */
struct intercept {
        const char *code;
        uint8_t size;
        uint8_t event;
        int8_t control;
        bool stays; /* harmless without the control bit */
};

#define FORCED (-1)
/* The instruction exits whatever the controls are; exits when the bit is set; … and otherwise the
 * guest runs on after it. */
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

/* A task in descriptor 3. */
#define INTERCEPT_TSS 0x9800

/* Starts a flat guest with operands at GUEST_DATA + 0x1000 and a task; an exception is a triple
 * fault. Returns the MTD of the reply. */
nova_mtd_t intercept_prepare(struct guest *g);
/* Writes a row's instruction to GUEST_CODE, and HLT after it. */
void intercept_place(struct guest *g, const struct intercept *row);
/* Sets the registers that the instructions of the tables need: eax an address, ecx 0; and one
 * control bit, or none for 64 and above. */
void intercept_registers(struct guest *g, unsigned control);
/* Checks that each row's instruction exits with its event. */
void expect_exits(struct guest *g, const struct intercept *rows, unsigned count);
/* Checks that the CPU executes the instruction itself without the control bit. */
void expect_no_exits(struct guest *g, const struct intercept *rows, unsigned count);

#endif
