/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces the kernel's functions on memory, which are in assembly, by Frama-C's of the same names.
 * Their contracts require that both buffers are valid. */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <string.h>

#include "lib/types.h"

#endif
