/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts (see interrupt.h). */
#include "trap/interrupt.h"

#include "arch/x86/lapic.h"
#include "arch/x86/tlb.h"
#include "arch/x86/vectors.h"
#include "device/gsi.h"
#include "device/io_apic.h"
#include "device/iommu.h"
#include "device/remap.h"
#include "nova/abi/hip.h"
#include "object/reclaim.h"
#include "object/sc.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "sched/timeout.h"

static void interrupt_ipi(struct cpu *cpu)
{
        flush_answer(cpu);
        mail_interrupt(cpu);
        if (cpu_holds_pointers(cpu))
                cpu->pending |= CPU_PENDING_GRACE;
        else
                reclaim_quiescent(cpu);
}

/* Handles the timer: the quantum of the current SC may be used up, a deadline may have passed, or
 * the interval was too long for the hardware timer. */
static void interrupt_timer(struct cpu *cpu)
{
        const uint64_t now = rdtsc(), end = sc_slice_end(cpu->current_sc, cpu->slice_start);

        timeout_expire(cpu);
        iommu_poll();
        reclaim_timer(cpu);
        if (unlikely(remap_stopped | io_apic_stopped))
                gsi_resume(cpu);
        if (now >= end)
                sched_decide(cpu);
        else
                timeout_arm(cpu, end);
}

void interrupt_dispatch(unsigned vector)
{
        if (vector >= VECTOR_GSI && vector < VECTOR_GSI + NOVA_HIP_GSI)
                gsi_fire(vector - VECTOR_GSI);
        else if (vector == VECTOR_TIMER)
                interrupt_timer(cpu_self());
        else if (vector == VECTOR_IPI)
                interrupt_ipi(cpu_self());
        else if (vector == VECTOR_IOMMU)
                iommu_fault();
        else if (!lapic_is_in_service(vector))
                return; /* spurious: must not be acknowledged */
        lapic_eoi();    /* for any vector in service: otherwise it would block all others */
}
