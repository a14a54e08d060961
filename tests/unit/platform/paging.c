/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's first address space on the host: the real source, which accesses no control register
 * here, and functions that a test may call. */
#define read_cr3  real_read_cr3
#define write_cr3 real_write_cr3
#include "arch/x86/insn.h"
#undef read_cr3
#undef write_cr3

/* Pool addresses are host addresses with the physical address's offset in its GiB. */
#include "layout.h"
#undef POOL_OFFSET
#define POOL_OFFSET PAGING_POOL_OFFSET

/* Other files define these for the other tests. */
#define boot_map               paging_boot_map
#define boot_map_device        paging_boot_map_device
#define boot_unmap             paging_boot_unmap
#define boot_paging_map_device paging_boot_paging_map_device

#include "paging.h"

static uint64_t read_cr3(void)
{
        return 0;
}

static void write_cr3(uint64_t value)
{
        (void)value;
}

#include "arch/x86/boot_paging.c"
#include "memory/frame.c"

/* The tables of start.S: the directories of slot 511, where the image lies. */
uint64_t early_root[512] __attribute__((aligned(PAGE_SIZE)));
static uint64_t early_pdpt[512] __attribute__((aligned(PAGE_SIZE)));

/* An image with a page each of text, constants and data. */
__asm__(".pushsection .bss\n"
        ".balign 4096\n"
        ".globl image_text_start, image_text_end, image_rodata_end, image_end\n"
        "image_text_start: .skip 4096\n"
        "image_text_end: .skip 4096\n"
        "image_rodata_end: .skip 4096\n"
        "image_end:\n"
        ".popsection\n");
uint32_t cpu_features[FEATURE_WORDS];

unsigned features_phys_bits(void)
{
        return 40;
}

void paging_begin(void)
{
        memset(spare, 0, sizeof(spare));
        memset(early_root, 0, sizeof(early_root));
        memset(early_pdpt, 0, sizeof(early_pdpt));
        early_root[511] = boot_paging_image_phys(early_pdpt) | PAGING_TOP_FLAGS;
        memset(boot_mapped, 0, sizeof(boot_mapped));
        spare_used = device_pages = 0;
        root = early_root;
        failed = false;
        boot_paging_init();
}

uint64_t paging_lookup(uint64_t virt)
{
        const uint64_t *table = root;

        for (unsigned level = PAGING_LEVELS - 1;; level--) {
                const uint64_t entry = table[virt >> (PAGE_BITS + 9 * level) & 511];
                const uint64_t span = (uint64_t)1 << (PAGE_BITS + 9 * level);

                if (!(entry & PTE_PRESENT))
                        return UINT64_MAX;
                if (!level || entry & PTE_LARGE)
                        return (entry & PTE_ADDRESS) + (virt & (span - 1));
                table = boot_paging_table_pointer(entry & PTE_ADDRESS);
        }
}

bool paging_finish(uint64_t start, uint64_t size)
{
        frame_init(start, size);
        return boot_paging_finish(start, size);
}

bool paging_has_failed(void)
{
        return failed;
}
