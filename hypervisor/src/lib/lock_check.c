/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of locks (see lock_check.h). */
#include "lib/lock_check.h"

#include "arch/x86/cpu.h"
#include "arch/x86/msr.h"

#define BIT(kind) (1u << LOCK_##kind)

/* For each kind of lock, the locks that a CPU may hold when it takes this lock (`below`):
 * docs/kernel/locking.md, "Spin locks". A CPU never holds two locks of one kind. */
static const struct {
        const char *name;
        unsigned below;
} order[LOCK_KINDS] = {
        [LOCK_UNKNOWN] = {"a lock that was not initialised", 0},
        [LOCK_SPACE] = {"space_lock", 0},
        [LOCK_PD] = {"pd.lock", 0},
        [LOCK_FAMILY] = {"family_lock", 0},
        [LOCK_SM] = {"sm.lock", 0},
        [LOCK_RECLAIM] = {"reclaim_lock", BIT(SPACE)},
        [LOCK_SLAB] = {"slab_cache.lock", BIT(SPACE)},
        [LOCK_FRAME] = {"frame_lock", BIT(SPACE) | BIT(SLAB) | BIT(REMAP) | BIT(IO_APIC)},
        [LOCK_IO_APIC] = {"io_apic.lock", 0},
        [LOCK_REMAP] = {"remap_lock", BIT(IO_APIC) | BIT(SPACE)},
        [LOCK_UNIT] = {"unit.lock", BIT(REMAP) | BIT(IO_APIC) | BIT(SPACE)},
        [LOCK_REPORT] = {"report_lock", 0},
        [LOCK_RATE] = {"the lock of report.c", 0},
        [LOCK_PCID] = {"the lock of pcid.c", 0},
        [LOCK_CONSOLE] = {"the lock of console.c", BIT(REPORT)},
};

static struct locks_held of_cpu[NOVA_CPU_MAX];
static struct locks_held at_boot; /* used until the boot CPU has its own stack */

static bool lock_check_interrupts_are_on(void)
{
        word_t flags;

        __asm__ volatile("pushf; pop %0" : "=r"(flags) : : "memory");
        return flags & FLAG_IF;
}

static struct locks_held *lock_check_mine(void)
{
        const word_t block = ((word_t)__builtin_frame_address(0) - CPU_BASE) / CPU_BLOCK_SIZE;

        return block < NOVA_CPU_MAX ? &of_cpu[block] : &at_boot;
}

void lock_check_taking(const void *lock, enum lock_kind kind, const char *file, unsigned line)
{
        struct locks_held *held = lock_check_mine();

        if (kind == LOCK_UNKNOWN)
                kernel_stop("a lock that was not initialised is taken at %s:%u", file, line);
        if (lock_check_interrupts_are_on())
                kernel_stop("%s is taken with interrupts on at %s:%u", order[kind].name, file,
                            line);
        for (unsigned i = 0; i < held->count; i++) {
                if (held->lock[i] == lock)
                        kernel_stop("%s is taken twice at %s:%u", order[kind].name, file, line);
                if (!(order[kind].below >> held->kind[i] & 1))
                        kernel_stop("%s is taken below %s, against the order, at %s:%u",
                                    order[kind].name, order[held->kind[i]].name, file, line);
        }
        assert(held->count < LOCKS_HELD);
        held->lock[held->count] = lock;
        held->kind[held->count++] = (uint8_t)kind;
}

void lock_check_dropping(const void *lock, const char *file, unsigned line)
{
        struct locks_held *held = lock_check_mine();
        unsigned at = held->count;

        while (at && held->lock[at - 1] != lock)
                at--;
        if (!at)
                kernel_stop("a lock that this CPU does not hold is dropped at %s:%u", file, line);
        for (; at < held->count; at++) {
                held->lock[at - 1] = held->lock[at];
                held->kind[at - 1] = held->kind[at];
        }
        held->count--;
}

bool lock_check_held(const void *lock)
{
        const struct locks_held *held = lock_check_mine();

        for (unsigned i = 0; i < held->count; i++)
                if (held->lock[i] == lock)
                        return true;
        return false;
}

bool lock_check_any(void)
{
        return lock_check_mine()->count;
}
