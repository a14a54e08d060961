/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of functions from an ELF file's table of symbols, with every bound checked: the file may
 * come from anybody. */
#ifndef NOVART_SYMBOLS_H
#define NOVART_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Longest name that nova_symbols_find() puts out, with the 0 at its end. */
#define NOVA_SYMBOL_BYTES 64

/** Where the symbols of an ELF file lie. Filled in by nova_symbols_init(); the file must stay. */
struct nova_symbols {
        const unsigned char *elf; /**< the file */
        size_t size;              /**< its bytes */
        bool wide;                /**< a file of class 64 */
        size_t table, count;      /**< offset of the symbols, and how many there are */
        size_t text, length;      /**< offset of their names, and how many bytes they have */
};

/** A function that holds an address. */
struct nova_symbol {
        char name[NOVA_SYMBOL_BYTES]; /**< what cannot be printed in it is '?' */
        uint64_t offset;              /**< of the address from the function's begin, in bytes */
};

/**
 * Look for the table of symbols in a file.
 *
 * @param elf  the file; only read
 * @param size its length in bytes
 * @return 0; ENOEXEC if it is not a little-endian ELF file or its headers lead outside of it;
 *         ENOENT if it has no symbols. Then nova_symbols_find() finds nothing
 */
int nova_symbols_init(struct nova_symbols *symbols, const void *elf, size_t size);

/**
 * Find the function that holds an address.
 *
 * @param symbols NULL is a file without symbols
 * @return false, and @p symbol is unchanged, if no function does
 */
bool nova_symbols_find(const struct nova_symbols *symbols, uint64_t addr,
                       struct nova_symbol *symbol);

#ifdef __cplusplus
}
#endif

#endif
