/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads ELF images (see elf.h). Each range is checked before it is read. */
#include "elf.h"

#include <string.h>

#include "nova/abi/crd.h"

#define ELF_MAGIC      "\177ELF"
#define ELF_LITTLE     1
#define ELF_EXECUTABLE 2
#define ELF_LOAD       1

/* Flags of a program header. */
#define ELF_X 1
#define ELF_W 2
#define ELF_R 4

#define PAGE_MASK ((nova_word_t)NOVA_PAGE_SIZE - 1)

struct elf_header {
        uint8_t magic[4];
        uint8_t class, data, version, pad[9];
        uint16_t type, machine;
        uint32_t version2;
        nova_word_t entry, program_offset, section_offset;
        uint32_t flags;
        uint16_t header_size, program_size, program_count;
};

#if __SIZEOF_POINTER__ == 8
#define ELF_CLASS   2
#define ELF_MACHINE 62
#define ELF_OTHER   "is not a 64-bit x86 image"
struct elf_program {
        uint32_t type, flags;
        uint64_t offset, address, physical, file_bytes, memory_bytes, align;
};
#else
#define ELF_CLASS   1
#define ELF_MACHINE 3
#define ELF_OTHER   "is not a 32-bit x86 image"
struct elf_program {
        uint32_t type, offset, address, physical, file_bytes, memory_bytes, flags, align;
};
#endif

static const char *check_header(const struct elf_header *header, size_t bytes)
{
        if (bytes < sizeof(*header) || memcmp(header->magic, ELF_MAGIC, 4) != 0)
                return "is not an ELF image";
        if (header->class != ELF_CLASS || header->machine != ELF_MACHINE ||
            header->data != ELF_LITTLE)
                return ELF_OTHER;
        if (header->type != ELF_EXECUTABLE)
                return "is not an executable image (position independent or an object file)";
        if (header->program_size != sizeof(struct elf_program))
                return "has program headers of an unexpected size";
        if (header->program_offset > bytes ||
            header->program_count * sizeof(struct elf_program) > bytes - header->program_offset)
                return "is truncated: its program headers lie outside the file";
        return NULL;
}

static const char *check_program(const struct elf_program *program, size_t bytes, nova_word_t begin,
                                 nova_word_t end)
{
        if (program->offset > bytes || program->file_bytes > bytes - program->offset)
                return "is truncated: a segment lies outside the file";
        if (program->file_bytes > program->memory_bytes)
                return "has a segment that is larger in the file than in memory";
        if (program->address < begin || program->address >= end ||
            program->memory_bytes > end - program->address)
                return "has a segment outside the addresses that programs can use";
        if (program->flags & ELF_W && program->flags & ELF_X)
                return "has a segment that is writable and executable";
        return NULL;
}

static nova_word_t segment_end(const struct elf_segment *segment)
{
        return segment->address + segment->memory_bytes;
}

/* Inserts a segment in the order of addresses. Returns NULL, or the error of the image. */
static const char *insert(struct elf *elf, const struct elf_segment *segment)
{
        unsigned at = elf->segments++;

        for (; at && elf->segment[at - 1].address > segment->address; at--)
                elf->segment[at] = elf->segment[at - 1];
        elf->segment[at] = *segment;
        if ((at && segment_end(&elf->segment[at - 1]) > segment->address) ||
            (at + 1 < elf->segments && segment_end(segment) > elf->segment[at + 1].address))
                return "has segments that overlap";
        return NULL;
}

static const char *read_program(struct elf *elf, const struct elf_program *program,
                                nova_word_t begin, nova_word_t end)
{
        const char *error = check_program(program, elf->bytes, begin, end);
        const struct elf_segment segment = {
                .address = (nova_word_t)program->address,
                .offset = (size_t)program->offset,
                .file_bytes = (size_t)program->file_bytes,
                .memory_bytes = (size_t)program->memory_bytes,
                .perms = (program->flags & ELF_R ? NOVA_MEM_R : 0) |
                         (program->flags & ELF_W ? NOVA_MEM_W : 0) |
                         (program->flags & ELF_X ? NOVA_MEM_X : 0),
        };

        if (!error && elf->segments == ELF_SEGMENTS_MAX)
                error = "has too many segments";
        return error ? error : insert(elf, &segment);
}

