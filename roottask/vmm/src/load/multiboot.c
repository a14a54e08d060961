/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads kernels by the Multiboot specification, version 0.6.96 (see novavmm/load.h). */
#include <string.h>

#include "novavmm/load.h"

/* The header lies in the first bytes of the file, aligned. */
#define SEARCH_BYTES 8192u
#define HEADER_MAGIC 0x1badb002u
#define WANTS_VIDEO  0x4u
#define WANTS_OTHERS 0xfff8u  /* the other bits up to 15: a loader must refuse unknown ones */
#define HAS_ADDRESS  0x10000u /* the addresses are in this header and not in an ELF header */

/* Value of EAX for the kernel, and address of its information: below the BIOS's memory. */
#define BOOT_MAGIC 0x2badb002u
#define INFO       0x90000u
#define INFO_END   0x9f000u
#define RAM_END    0x9fc00u /* followed by the extended BIOS data area */
#define ROM_BEGIN  0xa0000u
#define RAM_BEGIN  0x100000u

/* Vectors of real mode, and their handler in the extended BIOS data area. */
#define VECTORS        256u
#define HANDLER_OFFSET 0x10

/* Bits for the present parts of the information. */
#define INFO_MEMORY  0x1u
#define INFO_LINE    0x4u
#define INFO_MODULES 0x8u
#define INFO_MAP     0x40u
#define INFO_NAME    0x200u

#define MAP_RAM      1u
#define MAP_RESERVED 2u

/* Flat segments; the kernel has no descriptor table for them. */
#define CODE_SELECTOR 8
#define DATA_SELECTOR 16

#define PAGE 4096u

struct header {
        uint32_t magic, flags, checksum;
        uint32_t header_address, load_address, load_end, bss_end, entry; /* HAS_ADDRESS */
};
#define HEADER_BYTES_MIN 12u

struct info {
        uint32_t flags, memory_lower, memory_upper, boot_device, line, modules, module_list;
        uint32_t symbols[4];
        uint32_t map_bytes, map, drives_bytes, drives, configuration, name;
};

struct module {
        uint32_t begin, end, line, reserved;
};

struct map_entry {
        uint32_t bytes; /* size of the rest in bytes */
        uint32_t base[2], length[2], kind;
};

struct elf_header {
        uint8_t ident[16];
        uint16_t type, machine;
        uint32_t version, entry, program_headers, section_headers, flags;
        uint16_t bytes, program_bytes, programs, section_bytes, sections, names;
};
#define ELF_MAGIC     "\177ELF\1\1" /* 32 bits, little-endian */
#define ELF64_MAGIC   "\177ELF\2\1"
#define MACHINE_I386  3
#define MACHINE_AMD64 62
#define PROGRAM_LOADS 1

struct elf_program {
        uint32_t type, offset, virtual, physical, file_bytes, memory_bytes, flags, alignment;
};

struct elf64_header {
        uint8_t ident[16];
        uint16_t type, machine;
        uint32_t version;
        uint64_t entry, program_headers, section_headers;
        uint32_t flags;
        uint16_t bytes, program_bytes, programs, section_bytes, sections, names;
};

struct elf64_program {
        uint32_t type, flags;
        uint64_t offset, virtual, physical, file_bytes, memory_bytes, alignment;
};

/* State of a load. */
struct loader {
        const struct nova_guest_memory *memory;
        const uint8_t *file;
        size_t bytes;
        uint64_t end;   /* end of the loaded memory */
        uint64_t total; /* sum of the loaded bytes; overlapping pieces count twice */
        uint32_t entry;
        uint32_t at; /* address for the next part of the information */
};

static const char too_small[] = "the guest has too little memory for it";

