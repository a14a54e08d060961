/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool of buffers for received frames. lwIP's lock protects it. */
#ifndef NOVANET_POOL_H
#define NOVANET_POOL_H

#include <stdbool.h>

#include "lwip/pbuf.h"

/* @return whether few buffers are free */
bool novanet_pool_is_low(void);

#endif
