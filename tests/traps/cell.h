/* SPDX-License-Identifier: BSD-2-Clause */
/* Cells of the table of outcomes: an instruction in a mode, and the event that it must raise. */
#ifndef TRAPS_CELL_H
#define TRAPS_CELL_H

#include "attempt.h"

enum { MODE_64, MODE_COMPAT, MODE_32 };
enum { PLACE_MIDDLE, PLACE_BEFORE_ABSENT, PLACE_BEFORE_DATA };
enum { POINTER_NORMAL, POINTER_ABSENT, POINTER_NON_CANONICAL, POINTER_KERNEL };
enum { IP_AT, IP_AFTER, IP_TARGET };
enum { QUAL_0, QUAL_AFTER, QUAL_ABSENT, QUAL_STACK, QUAL_STACK_32, QUAL_BX_16, QUAL_BP_DI_16 };
enum { REPLY_NONE, REPLY_ON, REPLY_AGAIN };
/* Values of `event` in an outcome: the number of an event, or one of these. */
enum { NOTHING = 0x40, HYPERCALL, SKIPPED };

#define EMULATORS  4
#define CELL_START 0x100 /* place of the code in its page, unless it lies at the page's end */
#define CELL_DATA  0xc00 /* place of the operand in its page */
#define CELL_STACK 0x400 /* place of the stack pointer in the operand's page */

struct outcome {
        uint8_t event;
        uint8_t ip, offset;
        uint8_t qual, reply;
        uint16_t error;
        uint32_t flags;
};

struct cell {
        const char *name, *group;
        uint8_t mode;
        uint8_t place;
        uint8_t code[20];
        uint8_t size;
        uint8_t target_at; /* offset in code[] at which the target of the jump is stored; 0: none */
        uint32_t flags;
        uint16_t sel; /* selector of the far pointer at BX */
        uint16_t top; /* word at the top of the stack */
        uint32_t ax, si;
        int32_t low, high;
        uint8_t bound_size;
        uint8_t bx, sp;
        uint8_t delta;                           /* increase of SP by the instruction */
        bool has_ax, call, once;                 /* once: the first event ends the cell */
        const struct nova_utcb_state *registers; /* initial registers; NULL: other fields define
                                                  * them */
        struct outcome outcome[EMULATORS];
};

extern const struct cell cells[];
extern const unsigned cell_count;

/* Page of code: the address at which it is executed, and a writable alias of it. The alias is NULL
 * if the code never changes. */
struct place {
        char *page, *alias;
};

/* The result of a cell: the first two events, or one event that ends it. */
struct attempt {
        const struct cell *cell;
        struct place place;
        struct thread *thread;
        word_t at, after, landing, absent;
        struct nova_utcb_state begin; /* initial registers of the cell */
        struct nova_utcb_state seen[2];
        unsigned number[2];
        unsigned count, stage;
};
extern struct attempt attempt;
/* R8 to R15 of all cells. */
extern uint64_t traps_high[8];

/* Returns the index of this emulator's outcomes. */
unsigned emulator(void);
bool same(const char *a, const char *b);

/* Makes the pages that cells use. */
void cell_pages(void);
/* Returns the usual place of a cell's code. */
struct place cell_place(const struct cell *c);
/* Returns the page with the operand and the stack. */
char *cell_operand(void);
/* Runs a cell at a place, by a thread (self, or a local thread of a child PD). */
void cell_run(const struct cell *c, struct place place, struct thread *t);

/* Compares the cell that has run with an expected outcome. Prints the differences, and returns
 * their number. */
unsigned cell_differences(const struct cell *c, const struct outcome *o);

#endif