/* Copies a piece of the file and clears the bytes after it. @return as nova_multiboot_load() */
static const char *place(struct loader *loader, uint64_t offset, uint64_t bytes, uint64_t address,
                         uint64_t all)
{
        if (offset > loader->bytes || bytes > loader->bytes - offset)
                return "it is truncated";
        if (all > loader->memory->bytes - loader->total || address > loader->memory->bytes)
                return too_small;
        if (all < bytes)
                return "one of its segments is larger in the file than in memory";
        if (address < INFO_END && address + all > INFO)
                return "it overlaps the place of its boot information";

        uint8_t *const to = nova_guest_pointer(loader->memory, address, all);

        if (!to)
                return too_small;
        memcpy(to, loader->file + offset, bytes);
        memset(to + bytes, 0, all - bytes);
        if (address + all > loader->end)
                loader->end = address + all;
        loader->total += all;
        return NULL;
}

/* Finds the header.
 * @return true if there is one, and its offset in the file */
static bool find_header(const struct loader *loader, struct header *header, size_t *at)
{
        const size_t end = loader->bytes < SEARCH_BYTES ? loader->bytes : SEARCH_BYTES;

        for (*at = 0; *at + HEADER_BYTES_MIN <= end; *at += 4) {
                const size_t rest = loader->bytes - *at;

                memset(header, 0, sizeof(*header));
                memcpy(header, loader->file + *at, rest < sizeof(*header) ? rest : sizeof(*header));
                if (header->magic == HEADER_MAGIC &&
                    header->magic + header->flags + header->checksum == 0)
                        return true;
        }
        return false;
}

/* Loads a file whose header contains its addresses. If the header contains no end, the whole rest
 * of the file is loaded. */
static const char *place_flat(struct loader *loader, const struct header *header, size_t at)
{
        const uint32_t before = header->header_address - header->load_address;

        if (header->header_address < header->load_address || before > at)
                return "its header is not where its addresses say";

        const uint64_t offset = at - before;
        const uint64_t bytes = header->load_end ? (uint64_t)header->load_end - header->load_address
                                                : loader->bytes - offset;
        const uint64_t all =
                header->bss_end ? (uint64_t)header->bss_end - header->load_address : bytes;

        if (header->load_end && header->load_end < header->load_address)
                return "it ends before it begins";
        if (header->bss_end && header->bss_end < header->load_address)
                return "it ends before it begins";
        loader->entry = header->entry;
        return place(loader, offset, bytes, header->load_address, all);
}

/* Converts the entry point to a physical address. It is a virtual address if the kernel is linked
 * to addresses that differ from its load addresses. */
static void translate_entry(struct loader *loader, const struct elf64_header *elf,
                            const struct elf64_program *program)
{
        if (elf->entry >= program->virtual && elf->entry - program->virtual < program->memory_bytes)
                loader->entry = (uint32_t)(elf->entry - program->virtual + program->physical);
}

/* Reads the ELF header in its 64-bit form.
 * @return as nova_multiboot_load() */
static const char *read_header(const struct loader *loader, struct elf64_header *elf)
{
        struct elf_header narrow;

        if (loader->bytes < sizeof(narrow))
                return "it is truncated";
        memcpy(&narrow, loader->file, sizeof(narrow));
        if (!memcmp(narrow.ident, ELF_MAGIC, sizeof(ELF_MAGIC) - 1) &&
            narrow.machine == MACHINE_I386) {
                elf->entry = narrow.entry;
                elf->program_headers = narrow.program_headers;
                elf->program_bytes = narrow.program_bytes;
                elf->programs = narrow.programs;
                elf->machine = MACHINE_I386;
                return NULL;
        }
        if (memcmp(narrow.ident, ELF64_MAGIC, sizeof(ELF64_MAGIC) - 1) != 0 ||
            narrow.machine != MACHINE_AMD64)
                return "it is not an ELF file for x86, and its header has no addresses";
        if (loader->bytes < sizeof(*elf))
                return "it is truncated";
        memcpy(elf, loader->file, sizeof(*elf));
        return NULL;
}

/* Reads a program header of either form.
 * @return false: the file is truncated */
