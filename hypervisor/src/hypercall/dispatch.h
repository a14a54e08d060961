/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls: from the number to the handler. @spec 5 */
#ifndef HYPERCALL_DISPATCH_H
#define HYPERCALL_DISPATCH_H

#include "lib/types.h"
#include "nova/abi/hypercall.h"
#include "object/result.h"

struct ec;

/** A handler decodes, checks and acts; it returns a result (object/result.h) or leaves the kernel.
 *  id: argument 1, the identifier; REG_P1(self) holds it only after entry_long. If the table enters
 *  a handler without entry_long, the handler returns a result even if self has to wait. It leaves
 *  the kernel only if self has ended, and lets interrupts in only where it waits for another CPU.
 *  For a plain status, entry.S returns to the user without checking the CPU's pending work. Only a
 *  handler that waits for another CPU or wakes a thread can leave pending work. In this case its
 *  result is not a plain status: see result_of(). */
typedef hypercall_result_t (*hypercall_handler_t)(word_t id, struct ec *self);

#define HYPERCALL_HANDLER(number, name, function, spec) \
        hypercall_result_t hypercall_##function(word_t id, struct ec *self);
NOVA_HYPERCALL_ROWS(HYPERCALL_HANDLER)
#undef HYPERCALL_HANDLER

/* sm_ctrl without further flags. */
hypercall_result_t hypercall_sm_up(word_t id, struct ec *self);
hypercall_result_t hypercall_sm_down(word_t id, struct ec *self);

/* Table entries in entry.S that are not handlers. Entries that call a function first save the
 * callee-saved registers of C. */
hypercall_result_t entry_call(word_t id, struct ec *self);    /* calls call_donating() */
hypercall_result_t entry_reply(word_t id, struct ec *self);   /* calls hypercall_reply() */
hypercall_result_t entry_long(word_t id, struct ec *self);    /* calls hypercall_long() */
hypercall_result_t entry_invalid(word_t id, struct ec *self); /* returns BAD_HYP */

/** Jump table of entry.S, by the low byte of argument 1: the hypercall's number and flags.
 * Read-only from boot_paging_finish() on. */
extern hypercall_handler_t hypercall_table[256];

/** Calls the handler of a hypercall. The registers are saved. */
hypercall_result_t hypercall_handle(word_t id, struct ec *self);

#endif
