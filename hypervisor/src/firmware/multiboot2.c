/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiboot 2 information (Multiboot2 Specification 2.0, 3.6). The loader's numbers are not
 * trusted: the kernel reads a tag only inside its size, and follows tags only inside the
 * information. */
#include "firmware/multiboot2.h"

#include "arch/x86/boot_paging.h"
#include "firmware/acpi.h"
#include "firmware/memory_map.h"
#include "firmware/multiboot.h"
#include "lib/string.h"
#include "nova/abi/hip.h"

/* Larger information is truncated. GRUB's information takes a few KiB. */
#define INFO_MAX 0x100000

#define TAG_ALIGN 8
#define TAG_SIZE  8 /* bytes of type and size */

enum tag_type {
        TAG_END = 0,
        TAG_CMDLINE = 1,
        TAG_LOADER = 2,
        TAG_MODULE = 3,
        TAG_MEMORY = 4,
        TAG_MAP = 6,
        TAG_ACPI_OLD = 14,
        TAG_ACPI_NEW = 15,
        TAG_EFI_MAP = 17,
};

/* Memory types of UEFI (UEFI Specification 2.9, 7.2). */
enum efi_type {
        EFI_LOADER_CODE = 1,
        EFI_BOOT_DATA = 4, /* memory of the loader and of boot services is free at this point */
        EFI_CONVENTIONAL = 7,
        EFI_ACPI_TABLES = 9,
        EFI_ACPI_NVS = 10,
};
#define EFI_PAGE_BITS 12

struct tag {
        uint32_t type;
        uint32_t size;
        const char *data; /* contents after type and size */
        uint32_t length;  /* bytes of data */
        paddr_t phys;     /* physical address of data */
};

struct map_head {
        uint32_t entry_size;
        uint32_t version;
};

struct map_entry {
        uint64_t start;
        uint64_t length;
        uint32_t type;
};

struct efi_entry {
        uint32_t type;
        uint32_t padding;
        uint64_t start;
        uint64_t virtual;
        uint64_t pages;
};

uint32_t multiboot2_damaged;

/* Returns true if a string that starts at an offset ends inside the tag. */
static bool multiboot2_string_ends(const struct tag *tag, uint32_t at)
{
        for (; at < tag->length; at++)
                if (!tag->data[at])
                        return true;
        return false;
}

/* Copies the tag's string, truncated at the end of room or tag. */
static bool multiboot2_read_string(const struct tag *tag, char *place, uint32_t room)
{
        uint32_t length = 0;

        /*@ loop invariant length < room; */
        while (length < tag->length && length < room - 1 && tag->data[length])
                length++;
        memcpy(place, tag->data, length);
        place[length] = 0;
        return multiboot2_string_ends(tag, 0);
}

static bool multiboot2_read_module(const struct tag *tag)
{
        uint32_t place[2];

        if (tag->length < sizeof(place))
                return false;
        memcpy(place, tag->data, sizeof(place));
        const bool ends = multiboot2_string_ends(tag, sizeof(place));
        memory_map_add_module(place[0], place[1], ends ? (uint32_t)(tag->phys + sizeof(place)) : 0);
        return ends;
}

static bool multiboot2_read_sizes(const struct tag *tag)
{
        uint32_t kib[2];

        if (tag->length < sizeof(kib))
                return false;
        memcpy(kib, tag->data, sizeof(kib));
        memory_map_add(0, (uint64_t)kib[0] << 10, NOVA_MEM_AVAILABLE);
        memory_map_add(0x100000, (uint64_t)kib[1] << 10, NOVA_MEM_AVAILABLE);
        return true;
}

static uint32_t multiboot2_type_of_efi(uint32_t type)
{
        if ((type >= EFI_LOADER_CODE && type <= EFI_BOOT_DATA) || type == EFI_CONVENTIONAL)
                return NOVA_MEM_AVAILABLE;
        return type == EFI_ACPI_TABLES ? NOVA_MEM_ACPI_RECLAIM
               : type == EFI_ACPI_NVS  ? NOVA_MEM_ACPI_NVS
                                       : NOVA_MEM_RESERVED;
}

static void multiboot2_add_entry(const char *data, bool efi)
{
        struct map_entry entry;
        struct efi_entry from;

        if (efi) {
                memcpy(&from, data, sizeof(from));
                /* more pages than addresses: truncated at the end of the address space */
                const uint64_t most = UINT64_MAX >> EFI_PAGE_BITS;
                const uint64_t pages = from.pages < most ? from.pages : most;
                memory_map_add(from.start, pages << EFI_PAGE_BITS,
                               multiboot2_type_of_efi(from.type));
                return;
        }
        memcpy(&entry, data, sizeof(entry));
        memory_map_add(entry.start, entry.length, entry.type);
}

