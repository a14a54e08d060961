/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a thread that key.c uses, for its test. */
#ifndef FAKE_KEY_THREAD_H
#define FAKE_KEY_THREAD_H

#include <errno.h>
#include <limits.h>

#include "novart/sync.h"

struct nova_thread {
        struct thread_value *values;
};

#ifdef __cplusplus
extern "C" {
#endif

struct nova_thread *nova_thread_self(void);
void novart_thread_keys_end(struct nova_thread *thread);

#ifdef __cplusplus
}
#endif

#endif
