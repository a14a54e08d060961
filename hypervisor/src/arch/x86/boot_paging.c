/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own address space: first the early tables, used until the pool is known, then the
 * final ones. One walk function edits both. */
#include "arch/x86/boot_paging.h"

#include "arch/x86/cpu.h"
#include "arch/x86/features.h"
#include "arch/x86/insn.h"
#include "arch/x86/pte.h"
#include "arch/x86/window.h"
#include "lib/string.h"
#include "memory/frame.h"
#include "paging_levels.h"

/* Tables that the early mapping may need before there is a pool: enough to fill both slots of
 * boot_map, and to map a pool of any size at any place. */
#define SPARE_TABLES (EARLY_DIRECTORIES + BOOT_MAP_SIZE / LARGE_PAGE_SIZE + EARLY_POOL_TABLES)

#define SLOT_SIZE    (BOOT_MAP_SIZE / 2)
#define DATA_FLAGS   (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY | pte_noexecute)
#define RODATA_FLAGS (PTE_PRESENT | PTE_ACCESSED | pte_noexecute)
#define TEXT_FLAGS   (PTE_PRESENT | PTE_ACCESSED)

extern uint64_t early_root[];
extern char image_text_start[], image_text_end[], image_rodata_end[], image_end[];

paddr_t kernel_root_phys;
paddr_t kernel_pd_phys;
const uint64_t *window_table;
uint64_t pte_noexecute;

static uint64_t spare[SPARE_TABLES][512] __attribute__((aligned(PAGE_SIZE), section(".bss.page")));
static unsigned spare_used;
static uint64_t *root = early_root;
static bool failed; /* no frame for a table */
static unsigned device_pages;
static word_t boot_mapped[2]; /* bytes of each slot that have been mapped since boot_unmap */

static paddr_t boot_paging_image_phys(const void *pointer)
{
        return (word_t)pointer - IMAGE_OFFSET;
}

static paddr_t boot_paging_table_phys(const void *table)
{
        return root == early_root ? boot_paging_image_phys(table) : pool_to_phys(table);
}

static uint64_t *boot_paging_table_pointer(paddr_t phys)
{
        return root == early_root ? (uint64_t *)(word_t)(phys + IMAGE_OFFSET) : phys_to_pool(phys);
}

static uint64_t *boot_paging_new_table(void)
{
        if (root != early_root)
                return frame_alloc_zeroed();
        return spare_used < SPARE_TABLES ? spare[spare_used++] : NULL;
}

/* Returns the entry that maps an address at a level (0: 4 KiB). Creates the tables above it, and
 * removes a large page that covers it. Returns NULL if there is no memory for a table. */
static uint64_t *boot_paging_walk(word_t virt, unsigned level)
{
        uint64_t *table = root;

        for (unsigned l = PAGING_LEVELS - 1; l > level; l--) {
                uint64_t *entry = &table[virt >> (PAGE_BITS + 9 * l) & 511];

                if (!(*entry & PTE_PRESENT) || *entry & PTE_LARGE) {
                        table = boot_paging_new_table();
                        if (!table)
                                return NULL;
                        *entry = boot_paging_table_phys(table) |
                                 (l == PAGING_LEVELS - 1 ? PAGING_TOP_FLAGS
                                                         : PTE_PRESENT | PTE_WRITE);
                }
                table = boot_paging_table_pointer(*entry & PTE_ADDRESS);
        }
        return &table[virt >> (PAGE_BITS + 9 * level) & 511];
}

static void boot_paging_map_page(word_t virt, unsigned level, uint64_t entry)
{
        uint64_t *place = boot_paging_walk(virt, level);

        if (place)
                *place = entry;
        else
                failed = true;
}

static void boot_paging_map_range(word_t virt, paddr_t phys, uint64_t size, unsigned level,
                                  uint64_t flags)
{
        const word_t step = (word_t)1 << (PAGE_BITS + 9 * level);

        uint64_t *place = NULL;

        for (uint64_t done = 0; done < size && !failed; done += step, place++) {
                const word_t at = (word_t)(virt + done);
                if (!place || !(at >> (PAGE_BITS + 9 * level) & 511))
                        place = boot_paging_walk(at, level);
                failed |= !place;
                if (place)
                        *place = (phys + done) | flags | (level ? PTE_LARGE : 0);
        }
}

static uint64_t boot_paging_global_flag(void)
{
        return cpu_has(FEATURE_PGE) ? PTE_GLOBAL : 0;
}

static void boot_paging_map_image(const char *start, const char *end, uint64_t flags)
{
        boot_paging_map_range((word_t)start, boot_paging_image_phys(start), (uint64_t)(end - start),
                              0, flags | boot_paging_global_flag());
}

void boot_paging_init(void)
{
        pte_noexecute = cpu_has(FEATURE_NX) ? PTE_NOEXECUTE : 0;
        boot_phys_end = (paddr_t)1 << features_phys_bits();
}

void boot_paging_map_pool(paddr_t phys, uint64_t size)
{
        boot_paging_map_range(POOL_VIRT(phys), phys, size, 1, DATA_FLAGS);
        write_cr3(read_cr3());
}

/* Maps the frames of the TSSs and a frame filled with ones. Entries that vary between PDs are not
 * global. */
