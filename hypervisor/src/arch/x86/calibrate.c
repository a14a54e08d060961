/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures the frequencies of the TSC and of the local APIC's timer against the ACPI PM timer or,
 * if there is none, against the PIT. If both are missing, CPUID may report the frequency of the
 * TSC. */
#include "arch/x86/calibrate.h"

#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/lapic.h"
#include "arch/x86/msr.h"
#include "arch/x86/told_rate.h"
#include "arch/x86/vectors.h"
#include "divide.h"
#include "lib/console.h"

#define PM_HZ    3579545
#define PM_TICKS 1800 /* 0.5 ms: two readings, each one tick off, cause an error of about 0.1 % */
#define PM_MASK  0xffffff
#define PM_TRIES 4000000 /* number of equal readings after which the timer counts as missing */

/* PIT channel 2 and the port that gates it and shows its output. */
#define PIT_HZ       1193182
#define PIT_START    0xffff
#define PIT_TICKS    2400   /* 2 ms, because reading the PIT takes long */
#define PIT_TRIES    100000 /* readings without a result after which the PIT counts as missing */
#define PIT_ATTEMPTS 6      /* measurements, because the firmware can spoil some */
#define PIT_AGREE    64     /* two measurements agree if they differ by at most 1/64 */
#define PIT_LATCH    0x80
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND  0x43
#define PIT_ONE_SHOT 0xb0 /* channel 2, both bytes, mode 0 */
#define PORT_B       0x61
#define PORT_B_GATE  0x01
#define PORT_B_SPEAK 0x02

#define SAMPLES      5
#define FALLBACK_KHZ 1000000
#define KHZ_LEAST    10000
#define KHZ_MOST     ((1u << 24) - 1) /* the longest quantum, 2^40 µs, fits in 64 bits of ticks */

uint32_t tsc_khz;
uint32_t bus_khz;

struct sample {
        uint64_t tsc;
        uint32_t bus;       /* counts down */
        uint32_t reference; /* count of the PM timer or the PIT */
};

/* Reads the current count of channel 2 of the PIT. */
static uint32_t calibrate_read_pit(void)
{
        outb(PIT_COMMAND, PIT_LATCH);
        const uint32_t low = inb(PIT_CHANNEL2);
        return low | (uint32_t)inb(PIT_CHANNEL2) << 8;
}

/* Reads the clocks as close together as possible. Returns the best of several attempts, in case a
 * hypervisor below the kernel interrupts one. The reference is the PM timer at a port or, if port
 * is 0, the PIT, which counts down and is latched at the beginning of a reading. */
static struct sample calibrate_take_sample(uint16_t port)
{
        struct sample best = {0};
        uint64_t best_time = UINT64_MAX;

        for (unsigned i = 0; i < SAMPLES; i++) {
                struct sample now;
                const uint64_t before = rdtsc();

                now.reference = port ? inl(port) & PM_MASK : calibrate_read_pit();
                now.tsc = port ? rdtsc() : before;
                now.bus = lapic_read(LAPIC_TIMER_CURRENT);
                if (rdtsc() - before < best_time) {
                        best_time = rdtsc() - before;
                        best = now;
                }
        }
        return best;
}

static uint32_t calibrate_khz(uint64_t ticks, uint32_t reference_ticks, uint32_t reference_hz)
{
        return (uint32_t)divide(ticks * (reference_hz / 8), reference_ticks * 125, NULL);
}

/* Returns true for a plausible rate: between the slowest supported and the fastest known CPU. With
 * TSC deadlines, the kernel does not need the frequency of the local APIC's timer. */
static bool calibrate_is_plausible(void)
{
        return tsc_khz >= KHZ_LEAST && tsc_khz <= KHZ_MOST &&
               (bus_khz || cpu_has(FEATURE_TSC_DEADLINE));
}

static bool calibrate_measure_pm(uint16_t port)
{
        const struct sample first = calibrate_take_sample(port);
        struct sample last;
        uint32_t passed = 0;

        for (unsigned i = 0; i < PM_TRIES && passed < PM_TICKS; i++)
                passed = (inl(port) - first.reference) & PM_MASK;
        if (passed < PM_TICKS)
                return false;
        last = calibrate_take_sample(port);
        passed = (last.reference - first.reference) & PM_MASK;
        if (passed < PM_TICKS)
                return false;
        tsc_khz = calibrate_khz(last.tsc - first.tsc, passed, PM_HZ);
        bus_khz = calibrate_khz(first.bus - last.bus, passed, PM_HZ);
        return calibrate_is_plausible();
}

/* Lets the PIT count down from its largest value and reads back the count. Returns false if a
 * reading was wrong, or if the PIT does not count, which *tries then shows. */
