/* SPDX-License-Identifier: BSD-2-Clause */
/* Adds any range and any module to a memory map whose numbers of entries, modules and kernel ranges
 * are given, and whose rows are arbitrary. Then looks for free ranges of any size in the map, and
 * takes any range for the kernel. */
#include "firmware/memory_map.c"

#include "../driver.h"

/* Maps one byte of a string. */
void *boot_map(unsigned slot, paddr_t phys, uint64_t size)
{
        static char byte;

        (void)phys;
        /*@ assert byte: slot == 1 && size == 1; */
        (void)slot, (void)size;
        Frama_C_make_unknown(&byte, 1);
        return any_bool() ? &byte : NULL;
}

_Noreturn void kernel_stop(const char *cause, ...)
{
        (void)cause;
        for (;;)
                ;
}

/* Fills the tables with this number of entries, modules and ranges of the kernel. */
static void begin(unsigned entries, unsigned modules, unsigned ranges)
{
        Frama_C_make_unknown((char *)&memory_map, sizeof(memory_map));
        Frama_C_make_unknown((char *)boot_kernel_ranges, sizeof(boot_kernel_ranges));
        memory_map.entries = entries;
        memory_map.modules = modules;
        boot_kernel_range_count = ranges;
}

/* Requires that no table has more rows than it has room for. */
static void check_counts(void)
{
        /*@ assert counts: memory_map.entries <= MEMORY_ENTRIES && memory_map.modules <= MODULES &&
              boot_kernel_range_count <= BOOT_RANGES; */
}

/* Requires that a string ends in its buffer. */
static void copy_string(char *to, size_t bytes)
{
        /*@ loop unroll 16; */
        for (size_t i = 0; i < bytes; i++)
                to[i] = 0;
        memory_map_string(any_u64(), to, (unsigned)bytes);
        /*@ assert end: to[bytes - 1] == 0; */
}

static void find(void)
{
        const struct boot_range pool = memory_map_choose_pool(any_u64());
        const uint64_t part = (pool.start | pool.size) % LARGE_PAGE_SIZE;
        const paddr_t page = boot_reserve(any_u64()) % PAGE_SIZE;

        /*@ assert pool: part == 0 && pool.size <= POOL_LIMIT; */
        /*@ assert page: page == 0; */
        (void)part, (void)page;
}

static void use(unsigned entries, unsigned modules, unsigned ranges)
{
        begin(entries, modules, ranges);
        memory_map_add(any_u64(), any_u64(), any_u32());
        check_counts();
        memory_map_add_module(any_u64(), any_u64(), any_u32());
        check_counts();
        memory_map_is_ram(any_u64(), any_u64());
        find();
        check_counts();
        if (any_bool())
                memory_map_take(any_u64(), any_u64(), any_bool());
        check_counts();
}

int main(void)
{
        use(0, 0, 0);
        use(1, 1, 1);
        use(MEMORY_ENTRIES - 1, MODULES - 1, BOOT_RANGES - 1);
        use(MEMORY_ENTRIES, MODULES, BOOT_RANGES - 1);
        use(MEMORY_ENTRIES, MODULES, BOOT_RANGES);
        TRY(copy_string, 1);
        TRY(copy_string, 12);
        memory_map_is_device(Frama_C_unsigned_int_interval(0, BOOT_RANGES - 1));
        return 0;
}
