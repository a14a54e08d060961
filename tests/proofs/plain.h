/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes atomic accesses plain ones: Frama-C does not know gcc's functions for them. */
#ifndef PROOFS_PLAIN_H
#define PROOFS_PLAIN_H

#define __atomic_load_n(from, order)       (*(from))
#define __atomic_store_n(to, value, order) (*(to) = (value))
#define __atomic_signal_fence(order)
#define __atomic_thread_fence(order)

#endif
