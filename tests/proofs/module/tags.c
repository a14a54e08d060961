/* SPDX-License-Identifier: BSD-2-Clause */
/* Follows the tags of Multiboot 2 information with arbitrary content, for the lengths in main(). */
#include "firmware/multiboot2.c"

#include "../driver.h"
#include "../memory_map.h"

/* Size of information with one tag, which is a map with one entry. */
#define ONE_ENTRY (2 * TAG_SIZE + sizeof(struct map_head) + sizeof(struct map_entry))

char multiboot_cmdline[MULTIBOOT_CMDLINE], multiboot_loader[64];
uint8_t acpi_loader_rsdp[ACPI_RSDP_SIZE];
unsigned acpi_loader_rsdp_size;

static char *information;
static uint32_t length;  /* number of mapped bytes of the information */
static uint32_t claimed; /* length of the information according to its head */

/* Maps the head, or the whole information if `size` is its length. Returns NULL if that fails. */
void *boot_map(unsigned slot, paddr_t phys, uint64_t size)
{
        static uint32_t head[TAG_SIZE / sizeof(uint32_t)];

        (void)slot;
        (void)phys;
        /*@ assert size: TAG_SIZE <= size <= INFO_MAX; */
        if (any_bool())
                return NULL;
        if (size == length && size != sizeof(head)) {
                Frama_C_make_unknown(information, length);
                return information;
        }
        if (size != sizeof(head))
                return NULL;
        head[0] = claimed;
        head[1] = any_u32();
        return head;
}

static void follow_claimed(char *data, uint32_t bytes, uint32_t size)
{
        information = data;
        length = bytes;
        claimed = size;
        acpi_loader_rsdp_size = 0;
        multiboot2_damaged = 0;
        multiboot2_read(any_u64());
}

static void follow(char *data, uint32_t bytes)
{
        follow_claimed(data, bytes, bytes);
}

int main(void)
{
        TRY(follow, 9);
        TRY(follow, 15);
        TRY(follow, 16);
        TRY(follow, 17);
        TRY(follow, 25);
        TRY(follow, ONE_ENTRY);
        follow_claimed(NULL, TAG_SIZE, 0);
        follow_claimed(NULL, TAG_SIZE, UINT32_MAX);
        return 0;
}
