/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's copy of nova/inline/console.h. */
#include "nova/inline/console.h"
