/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's measurement of its clocks, with ports and registers that are fakes. */
#include "clocks.h"

#define inb          real_inb
#define outb         real_outb
#define inl          real_inl
#define rdtsc        real_rdtsc
#define rdmsr        real_rdmsr
#define cpuid(...)   real_cpuid(__VA_ARGS__)
#define lapic_read   real_lapic_read
#define lapic_write  real_lapic_write
#define lapic_x2apic real_lapic_x2apic
#include "arch/x86/insn.h"
#include "arch/x86/lapic.h"
#undef inb
#undef outb
#undef inl
#undef rdtsc
#undef rdmsr
#undef cpuid
#undef lapic_read
#undef lapic_write
#undef lapic_x2apic
#include "arch/x86/features.h"

struct clocks clocks;
bool real_lapic_x2apic;

static uint64_t clocks_ticks(uint64_t from, uint64_t hz)
{
        return (clocks.now - from) * (hz / 1000) / 1000000;
}

static uint64_t rdtsc(void)
{
        clocks.now += 10;
        return clocks_ticks(0, clocks.tsc_khz * 1000);
}

static uint64_t rdmsr(uint32_t msr)
{
        (void)msr;
        return 0;
}

static struct cpuid no_cpuid(uint32_t leaf, uint32_t subleaf)
{
        (void)leaf;
        (void)subleaf;
        return (struct cpuid){0};
}
#define cpuid(leaf, subleaf) no_cpuid(leaf, subleaf)

static uint16_t clocks_pit(void)
{
        const uint16_t count = (uint16_t)(0xffff - clocks_ticks(clocks.pit_start, 1193000));
        const unsigned wrong = clocks.wrong_count;

        clocks.counts++;
        if (!clocks.has_pit)
                return 0xffff;
        if (wrong && clocks.counts >= wrong && clocks.counts < wrong + clocks.wrong_counts)
                return (uint16_t)(count << 8 | count >> 8);
        return count;
}

static uint8_t inb(uint16_t port)
{
        clocks.now += clocks.access_ns;
        clocks.accesses++;
        if (port != 0x42)
                return 0;
        clocks.pit_high = !clocks.pit_high;
        return (uint8_t)(clocks.pit_high ? clocks.pit_latch : clocks.pit_latch >> 8);
}

static void outb(uint16_t port, uint8_t value)
{
        clocks.now += clocks.access_ns;
        clocks.accesses++;
        if (port == 0x43 && value == 0x80) {
                clocks.pit_latch = clocks_pit();
                clocks.pit_high = false;
        } else if (port == 0x43) {
                clocks.pit_start = clocks.now;
                clocks.starts++;
        }
}

static uint32_t inl(uint16_t port)
{
        clocks.now += clocks.access_ns;
        clocks.accesses++;
        return clocks.has_pm && port == CLOCKS_PM_PORT ? (uint32_t)clocks_ticks(0, 3579000)
                                                       : UINT32_MAX;
}

static uint32_t lapic_read(unsigned reg)
{
        const uint64_t passed = clocks_ticks(clocks.timer_start, clocks.timer_khz * 1000);

        return reg == LAPIC_TIMER_CURRENT && passed < UINT32_MAX ? (uint32_t)(UINT32_MAX - passed)
                                                                 : 0;
}

static void lapic_write(unsigned reg, uint32_t value)
{
        if (reg == LAPIC_TIMER_INITIAL && value)
                clocks.timer_start = clocks.now;
}

void lapic_init(void)
{
}

void timer_set_rates(uint32_t timer_khz, uint32_t rate_khz)
{
        (void)timer_khz;
        (void)rate_khz;
}

/* Other tests of this program set a frequency of their own. */
#define tsc_khz measured_tsc_khz
#define bus_khz measured_timer_khz
#include "arch/x86/calibrate.c"

void clocks_calibrate(uint16_t pm_timer)
{
        tsc_khz = bus_khz = 0;
        calibrate(pm_timer);
}
