/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads symbols of an ELF file (see novart/symbols.h). Fields are read byte by byte, so any
 * alignment and both classes are supported. */
#include "novart/symbols.h"

#include <errno.h>

/* Offsets and sizes of the fields of ELF that this file reads, for classes 32 and 64. */
struct layout {
        unsigned header, shoff, shentsize, shnum;
        unsigned section, type, offset, size, link, entsize;
        unsigned symbol, value, symbol_size, info;
        unsigned wide; /* size of an address in bytes */
};

static const struct layout layouts[] = {
        {52, 32, 46, 48, 40, 4, 16, 20, 24, 36, 16, 4, 8, 12, 4},
        {64, 40, 58, 60, 64, 4, 24, 32, 40, 56, 24, 8, 16, 4, 8},
};

#define ELF_CLASS    4
#define ELF_DATA     5
#define CLASS_32     1
#define CLASS_64     2
#define DATA_LITTLE  1
#define SHT_SYMTAB   2
#define SHT_STRTAB   3
#define STT_FUNC     2
#define SYMBOL_NAME  0
#define SYMBOL_TYPES 0xf

static const struct layout *layout_of(const struct nova_symbols *symbols)
{
        return &layouts[symbols->wide];
}

static uint64_t get(const struct nova_symbols *symbols, size_t offset, unsigned bytes)
{
        uint64_t value = 0;

        for (unsigned i = bytes; i-- > 0;)
                value = value << 8 | symbols->elf[offset + i];
        return value;
}

/* Reads the position of a section's content. Returns false if it does not lie in the file. */
static bool content(const struct nova_symbols *symbols, size_t section, size_t *offset,
                    size_t *size)
{
        const struct layout *l = layout_of(symbols);
        const uint64_t at = get(symbols, section + l->offset, l->wide);
        const uint64_t bytes = get(symbols, section + l->size, l->wide);

        if (at > symbols->size || bytes > symbols->size - at)
                return false;
        *offset = (size_t)at;
        *size = (size_t)bytes;
        return true;
}

/* Records the symbol table that section header `section` describes, and the section with its
 * names. */
static int take(struct nova_symbols *symbols, size_t section, size_t headers, size_t count)
{
        const struct layout *l = layout_of(symbols);
        const uint64_t names = get(symbols, section + l->link, 4);
        size_t table, bytes, text, length;

        if (names >= count || get(symbols, section + l->entsize, l->wide) != l->symbol)
                return ENOEXEC;

        const size_t other = headers + (size_t)names * l->section;

        if (get(symbols, other + l->type, 4) != SHT_STRTAB ||
            !content(symbols, section, &table, &bytes) || !content(symbols, other, &text, &length))
                return ENOEXEC;
        symbols->table = table;
        symbols->text = text;
        symbols->length = length;
        symbols->count = bytes / l->symbol;
        return 0;
}

static bool is_elf(const unsigned char *elf, size_t size)
{
        return size >= layouts[0].header && elf[0] == 0x7f && elf[1] == 'E' && elf[2] == 'L' &&
               elf[3] == 'F' && elf[ELF_DATA] == DATA_LITTLE &&
               (elf[ELF_CLASS] == CLASS_32 ||
                (elf[ELF_CLASS] == CLASS_64 && size >= layouts[1].header));
}

int nova_symbols_init(struct nova_symbols *symbols, const void *elf, size_t size)
{
        *symbols = (struct nova_symbols){.elf = elf, .size = size};
        if (!elf || !is_elf(elf, size))
                return ENOEXEC;
        symbols->wide = symbols->elf[ELF_CLASS] == CLASS_64;

        const struct layout *l = layout_of(symbols);
        const uint64_t headers = get(symbols, l->shoff, l->wide);
        const size_t count = (size_t)get(symbols, l->shnum, 2);

        if (!count)
                return ENOENT;
        if (get(symbols, l->shentsize, 2) != l->section || headers > size ||
            count > (size - (size_t)headers) / l->section)
                return ENOEXEC;
        for (size_t i = 0; i < count; i++) {
                const size_t section = (size_t)headers + i * l->section;

                if (get(symbols, section + l->type, 4) == SHT_SYMTAB)
                        return take(symbols, section, (size_t)headers, count);
        }
        return ENOENT;
}

/* Copies a name up to the end of the table of names, in printable characters. */
static void copy_name(const struct nova_symbols *symbols, uint64_t from, char *name)
{
        unsigned i = 0;

        for (; i + 1 < NOVA_SYMBOL_BYTES && from + i < symbols->length; i++) {
                const char c = (char)symbols->elf[symbols->text + from + i];

                if (!c)
                        break;
                name[i] = c;
                if (c < ' ' || c > '~')
                        name[i] = '?';
        }
        name[i] = 0;
}

bool nova_symbols_find(const struct nova_symbols *symbols, uint64_t addr,
                       struct nova_symbol *symbol)
{
        for (size_t i = 0; symbols && i < symbols->count; i++) {
                const struct layout *l = layout_of(symbols);
                const size_t at = symbols->table + i * l->symbol;
                const uint64_t value = get(symbols, at + l->value, l->wide);
                const uint64_t size = get(symbols, at + l->symbol_size, l->wide);
                const uint64_t name = get(symbols, at + SYMBOL_NAME, 4);

                if ((get(symbols, at + l->info, 1) & SYMBOL_TYPES) != STT_FUNC || addr < value ||
                    addr - value >= (size ? size : 1) || name >= symbols->length)
                        continue;
                copy_name(symbols, name, symbol->name);
                symbol->offset = addr - value;
                return true;
        }
        return false;
}
