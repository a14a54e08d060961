/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's storage base (an extension): the base of the data segment SEL_TLS, in GS. The
 * descriptor exists only while such a thread runs. All other threads share one value of GS. */
#ifndef ARCH_TLS_H
#define ARCH_TLS_H

#include "arch/x86/descriptors.h"
#include "arch/x86/insn.h"
#include "object/ec.h"
#include "sched/cpu.h"

/* Present, DPL 3, writable data, 32 bits, limit of 4 GiB; base 0. */
#define TLS_DESCRIPTOR 0x00cff3000000ffff

/** Returns true if a thread may have a storage base. Every base is allowed, because pages protect
 * memory. */
static inline bool tls_is_valid(word_t base)
{
        (void)base;
        return true;
}

/** Returns selector if it is one of the user's selectors, which can be loaded again, else null. In
 * virtual-8086 mode, which a thread can reach by IRET on an emulator, GS can hold a value that
 * faults when it is loaded later. */
static inline uint16_t tls_loadable(uint16_t selector)
{
        return (selector | 3) == SEL_USER_CODE || (selector | 3) == SEL_USER_DATA ? selector : 0;
}

/** Loads the storage base of a thread, or the GS of the threads without one. */
static inline void tls_switch(struct cpu *cpu, const struct ec *ec)
{
        uint64_t *entry = (uint64_t *)(void *)((char *)cpu + CPU_GDT) + SEL_TLS / 8;

        if (!(cpu->special & SPECIAL_TLS))
                cpu->arch.other_gs = tls_loadable(read_gs());
        else if ((read_fs() & ~3u) == (SEL_TLS & ~3u))
                load_fs(SEL_USER_DATA); /* FS is not switched: no thread may keep a base in it */
        cpu->special = (uint8_t)((cpu->special & ~SPECIAL_TLS) | (ec->special & SPECIAL_TLS));
        if (!(ec->special & SPECIAL_TLS)) {
                load_gs(cpu->arch.other_gs); /* never SEL_TLS: no thread can load it while the
                                              descriptor does not exist */
                *entry = 0;
                return;
        }
        *entry = TLS_DESCRIPTOR | (uint64_t)(ec->tls & 0xffffff) << 16 |
                 (uint64_t)(ec->tls >> 24) << 56;
        load_gs(SEL_TLS);
}

#endif
