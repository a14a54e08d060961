/* SPDX-License-Identifier: BSD-2-Clause */
/* Computes how much memory a program needs from its parent for its segments. An estimate is enough,
 * so the code reads only the headers of the 32-bit or 64-bit file. It does not trust them. */
#include <string.h>

#include "system/description.h"

#define LOAD       1
#define WRITABLE   2
#define PAGE_MASK  UINT64_C(4095)
#define BYTES_MAX  (UINT64_C(1) << 40)
#define HEADER_MAX 64

/* Offsets in bytes of numbers in the file's header and in a program header, and the size of a
 * word. */
struct layout {
        uint8_t table, entry_size, count; /* of the program headers */
        uint8_t flags, address, file_bytes, memory_bytes;
        uint8_t word;
};

static const struct layout layout_32 = {28, 42, 44, 24, 8, 16, 20, 4};
static const struct layout layout_64 = {32, 54, 56, 4, 16, 32, 40, 8};

static uint64_t number(const unsigned char *at, unsigned bytes)
{
        uint64_t value = 0;

        memcpy(&value, at, bytes);
        return value;
}

/* Returns the number of bytes that a segment needs. A segment that is read-only and completely in
 * the file needs none, because it is mapped in place. All other segments are copied. */
static uint64_t segment_bytes(const unsigned char *header, const struct layout *layout)
{
        const uint64_t address = number(header + layout->address, layout->word);
        const uint64_t file_bytes = number(header + layout->file_bytes, layout->word);
        const uint64_t bytes = number(header + layout->memory_bytes, layout->word);

        if (number(header, 4) != LOAD || !bytes ||
            (!(number(header + layout->flags, 4) & WRITABLE) && bytes == file_bytes))
                return 0;
        return ((bytes < BYTES_MAX ? bytes : BYTES_MAX) + (address & PAGE_MASK) + PAGE_MASK) &
               ~PAGE_MASK;
}

uint64_t nova_system_image_bytes(const void *file, size_t bytes)
{
        const unsigned char *const begin = (const unsigned char *)file;
        uint64_t sum = 0;

        if (bytes < HEADER_MAX || memcmp(begin, "\177ELF", 4) != 0)
                return 0;

        const struct layout *const layout = begin[4] == 1 ? &layout_32 : &layout_64;
        const uint64_t table = number(begin + layout->table, layout->word);
        const uint64_t size = number(begin + layout->entry_size, 2);
        const uint64_t count = number(begin + layout->count, 2);

        if (size < layout->memory_bytes + 8u || table > bytes || count * size > bytes - table)
                return 0;
        for (uint64_t i = 0; i < count; i++)
                sum += segment_bytes(begin + table + i * size, layout);
        return sum;
}
