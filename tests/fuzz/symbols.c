/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the reader of symbol tables with any file. The file begins at an unaligned address and
 * ends where its memory ends. The tables that the reader finds must lie inside of the file, and a
 * name must be printable and zero-terminated, and come from the table of names. The first bytes of
 * the input are an address to look up; further addresses come from the symbols themselves. */
#include "novart/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "require.h"

#define SYMBOLS 16 /* symbols whose addresses are looked up */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t symbol_bytes(const struct nova_symbols *symbols)
{
        return symbols->wide ? 24 : 16;
}

static uint64_t number(const unsigned char *from, unsigned bytes)
{
        uint64_t value = 0;

        memcpy(&value, from, bytes);
        return value;
}

/* Returns true if the table of names contains a name, in which '?' stands for any character. */
static bool has_name(const struct nova_symbols *symbols, const char *name)
{
        const char *const text = (const char *)symbols->elf + symbols->text;
        const size_t length = strlen(name);

        for (size_t at = 0; at + length <= symbols->length; at++) {
                size_t i = 0;

                while (i < length && (name[i] == '?' || name[i] == text[at + i]))
                        i++;
                if (i == length)
                        return true;
        }
        return false;
}

static void look_up(const struct nova_symbols *symbols, uint64_t address)
{
        struct nova_symbol symbol;
        const struct nova_symbol *const unchanged = &symbol;

        memset(&symbol, 0x5a, sizeof(symbol));
        if (!nova_symbols_find(symbols, address, &symbol)) {
                for (size_t i = 0; i < sizeof(symbol); i++)
                        require(((const unsigned char *)unchanged)[i] == 0x5a);
                return;
        }
        require(symbol.offset <= address &&
                strnlen(symbol.name, NOVA_SYMBOL_BYTES) < NOVA_SYMBOL_BYTES);
        for (const char *c = symbol.name; *c; c++)
                require(*c >= ' ' && *c <= '~');
        require(has_name(symbols, symbol.name));
}

static void look_up_all(const struct nova_symbols *symbols, uint64_t address)
{
        const size_t bytes = symbol_bytes(symbols);

        require(!symbols->count || symbols->table <= symbols->size);
        require(symbols->count <= (symbols->size - symbols->table) / bytes);
        require(symbols->text <= symbols->size && symbols->length <= symbols->size - symbols->text);
        look_up(symbols, address);
        for (size_t i = 0; i < symbols->count && i < SYMBOLS; i++) {
                const unsigned char *const at = symbols->elf + symbols->table + i * bytes;
                const uint64_t first = number(at + (symbols->wide ? 8 : 4), symbols->wide ? 8 : 4);
                const uint64_t size = number(at + (symbols->wide ? 16 : 8), symbols->wide ? 8 : 4);

                look_up(symbols, first);
                look_up(symbols, first + size - 1);
                look_up(symbols, first + size);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const size_t skip = size < 8 ? size : 8;
        unsigned char *const memory = malloc(1 + size - skip);
        struct nova_symbols symbols;
        int error;

        memcpy(memory + 1, data + skip, size - skip);
        error = nova_symbols_init(&symbols, memory + 1, size - skip);
        require(!error || error == ENOEXEC || error == ENOENT);
        require(!error || !symbols.count);
        look_up_all(&symbols, number(data, (unsigned)skip));
        free(memory);
        return 0;
}
