/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a program. A child reports it to its parent; a root, which has none, ends the run. */
#include "nova/console.h"
#include "nova/hypercall.h"
#include "start/parent.h"
#include "start/start.h"

_Noreturn void novart_program_end(int status)
{
        if (nova_program_is_root())
                nova_exit(status >= 0 && status <= NOVA_EXIT_MAX ? (uint8_t)status : NOVA_EXIT_MAX);
        novart_parent_exit(status);
        __builtin_trap();
}
