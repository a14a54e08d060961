/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that the assembly code needs but only the C compiler knows. This file is never linked:
 * the build turns each string that DEFINE makes into a #define of asm_offsets.h. */
#include "asm_offsets_width.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/status.h"
#include "object/ec.h"
#include "object/result.h"
#include "sched/cpu.h"
#include "thread.h"

#define DEFINE(name, value) __asm__ volatile(".ascii \"->" #name " %c0<-\\n\"" : : "i"(value))

void asm_offsets(void);

void asm_offsets(void)
{
        DEFINE(CPU_CURRENT, offsetof(struct cpu, current));
        DEFINE(CPU_USER_SP, offsetof(struct cpu, arch.user_sp));
        DEFINE(CPU_BLOCK, CPU_BLOCK_SIZE);
        DEFINE(CPU_TOP, CPU_STACK_TOP);
        DEFINE(CPU_MAX, NOVA_CPU_MAX);
        DEFINE(EC_PENDING, offsetof(struct ec, pending));
        DEFINE(EC_REGS, offsetof(struct ec, regs));
        DEFINE(EC_STACK_TOP, offsetof(struct ec, stack_top));
        DEFINE(REGS_AX, offsetof(struct regs, ax));
        DEFINE(REGS_BX, offsetof(struct regs, bx));
        DEFINE(REGS_CX, offsetof(struct regs, cx));
        DEFINE(REGS_DX, offsetof(struct regs, dx));
        DEFINE(REGS_BP, offsetof(struct regs, bp));
        DEFINE(REGS_SI, offsetof(struct regs, si));
        DEFINE(REGS_DI, offsetof(struct regs, di));
        DEFINE(REGS_VECTOR, offsetof(struct regs, vector));
        DEFINE(REGS_ERROR, offsetof(struct regs, error));
        DEFINE(REGS_IP, offsetof(struct regs, ip));
        DEFINE(REGS_CS, offsetof(struct regs, cs));
        DEFINE(REGS_SP, offsetof(struct regs, sp));
        DEFINE(REGS_FLAGS, offsetof(struct regs, flags));
        DEFINE(REGS_SS, offsetof(struct regs, ss));
        ASM_WIDTH_OFFSETS(DEFINE);
        DEFINE(WORD_SIZE, sizeof(word_t));
        DEFINE(STATUS_PLAIN, RESULT_PLAIN_MAX);
        DEFINE(STATUS_BAD_HYP, NOVA_BAD_HYP);
}
