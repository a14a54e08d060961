/* SPDX-License-Identifier: BSD-2-Clause */
/* Function names from an ELF file's symbol table. Every bound is checked because the file is
 * untrusted. */
#ifndef NOVART_SYMBOLS_H
#define NOVART_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Size in bytes of the longest name that nova_symbols_find() returns, including the terminating
 * 0. */
#define NOVA_SYMBOL_BYTES 64

/** Location of the symbols in an ELF file. Filled in by nova_symbols_init(); the file must stay
 * valid. */
struct nova_symbols {
        const unsigned char *elf; /**< the file */
        size_t size;              /**< size of the file in bytes */
        bool wide;                /**< file of class ELFCLASS64 */
        size_t table, count;      /**< offset and number of the symbols */
        size_t text, length;      /**< offset and size in bytes of the symbols' names */
};

/** A function that contains an address. */
struct nova_symbol {
        char name[NOVA_SYMBOL_BYTES]; /**< name of the function; unprintable characters become '?'
                                       */
        uint64_t offset; /**< offset of the address from the function's start in bytes */
};

/**
 * Finds the symbol table in a file.
 *
 * @param elf  the file, which is only read
 * @param size size of the file in bytes
 * @return 0; ENOEXEC if the file is not a little-endian ELF file or its headers point outside it;
 *         ENOENT if it has no symbols. After an error nova_symbols_find() finds nothing
 */
int nova_symbols_init(struct nova_symbols *symbols, const void *elf, size_t size);

/**
 * Finds the function that contains an address.
 * @code
 * extern const void *file;
 * extern size_t bytes;
 * struct nova_symbols symbols;
 * struct nova_symbol symbol;
 *
 * if (nova_symbols_init(&symbols, file, bytes) == 0 &&
 *     nova_symbols_find(&symbols, 0x401000, &symbol))
 *         printf("%s + %llu\n", symbol.name, (unsigned long long)symbol.offset);
 * @endcode
 * @param symbols symbols of the file; NULL: no symbols
 * @return false, and @p symbol is unchanged, if no function contains the address
 */
bool nova_symbols_find(const struct nova_symbols *symbols, uint64_t addr,
                       struct nova_symbol *symbol);

#ifdef __cplusplus
}
#endif

#endif
