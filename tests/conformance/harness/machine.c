/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine as the cases see it: CPUs, time and unused memory. */
#include "internal.h"

unsigned boot_cpu;
unsigned cpu_count;
unsigned cpu_numbers[NOVA_CPU_MAX];

uint64_t tsc(void)
{
        uint32_t low, high;
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        return (uint64_t)high << 32 | low;
}

uint64_t tsc_per_ms(void)
{
        return hip->tsc_khz ? hip->tsc_khz : 1000000;
}

void spin_us(unsigned us)
{
        const uint64_t end = tsc() + tsc_per_ms() * us / 1000;
        while (tsc() < end)
                __asm__ volatile("pause");
}

bool wait_for(const volatile word_t *p, word_t value)
{
        /* Leaves the case time to report the missing event. */
        const uint64_t end = case_deadline() - tsc_per_ms() * 1000;
        while (*p != value) {
                if (tsc() > end)
                        return false;
                __asm__ volatile("pause");
        }
        return true;
}

bool comes_to_rest(const volatile word_t *p)
{
        for (unsigned i = 0; i < 50; i++) {
                const word_t before = *p;
                spin_us(20000);
                if (*p == before)
                        return true;
        }
        return false;
}

void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
        uint32_t a = leaf, b, c = subleaf, d;
        __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        out[0] = a;
        out[1] = b;
        out[2] = c;
        out[3] = d;
}

/* Lists the CPUs: the boot CPU first, then all others whose descriptor is marked enabled. */
void machine_init(void)
{
        cpu_numbers[cpu_count++] = boot_cpu;
        for (unsigned i = 0; i < NOVA_CPU_MAX; i++) {
                if (i != boot_cpu && hip->cpu[i].flags & NOVA_CPU_ENABLED)
                        cpu_numbers[cpu_count++] = i;
        }
}

static unsigned mem_count(void)
{
        return (unsigned)(hip->length - hip->mem_offset) / hip->mem_size;
}

static const struct nova_hip_mem *mem_at(unsigned i)
{
        return (const struct nova_hip_mem *)((const char *)hip + hip->mem_offset +
                                             i * hip->mem_size);
}

const struct nova_hip_mem *hip_mem(int type)
{
        for (unsigned i = 0; i < mem_count(); i++) {
                if (mem_at(i)->type == type)
                        return mem_at(i);
        }
        return NULL;
}

/* Returns the lowest start of the ranges that are not available memory and overlap [begin, end).
 * Returns end if there is none. */
static uint64_t first_taken(uint64_t begin, uint64_t end)
{
        uint64_t taken = end;
        for (unsigned i = 0; i < mem_count(); i++) {
                const struct nova_hip_mem *m = mem_at(i);
                if (m->type != NOVA_MEM_AVAILABLE && m->addr < end && m->addr + m->size > begin &&
                    m->addr < taken)
                        taken = m->addr;
        }
        return taken;
}

bool frame_alloc(unsigned order, word_t *frame)
{
        static uint64_t limit = 0xf0000000;
        const uint64_t size = (uint64_t)NOVA_PAGE_SIZE << order;
        uint64_t best = 0;

        for (unsigned i = 0; i < mem_count(); i++) {
                const struct nova_hip_mem *m = mem_at(i);
                if (m->type != NOVA_MEM_AVAILABLE || m->addr >= limit)
                        continue;
                uint64_t end = m->addr + m->size < limit ? m->addr + m->size : limit;
                uint64_t base = end & ~(size - 1);
                while (base >= m->addr + size && base >= size) {
                        base -= size;
                        if (first_taken(base, base + size) == base + size)
                                break;
                }
                if (base >= m->addr && base + size <= end && base > best &&
                    first_taken(base, base + size) == base + size)
                        best = base;
        }
        if (!best)
                return false;
        limit = best;
        *frame = (word_t)(best >> NOVA_PAGE_BITS);
        return true;
}
