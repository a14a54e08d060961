/* SPDX-License-Identifier: BSD-2-Clause */
/* Start of the other CPUs (APs). The boot CPU starts all of them at once. They pass through the
 * trampoline in any order. */
#include "boot/smp.h"

#include "arch/x86/boot_paging.h"
#include "arch/x86/calibrate.h"
#include "arch/x86/cpu_init.h"
#include "arch/x86/descriptors.h"
#include "arch/x86/features.h"
#include "arch/x86/fpu.h"
#include "arch/x86/insn.h"
#include "arch/x86/lapic.h"
#include "arch/x86/msr.h"
#include "arch/x86/speculation.h"
#include "arch/x86/window.h"
#include "boot/boot.h"
#include "divide.h"
#include "firmware/acpi.h"
#include "firmware/memory_map.h"
#include "lib/atomic.h"
#include "lib/console.h"
#include "lib/string.h"
#include "sched/cpu.h"
#include "virt/vmx/vmx.h"

#define XAPIC_END       0xff /* the first local APIC number that needs x2APIC mode */
#define TRAMPOLINE_LOW  0x1000
#define TRAMPOLINE_HIGH 0x9f000
#define INIT_US         10  /* time from INIT to start message; CPUs with PAE do not need 10 ms */
#define START_AGAIN_US  200 /* time to a second start message (SDM 3A, 8.4.4) */
#define GIVE_UP_US      1000000

/* State of an AP. It changes by compare and swap, so that an AP that arrives too late is left
 * out. The AP then increments arrived, at once or after its initialisation. */
enum ap_state { AP_EXPECTED, AP_ARRIVED, AP_UNSUITED, AP_LACKING, AP_LEFT_OUT };

extern const char trampoline[], trampoline_end[];

unsigned cpu_count;
uint64_t cpu_online;
unsigned cpu_boot_id;

/* Local APIC numbers of the CPUs. start.S searches them for the number of the CPU on which it
 * runs. */
uint32_t apic_of_cpu[NOVA_CPU_MAX];

static word_t state[NOVA_CPU_MAX];      /* enum ap_state */
static const char *lacks[NOVA_CPU_MAX]; /* of APs that lack a feature: its name */
static unsigned cpus;
static uint32_t arrived;  /* number of APs that have arrived */
static uint32_t released; /* 1: the APs may continue */
static uint64_t release_tsc;

void smp_init(unsigned apic_id)
{
        memset(apic_of_cpu, 0xff, sizeof(apic_of_cpu));
        for (unsigned i = 0; i < acpi.cpus; i++)
                if (acpi.cpu[i] < XAPIC_END || lapic_x2apic)
                        apic_of_cpu[cpus++] = acpi.cpu[i];
                else
                        acpi.left_out++;
        for (cpu_boot_id = 0; cpu_boot_id < cpus; cpu_boot_id++)
                if (apic_of_cpu[cpu_boot_id] == apic_id)
                        break;
        if (cpu_boot_id == cpus) { /* the table lacks the boot CPU */
                if (cpus == NOVA_CPU_MAX)
                        cpu_boot_id--;
                else
                        cpus++;
                apic_of_cpu[cpu_boot_id] = apic_id;
        }
        cpu_count = 1;
        cpu_online = (uint64_t)1 << cpu_boot_id;
        if (acpi.left_out)
                console_print("NOVA: %u CPU%s left out: at most %u can be used, and without x2APIC "
                              "only those with local APIC numbers below 255.\n",
                              acpi.left_out, acpi.left_out == 1 ? "" : "s", NOVA_CPU_MAX);
}

unsigned smp_cpus(void)
{
        return cpus;
}

unsigned smp_apic_id(unsigned id)
{
        return apic_of_cpu[id];
}

struct cpu *smp_prepare(unsigned id)
{
        struct cpu *cpu = boot_paging_map_cpu(id);

        if (!cpu)
                return NULL;
        cpu->id = id;
        cpu->arch.apic_id = apic_of_cpu[id];
        cpu->arch.tss = (struct tss *)(TSS_BASE + (word_t)id * TSS_STRIDE);
        cpu->number = (uint8_t)id;
        cpu->user_data = SEL_USER_DATA;
        return cpu;
}

static bool smp_is_expected(unsigned id)
{
        return id != cpu_boot_id && load_once(state[id]) == AP_EXPECTED;
}

static void smp_send_start(paddr_t page)
{
        for (unsigned id = 0; id < cpus; id++)
                if (smp_is_expected(id))
                        lapic_send_ipi(apic_of_cpu[id], LAPIC_START(page));
}

/* Waits until all APs have arrived, or until no further AP has arrived for some time. */
static void smp_wait_for_arrival(unsigned expected, unsigned microseconds)
{
        const uint64_t limit = divide((uint64_t)microseconds * tsc_khz, 1000, NULL);
        uint64_t start = rdtsc();
        unsigned seen = 0;

        while (seen != expected && rdtsc() - start < limit) {
                const unsigned now = atomic_load_u32(&arrived);

                if (now != seen)
                        start = rdtsc();
                seen = now;
                pause();
        }
}

/* Prepares the blocks of all APs and returns their number. Leaves out an AP if there is no memory
 * for its block. */
