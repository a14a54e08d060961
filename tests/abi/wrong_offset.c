/* SPDX-License-Identifier: BSD-2-Clause */
/* Must not compile: proves that the offset check can fail. */
#include "nova/abi/utcb.h"

_Static_assert(offsetof(struct nova_utcb, word) == 4, "wrong on purpose");