static bool read_program(const struct loader *loader, const struct elf64_header *elf, unsigned i,
                         struct elf64_program *program)
{
        const uint64_t at = elf->program_headers + (uint64_t)i * elf->program_bytes;
        const bool narrow = elf->machine == MACHINE_I386;
        const size_t bytes = narrow ? sizeof(struct elf_program) : sizeof(*program);
        struct elf_program from;

        if (at > loader->bytes || loader->bytes - at < bytes)
                return false;
        if (!narrow) {
                memcpy(program, loader->file + at, sizeof(*program));
                return true;
        }
        memcpy(&from, loader->file + at, sizeof(from));
        *program = (struct elf64_program){
                .type = from.type,
                .offset = from.offset,
                .virtual = from.virtual,
                .physical = from.physical,
                .file_bytes = from.file_bytes,
                .memory_bytes = from.memory_bytes,
        };
        return true;
}

static const char *place_elf(struct loader *loader)
{
        struct elf64_header elf;
        const char *why = read_header(loader, &elf);

        if (why)
                return why;
        if (elf.program_bytes < (elf.machine == MACHINE_I386 ? sizeof(struct elf_program)
                                                             : sizeof(struct elf64_program)) ||
            !elf.programs)
                return "it has no segments";
        loader->entry = (uint32_t)elf.entry;
        for (unsigned i = 0; i < elf.programs && !why; i++) {
                struct elf64_program program;

                if (!read_program(loader, &elf, i, &program))
                        return "it is truncated";
                if (program.type != PROGRAM_LOADS || !program.memory_bytes)
                        continue;
                why = place(loader, program.offset, program.file_bytes, program.physical,
                            program.memory_bytes);
                translate_entry(loader, &elf, &program);
        }
        return why;
}

/* Appends data to the information.
 * @return its address; 0: there is no room */
static uint32_t add(struct loader *loader, const void *what, size_t bytes)
{
        const uint32_t at = loader->at;

        if (bytes > INFO_END - at || !nova_guest_write(loader->memory, at, what, bytes))
                return 0;
        loader->at = (uint32_t)(at + bytes + 3) & ~3u;
        return at;
}

static const char *place_modules(struct loader *loader, const struct nova_multiboot *image,
                                 struct info *info)
{
        const uint32_t list = loader->at;

        if (image->modules > (INFO_END - list) / sizeof(struct module))
                return "it has too many modules";
        loader->at += image->modules * (uint32_t)sizeof(struct module);
        for (unsigned i = 0; i < image->modules; i++) {
                const struct nova_multiboot_module *const from = &image->module[i];
                const uint64_t at = (loader->end + PAGE - 1) & ~(uint64_t)(PAGE - 1);
                struct module module = {.begin = (uint32_t)at};

                if (!nova_guest_write(loader->memory, at, from->data, from->bytes))
                        return "the guest has too little memory for its modules";
                loader->end = at + from->bytes;
                module.end = (uint32_t)loader->end;
                module.line = add(loader, from->line, strlen(from->line) + 1);
                if (!module.line)
                        return "its command lines are too long";
                nova_guest_write(loader->memory, list + i * sizeof(module), &module,
                                 sizeof(module));
        }
        info->flags |= INFO_MODULES;
        info->modules = image->modules;
        info->module_list = list;
        return NULL;
}

static struct map_entry range(uint64_t begin, uint64_t end, uint32_t kind)
{
        const uint64_t length = end - begin;
        const struct map_entry entry = {
                .bytes = sizeof(entry) - sizeof(entry.bytes),
                .base = {(uint32_t)begin, (uint32_t)(begin >> 32)},
                .length = {(uint32_t)length, (uint32_t)(length >> 32)},
                .kind = kind,
        };

        return entry;
}

