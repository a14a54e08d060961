/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads sealed images (see novavmm/secure.h). The start page of such an image names the image's
 * parts. The ultravisor compares the parts with the sealed digests, so the functions here check
 * only what they need to copy the parts. */
#include <string.h>

#include "novavmm/registers.h"
#include "novavmm/secure.h"

#define MAGIC     "NOVASEAL"
#define VERSION   1
#define PAGE      4096u
#define PARTS_MAX 16
#define CODE      0x08
#define DATA      0x10

/* The start page. */
struct start_page {
        char magic[8];
        uint32_t version, stub;
        uint64_t file_bytes, memory;
        uint32_t vcpus, flags;
        uint64_t at, blob_at;
        uint32_t blob_offset, blob_bytes;
        uint64_t params;
        uint32_t parts, zero;
        struct {
                uint32_t kind, zero;
                uint64_t offset, at, bytes;
        } part[PARTS_MAX];
};

static bool read(const void *image, size_t bytes, struct start_page *page)
{
        if (bytes < PAGE)
                return false;
        memcpy(page, image, sizeof(*page));
        return !memcmp(page->magic, MAGIC, sizeof(page->magic));
}

static bool copy(const struct nova_guest_memory *memory, const void *image, size_t size,
                 uint64_t offset, uint64_t at, uint64_t bytes)
{
        return offset <= size && bytes <= size - offset &&
               nova_guest_write(memory, at, (const char *)image + offset, bytes);
}

const char *nova_sealed_load(const struct nova_guest_memory *memory, const void *image,
                             size_t bytes, struct nova_utcb_event *start)
{
        struct start_page page;

        if (!read(image, bytes, &page))
                return "it is not a sealed image: make one with 'nova seal'";
        if (page.version != VERSION || page.parts > PARTS_MAX)
                return "it is a sealed image of another version";
        if (page.file_bytes != bytes)
                return "it is truncated";
        if (page.memory > memory->bytes)
                return "its guest needs more memory than the machine has";
        if (!copy(memory, image, bytes, page.blob_offset, page.blob_at, page.blob_bytes))
                return "its blob is outside of the file or of the memory";
        for (unsigned i = 0; i < page.parts; i++)
                if (!copy(memory, image, bytes, page.part[i].offset, page.part[i].at,
                          page.part[i].bytes))
                        return "a part of it is outside of the file or of the memory";
        nova_registers_protected(start, (uint32_t)page.at + page.stub, CODE, DATA);
        return NULL;
}

size_t nova_sealed_memory(const void *image, size_t bytes)
{
        struct start_page page;

        return read(image, bytes, &page) ? page.memory : 0;
}

unsigned nova_sealed_vcpus(const void *image, size_t bytes)
{
        struct start_page page;

        return read(image, bytes, &page) ? page.vcpus : 0;
}
