/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine below the kernel: CPUs, interrupts, address space, clock; and its start. */
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "arch/x86/boot_paging.h"
#include "arch/x86/calibrate.h"
#include "arch/x86/errata.h"
#include "arch/x86/features.h"
#include "arch/x86/fpu.h"
#include "arch/x86/lapic.h"
#include "arch/x86/tlb.h"
#include "fake.h"
#include "firmware/power.h"
#include "lib/console.h"
#include "lib/stop.h"
#include "lib/tree.h"
#include "memory/account.h"
#include "memory/frame.h"
#include "object/pd.h"
#include "object/pt.h"
#include "object/reclaim.h"
#include "object/sc.h"
#include "object/sm.h"
#include "sched/cpu.h"
#include "tss.h"
#include "virt/vcpu.h"

#define POOL_MAX ((size_t)256 << 20)

char fake_cpu_blocks[NOVA_CPU_MAX * CPU_BLOCK_SIZE] __attribute__((aligned(CPU_BLOCK_SIZE)));
char fake_device[PAGE_SIZE];
unsigned cpu_count = 1;
unsigned cpu_boot_id;
uint64_t cpu_online = 1;
uint32_t tsc_khz = 1000000, bus_khz = 1000000;
uint32_t cpu_features[FEATURE_WORDS];
uint32_t errata;
paddr_t kernel_root_phys;
static const uint64_t window_entries[512];
const uint64_t *window_table = window_entries;
void (*fake_window)(void), (*fake_wait)(void);
unsigned fake_cr4_writes, fake_cr3_writes, fake_ipis;
uint64_t fake_timer;
uint64_t fake_tsc;
bool fake_emulated;

bool features_emulated(void)
{
        return fake_emulated;
}

static uint64_t kernel_root[512] __attribute__((aligned(PAGE_SIZE)));
static struct sc idle_sc[2];
static struct tss tss[2];
static struct ec idle_ec[2];

unsigned fake_cpu;

struct cpu *cpu_self(void)
{
        return cpu_by_id(fake_cpu);
}

word_t read_cr3(void)
{
        return 0;
}

void write_cr3(word_t value)
{
        fake_cr3_writes++;
        (void)value;
}

void write_cr3_of_pd(word_t value)
{
        write_cr3(value);
}

word_t read_cr4(void)
{
        return 0;
}

void write_cr4(word_t value)
{
        fake_cr4_writes++;
        (void)value;
}

/* Does nothing: the host's own selectors stay. */
void load_ds(uint16_t selector)
{
        (void)selector;
}

void load_es(uint16_t selector)
{
        (void)selector;
}

void load_fs(uint16_t selector)
{
        (void)selector;
}

void load_gs(uint16_t selector)
{
        (void)selector;
}

void load_ds_from(const uint16_t *selector)
{
        (void)selector;
}

void load_es_from(const uint16_t *selector)
{
        (void)selector;
}

void load_fs_from(const uint16_t *selector)
{
        (void)selector;
}

void load_gs_from(const uint16_t *selector)
{
        (void)selector;
}

void cli(void)
{
}

void sti(void)
{
        if (fake_window)
                fake_window();
}

void fake_pause(void)
{
        if (fake_wait)
                fake_wait();
        if (fake_tsc) /* otherwise a wait for a point in time would never end */
                fake_tsc += tsc_khz / 4;
}

uint64_t rdtsc(void)
{
        return fake_tsc ? fake_tsc : real_rdtsc();
}

void (*fake_clflush)(const volatile void *address);

void clflush(const volatile void *address)
{
        if (fake_clflush)
                fake_clflush(address);
}

void lapic_send_ipi(unsigned apic_id, uint32_t vector)
{
        (void)apic_id;
        (void)vector;
        fake_ipis++;
}

void timer_repeat(bool on)
{
        (void)on;
}

void timer_arm(uint64_t tsc_ticks)
{
        fake_timer = tsc_ticks;
}

size_t fpu_size(void)
{
        return 512;
}

void fpu_prepare(void *state)
{
        (void)state;
}

/* The machine of a test has no power switch. */
_Noreturn void power_reset(void)
{
        abort();
}

