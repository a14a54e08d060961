/* SPDX-License-Identifier: BSD-2-Clause */
/* Global system interrupts (see gsi.h). */
#include "device/gsi.h"

#include "arch/x86/cpu.h"
#include "arch/x86/vectors.h"
#include "device/hpet.h"
#include "device/io_apic.h"
#include "device/pci.h"
#include "device/remap.h"
#include "lib/stop.h"
#include "nova/abi/hip.h"
#include "object/pd.h"
#include "object/sm.h"
#include "sched/timeout.h"

#define RESUME_STEP 16 /* maximum number of GSIs that one interrupt resumes */

static struct sm *semaphores[NOVA_HIP_GSI]; /* by GSI; fixed after gsi_boot */

void gsi_boot(void)
{
        for (unsigned gsi = 0; gsi < NOVA_HIP_GSI; gsi++) {
                struct sm *sm;
                if (sm_create(&account_root, 0, &sm) != NOVA_SUCCESS ||
                    object_space_insert(&kernel_pd.object_space, NOVA_SEL_GSI_SM + gsi, &sm->object,
                                        NOVA_PERM_ALL) != NOVA_SUCCESS ||
                    io_apic_set_up(gsi, VECTOR_GSI + gsi, cpu_by_id(cpu_boot_id)) ==
                            NOVA_OUT_OF_MEMORY)
                        kernel_stop("the kernel pool is too small: enlarge it with kmem=");
                sm_set_gsi(sm, gsi);
                semaphores[gsi] = sm;
        }
}

void gsi_fire(unsigned gsi)
{
        struct cpu *cpu = cpu_self();

        uint64_t resume = io_apic_serve(gsi, cpu);
        if (likely(!resume))
                resume = remap_count(gsi, cpu);
        if (unlikely(resume))
                timeout_arm(cpu, resume);
        sm_up(semaphores[gsi]);
}

/* If a resumed GSI is of messages, interrupts were lost and the driver must check the device. So
 * the function performs an up on the semaphore of such a GSI. A pin that still has an interrupt
 * raises it again. */
void gsi_resume(struct cpu *cpu)
{
        uint64_t next = UINT64_MAX;
        unsigned left = RESUME_STEP;

        for (unsigned gsi = 0; gsi < NOVA_HIP_GSI && left; gsi++) {
                const bool was_lost = remap_resume(gsi, cpu, &next);
                if (was_lost)
                        sm_up(semaphores[gsi]);
                left -= was_lost || io_apic_resume(gsi, cpu, &next);
        }
        if (!left)
                next = 0; /* the timer fires again at once, for the remaining GSIs */
        if (next != UINT64_MAX)
                timeout_arm(cpu, next);
}

void gsi_unmask(unsigned gsi)
{
        io_apic_open(gsi);
}

enum nova_status gsi_assign(unsigned gsi, struct pd *pd, word_t device, const struct cpu *cpu,
                            struct msi *msi)
{
        struct msi_source source;

        *msi = (struct msi){0};
        if (io_apic_has(gsi))
                return io_apic_assign(gsi, cpu);
        source.is_hpet = !pci_find(pd, device, &source.id);
        if (source.is_hpet && !hpet_find(pd, device, &source.id))
                return NOVA_BAD_DEV;
        return msi_compose(gsi, source, cpu, msi);
}
