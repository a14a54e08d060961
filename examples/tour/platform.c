/* SPDX-License-Identifier: BSD-2-Clause */
/* Screen 1: the machine as the hypervisor information page describes it. */
#include "tour.h"

static const char *mem_type(int32_t type)
{
        switch (type) {
        case NOVA_MEM_AVAILABLE:
                return "available";
        case NOVA_MEM_ACPI_RECLAIM:
                return "ACPI tables";
        case NOVA_MEM_ACPI_NVS:
                return "ACPI storage";
        case NOVA_MEM_KERNEL:
                return "microhypervisor";
        case NOVA_MEM_MODULE:
                return "module";
        case NOVA_MEM_CMDLINE:
                return "command line of the microhypervisor";
        case NOVA_MEM_LOG:
                return "log of the microhypervisor";
        case NOVA_MEM_BOOT:
                return "boot information";
        case NOVA_MEM_PCI:
                return "PCI configuration space";
        default:
                return "reserved";
        }
}

static const struct {
        unsigned flag;
        const char *name;
} feature[] = {
        {NOVA_HIP_VMX, "VMX"},
        {NOVA_HIP_SVM, "SVM"},
        {NOVA_HIP_DESTROY, "pd_destroy"},
        {NOVA_HIP_OOM, "status out of memory"},
        {NOVA_HIP_DL, "status deadlock"},
        {NOVA_HIP_R8_R15, "R8 to R15 in messages"},
        {NOVA_HIP_BOOT, "boot information"},
        {NOVA_HIP_LOG, "kernel log"},
        {NOVA_HIP_TIMEOUT, "timeouts"},
};

static void show_cpus(const struct nova_hip *hip)
{
        struct nova_hip_cpu cpu;
        unsigned shown = 0;

        say("CPU  package  core  thread\n");
        for (unsigned i = 0; nova_hip_get_cpu(hip, i, &cpu); i++) {
                if (!(cpu.flags & NOVA_CPU_ENABLED))
                        continue;
                if (shown++ < 8)
                        say("%3u  %7u  %4u  %6u%s\n", i, cpu.package, cpu.core, cpu.thread,
                            i == root.cpu ? "  (this program runs here)" : "");
        }
        if (shown > 8)
                say("... and %u more\n", shown - 8);
}

static void show_memory(const struct nova_hip *hip)
{
        uint64_t cursor = 0, addr, size, sum = 0;
        struct nova_hip_mem mem;

        say("\n       first byte         last byte         KiB  type\n");
        for (unsigned i = 0; nova_hip_get_mem(hip, i, &mem); i++)
                if (mem.size)
                        say("%17llx %17llx  %10llu  %s\n", (unsigned long long)mem.addr,
                            (unsigned long long)nova_hip_mem_end(&mem) - 1,
                            (unsigned long long)mem.size >> 10, mem_type(mem.type));
        while (nova_hip_next_free(hip, &cursor, &addr, &size))
                sum += size;
        say("%47llu  of it free\n", (unsigned long long)sum >> 10);
}

/* Shows the modules. Their command lines lie in physical memory and must be mapped first. */
static void show_modules(const struct nova_hip *hip)
{
        struct nova_hip_mem mem;

        for (unsigned i = 0; nova_hip_get_module(hip, i, &mem); i++) {
                const char *text = mem.aux ? nova_root_map(&root, mem.aux, 1, NOVA_MEM_R) : NULL;
                /* Only the rest of the page is mapped. */
                const int length = (int)(NOVA_PAGE_SIZE - mem.aux % NOVA_PAGE_SIZE);

                say("Module %u%s: %.*s\n", i, i ? "" : " (this program)", length < 50 ? length : 50,
                    text ? text : "no command line");
        }
}

static void show_features(uint32_t features)
{
        const char *separator = "";

        say("Features:\n    ");
        for (unsigned i = 0; i < sizeof(feature) / sizeof(feature[0]); i++)
                if (features & feature[i].flag) {
                        say("%s%s", separator, feature[i].name);
                        separator = i % 5 == 4 ? ",\n    " : ", ";
                }
        say("\n");
}

void screen_platform(void)
{
        const struct nova_hip *hip = root.hip;

        title(1, "The platform, from the hypervisor information page");
        must_be("a hypervisor information page with the right checksum", nova_hip_valid(hip));
        say("The kernel describes the machine in one page; programs need no firmware.\n\n");
        show_cpus(hip);
        show_memory(hip);
        show_modules(hip);
        say("Interface version %u, %u object selectors\n", hip->version, hip->sel);
        show_features(hip->features);
        say("Time stamp counter %u MHz, bus %u MHz, %u interrupts\n", hip->tsc_khz / 1000,
            hip->bus_khz / 1000, hip->gsi);
}
