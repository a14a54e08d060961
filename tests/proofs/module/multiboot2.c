/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads Multiboot 2 tags with arbitrary content, and finds tags at any offset of the information,
 * for the lengths in main(). tags.c does both together. */
#include "firmware/multiboot2.c"

#include "../driver.h"
#include "../map.h"

char multiboot_cmdline[MULTIBOOT_CMDLINE], multiboot_loader[64];
uint8_t acpi_loader_rsdp[ACPI_RSDP_SIZE];
unsigned acpi_loader_rsdp_size;

static void read(char *data, uint32_t length)
{
        const struct tag tag = {
                .type = any_u32(),
                .size = length + TAG_SIZE,
                .data = data,
                .length = length,
                .phys = any_u64(),
        };

        acpi_loader_rsdp_size = Frama_C_interval(0, ACPI_RSDP_SIZE);
        multiboot2_read_tag(&tag, any_u32());
}

static void find(char *info, uint32_t total)
{
        const uint32_t at = any_u32();
        struct tag tag;

        if (!multiboot2_next_tag(info, total, any_u64(), at, &tag))
                return;
        multiboot2_tag_end(at, &tag);
}

int main(void)
{
        TRY(read, 0);
        TRY(read, 1);
        TRY(read, 7);
        TRY(read, 8);
        TRY(read, 9);
        TRY(read, 28);
        TRY(read, 48);
        TRY(read, 5000);
        TRY(find, 8);
        TRY(find, 15);
        TRY(find, 16);
        TRY(find, 1000);
        TRY(find, INFO_MAX);
        return 0;
}
