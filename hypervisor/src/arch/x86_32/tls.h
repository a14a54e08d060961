/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's storage base (an extension): that of the data segment SEL_TLS, in GS. The descriptor
 * exists only while such a thread runs; all others keep the GS that they share. */
#ifndef ARCH_TLS_H
#define ARCH_TLS_H

#include "arch/x86/descriptors.h"
#include "arch/x86/insn.h"
#include "object/ec.h"
#include "sched/cpu.h"

/* Present, DPL 3, writable data, 32 bits, limit of 4 GiB; the base is left out. */
#define TLS_DESCRIPTOR 0x00cff3000000ffff

/** Whether a thread may have this base: pages protect what it should not reach. */
static inline bool tls_is_valid(word_t base)
{
        (void)base;
        return true;
}

/** A selector that can be loaded again: null or one of the user's. In virtual-8086 mode, to which
 * an emulator may let IRET lead, a thread can have any other, which faults. */
static inline uint16_t tls_loadable(uint16_t selector)
{
        return (selector | 3) == SEL_USER_CODE || (selector | 3) == SEL_USER_DATA ? selector : 0;
}

/** Loads the base of a thread, or the GS of those that have none. */
static inline void tls_switch(struct cpu *cpu, const struct ec *ec)
{
        uint64_t *entry = (uint64_t *)(void *)((char *)cpu + CPU_GDT) + SEL_TLS / 8;

        if (!(cpu->special & SPECIAL_TLS))
                cpu->arch.other_gs = tls_loadable(read_gs());
        else if ((read_fs() & ~3u) == (SEL_TLS & ~3u))
                load_fs(SEL_USER_DATA); /* FS is not switched: no base stays in it for others */
        cpu->special = (uint8_t)((cpu->special & ~SPECIAL_TLS) | (ec->special & SPECIAL_TLS));
        if (!(ec->special & SPECIAL_TLS)) {
                load_gs(cpu->arch.other_gs); /* never SEL_TLS: no thread can load that without the
                                              * entry
                                              */
                *entry = 0;
                return;
        }
        *entry = TLS_DESCRIPTOR | (uint64_t)(ec->tls & 0xffffff) << 16 |
                 (uint64_t)(ec->tls >> 24) << 56;
        load_gs(SEL_TLS);
}

#endif
