/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a run, asked for or by returning from nova_main(). */
#include "nova/arch/port.h"
#include "nova/console.h"
#include "nova/hypercall.h"
#include "nova/start.h"

void nova_exit(uint8_t value)
{
        nova_out8(NOVA_EXIT_PORT, value <= NOVA_EXIT_MAX ? value : NOVA_EXIT_MAX);
        nova_reply((nova_word_t)__builtin_frame_address(0));
}

void nova_start_return(int result)
{
        nova_exit(result >= 0 && result <= NOVA_EXIT_MAX ? (uint8_t)result : NOVA_EXIT_MAX);
}