static bool multiboot2_read_map(const struct tag *tag, bool efi)
{
        const uint32_t needed = efi ? sizeof(struct efi_entry) : sizeof(struct map_entry);
        struct map_head head;

        if (tag->length < sizeof(head))
                return false;
        memcpy(&head, tag->data, sizeof(head));
        if (head.entry_size < needed)
                return false;
        /*@ loop invariant at <= tag->length; */
        for (uint32_t at = sizeof(head); tag->length - at >= head.entry_size; at += head.entry_size)
                multiboot2_add_entry(tag->data + at, efi);
        return true;
}

/* Copies an RSDP. If the loader gives both versions, keeps the newer version. */
static bool multiboot2_read_rsdp(const struct tag *tag)
{
        const unsigned size = tag->length < ACPI_RSDP_SIZE ? tag->length : ACPI_RSDP_SIZE;

        if (tag->type == TAG_ACPI_OLD && acpi_loader_rsdp_size)
                return true;
        memcpy(acpi_loader_rsdp, tag->data, size);
        acpi_loader_rsdp_size = size;
        return true;
}

/* Reads a tag. Returns false if it is damaged. memory: the one tag type to use for memory. */
static bool multiboot2_read_tag(const struct tag *tag, uint32_t memory)
{
        switch (tag->type) {
        case TAG_CMDLINE:
                return multiboot2_read_string(tag, multiboot_cmdline, sizeof(multiboot_cmdline));
        case TAG_LOADER:
                return multiboot2_read_string(tag, multiboot_loader, sizeof(multiboot_loader));
        case TAG_MODULE:
                return multiboot2_read_module(tag);
        case TAG_ACPI_OLD:
        case TAG_ACPI_NEW:
                return multiboot2_read_rsdp(tag);
        case TAG_MAP:
        case TAG_EFI_MAP:
                return tag->type != memory || multiboot2_read_map(tag, memory == TAG_EFI_MAP);
        case TAG_MEMORY:
                return tag->type != memory || multiboot2_read_sizes(tag);
        default:
                return true;
        }
}

/* Finds the tag at an offset. Returns false at the end or if there is no room for a tag. */
static bool multiboot2_next_tag(const char *info, uint32_t total, paddr_t phys, uint32_t at,
                                struct tag *tag)
{
        if (at > total || total - at < TAG_SIZE)
                return false;
        memcpy(tag, info + at, TAG_SIZE);
        if (tag->type == TAG_END || tag->size < TAG_SIZE || tag->size > total - at)
                return false;
        tag->data = info + at + TAG_SIZE;
        tag->length = tag->size - TAG_SIZE;
        tag->phys = phys + at + TAG_SIZE;
        return true;
}

static uint32_t multiboot2_tag_end(uint32_t at, const struct tag *tag)
{
        return (at + tag->size + TAG_ALIGN - 1) & ~(uint32_t)(TAG_ALIGN - 1);
}

/* Returns the type of the tag that describes memory best. */
static uint32_t multiboot2_best_memory(const char *info, uint32_t total)
{
        struct tag tag;
        uint32_t best = TAG_END;

        for (uint32_t at = TAG_SIZE; multiboot2_next_tag(info, total, 0, at, &tag);
             at = multiboot2_tag_end(at, &tag))
                if (tag.type == TAG_MAP || (tag.type == TAG_EFI_MAP && best != TAG_MAP) ||
                    (tag.type == TAG_MEMORY && best == TAG_END))
                        best = tag.type;
        return best;
}

bool multiboot2_read(paddr_t phys)
{
        const uint32_t *head = boot_map(0, phys, TAG_SIZE);
        struct tag tag;
        uint32_t total, at = TAG_SIZE;

        if (!head || phys % TAG_ALIGN)
                return false;
        total = *head < TAG_SIZE ? TAG_SIZE : *head < INFO_MAX ? *head : INFO_MAX;
        const char *info = boot_map(0, phys, total);
        if (!info)
                return false;

        const uint32_t memory = multiboot2_best_memory(info, total);
        /*@ dynamic_split at; */
        for (; multiboot2_next_tag(info, total, phys, at, &tag); at = multiboot2_tag_end(at, &tag))
                if (!multiboot2_read_tag(&tag, memory) && !multiboot2_damaged)
                        multiboot2_damaged = at;
        /* The end tag was not reached: the rest is lost. */
        if (!multiboot2_damaged && (at > total || total - at < TAG_SIZE || tag.type != TAG_END))
                multiboot2_damaged = at;
        return true;
}
