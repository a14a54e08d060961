/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls: from the number to the handler. @spec 5 */
#ifndef HYPERCALL_DISPATCH_H
#define HYPERCALL_DISPATCH_H

#include "lib/types.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/status.h"

struct ec;

/** A handler decodes, checks, acts; it returns the status, or leaves by block_… . */
typedef enum nova_status (*hypercall_handler_t)(struct ec *self);

#define HYPERCALL_HANDLER(number, name, function, spec) \
        enum nova_status hypercall_##function(struct ec *self);
NOVA_HYPERCALL_ROWS(HYPERCALL_HANDLER)
#undef HYPERCALL_HANDLER

/** What entry.S calls with the registers saved; id: argument 1. */
hot_path _Noreturn void hypercall_dispatch(struct ec *self, word_t id);

/** A call that donates the caller's SC. */
hot_path _Noreturn void block_on_portal(struct ec *self, word_t id);

/** For hypercalls that take capabilities away: first reap_begin(), and reap_go_on() whenever self
 *  goes on after it was preempted. What a thread of lower priority was about to end when it was
 *  preempted stays its task. */
void reap_begin(struct ec *self);
void reap_go_on(struct ec *self);

/** Last: ends what is dying since reap_begin(), in steps, then returns status to self. */
_Noreturn void finish_reaping(struct ec *self, enum nova_status status);

#endif