void power_off(void)
{
}

void fpu_drop(struct ec *ec)
{
        (void)ec;
}

unsigned fake_lines;

void console_print(const char *format, ...)
{
        (void)format;
        fake_lines++;
}

_Noreturn void kernel_stop(const char *format, ...)
{
        va_list list;

        va_start(list, format);
        vfprintf(stderr, format, list);
        va_end(list);
        abort();
}

/* Lets a CPU be idle. No SC that a test creates preempts the idle SC. */
static void cpu_init(unsigned id)
{
        struct cpu *cpu = cpu_by_id(id);

        *cpu = (struct cpu){.id = id,
                            .number = (uint8_t)id,
                            .current = &idle_ec[id],
                            .current_sc = &idle_sc[id],
                            .idle_sc = &idle_sc[id],
                            .idle_ec = &idle_ec[id],
                            .arch.tss = &tss[id],
                            .frame_refusals = frame_refusals};
        idle_sc[id] = (struct sc){
                .ec = &idle_ec[id], .owner = &idle_ec[id], .cpu = cpu, .prio = NOVA_PRIO_MAX};
        idle_ec[id] = (struct ec){.cpu = cpu, .kind = EC_IDLE, .state = EC_READY};
        list_init(&idle_ec[id].sleepers);
        list_init(&cpu->woken);
        list_init(&cpu->stranded);
}

void fake_boot(unsigned frames)
{
        static void *pool;

        if (!pool)
                pool = mmap(NULL, POOL_MAX, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (pool == MAP_FAILED || (size_t)frames << PAGE_BITS > POOL_MAX)
                abort();
        ASAN_UNPOISON_MEMORY_REGION(pool, (size_t)frames << PAGE_BITS);
        cpu_features[WORD_EXT_EDX] |= 1u << FEATURE_NX % 32;
        kernel_root_phys = (paddr_t)kernel_root;
        fake_window = fake_wait = fake_freed = fake_allocates = NULL;
        fake_cpu = 0;
        fake_memory_forget();
        cpu_init(0);
        cpu_by_id(1)->number = 1;
        fake_device_boot();
        fake_iommu_boot();
        account_root.used = 0;
        account_root.limit = ~(word_t)0;
        frame_init((paddr_t)pool, (uint64_t)frames << PAGE_BITS);
        tree_seed(0x1234567);
        object_space_boot();
        mapping_init();
        account_boot();
        pd_boot();
        ec_boot();
        vcpu_cache_boot();
        sc_boot();
        pt_boot();
        sm_boot();
}

void fake_second_cpu(struct pd *pd)
{
        cpu_count = 2;
        cpu_online = 3;
        cpu_init(1);
        cpu_by_id(1)->current_pd = pd;
}

void fake_idle(void)
{
        fake_cpu = 0;
        struct cpu *cpu = cpu_self();

        fake_window = fake_wait = NULL;
        cpu_count = 1;
        cpu_online = 1;
        cpu->current = cpu->current_sc->ec = cpu->idle_ec;
        cpu->current_pd = NULL;
        cpu->current_ended = false;
}

/* Does the work of a decision that follows the end of an EC. */
static void finish_ends(struct cpu *cpu)
{
        while (cpu_has_cuts(cpu))
                ec_cut_step(cpu);
}

bool fake_free(void)
{
        struct ec *idle = cpu_self()->idle_ec;
        const bool is_real = !fake_tsc;
        enum reclaim_help help = RECLAIM_WAITS;

        if (is_real)
                fake_tsc = real_rdtsc();
        idle->grace_waits = false;
        while (help == RECLAIM_WAITS && !cpu_holds_pointers(cpu_self()))
                help = reclaim_wait_step(idle);
        if (is_real)
                fake_tsc = 0;
        return help == RECLAIM_DONE;
}

void fake_settle(void)
{
        fake_fail_allocation(-1);
        finish_ends(cpu_self());
        do
                while (cpu_self()->dying) {
                        object_reap();
                        finish_ends(cpu_self());
                }
        while (fake_free() || cpu_self()->dying);
}
