/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot CPU from the loader to the first thread: all steps in order. */
#include "boot/boot.h"

#include "arch/x86/boot_paging.h"
#include "arch/x86/calibrate.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_init.h"
#include "arch/x86/descriptors.h"
#include "arch/x86/errata.h"
#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/lapic.h"
#include "arch/x86/msr.h"
#include "arch/x86/pic.h"
#include "arch/x86/pte.h"
#include "arch/x86/speculation.h"
#include "arch/x86/stack.h"
#include "arch/x86/tracking.h"
#include "boot/boot_info.h"
#include "boot/hip.h"
#include "boot/smp.h"
#include "device/io_apic.h"
#include "device/iommu.h"
#include "device/msi.h"
#include "device/pci.h"
#include "firmware/acpi.h"
#include "firmware/memory_map.h"
#include "firmware/multiboot.h"
#include "firmware/multiboot2.h"
#include "hypercall/dispatch.h"
#include "lib/cmdline.h"
#include "lib/console.h"
#include "lib/stop.h"
#include "memory/frame.h"
#include "pcid.h"
#include "virt/vmx/vmx.h"

#define MIB      0x100000
#define BDA_COM1 0x400

_Noreturn void boot_main(uint32_t magic, uint32_t info);

extern char image_end[];

paddr_t boot_phys_end;

static void boot_read_loader(uint32_t magic, uint32_t info)
{
        const bool understood = multiboot_read(magic, info);
        const uint16_t *com1;

        boot_info_fill();
        cmdline_parse(multiboot_cmdline, sizeof(multiboot_cmdline));
        com1 = boot_map(0, BDA_COM1, sizeof(*com1));
        console_set_port(com1 ? *com1 : 0);
        if (cmdline.serial)
                console_enable_serial();
        if (!understood)
                kernel_stop("the boot loader does not follow the multiboot protocol: use one that "
                            "does, such as GRUB or QEMU's -kernel");
        if (multiboot2_damaged)
                console_print("NOVA: the boot loader's information is damaged at byte %u; the "
                              "kernel ignores the part that it cannot read.\n",
                              multiboot2_damaged);
        if (memory_map.merged || memory_map.dropped)
                console_print("NOVA: the memory map is long: %u reserved entries are merged, %u "
                              "left out.\n",
                              memory_map.merged, memory_map.dropped);
        if (memory_map.dropped_modules > MODULES_NAMED)
                console_print("NOVA: %u boot modules are left out in all; there is room for %u.\n",
                              memory_map.dropped_modules, MODULES);
}

static void boot_start_memory(void)
{
        const struct boot_range pool = memory_map_choose_pool(cmdline.kmem);

        if (!pool.size)
                kernel_stop("there is too little memory below 4 GiB: the kernel needs 2 MiB in one "
                            "piece besides itself and the boot modules");
        if (cmdline.kmem && pool.size < cmdline.kmem)
                console_print(
                        "NOVA: kmem= exceeds the available memory; the kernel takes %u MiB.\n",
                        (unsigned)(pool.size / MIB));
        memory_map_list_ram();
        memory_map_take(pool.start, pool.size, false);
        boot_paging_map_pool(pool.start, pool.size);
        frame_init(pool.start, pool.size);
        if (!boot_paging_finish(pool.start, pool.size))
                kernel_stop("the kernel pool of %u MiB is too small: use a larger kmem=",
                            (unsigned)(pool.size / MIB));
        console_print("NOVA: the kernel pool has %u MiB at 0x%llx.\n", (unsigned)(pool.size / MIB),
                      (unsigned long long)pool.start);
        if (!pte_noexecute)
                console_print("NOVA: this CPU has no NX: execute permission is not enforced.\n");
}

static void boot_start_lapic(void)
{
        /* The firmware's tables may have another address, but the CPU uses this one. */
        const paddr_t phys = rdmsr(MSR_APIC_BASE) & PTE_ADDRESS;

        lapic_map(phys, acpi.no_x2apic);
        memory_map_take(MSI_BASE, MSI_SIZE, true);
        if (phys < MSI_BASE || phys - MSI_BASE >= MSI_SIZE)
                memory_map_take(phys, PAGE_SIZE, true);
}

/* Reports the CPU features that the kernel uses but that not every CPU has. */
static void boot_say_features(void)
{
        console_print("NOVA: local APICs %s x2APIC mode, timers %s TSC deadlines, TLBs %s PCIDs.\n",
                      lapic_x2apic ? "in" : "not in",
                      cpu_has(FEATURE_TSC_DEADLINE) ? "with" : "without",
                      pcid_used() ? "with" : "without");
}

/* The second part of the start, on the boot CPU's own stack. */
static indirect_target _Noreturn void boot_finish(void)
{
        struct cpu *cpu = cpu_self();

        descriptors_load(cpu);
        cpu_init(cpu);
        lapic_init();
        pic_disable();
        io_apic_init();
        pci_init();
        calibrate(acpi.pm_timer);
        iommu_init();
        if (!hip_build())
                kernel_stop("no frame is left for the HIP: use a larger kmem=");
        kernel_prepare();
        roottask_load();
        smp_start();
        boot_unmap();
        hip_finish();
        console_print("NOVA: %u CPU%s; TSC %u kHz, local APIC timer %u kHz.\n", cpu_count,
                      cpu_count == 1 ? "" : "s", tsc_khz, bus_khz);
        boot_info.boot.tsc_zero = rdtsc();
        boot_say_features();
        speculation_report(&boot_info.boot);
        tracking_report();
        errata_report();
        smp_release();
        kernel_main(cpu);
}

/* Makes the entries of the hypercall table skip the ENDBR of their functions, unless the CPUs track
 * indirect branches. */
static void boot_skip_marks(void)
{
        for (unsigned i = 0; i < array_size(hypercall_table); i++)
                hypercall_table[i] =
                        (hypercall_handler_t)tracking_target((word_t)hypercall_table[i]);
}

void boot_main(uint32_t magic, uint32_t info)
{
        struct cpu *cpu;

        boot_info.boot.tsc_start = rdtsc();
        features_read(true);
        vmx_check_feature(true);
        boot_paging_init();
        memory_map_take(IMAGE_PHYS, (word_t)image_end - IMAGE_OFFSET - IMAGE_PHYS, false);
        boot_read_loader(magic, info);
        speculation_boot();
        tracking_boot();
        boot_skip_marks();
        descriptors_init();
        boot_start_memory();
        acpi_init();
        boot_start_lapic();
        smp_init(lapic_id());
        cpu = smp_prepare(cpu_boot_id);
        if (!cpu)
                kernel_stop("no memory is left for the boot CPU: use a larger kmem=");
        stack_switch((word_t)cpu + CPU_STACK_TOP, boot_finish);
}
