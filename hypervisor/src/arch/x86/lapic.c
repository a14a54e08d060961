/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of this CPU (SDM 3A, 10). */
#include "arch/x86/lapic.h"

#include "arch/x86/boot_paging.h"
#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "arch/x86/vectors.h"
#include "divide.h"
#include "lib/atomic.h"
#include "lib/stop.h"

#define VECTORS          256
#define ENABLE           0x100 /* bit of the spurious vector register */
#define MASKED           0x10000
#define LVT_NMI          0x400
#define TIMER_PERIODIC   0x20000
#define TIMER_DEADLINE   0x40000
#define DIVIDE_BY_1      0xb
#define ICR_PENDING      0x1000
#define ICR_ASSERT       0x4000
#define LVT_MAX(version) ((version) >> 16 & 0xff)
#define LAPIC_VERSION    0x030

/* Timer ticks per TSC tick as a fraction of 2^RATIO_BITS. */
#define RATIO_BITS 20
#define RATIO_MAX  ((1 << 28) - 1)
#define TICKS_MAX  ((uint64_t)1 << 36)

/* Minimum period of a repeating timer, in timer ticks. An emulator that is late delivers all
 * overdue repetitions. */
#define REPEAT_MIN (1u << 17)

bool lapic_x2apic;

static uint32_t ratio;

void lapic_map(paddr_t phys, bool avoid_x2apic)
{
        lapic_x2apic = cpu_has(FEATURE_X2APIC) &&
                       (!avoid_x2apic || rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC);
        if (!lapic_x2apic)
                features_remove(FEATURE_X2APIC); /* other CPUs need not have it */
        if (boot_paging_map_device(phys) != (void *)MMIO_BASE)
                kernel_stop("the local APIC at 0x%llx cannot be mapped", (unsigned long long)phys);
}

/* Acknowledges the interrupts that firmware has left in service. Each EOI is for the highest vector
 * in service. */
static void lapic_end_all(void)
{
        for (unsigned vector = VECTORS; vector--;)
                if (lapic_is_in_service(vector))
                        lapic_eoi();
}

void lapic_init(void)
{
        const uint64_t base = rdmsr(MSR_APIC_BASE);

        /* Firmware may already have chosen x2APIC mode. In this case the kernel keeps the mode.
         * x2APIC mode can be entered only from the state "on", and left only through the state
         * "off". */
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
        if (lapic_x2apic)
                wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2APIC);

        lapic_write(LAPIC_SPURIOUS, ENABLE | VECTOR_SPURIOUS);
        lapic_write(LAPIC_TPR, 0);
        lapic_write(LAPIC_LVT_LINT0, MASKED);
        lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
        lapic_write(LAPIC_LVT_ERROR, MASKED | VECTOR_ERROR);
        if (LVT_MAX(lapic_read(LAPIC_VERSION)) >= 4)
                lapic_write(LAPIC_LVT_COUNTER, MASKED);
        if (LVT_MAX(lapic_read(LAPIC_VERSION)) >= 5)
                lapic_write(LAPIC_LVT_THERMAL, MASKED);
        if (LVT_MAX(lapic_read(LAPIC_VERSION)) >= 6)
                lapic_write(LAPIC_LVT_CMCI, MASKED);
        lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
        lapic_write(LAPIC_LVT_TIMER,
                    VECTOR_TIMER | (cpu_has(FEATURE_TSC_DEADLINE) ? TIMER_DEADLINE : 0));
        lapic_end_all();
        atomic_fence(); /* the mode must precede any deadline (SDM 3A, 10.5.4.1) */
}

unsigned lapic_id(void)
{
        if (lapic_x2apic)
                return features_apic_id();
        /* Firmware can have changed this number, and CPUID then reports the old one. */
        wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE);
        return lapic_read(LAPIC_ID) >> 24;
}

void lapic_send_ipi(unsigned apic_id, uint32_t what)
{
        const uint32_t command = ICR_ASSERT | what;

        if (lapic_x2apic) {
                /* Unlike a write to memory, this WRMSR may overtake stores (SDM 3A, 10.12.3). */
                mfence();
                lfence();
                wrmsr(MSR_X2APIC + (LAPIC_ICR_LOW >> 4), (uint64_t)apic_id << 32 | command);
                return;
        }
        while (lapic_read(LAPIC_ICR_LOW) & ICR_PENDING)
                pause();
        lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
        separate_accesses();
        lapic_write(LAPIC_ICR_LOW, command);
}

void timer_set_rates(uint32_t timer_khz, uint32_t tsc_khz)
{
        const uint64_t wanted = divide((uint64_t)timer_khz << RATIO_BITS, tsc_khz, NULL);

        ratio = wanted < RATIO_MAX ? (uint32_t)wanted : RATIO_MAX;
}

void timer_arm(uint64_t tsc_ticks)
{
        if (tsc_ticks > TICKS_MAX)
                tsc_ticks = TICKS_MAX;
        if (cpu_has(FEATURE_TSC_DEADLINE)) {
                wrmsr(MSR_TSC_DEADLINE, rdtsc() + tsc_ticks + !tsc_ticks);
                return;
        }

        /* 36 bits of ticks times a ratio below 2^28 cannot overflow. */
        const uint64_t count = tsc_ticks * ratio >> RATIO_BITS;
        lapic_write(LAPIC_TIMER_INITIAL, count > UINT32_MAX ? UINT32_MAX
                                         : count            ? (uint32_t)count
                                                            : 1);
}

void timer_repeat(bool on)
{
        if (cpu_has(FEATURE_TSC_DEADLINE))
                return;
        if (on && lapic_read(LAPIC_TIMER_INITIAL) < REPEAT_MIN)
                lapic_write(LAPIC_TIMER_INITIAL, REPEAT_MIN);
        lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | (on ? TIMER_PERIODIC : 0));
}
