/* SPDX-License-Identifier: BSD-2-Clause */
/* How an EC continues when it gets the CPU. */
#ifndef OBJECT_CONTINUATION_H
#define OBJECT_CONTINUATION_H

struct ec;

/** Continues an EC, on an empty stack. Never returns. */
typedef __attribute__((noreturn)) void (*continuation_t)(struct ec *self);

#endif
