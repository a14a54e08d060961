/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's copy of nova/inline/builtin.h. */
#include "nova/inline/builtin.h"
