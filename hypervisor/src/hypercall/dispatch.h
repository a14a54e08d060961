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
 *  once more, after what could be given back was. Those of revoke, the creates, lookup, ec_ctrl,
 *  sc_ctrl and sm_ctrl return, unless self has ended, and open no interrupt window: entry.S goes
 *  back to the user with a plain status without looking at the CPU's pending work. Only who waits
 *  for another CPU or wakes a thread gets such work, and asks settled(). */
#define HYPERCALL_STATUS  0xff
#define HYPERCALL_PLAIN   (NOVA_OUT_OF_MEMORY - 1)
#define HYPERCALL_BLOCKS  ((enum nova_status)0x10000) /* self waits; state and cont are set */
#define HYPERCALL_WOKE    ((enum nova_status)0x20000) /* success, and a decision is due */
#define HYPERCALL_GOES_ON ((enum nova_status)0x40000) /* self goes on with cont, which is set */

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

/** After a handler that returned what is not a plain status, or with work pending for self. */
_Noreturn void hypercall_finish(struct ec *self, unsigned result);

/** A call that donates the caller's SC. Returns only if it fails. id: argument 1. */
hot_path enum nova_status call_donating(struct ec *self, word_t id);

/** The result of a handler whose status is plain, but that may have got this CPU work to do. */
enum nova_status settled(struct ec *self, enum nova_status status);

/** For hypercalls that take capabilities away: first reap_begin(), and reap_go_on() whenever self
 *  goes on after it was preempted. What a thread of lower priority was about to end when it was
 *  preempted stays its task. */
void reap_begin(struct ec *self);
void reap_go_on(struct ec *self);

/** A handler's last act, and its result: ends what is dying since reap_begin(), in steps. */
enum nova_status reap_in_steps(struct ec *self, enum nova_status status);

/** The same if that is mostly one object, which it ends at once. */
enum nova_status reap(struct ec *self, enum nova_status status);

/** The same of a continuation: returns status to self. */
_Noreturn void finish_reaping(struct ec *self, enum nova_status status);

#endif
