/* SPDX-License-Identifier: BSD-2-Clause */
/* Boots Debian with parts of the hypercall interface: with pairs of the eight groups of bits, or,
 * with the argument `all`, also with none, with each alone, with all, and with all but one. The
 * guest's output and the monitor's counters show that the guest uses all parts that it has, and no
 * others. */
#include <stdio.h>
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "machine.h"

#define GUEST_MEMORY (112u << 20)
#define VCPUS        2
#define GROUPS       8
#define SUBSETS      64

/* The groups. Timers need the counter. The guest uses the idle register for its locks only if it
 * has IPIs. */
enum {
        FREQUENCIES = 1,
        PAGE = 2,
        COUNTER = 4,
        TIMERS = 8,
        FLUSHES = 0x10,
        IPIS = 0x20,
        APIC = 0x40,
        IDLE = 0x80,
        ALL = 0xff
};

#define CLOCK  "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define EVENTS "/sys/devices/system/clockevents/clockevent0/current_device"

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;

static struct nova_hv_config config_of(unsigned subset)
{
        struct nova_hv_config config = {.privileges = NOVA_HV_PRIVILEGE_HYPERCALLS |
                                                      NOVA_HV_PRIVILEGE_VP_INDEX};

        config.privileges |= subset & FREQUENCIES ? NOVA_HV_PRIVILEGE_FREQUENCIES : 0;
        config.privileges |= subset & PAGE ? NOVA_HV_PRIVILEGE_REFERENCE_TSC : 0;
        config.privileges |= subset & COUNTER ? NOVA_HV_PRIVILEGE_REFERENCE_COUNTER : 0;
        config.privileges |= subset & TIMERS ? NOVA_HV_PRIVILEGE_TIMERS : 0;
        config.privileges |= subset & APIC ? NOVA_HV_PRIVILEGE_APIC_REGISTERS : 0;
        config.privileges |= subset & IDLE ? NOVA_HV_PRIVILEGE_IDLE : 0;
        config.hints |= subset & FLUSHES ? NOVA_HV_HINT_REMOTE_FLUSH : 0;
        config.hints |= subset & IPIS ? NOVA_HV_HINT_IPI : 0;
        config.hints |= subset & APIC ? NOVA_HV_HINT_APIC_REGISTERS : 0;
        config.direct_timers = subset & TIMERS;
        return config;
}

/* Adds a command to Linux's command line. The guest then continues only if the file has a matching
 * line (@p there), or only if the file has none (not @p there). */
static void demand(char *line, size_t bytes, bool there, const char *pattern, const char *file)
{
        const size_t length = strlen(line);

        snprintf(line + length, bytes - length, "%sgrep,-q,%s,%s&&", there ? "" : "!,", pattern,
                 file);
}

/* Returns Linux's command line. The guest switches itself off if all demands are met, and resets
 * itself otherwise. Its messages contain this line, so the patterns must not match the line. */
static const char *command_line(unsigned subset)
{
        static const struct {
                unsigned groups;
                const char *message;
        } messages[] = {{FLUSHES, "hypercall[^.]for[^.]remote"},
                        {IPIS, "IPI[^.]hypercalls"},
                        {APIC, "enlightened[^.]APIC"},
                        {IPIS | IDLE, "PV[^.]spinlocks[^.]enabled"}};
        static char line[1024];
        const char *const clock = subset & PAGE ? "tsc_page" : subset & COUNTER ? "msr" : "";

        strcpy(line, "console=ttyS0 reboot=k panic=-1 no_timer_check cryptomgr.notests quiet "
                     "run=dmesg>/tmp/messages+");
        demand(line, sizeof(line), *clock, *clock ? clock : "hyperv", CLOCK);
        demand(line, sizeof(line), subset & TIMERS, "Hyper-V", EVENTS);
        for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
                demand(line, sizeof(line), (subset & messages[i].groups) == messages[i].groups,
                       messages[i].message, "/tmp/messages");
        strcat(line, "poweroff,-f+cat," CLOCK "," EVENTS "+reboot,-f");
        return line;
}

static const char *load(unsigned subset)
{
        struct nova_linux image = {.command_line = command_line(subset), .rsdp = pc.rsdp};

        image.kernel = open_module("vmlinuz", &image.kernel_bytes);
        image.initrd = open_module("initrd", &image.initrd_bytes);
        if (!image.kernel || !image.initrd)
                return "a module is missing";
        return nova_linux_load(&vm.memory, &image, &vm.vcpu[0].start);
}