static bool calibrate_try_pit(unsigned *tries)
{
        const uint8_t gate = (uint8_t)((inb(PORT_B) & ~PORT_B_SPEAK) | PORT_B_GATE);
        uint32_t left = PIT_START;

        lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX); /* it may have run out meanwhile */
        outb(PORT_B, gate);
        outb(PIT_COMMAND, PIT_ONE_SHOT);
        outb(PIT_CHANNEL2, PIT_START & 0xff);
        outb(PIT_CHANNEL2, PIT_START >> 8);
        while ((left = calibrate_read_pit()) == PIT_START || !left)
                if (++*tries >= PIT_TRIES)
                        return false;

        const struct sample first = calibrate_take_sample(0);
        for (left = first.reference; first.reference - left < PIT_TICKS;
             left = calibrate_read_pit())
                if (++*tries >= PIT_TRIES)
                        return false;
        const struct sample last = calibrate_take_sample(0);
        const uint32_t passed = first.reference - last.reference;
        /* a count is wrong if the firmware's interrupt reads the PIT between its two bytes */
        if (last.reference > first.reference || passed < PIT_TICKS)
                return false;
        tsc_khz = calibrate_khz(last.tsc - first.tsc, passed, PIT_HZ);
        bus_khz = calibrate_khz(first.bus - last.bus, passed, PIT_HZ);
        return calibrate_is_plausible();
}

static bool calibrate_agree(uint32_t khz, uint32_t before)
{
        return (khz > before ? khz - before : before - khz) <= khz / PIT_AGREE;
}

/* Measures until two measurements in a row agree. If none do, the last measurement counts, because
 * it is nearer to the truth than a guess. */
static bool calibrate_measure_pit(void)
{
        unsigned tries = 0;
        uint32_t before = 0;

        for (unsigned i = 0; i < PIT_ATTEMPTS && tries < PIT_TRIES; i++) {
                if (!calibrate_try_pit(&tries))
                        continue;
                if (calibrate_agree(tsc_khz, before))
                        return true;
                before = tsc_khz;
        }
        return calibrate_is_plausible();
}

/* Measures the local APIC's timer against the TSC for 1 ms. */
static uint32_t calibrate_bus_by_tsc(void)
{
        lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
        delay_us(1000);
        return UINT32_MAX - lapic_read(LAPIC_TIMER_CURRENT);
}

/* Takes the frequency of the TSC that CPUID or Hyper-V reports. */
static bool calibrate_by_cpuid(void)
{
        const struct cpuid crystal = cpuid(0x15, 0), name = cpuid(0x40000000, 0);
        const struct cpuid hyperv = cpuid(0x40000003, 0);
        const struct told_leaves leaves = {
                .last = cpuid(0, 0).eax,
                .divisor = crystal.eax,
                .factor = crystal.ebx,
                .hz = crystal.ecx,
                .mhz = cpuid(0x16, 0).eax,
                .has_hypervisor = cpu_has(FEATURE_HYPERVISOR),
                .hypervisor_last = name.eax,
                .hypervisor_name = name.ebx,
                .interface = cpuid(0x40000001, 0).eax,
                .may_access = hyperv.eax,
                .has = hyperv.edx,
                .hypervisor_khz = cpuid(0x40000010, 0).eax,
        };

        tsc_khz = told_rate_by_msr(&leaves) ? (uint32_t)divide(rdmsr(MSR_HYPERV_TSC_HZ), 1000, NULL)
                                            : told_rate_khz(&leaves);
        bus_khz = calibrate_bus_by_tsc();
        return calibrate_is_plausible();
}

void calibrate(uint16_t pm_timer)
{
        /* one-shot mode, masked, even if TSC deadlines are used later */
        lapic_write(LAPIC_LVT_TIMER, 0x10000 | VECTOR_TIMER);
        lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
        if (!(pm_timer && calibrate_measure_pm(pm_timer)) && !calibrate_measure_pit() &&
            !calibrate_by_cpuid()) {
                tsc_khz = FALLBACK_KHZ;
                bus_khz = 0;
                console_print("NOVA: neither PM timer nor PIT works, and CPUID reports no "
                              "frequency: the clocks are taken to run at 1 GHz.\n");
        }
        if (!bus_khz) /* programs may divide by it; with TSC deadlines, the kernel ignores it */
                bus_khz = FALLBACK_KHZ;
        lapic_write(LAPIC_TIMER_INITIAL, 0);
        lapic_init();
        timer_set_rates(bus_khz, tsc_khz);
}

void delay_us(unsigned microseconds)
{
        const uint64_t end = rdtsc() + divide((uint64_t)microseconds * tsc_khz, 1000, NULL);

        while (rdtsc() < end)
                pause();
}
