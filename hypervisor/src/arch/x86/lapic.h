/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of this CPU, in x2APIC mode if possible: timer, and interrupts to other CPUs. */
#ifndef ARCH_X86_LAPIC_H
#define ARCH_X86_LAPIC_H

#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "layout.h"
#include "lib/types.h"

#define LAPIC_ID            0x020
#define LAPIC_TPR           0x080
#define LAPIC_EOI           0x0b0
#define LAPIC_SPURIOUS      0x0f0
#define LAPIC_IN_SERVICE    0x100 /* eight registers of 32 vectors each */
#define LAPIC_LVT_CMCI      0x2f0
#define LAPIC_ICR_LOW       0x300
#define LAPIC_ICR_HIGH      0x310
#define LAPIC_LVT_TIMER     0x320
#define LAPIC_LVT_THERMAL   0x330
#define LAPIC_LVT_COUNTER   0x340
#define LAPIC_LVT_LINT0     0x350
#define LAPIC_LVT_LINT1     0x360
#define LAPIC_LVT_ERROR     0x370
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_CURRENT 0x390
#define LAPIC_TIMER_DIVIDE  0x3e0

/** True if the local APICs are in x2APIC mode, in which registers are MSRs. Fixed at boot. */
extern bool lapic_x2apic;

/* Reads a register. Without x2APIC mode, the registers are in the first page at MMIO_BASE. */
static inline uint32_t lapic_read(unsigned reg)
{
        if (unlikely(lapic_x2apic))
                return (uint32_t)rdmsr(MSR_X2APIC + (reg >> 4));
        return *(volatile uint32_t *)(MMIO_BASE + reg);
}

static inline void lapic_write(unsigned reg, uint32_t value)
{
        if (unlikely(lapic_x2apic)) {
                wrmsr(MSR_X2APIC + (reg >> 4), value);
                return;
        }
        *(volatile uint32_t *)(MMIO_BASE + reg) = value;
}

/** Acknowledges the interrupt that is being handled. */
static inline void lapic_eoi(void)
{
        lapic_write(LAPIC_EOI, 0);
}

/** Returns true if this CPU handles an interrupt with this vector. A spurious interrupt is not in
 * service. */
static inline bool lapic_is_in_service(unsigned vector)
{
        return lapic_read(LAPIC_IN_SERVICE + vector / 32 * 0x10) >> vector % 32 & 1;
}

/** Maps the registers and chooses the mode: x2APIC if the CPUs have it, unless avoid_x2apic is set
 * and firmware has not chosen this mode already. Call once. */
void lapic_map(paddr_t phys, bool avoid_x2apic);

/** Enables this CPU's local APIC. */
void lapic_init(void);

/** Returns the number of this CPU's local APIC. Enables the APIC if it is off. */
unsigned lapic_id(void);

/* Commands that lapic_send_ipi() can send instead of a vector. */
#define LAPIC_NMI         0x400
#define LAPIC_INIT        0x500
#define LAPIC_START(page) (0x600 | (uint32_t)((page) >> PAGE_BITS)) /* at a page below 1 MiB */

/** Sends a vector, an NMI, a reset or a start message to a CPU. */
void lapic_send_ipi(unsigned apic_id, uint32_t what);

/** Makes the timer fire VECTOR_TIMER once, after tsc_ticks ticks of the TSC (0: at once). The timer
 * may fire too early if this time is longer than a few seconds. */
void timer_arm(uint64_t tsc_ticks);

/** Selects whether a timer without TSC deadlines fires repeatedly, with the period to which it was
 * set. timer_arm() is for a timer that fires once. */
void timer_repeat(bool on);

/** Sets the frequencies that timer_arm() uses. */
void timer_set_rates(uint32_t timer_khz, uint32_t tsc_khz);

#endif
