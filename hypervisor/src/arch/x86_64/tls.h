/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's storage base (an extension) is the base of FS. Threads without a storage base have the
 * base 0. */
#ifndef ARCH_TLS_H
#define ARCH_TLS_H

#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "object/ec.h"
#include "sched/cpu.h"

/** Returns true if a thread may have a storage base: WRMSR faults if it is not canonical. */
static inline bool tls_is_valid(word_t base)
{
        return base < NOVA_USER_END;
}

/** Loads the storage base of a thread, 0 if it has none. */
static inline void tls_switch(struct cpu *cpu, const struct ec *ec)
{
        wrmsr(MSR_FS_BASE, ec->tls);
        cpu->special = (uint8_t)((cpu->special & ~SPECIAL_TLS) | (ec->special & SPECIAL_TLS));
}

#endif
