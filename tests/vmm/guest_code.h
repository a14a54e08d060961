/* SPDX-License-Identifier: BSD-2-Clause */
/* Code of guests inside a monitor's source. */
#ifndef NOVA_TESTS_VMM_GUEST_CODE_H
#define NOVA_TESTS_VMM_GUEST_CODE_H

#include <stddef.h>

#if __SIZEOF_POINTER__ == 8
#define OWN_BITS ".code64\n"
#else
#define OWN_BITS ".code32\n"
#endif

/* Instructions for code segments of 16 or 32 bits, from `name` to `name_end`. */
#define GUEST_CODE(name, bits, instructions)                                                 \
        __asm__(".pushsection .rodata\n.code" #bits "\n" #name ":\n" instructions "\n" #name \
                "_end:\n" OWN_BITS ".popsection\n");                                         \
        extern const char name[], name##_end[]

/* Size of such code in bytes. */
#define GUEST_BYTES(name) ((size_t)(name##_end - (name)))

#endif
