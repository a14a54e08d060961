/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor information page. @spec 6.2 */
#include "boot/hip.h"

#include "arch/x86/calibrate.h"
#include "arch/x86/cpu.h"
#include "arch/x86/features.h"
#include "boot/boot_info.h"
#include "boot/smp.h"
#include "device/pci.h"
#include "firmware/acpi.h"
#include "firmware/memory_map.h"
#include "lib/console.h"
#include "lib/stop.h"
#include "lib/string.h"
#include "memory/frame.h"
#include "nova/abi/hip.h"
#include "virt/svm/svm.h"
#include "virt/vcpu.h"

#define MEM_MAX ((PAGE_SIZE - sizeof(struct nova_hip)) / sizeof(struct nova_hip_mem))

#define PAGE_SIZES (1u << 12 | 1u << 21)
#define UTCB_SIZES (1u << 12)
#define EXTENSIONS 3  /* descriptors of extensions, except PCI windows */
#define LISTED     16 /* listed ranges of the kernel: all except registers of devices */

/* Extensions of both architectures. */
#define FEATURES                                                                            \
        (NOVA_HIP_DESTROY | NOVA_HIP_OOM | NOVA_HIP_DL | NOVA_HIP_BOOT | NOVA_HIP_LOG |     \
         NOVA_HIP_TIMEOUT | NOVA_HIP_QUOTA | NOVA_HIP_NAME | NOVA_HIP_EXIT | NOVA_HIP_TLS | \
         NOVA_HIP_MACHINE | NOVA_HIP_LIMIT | NOVA_HIP_RECEIVE | NOVA_HIP_PCI)

_Static_assert(MEMORY_ENTRIES + MODULES + LISTED + EXTENSIONS <= MEM_MAX, "all descriptors fit");

void *boot_hip;

/* Adds a descriptor. Returns false if the page is full. */
static bool hip_add_memory(paddr_t addr, uint64_t size, int32_t type, uint32_t aux)
{
        struct nova_hip *hip = boot_hip;
        const unsigned next = (hip->length - hip->mem_offset) / hip->mem_size;

        if (next == MEM_MAX)
                return false;
        hip->mem[next] = (struct nova_hip_mem){addr, size, type, aux};
        hip->length = (uint16_t)(hip->length + hip->mem_size);
        return true;
}

bool hip_build(void)
{
        struct nova_hip *hip = frame_alloc_zeroed();

        if (!hip)
                return false;
        boot_hip = hip;
        hip->signature = NOVA_HIP_SIGNATURE;
        hip->length = sizeof(*hip);
        hip->cpu_offset = offsetof(struct nova_hip, cpu);
        hip->cpu_size = sizeof(struct nova_hip_cpu);
        hip->mem_offset = offsetof(struct nova_hip, mem);
        hip->mem_size = sizeof(struct nova_hip_mem);
        hip->features = FEATURES | (sizeof(word_t) == 8 ? NOVA_HIP_R8_R15 : 0);
        hip->version = NOVA_HIP_VERSION;
        hip->sel = (uint32_t)1 << NOVA_SEL_ORDER;
        hip->exc = NOVA_HIP_EXC;
        hip->vmi = NOVA_HIP_VMI;
        hip->gsi = NOVA_HIP_GSI;
        hip->page_sizes = PAGE_SIZES;
        hip->utcb_sizes = UTCB_SIZES;
        hip->tsc_khz = tsc_khz;
        hip->bus_khz = bus_khz;
        for (unsigned i = 0; i < memory_map.entries; i++)
                hip_add_memory(memory_map.entry[i].start, memory_map.entry[i].size,
                               (int32_t)memory_map.entry[i].type, 0);
        for (unsigned i = 0; i < memory_map.modules; i++)
                hip_add_memory(memory_map.module[i].start, memory_map.module[i].size,
                               NOVA_MEM_MODULE, memory_map.module[i].cmdline);
        return true;
}

/* Adds a descriptor that programs need. They would request the kernel's frames if a range of it
 * were missing, and the features promise the extensions. */
static void hip_add_needed(paddr_t addr, uint64_t size, int32_t type)
{
        if (!hip_add_memory(addr, size, type, 0))
                kernel_stop("the HIP has no room for the kernel's ranges of memory");
}

static void hip_add_kernel(void)
{
        for (unsigned i = 0; i < boot_kernel_range_count; i++)
                if (!memory_map_is_device(i))
                        hip_add_needed(boot_kernel_ranges[i].start, boot_kernel_ranges[i].size,
                                       NOVA_MEM_KERNEL);
}

static void hip_add_image(const void *from, uint64_t size, int32_t type)
{
        hip_add_needed((word_t)from - IMAGE_OFFSET, size, type);
}

static void hip_add_extensions(void)
{
        hip_add_image(boot_info.cmdline, strlen(boot_info.cmdline) + 1, NOVA_MEM_CMDLINE);
        hip_add_image(&console_log, sizeof(console_log), NOVA_MEM_LOG);
        hip_add_image(&boot_info.boot, sizeof(boot_info.boot), NOVA_MEM_BOOT);
}

/* Adds PCI windows. They come last because they are omitted if the page is full; programs then use
 * ports 0xcf8 and 0xcfc. */
static void hip_add_pci(void)
{
        for (unsigned i = 0; i < acpi.windows; i++) {
                const struct acpi_pci_window *window = &acpi.window[i];

                hip_add_memory(window->phys + window->first * PCI_BUS_SIZE,
                               (window->last - window->first + 1u) * PCI_BUS_SIZE, NOVA_MEM_PCI,
                               window->first);
        }
}

static void hip_add_cpus(struct nova_hip *hip)
{
        unsigned thread_bits, core_bits;

        features_topology(&thread_bits, &core_bits);
        for (unsigned id = 0; id < NOVA_CPU_MAX; id++) {
                const unsigned apic_id = smp_apic_id(id);

                if (!cpu_is_online(id))
                        continue;
                hip->cpu[id] = (struct nova_hip_cpu){
                        .flags = NOVA_CPU_ENABLED,
                        .thread = (uint8_t)(apic_id & ((1u << thread_bits) - 1)),
                        .core = (uint8_t)((apic_id & ((1u << core_bits) - 1)) >> thread_bits),
                        .package = (uint8_t)(apic_id >> core_bits),
                };
        }
}

void hip_finish(void)
{
        struct nova_hip *hip = boot_hip;
        uint16_t sum = 0;

        hip_add_cpus(hip);
        vcpu_settle();
        if (vcpu_ops)
                hip->features |= vcpu_ops->feature | NOVA_HIP_VCPU | NOVA_HIP_TSC | NOVA_HIP_XMM;
        hip_add_kernel();
        hip_add_extensions();
        hip_add_pci();
        hip->checksum = 0;
        for (unsigned i = 0; i < hip->length / 2; i++)
                sum = (uint16_t)(sum + ((const uint16_t *)boot_hip)[i]);
        hip->checksum = (uint16_t)-sum;
}
