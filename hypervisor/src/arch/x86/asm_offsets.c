/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that assembly needs and only C knows. Compiled to assembly only; the build turns each
 * line that DEFINE makes into a #define of asm_offsets.h. */
#include "arch/x86/cpu.h"
#include "nova/abi/status.h"

#define DEFINE(name, value) __asm__ volatile(".ascii \"->" #name " %c0<-\"" : : "i"(value))

void asm_offsets(void);

void asm_offsets(void)
{
        DEFINE(CPU_CURRENT, offsetof(struct cpu, current));
        DEFINE(CPU_USER_SP, offsetof(struct cpu, user_sp));
        DEFINE(STATUS_BAD_HYP, NOVA_BAD_HYP);
}
