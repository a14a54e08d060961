/* SPDX-License-Identifier: BSD-2-Clause */
/* From an initialised machine to running threads: creates the idle threads, the microhypervisor's
 * own capabilities, and the root PD. */
#include "arch/x86/boot_paging.h"
#include "arch/x86/fpu.h"
#include "arch/x86/insn.h"
#include "boot/boot.h"
#include "boot/boot_info.h"
#include "boot/roottask.h"
#include "device/gsi.h"
#include "firmware/memory_map.h"
#include "lib/atomic.h"
#include "lib/console.h"
#include "lib/stop.h"
#include "nova/abi/hip.h"
#include "object/ec.h"
#include "object/pd.h"
#include "object/pt.h"
#include "object/sc.h"
#include "object/sm.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "virt/vcpu.h"

#define NO_MEMORY "the kernel pool is too small: enlarge it with kmem="

void kernel_prepare(void)
{
        tree_seed(rdtsc());
        mapping_init();
        if (!object_space_boot() || !fpu_boot() || !vcpu_boot())
                kernel_stop(NO_MEMORY);
        account_boot();
        pd_boot();
        ec_boot();
        sc_boot();
        pt_boot();
        sm_boot();
}

/* Returns the end of the frames that a CRD can name: on x86-32, at most 2^20. */
static word_t kernel_frames_end(void)
{
        const uint64_t named = (uint64_t)1 << (NOVA_WORD_BITS - PAGE_BITS);
        const uint64_t frames = boot_phys_end >> PAGE_BITS;

        return (word_t)(frames < named ? frames : named);
}

/* Finds the kernel range that starts first among the ranges that end after a frame. */
static bool kernel_next_range(word_t from, word_t *start, word_t *end)
{
        bool found = false;

        for (unsigned i = 0; i < boot_kernel_range_count; i++) {
                const struct boot_range *range = &boot_kernel_ranges[i];
                const word_t first = (word_t)(range->start >> PAGE_BITS);
                const word_t last =
                        (word_t)((range->start + range->size + PAGE_SIZE - 1) >> PAGE_BITS);
                if (last <= from || (found && first >= *start))
                        continue;
                *start = first;
                *end = last;
                found = true;
        }
        return found;
}

static void kernel_insert(struct space *space, word_t first, word_t count, unsigned perms)
{
        if (mapping_insert(space, first, count, first, perms) != NOVA_SUCCESS)
                kernel_stop(NO_MEMORY);
}

/* Lets the root PD read some pages of the image. */
static void kernel_insert_readable(const void *from, size_t size)
{
        kernel_insert(&kernel_pd.memory.space, ((word_t)from - IMAGE_OFFSET) >> PAGE_BITS,
                      size >> PAGE_BITS, NOVA_MEM_R);
}

/* Inserts all ports, all memory except the kernel's own ranges, and the kernel pages that the root
 * PD may read. */
static void kernel_resources(void)
{
        word_t at = 0, start = 0, end = 0;

        while (kernel_next_range(at, &start, &end) && start < kernel_frames_end()) {
                if (start > at)
                        kernel_insert(&kernel_pd.memory.space, at, start - at, NOVA_MEM_RWX);
                at = end;
        }
        if (at < kernel_frames_end())
                kernel_insert(&kernel_pd.memory.space, at, kernel_frames_end() - at, NOVA_MEM_RWX);
        kernel_insert(&kernel_pd.io.space, 0, space_limit(NOVA_CRD_IO), NOVA_MEM_RWX);
        kernel_insert_readable(&boot_info, sizeof(boot_info));
        kernel_insert_readable(&console_log, sizeof(console_log));
}

/* Creates the idle thread and its SC, which has priority 0 and which the root PD can read. */
static void kernel_create_idle(struct cpu *cpu)
{
        cpu->idle_ec = ec_create_idle(cpu, resume_idle);
        if (!cpu->idle_ec ||
            sc_create(&account_root, cpu->idle_ec, 0, 1, &cpu->idle_sc) != NOVA_SUCCESS)
                kernel_stop(NO_MEMORY);
        list_init(&cpu->woken);
        list_init(&cpu->stranded);
        cpu->current = cpu->idle_ec;
        cpu->current_sc = cpu->idle_sc;
        cpu->slice_start = rdtsc();
        if (object_space_insert(&kernel_pd.object_space, NOVA_SEL_IDLE_SC + cpu->id,
                                &cpu->idle_sc->object, NOVA_SC_CT) != NOVA_SUCCESS)
                kernel_stop(NO_MEMORY);
}

_Noreturn void kernel_main(struct cpu *cpu)
{
        static uint32_t ready; /* number of CPUs that need no more memory from the pool */

        fpu_init_cpu();
        heap_init(&cpu->timeouts, (uint32_t)rdtsc());
        cpu->timer_end = CPU_TIMER_OFF;
        if (vcpu_ops && !vcpu_ops->init_cpu(cpu))
                kernel_stop(NO_MEMORY);
        kernel_create_idle(cpu);
        atomic_fetch_add_u32(&ready, 1);
        if (cpu->id == cpu_boot_id) {
                kernel_resources();
                gsi_boot();
                while (atomic_load_u32(&ready) < cpu_count)
                        pause(); /* the roottask may use up the pool */
                roottask_start(cpu);
        }
        resume_next(cpu);
}
