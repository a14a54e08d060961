/* SPDX-License-Identifier: BSD-2-Clause */
/* Body of nova/exit.h: writes the value to the exit port of the emulated machine. */
#ifndef NOVA_INLINE_EXIT_H
#define NOVA_INLINE_EXIT_H

#include "nova/exit.h"

#include "nova/arch/port.h"
#include "nova/hypercall.h"

#ifdef __cplusplus
extern "C" {
#endif

NOVA_LIBRARY void nova_exit(uint8_t value)
{
        nova_out8(NOVA_EXIT_PORT, value <= NOVA_EXIT_MAX ? value : NOVA_EXIT_MAX);
        nova_reply((nova_word_t)__builtin_frame_address(0));
}

NOVA_LIBRARY void nova_start_return(int result)
{
        nova_exit(result >= 0 && result <= NOVA_EXIT_MAX ? (uint8_t)result : NOVA_EXIT_MAX);
}

#ifdef __cplusplus
}
#endif

#endif
