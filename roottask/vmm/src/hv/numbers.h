/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of the MSRs of the interface. TLFS, appendix C. docs/manual/enlightened.md has the
 * comments as a table (tests/docs/hv_tables.py). */
#ifndef NOVAVMM_SRC_HV_NUMBERS_H
#define NOVAVMM_SRC_HV_NUMBERS_H

enum novavmm_hv_msr {
        /* identity that the guest reports; `nova_hv_identity_text()` decodes it */
        NOVAVMM_MSR_IDENTITY = 0x40000000,
        /* hypercall page: bit 0 enables it, bit 1 locks the register, bits 12 and above are the
         * page's address */
        NOVAVMM_MSR_HYPERCALL = 0x40000001,
        /* number of the virtual processor; read-only */
        NOVAVMM_MSR_VP_INDEX = 0x40000002,
        /* bit 0 resets the machine; reads as 0 */
        NOVAVMM_MSR_RESET = 0x40000003,
        /* time of the virtual processor and of the handlers of its exits, in units of 100 ns;
         * read-only */
        NOVAVMM_MSR_RUN_TIME = 0x40000010,
        /* reference time since `nova_hv_enable()`, in units of 100 ns; read-only */
        NOVAVMM_MSR_REFERENCE_COUNTER = 0x40000020,
        /* page of reference time: bit 0 enables it, bits 12 and above are the page's address */
        NOVAVMM_MSR_REFERENCE_PAGE = 0x40000021,
        /* frequency of the TSC in Hz; read-only */
        NOVAVMM_MSR_TSC_FREQUENCY = 0x40000022,
        /* frequency of the local APICs' timers in Hz; read-only */
        NOVAVMM_MSR_APIC_FREQUENCY = 0x40000023,
        /* a write ends the interrupt in service; write-only; bits 32 to 63 are 0 */
        NOVAVMM_MSR_APIC_END = 0x40000070,
        /* interrupt command: both halves of the local APIC's register; a write sends */
        NOVAVMM_MSR_APIC_COMMAND = 0x40000071,
        /* task priority, bits 0 to 7; the others are 0 */
        NOVAVMM_MSR_APIC_PRIORITY = 0x40000072,
        /* assist page: bit 0 enables it, bits 12 and above are the page's address */
        NOVAVMM_MSR_ASSIST = 0x40000073,
        /* bit 0 enables the synthetic interrupt controller */
        NOVAVMM_MSR_SYNIC = 0x40000080,
        /* its version, 1; read-only */
        NOVAVMM_MSR_SYNIC_VERSION = 0x40000081,
        /* event flags page: bit 0 enables it, bits 12 and above are the page's address */
        NOVAVMM_MSR_SYNIC_EVENTS = 0x40000082,
        /* message page: bit 0 enables it, bits 12 and above are the page's address */
        NOVAVMM_MSR_SYNIC_MESSAGES = 0x40000083,
        /* a write of any value is the end of a message; reads as 0 */
        NOVAVMM_MSR_SYNIC_END = 0x40000084,
        /* sources 0 to 15 of interrupts */
        NOVAVMM_MSR_SOURCE = 0x40000090,
        NOVAVMM_MSR_SOURCE_LAST = 0x4000009f,
        /* synthetic timers 0 to 3: even numbers are the configuration, odd ones the count, which
         * is a reference time or a period in units of 100 ns */
        NOVAVMM_MSR_TIMER = 0x400000b0,
        NOVAVMM_MSR_TIMER_LAST = 0x400000b7,
        /* a read sleeps until an interrupt is pending, even if the guest has disabled interrupts;
         * reads as 0; read-only */
        NOVAVMM_MSR_IDLE = 0x400000f0,
        /* five values of the report of a crash */
        NOVAVMM_MSR_CRASH = 0x40000100,
        NOVAVMM_MSR_CRASH_LAST = 0x40000104,
        /* a write of bit 63 reports; with bit 62 the last two values are address and size of a
         * text; reads as both bits; a write of other bits raises #GP */
        NOVAVMM_MSR_CRASH_CONTROL = 0x40000105
};

#endif
