/* SPDX-License-Identifier: BSD-2-Clause */
/* The synthetic interrupt controller with a call of hv_order_step() before each access to the
 * guest's pages: another virtual CPU may run there. */
#include "novavmm/hv.h"

#include <string.h>

void hv_order_step(void);

#define memcpy(to, from, bytes)            (hv_order_step(), memcpy(to, from, bytes))
#define __atomic_load_n(from, order)       (hv_order_step(), __atomic_load_n(from, order))
#define __atomic_or_fetch(at, bits, order) (hv_order_step(), __atomic_or_fetch(at, bits, order))
#define __atomic_fetch_or(at, bits, order) (hv_order_step(), __atomic_fetch_or(at, bits, order))
#define __atomic_store_n(at, value, order)          \
        do {                                        \
                hv_order_step();                    \
                __atomic_store_n(at, value, order); \
        } while (0)

#include "hv/synic.c"
