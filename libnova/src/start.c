/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's copy of nova/inline/start.h. A program with its own _start does not link this
 * file. */
#include "nova/inline/start.h"