static void boot_paging_map_window(void)
{
        void *ones = frame_alloc();
        void *tss = frame_alloc_boot(1);

        if (!ones || !tss) {
                failed = true;
                return;
        }
        memset(ones, 0xff, PAGE_SIZE);
        memset(tss, 0, 2 * PAGE_SIZE);
        boot_paging_map_range(TSS_BASE, pool_to_phys(tss), 2 * PAGE_SIZE, 0,
                              DATA_FLAGS | boot_paging_global_flag());
        boot_paging_map_page(IO_BITMAP, 0, pool_to_phys(ones) | RODATA_FLAGS);
        boot_paging_map_page(IO_BITMAP + PAGE_SIZE, 0, pool_to_phys(ones) | RODATA_FLAGS);
        boot_paging_map_page(IO_BITMAP_END, 0,
                             pool_to_phys(ones) | RODATA_FLAGS | boot_paging_global_flag());
        window_table = boot_paging_walk(WINDOW_BASE, 0);
}

bool boot_paging_finish(paddr_t pool_start, uint64_t pool_size)
{
        uint64_t *final = frame_alloc_zeroed();

        if (!final)
                return false;
        root = final;
        boot_paging_map_image(image_text_start, image_text_end, TEXT_FLAGS);
        boot_paging_map_image(image_text_end, image_rodata_end, RODATA_FLAGS);
        boot_paging_map_image(image_rodata_end, image_end, DATA_FLAGS);
        boot_paging_map_range(POOL_VIRT(pool_start), pool_start, pool_size, 1,
                              DATA_FLAGS | boot_paging_global_flag());
        boot_paging_map_window();
        /* Creates the remaining tables of the kernel half: PDs share them, so none may be added
         * later. */
        for (word_t at = 0; at < BOOT_MAP_SIZE; at += LARGE_PAGE_SIZE)
                boot_paging_map_page(BOOT_MAP_BASE + at, 0, 0);
        for (word_t at = 0; at < NOVA_CPU_MAX * CPU_BLOCK_SIZE; at += LARGE_PAGE_SIZE)
                boot_paging_map_page(CPU_BASE + at, 0, 0);
        boot_paging_map_page(MMIO_BASE, 0, 0);
        if (failed)
                return false;

        const uint64_t *directory = boot_paging_walk(IMAGE_OFFSET, 1);
        kernel_pd_phys = pool_to_phys(directory) & PTE_ADDRESS;
        kernel_root_phys = pool_to_phys(final);
        write_cr3((word_t)kernel_root_phys);
        return true;
}

struct cpu *boot_paging_map_cpu(unsigned id)
{
        char *block = (char *)cpu_by_id(id);

        for (word_t at = 0; at < CPU_STACK_TOP; at += PAGE_SIZE) {
                if (at == CPU_GUARD || at == CPU_STACK_GUARD)
                        continue;
                void *frame = frame_alloc_zeroed();
                if (!frame)
                        return NULL;
                boot_paging_map_page((word_t)block + at, 0,
                                     pool_to_phys(frame) | DATA_FLAGS | boot_paging_global_flag());
        }
        return (struct cpu *)(void *)block;
}

void *boot_paging_map_device(paddr_t phys)
{
        const word_t virt = MMIO_BASE + (word_t)device_pages * PAGE_SIZE;

        if (phys >= boot_phys_end || device_pages == LARGE_PAGE_SIZE / PAGE_SIZE)
                return NULL;
        device_pages++;
        boot_paging_map_page(virt, 0,
                             (phys & PTE_ADDRESS) | PTE_UNCACHED | DATA_FLAGS |
                                     boot_paging_global_flag());
        return (void *)(virt + (word_t)(phys & (PAGE_SIZE - 1)));
}

static void *boot_paging_map_slot(unsigned slot, paddr_t phys, uint64_t size, uint64_t flags)
{
        const word_t virt = BOOT_MAP_BASE + slot * SLOT_SIZE;
        const word_t offset = (word_t)phys & (PAGE_SIZE - 1);

        if (phys >= boot_phys_end || size > boot_phys_end - phys || size > SLOT_SIZE - offset)
                return NULL;
        boot_paging_map_range(virt, phys - offset, offset + size, 0, flags);
        if (boot_mapped[slot] < offset + size)
                boot_mapped[slot] = (word_t)(offset + size);
        write_cr3(read_cr3());
        return failed ? NULL : (void *)(virt + offset);
}

void *boot_map(unsigned slot, paddr_t phys, uint64_t size)
{
        return boot_paging_map_slot(slot, phys, size, DATA_FLAGS);
}

void *boot_map_device(unsigned slot, paddr_t phys, uint64_t size)
{
        return boot_paging_map_slot(slot, phys, size, DATA_FLAGS | PTE_UNCACHED);
}

void boot_unmap(void)
{
        for (unsigned slot = 0; slot < array_size(boot_mapped); slot++) {
                const word_t virt = BOOT_MAP_BASE + slot * SLOT_SIZE;
                for (word_t at = 0; at < boot_mapped[slot]; at += PAGE_SIZE)
                        boot_paging_map_page(virt + at, 0, 0);
                boot_mapped[slot] = 0;
        }
        write_cr3(read_cr3());
}
