/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads Multiboot 1 information with arbitrary content, for the lengths of the memory map in
 * main(). */
#include "firmware/multiboot.h"
#include "../driver.h"
#include "../map.h"

bool multiboot2_read(paddr_t phys)
{
        (void)phys;
        return any_bool();
}

static void read(char *map, uint32_t bytes)
{
        map_begin(map, bytes);
        multiboot_read(any_u32(), any_u64());
}

int main(void)
{
        TRY(read, 0);
        TRY(read, 1);
        TRY(read, 23);
        TRY(read, 24);
        TRY(read, 49);
        TRY(read, 0x10000);
        return 0;
}
