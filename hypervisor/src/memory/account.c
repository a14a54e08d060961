/* SPDX-License-Identifier: BSD-2-Clause */
/* The root account. Its limit is no limit: the pool itself is one. */
#include "memory/account.h"

struct account account_root = {.used = 0, .limit = ~(word_t)0};
