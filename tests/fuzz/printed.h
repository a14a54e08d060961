/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that the code under test prints by printf(), puts() and putchar(), which the linker wraps.
 * It must be printable. A sentence may arrive in parts. */
#ifndef FUZZ_PRINTED_H
#define FUZZ_PRINTED_H

#include <stddef.h>

/* Gets each part of the text; NULL: the text is only checked. */
extern void (*printed)(const char *text, size_t bytes);

#endif