static unsigned smp_prepare_all(void)
{
        unsigned expected = 0;

        for (unsigned id = 0; id < cpus; id++) {
                if (id == cpu_boot_id)
                        continue;
                if (smp_prepare(id)) {
                        expected++;
                } else {
                        state[id] = AP_LEFT_OUT;
                        console_print("NOVA: no memory is left for CPU %u: use a larger kmem=.\n",
                                      id);
                }
        }
        return expected;
}

/* Returns the number of APs that did not arrive in time. */
static unsigned smp_leave_out(void)
{
        unsigned late = 0;

        for (unsigned id = 0; id < cpus; id++) {
                if (id == cpu_boot_id)
                        continue;
                if (atomic_compare_exchange_word(&state[id], AP_EXPECTED, AP_LEFT_OUT)) {
                        late++;
                        console_print("NOVA: CPU %u (local APIC %u) did not start and is left "
                                      "out.\n",
                                      id, apic_of_cpu[id]);
                } else if (load_once(state[id]) == AP_UNSUITED) {
                        console_print("NOVA: CPU %u (local APIC %u) has other flaws of speculation "
                                      "than the boot CPU and is left out; mitigations=off uses "
                                      "it.\n",
                                      id, apic_of_cpu[id]);
                } else if (load_once(state[id]) == AP_LACKING) {
                        console_print("NOVA: CPU %u (local APIC %u) lacks a feature of the boot "
                                      "CPU, %s, and is left out.\n",
                                      id, apic_of_cpu[id], lacks[id]);
                }
        }
        return late;
}

/* Returns a free page below 1 MiB, if possible the second page, which no firmware uses. */
static paddr_t smp_trampoline_page(void)
{
        const paddr_t page =
                memory_map_find(PAGE_SIZE, PAGE_SIZE, TRAMPOLINE_LOW, TRAMPOLINE_LOW + PAGE_SIZE);

        return page ? page : memory_map_find(PAGE_SIZE, PAGE_SIZE, TRAMPOLINE_LOW, TRAMPOLINE_HIGH);
}

void smp_start(void)
{
        const unsigned expected = smp_prepare_all();
        const paddr_t page = smp_trampoline_page();
        void *place = page ? boot_map(0, page, PAGE_SIZE) : NULL;

        if (!expected)
                return;
        if (place) {
                memcpy(place, trampoline, (size_t)(trampoline_end - trampoline));
                for (unsigned id = 0; id < cpus; id++)
                        if (smp_is_expected(id))
                                lapic_send_ipi(apic_of_cpu[id], LAPIC_INIT);
                delay_us(INIT_US);
                smp_send_start(page);
                smp_wait_for_arrival(expected, START_AGAIN_US);
                smp_send_start(page);
                smp_wait_for_arrival(expected, GIVE_UP_US);
        }

        const unsigned late = smp_leave_out();
        /* A late AP may execute the trampoline at any later time, so no program gets the page of
         * the trampoline. */
        if (late && place)
                memory_map_take(page, PAGE_SIZE, false);
        /* An AP may have changed its state just before the time limit. The boot CPU then waits
         * until cpu_features and errata contain this AP, and until smp_release() follows its
         * arrival. */
        while (atomic_load_u32(&arrived) < expected - late)
                pause();
        for (unsigned id = 0; id < cpus; id++)
                if (state[id] == AP_ARRIVED) {
                        cpu_online |= (uint64_t)1 << id;
                        cpu_count++;
                }
}

void smp_release(void)
{
        release_tsc = rdtsc();
        atomic_store_u32(&released, 1);
}

/* Waits for the boot CPU's release, which follows the AP's arrival. If the TSC values show another
 * order, the TSCs are not synchronised, and the AP takes over the boot CPU's value. Otherwise the
 * TSC is not written, because a write could only make synchronised TSCs differ (and Bochs 2.7 has
 * wrong deadlines after a write). */
static void smp_wait_for_release(uint64_t arrival)
{
        while (!atomic_load_u32(&released))
                pause();
        if (release_tsc < arrival || release_tsc > rdtsc())
                wrmsr(MSR_TSC, release_tsc);
}

/* Returns AP_ARRIVED if the AP that executes this can be used. The boot CPU's treatments of flaws,
 * and the features that it uses for all CPUs, would raise exceptions on other APs. */
static enum ap_state smp_check_ap(unsigned id)
{
        lacks[id] = features_lacking();
        if (!lacks[id] && !fpu_suits_cpu())
                lacks[id] = "states of XSAVE";
        if (lacks[id])
                return AP_LACKING;
        return speculation_suits_cpu() ? AP_ARRIVED : AP_UNSUITED;
}

void ap_main(unsigned id)
{
        struct cpu *cpu = cpu_by_id(id);
        const enum ap_state found = smp_check_ap(id);

        /* An AP that was left out or cannot be used stays here for ever. An AP that cannot be used
         * does not change cpu_features, but reports its arrival, so that the boot CPU does not wait
         * for it. */
        if (found != AP_ARRIVED) {
                if (atomic_compare_exchange_word(&state[id], AP_EXPECTED, found))
                        atomic_fetch_add_u32(&arrived, 1);
        } else if (atomic_compare_exchange_word(&state[id], AP_EXPECTED, AP_ARRIVED)) {
                features_read(false);
                vmx_check_feature(false);
                descriptors_load(cpu);
                cpu_init(cpu);
                lapic_init();
                const uint64_t arrival = rdtsc();
                atomic_fetch_add_u32(&arrived, 1);
                smp_wait_for_release(arrival);
                kernel_main(cpu);
        }
        for (;;) {
                cli();
                hlt();
        }
}