/* Returns whether a count is right. It may be above 0 if the guest has the part that causes it, and
 * 0 if the guest lacks the part or does not need it. */
static bool fits(const char *what, uint64_t count, bool there, bool needed)
{
        if (count > 0 ? there : !there || !needed)
                return true;
        printf("  %llu %s\n", (unsigned long long)count, what);
        return false;
}

static bool counts_fit(unsigned subset)
{
        uint64_t timers = 0, ends = 0;
        bool good;

        for (unsigned i = 0; i < VCPUS; i++) {
                timers += hv.vp[i].timer_interrupts;
                ends += hv.vp[i].ends + hv.vp[i].quiet_ends;
        }
        good = fits("timers", timers, subset & TIMERS, true);
        good &= fits("ends of interrupts", ends, subset & APIC, true);
        good &= fits("calls that flush", hv.flush_calls, subset & FLUSHES, false);
        good &= fits("calls that send", hv.ipi_calls, subset & IPIS, true);
        return good;
}

static bool boot(unsigned subset)
{
        const struct nova_vm_config machine = {
                .name = "matrix", .memory = GUEST_MEMORY, .local_apic = true, .vcpus = VCPUS};
        const struct nova_hv_config config = config_of(subset);
        enum nova_vm_end end;
        const char *why;
        bool good;

        if (!machine_create(&vm, &machine, &pc))
                return false;
        if (nova_hv_enable(&hv, &vm, &config)) {
                printf("subset 0x%02x: %s\n", subset, vm.why);
                return false;
        }
        why = load(subset);
        if (why)
                return nova_vm_not_loaded(&vm, why), false;
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_pc_flush(&pc);
        good = end == NOVA_VM_OFF && counts_fit(subset);
        printf("\nsubset 0x%02x: the guest %s, %s\n", subset, nova_vm_end_text(end),
               good ? "as expected" : "unexpected");
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        return good;
}

/* Adds a subset unless it is in the list. */
static unsigned add(unsigned *subsets, unsigned count, unsigned subset)
{
        subset |= subset & TIMERS ? COUNTER : 0;
        for (unsigned i = 0; i < count; i++)
                if (subsets[i] == subset)
                        return count;
        subsets[count] = subset;
        return count + 1;
}

/* Lists eight pairs: each group with the next one. */
static unsigned list_pairs(unsigned *subsets)
{
        unsigned count = 0;

        for (unsigned i = 0; i < GROUPS; i++)
                count = add(subsets, count, 1u << i | 1u << (i + 1) % GROUPS);
        return count;
}

static unsigned list_all(unsigned *subsets)
{
        unsigned count = 0;

        count = add(subsets, count, 0);
        count = add(subsets, count, ALL);
        for (unsigned i = 0; i < GROUPS; i++) {
                count = add(subsets, count, 1u << i);
                count = add(subsets, count, ALL & ~(1u << i));
                for (unsigned k = i + 1; k < GROUPS; k++)
                        count = add(subsets, count, 1u << i | 1u << k);
        }
        return count;
}

/* Counts the subsets that are refused: those with timers but without the counter. */
static unsigned count_refused(void)
{
        static const struct nova_hv_machine machine = {.same_tsc = true, .local_apic = true};
        unsigned refused = 0;

        for (unsigned subset = 0; subset <= ALL; subset++) {
                const struct nova_hv_config config = config_of(subset);
                const char *why = NULL;
                const bool bad = nova_hv_check(&config, &machine, &why);

                refused += bad;
                if (bad != ((subset & (TIMERS | COUNTER)) == TIMERS) || bad != (why != NULL))
                        printf("subset 0x%02x: %s\n", subset, why ? why : "accepted");
        }
        return refused;
}

int main(int argc, char **argv)
{
        unsigned subsets[SUBSETS], good = 0;
        const unsigned count =
                argc == 2 && !strcmp(argv[1], "all") ? list_all(subsets) : list_pairs(subsets);

        printf("%u subsets are refused.\n", count_refused());
        for (unsigned i = 0; i < count; i++)
                good += boot(subsets[i]);
        printf("%u of %u subsets: as expected\n", good, count);
        return good != count;
}
