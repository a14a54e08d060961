/* SPDX-License-Identifier: BSD-2-Clause */
/* Properties of the ELF files that this kernel loads. */
#ifndef ARCH_ELF_PROGRAM_H
#define ARCH_ELF_PROGRAM_H

#include "lib/types.h"

#define ELF_CLASS   2
#define ELF_MACHINE 62
#define ELF_OTHER   "is not a 64-bit x86 image"

struct elf_program {
        uint32_t type, flags;
        uint64_t offset, virtual, physical, file_size, memory_size, align;
};

#endif
