/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading ELF images (see elf.h). A byte is read only after a check that it lies inside the
 * image. */
#include "boot/elf.h"

#include "elf_program.h"
#include "lib/string.h"
#include "nova/abi/crd.h"

#define ELF_MAGIC      "\177ELF"
#define ELF_LITTLE     1
#define ELF_EXECUTABLE 2
#define ELF_LOAD       1

/* Flags of a program header. */
#define ELF_X 1
#define ELF_W 2
#define ELF_R 4

struct elf_header {
        uint8_t magic[4];
        uint8_t class, data, version, pad[9];
        uint16_t type, machine;
        uint32_t version2;
        word_t entry, program_offset, section_offset;
        uint32_t flags;
        uint16_t header_size, program_size, program_count;
};

static uint64_t elf_table_size(const struct elf_header *header)
{
        return (uint64_t)header->program_count * sizeof(struct elf_program);
}

uint64_t elf_head(const void *image, uint64_t head)
{
        const struct elf_header *header = image;

        if (head < sizeof(*header))
                return head;
        const uint64_t table = elf_table_size(header);
        if (header->program_offset > ELF_HEAD_MAX - table)
                return head;
        return header->program_offset + table > head ? header->program_offset + table : head;
}

static const char *elf_check_header(const struct elf_header *header, uint64_t head, uint64_t size)
{
        if (head < sizeof(*header) || memcmp(header->magic, ELF_MAGIC, 4) != 0)
                return "is not an ELF image";
        if (header->class != ELF_CLASS || header->machine != ELF_MACHINE ||
            header->data != ELF_LITTLE)
                return ELF_OTHER;
        if (header->type != ELF_EXECUTABLE)
                return "is not an executable image (position independent or an object file)";
        if (header->program_size != sizeof(struct elf_program))
                return "has program headers of an unexpected size";
        const uint64_t table = elf_table_size(header);
        if (header->program_offset > size || table > size - header->program_offset)
                return "is truncated: its program headers lie outside";
        if (header->program_offset > head || table > head - header->program_offset)
                return "has program headers that do not lie in its first 4 MiB";
        return NULL;
}

static const char *elf_check_program(const struct elf_program *program, uint64_t size, word_t limit)
{
        if (program->offset > size || program->file_size > size - program->offset)
                return "is truncated: a segment lies outside of the file";
        if (program->file_size > program->memory_size)
                return "has a segment that is larger in the file than in memory";
        if (program->virtual >= limit || program->memory_size > limit - program->virtual)
                return "has a segment outside of user memory";
        return NULL;
}

/* Inserts a segment in the order of addresses. Returns false if it overlaps another segment. */
static bool elf_insert(struct elf_segment *segments, unsigned count,
                       const struct elf_segment *segment)
{
        unsigned at = count;

        for (; at && segments[at - 1].address > segment->address; at--)
                segments[at] = segments[at - 1];
        segments[at] = *segment;
        if (at && segments[at - 1].address + segments[at - 1].memory_size > segment->address)
                return false;
        return at == count || segment->address + segment->memory_size <= segments[at + 1].address;
}

const char *elf_read(const void *image, uint64_t head, uint64_t size, word_t limit,
                     struct elf_segment *segments, unsigned *count, word_t *entry)
{
        const struct elf_header *header = image;
        const char *error = elf_check_header(header, head, size);
        bool entry_inside = false;

        *count = 0;
        for (unsigned i = 0; !error && i < header->program_count; i++) {
                struct elf_program program;
                memcpy(&program, (const char *)image + header->program_offset + i * sizeof(program),
                       sizeof(program));
                if (program.type != ELF_LOAD || !program.memory_size)
                        continue;
                if (*count == ELF_SEGMENTS_MAX)
                        return "has too many segments";
                const struct elf_segment segment = {
                        .address = program.virtual,
                        .offset = program.offset,
                        .file_size = program.file_size,
                        .memory_size = program.memory_size,
                        .perms = (program.flags & ELF_R ? NOVA_MEM_R : 0) |
                                 (program.flags & ELF_W ? NOVA_MEM_W : 0) |
                                 (program.flags & ELF_X ? NOVA_MEM_X : 0),
                };
                error = elf_check_program(&program, size, limit);
                if (!error && !elf_insert(segments, (*count)++, &segment))
                        error = "has segments that overlap";
                entry_inside |= program.flags & ELF_X &&
                                header->entry - program.virtual < program.memory_size;
        }
        if (error)
                return error;
        *entry = header->entry;
        if (!*count)
                return "has no segment to load";
        return entry_inside ? NULL : "has its entry outside of its executable segments";
}
