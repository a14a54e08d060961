/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that only the assembly of this width needs (see asm_offsets.c). */
#ifndef ARCH_ASM_OFFSETS_WIDTH_H
#define ARCH_ASM_OFFSETS_WIDTH_H

#include "object/ec.h"

#define ASM_WIDTH_OFFSETS(DEFINE) \
        DEFINE(VIRTUAL_8086_ROOM, sizeof(((struct ec *)NULL)->virtual_8086_room))

#endif