static const char *check_all(const struct elf *elf)
{
        bool inside = false;

        for (unsigned i = 0; i < elf->segments; i++)
                inside |= elf->segment[i].perms & NOVA_MEM_X &&
                          elf->entry - elf->segment[i].address < elf->segment[i].memory_bytes;
        if (!elf->segments)
                return "has no segment to load";
        if (!inside)
                return "has its entry point outside its executable segments";

        /* A page that two segments share has the permissions of both. */
        struct elf_run run = {.address = elf->begin};

        while (novart_elf_next_run(elf, run.address + run.bytes, &run))
                if (run.perms & NOVA_MEM_W && run.perms & NOVA_MEM_X)
                        return "has a page that would be writable and executable";
        return NULL;
}

const char *novart_elf_read(struct elf *elf, const void *image, size_t bytes, nova_word_t begin,
                            nova_word_t end)
{
        struct elf_header header = {.program_count = 0};

        memcpy(&header, image, bytes < sizeof(header) ? bytes : sizeof(header));
        *elf = (struct elf){.image = image, .bytes = bytes, .entry = header.entry};

        const char *error = check_header(&header, bytes);

        for (unsigned i = 0; !error && i < header.program_count; i++) {
                struct elf_program program;

                memcpy(&program, elf->image + header.program_offset + i * sizeof(program),
                       sizeof(program));
                if (program.type == ELF_LOAD && program.memory_bytes)
                        error = read_program(elf, &program, begin, end);
        }
        if (!error && elf->segments) {
                elf->begin = elf->segment[0].address & ~PAGE_MASK;
                elf->end = (segment_end(&elf->segment[elf->segments - 1]) + PAGE_MASK) & ~PAGE_MASK;
        }
        return error ? error : check_all(elf);
}

/* Finds the image's content for one page. Returns false if there is none. */
static bool look_at_page(const struct elf *elf, nova_word_t page, struct elf_run *run)
{
        const struct elf_segment *only = NULL;
        unsigned touching = 0;

        *run = (struct elf_run){.address = page, .bytes = NOVA_PAGE_SIZE};
        for (unsigned i = 0; i < elf->segments; i++) {
                const struct elf_segment *segment = &elf->segment[i];

                if (segment->address > (page | PAGE_MASK) || segment_end(segment) <= page)
                        continue;
                run->perms |= segment->perms;
                only = segment;
                touching++;
        }
        if (touching != 1 || only->perms & NOVA_MEM_W || only->address > page + PAGE_MASK ||
            only->file_bytes != only->memory_bytes)
                return touching;

        /* Bytes around the segment in its first and last page belong to the image as well. */
        const nova_word_t before = only->address > page ? only->address - page : 0;

        run->offset = only->offset + (page + before - only->address) - before;
        run->in_place = before <= only->offset && run->offset <= elf->bytes &&
                        elf->bytes - run->offset >= NOVA_PAGE_SIZE &&
                        !(((nova_word_t)elf->image + run->offset) & PAGE_MASK);
        return true;
}

static bool continues(const struct elf_run *run, const struct elf_run *next)
{
        return next->perms == run->perms && next->in_place == run->in_place &&
               (!run->in_place || next->offset == run->offset + run->bytes);
}

bool novart_elf_next_run(const struct elf *elf, nova_word_t from, struct elf_run *run)
{
        nova_word_t page = from & ~PAGE_MASK;
        struct elf_run next;

        for (unsigned i = 0; i < elf->segments; i++) {
                const struct elf_segment *segment = &elf->segment[i];

                if (segment_end(segment) <= page)
                        continue;
                if (segment->address > page)
                        page = segment->address & ~PAGE_MASK;
                look_at_page(elf, page, run);
                while (look_at_page(elf, run->address + run->bytes, &next) && continues(run, &next))
                        run->bytes += NOVA_PAGE_SIZE;
                return true;
        }
        return false;
}

size_t novart_elf_copied_bytes(const struct elf *elf)
{
        struct elf_run run = {.address = elf->begin};
        size_t bytes = 0;

        while (novart_elf_next_run(elf, run.address + run.bytes, &run))
                if (!run.in_place)
                        bytes += run.bytes;
        return bytes;
}

void novart_elf_fill(const struct elf *elf, nova_word_t page, void *to)
{
        for (unsigned i = 0; i < elf->segments; i++) {
                const struct elf_segment *segment = &elf->segment[i];
                const nova_word_t end = segment->address + segment->file_bytes;
                const nova_word_t first = segment->address > page ? segment->address : page;
                const nova_word_t last = end < page + NOVA_PAGE_SIZE ? end : page + NOVA_PAGE_SIZE;

                if (first < last)
                        memcpy((unsigned char *)to + (first - page),
                               elf->image + segment->offset + (first - segment->address),
                               last - first);
        }
}
