/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's storage base (an extension): FS base. All others have 0. */
#ifndef ARCH_TLS_H
#define ARCH_TLS_H

#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "object/ec.h"
#include "sched/cpu.h"

/** Whether a thread may have this base: WRMSR faults on one that is not canonical. */
static inline bool tls_is_valid(word_t base)
{
        return base < NOVA_USER_END;
}

/** Loads the base of a thread, 0 if it has none. */
static inline void tls_switch(struct cpu *cpu, const struct ec *ec)
{
        wrmsr(MSR_FS_BASE, ec->tls);
        cpu->special = (uint8_t)((cpu->special & ~SPECIAL_TLS) | (ec->special & SPECIAL_TLS));
}

#endif