static const char *place_info(struct loader *loader, const struct nova_multiboot *image)
{
        const struct map_entry map[] = {
                range(0, RAM_END, MAP_RAM),
                range(RAM_END, RAM_BEGIN, MAP_RESERVED),
                range(RAM_BEGIN, loader->memory->bytes, MAP_RAM),
        };
        struct info info = {
                .flags = INFO_MEMORY | INFO_LINE | INFO_MAP | INFO_NAME,
                .memory_lower = RAM_END / 1024,
                .memory_upper = (uint32_t)((loader->memory->bytes - RAM_BEGIN) / 1024),
                .map_bytes = sizeof(map),
        };
        const char *why;

        loader->at = INFO + sizeof(info);
        info.map = add(loader, map, sizeof(map));
        info.name = add(loader, "novavmm", sizeof("novavmm"));
        info.line = add(loader, image->line, strlen(image->line) + 1);
        if (!info.line)
                return "its command line is too long";
        why = place_modules(loader, image, &info);
        nova_guest_write(loader->memory, INFO, &info, sizeof(info));
        return why;
}

/* Sets all vectors of real mode to a handler in the extended BIOS data area. The handler sets the
 * carry flag and returns: a kernel that returns to real mode and calls the BIOS sees that the
 * function does not exist. */
static void place_bios_vectors(const struct loader *loader)
{
        static const uint8_t handler[] = {
                0x55,                   /* push %bp */
                0x89, 0xe5,             /* mov %sp, %bp */
                0x80, 0x4e, 0x06, 0x01, /* orb $1, 6(%bp) */
                0x5d,                   /* pop %bp */
                0xcf,                   /* iret */
        };
        const struct {
                uint16_t offset, segment;
        } vector = {HANDLER_OFFSET, RAM_END >> 4};

        nova_guest_write(loader->memory, RAM_END + HANDLER_OFFSET, handler, sizeof(handler));
        for (unsigned i = 0; i < VECTORS; i++)
                nova_guest_write(loader->memory, i * sizeof(vector), &vector, sizeof(vector));
}

/* Writes the data that a BIOS leaves for operating systems: the vectors of real mode, the first
 * serial port, the x87 unit, and the size of the memory below 640 KiB. The extended area after that
 * memory begins with its own size in KiB. A kernel that is loaded there overwrites the data. */
static void place_bios_data(const struct loader *loader)
{
        static const struct {
                uint16_t at, value;
        } words[] = {
                {0x400, 0x3f8},
                {0x40e, RAM_END >> 4},
                {0x410, 0x202},
                {0x413, RAM_END / 1024},
        };
        const uint8_t extended = (ROM_BEGIN - RAM_END) / 1024;

        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
                nova_guest_write(loader->memory, words[i].at, &words[i].value, 2);
        nova_guest_write(loader->memory, RAM_END, &extended, sizeof(extended));
        place_bios_vectors(loader);
}

const char *nova_multiboot_load(const struct nova_guest_memory *memory,
                                const struct nova_multiboot *image, struct nova_utcb_event *start)
{
        struct loader loader = {.memory = memory,
                                .file = image->kernel,
                                .bytes = image->kernel_bytes,
                                .end = RAM_BEGIN};
        struct header header;
        const char *why;
        size_t at;

        if (!find_header(&loader, &header, &at))
                return "it has no Multiboot header";
        if (header.flags & (WANTS_VIDEO | WANTS_OTHERS))
                return "it requests features that this loader does not support: a video mode, or "
                       "unknown ones";
        if (memory->bytes < 2 * RAM_BEGIN)
                return too_small;
        place_bios_data(&loader);
        why = header.flags & HAS_ADDRESS ? place_flat(&loader, &header, at) : place_elf(&loader);
        if (!why)
                why = place_info(&loader, image);
        if (why)
                return why;
        nova_registers_protected(start, loader.entry, CODE_SELECTOR, DATA_SELECTOR);
        start->state.ax = BOOT_MAGIC;
        start->state.bx = INFO;
        return NULL;
}
