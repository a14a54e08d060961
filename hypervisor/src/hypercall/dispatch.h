/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls: from the number to the handler. @spec 5 */
#ifndef HYPERCALL_DISPATCH_H
#define HYPERCALL_DISPATCH_H

#include "lib/types.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/status.h"

struct ec;

/** A handler decodes, checks, acts; it returns the status, or one of these, or leaves by
 *  block_something(). OUT_OF_MEMORY is returned to the user only when the same call has failed
 *  once more, after what could be given back was. Those of create_sc, create_pt, create_sm, lookup,
 *  ec_ctrl, sc_ctrl and sm_ctrl return always, open no interrupt window and wait for no CPU: when
 *  they have woken nobody of higher priority there is no decision to make, so entry.S goes back to
 *  the user with a plain status without looking at the CPU's pending work. */
#define HYPERCALL_STATUS 0xff
#define HYPERCALL_PLAIN  (NOVA_OUT_OF_MEMORY - 1)
#define HYPERCALL_BLOCKS ((enum nova_status)0x10000) /* self waits; state and cont are set */
#define HYPERCALL_WOKE   ((enum nova_status)0x20000) /* success, and a decision is due */
#define HYPERCALL_REAPS  ((enum nova_status)0x40000) /* and a status: after reap_begin() */

typedef enum nova_status (*hypercall_handler_t)(struct ec *self);

#define HYPERCALL_HANDLER(number, name, function, spec) \
        enum nova_status hypercall_##function(struct ec *self);
NOVA_HYPERCALL_ROWS(HYPERCALL_HANDLER)
#undef HYPERCALL_HANDLER

/* What sm_ctrl does without further flags. */
enum nova_status hypercall_sm_up(struct ec *self);
enum nova_status hypercall_sm_down(struct ec *self);

/** All hypercalls by their number, with the registers saved; id: argument 1. */
_Noreturn void hypercall_long(struct ec *self, word_t id);

/** After a handler that returned what is no plain status, or with work pending for self. */
_Noreturn void hypercall_finish(struct ec *self, unsigned result);

/** A call that donates the caller's SC. Returns only if it fails. id: argument 1. */
hot_path enum nova_status call_donating(struct ec *self, word_t id);

/** For hypercalls that take capabilities away: first reap_begin(), and reap_go_on() whenever self
 *  goes on after it was preempted. What a thread of lower priority was about to end when it was
 *  preempted stays its task. */
void reap_begin(struct ec *self);
void reap_go_on(struct ec *self);

/** Last: ends what is dying since reap_begin(), in steps, then returns status to self. */
_Noreturn void finish_reaping(struct ec *self, enum nova_status status);

#endif
