/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's instructions reach: memory through segments and page tables, devices, ports; and
 * string instructions, which need all of that. */
#ifndef NOVAVMM_ACCESS_H
#define NOVAVMM_ACCESS_H

#include "novavmm/bus.h"
#include "novavmm/decode.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A virtual CPU and what lies around it. */
struct nova_access {
        const struct nova_guest_memory *memory;
        const struct nova_bus *mmio, *ports;
        struct nova_utcb_state *state; /**< all registers but those of tables */
        uint64_t efer;
};

/** An exception that an access raises. */
struct nova_fault {
        uint8_t vector; /**< 12: #SS, 13: #GP, 14: #PF */
        uint32_t error;
        uint64_t address; /**< of a page fault */
};

/** @return 16, 32 or 64: how a virtual CPU reads its code */
unsigned nova_access_bits(const struct nova_access *access);

/**
 * Fetch code where a virtual CPU is.
 *
 * @return bytes that could be read, at most NOVA_CODE_BYTES
 */
size_t nova_access_fetch(const struct nova_access *access, uint8_t *code);

/** Bytes in a row that may lie in two pages. */
struct nova_place {
        uint64_t physical[2]; /**< of the first byte, and of the first in the second page */
        uint8_t bytes, first; /**< in all, in the first page */
};

/**
 * Find what a virtual CPU would access.
 *
 * @param offset in the segment
 * @param bytes  at most 8
 * @return false: it gets @p fault
 */
bool nova_access_find(const struct nova_access *access, enum nova_segment_number segment,
                      uint64_t offset, unsigned bytes, bool write, struct nova_place *place,
                      struct nova_fault *fault);

/** Reads: RAM, a device, or ones. */
uint64_t nova_access_get(const struct nova_access *access, const struct nova_place *place);

/** Writes: RAM, a device, or nowhere. */
void nova_access_put(const struct nova_access *access, const struct nova_place *place,
                     uint64_t value);

/** How a string instruction ended. */
enum nova_string_end {
        NOVA_STRING_DONE,
        NOVA_STRING_GOES_ON, /**< there are more rounds: registers are as between two of them */
        NOVA_STRING_FAULT    /**< registers are as before the round that raised it */
};

/**
 * Do rounds of a string instruction.
 *
 * @param rounds           the most that are done
 * @param[in,out] changed gets the groups of state that changed
 * @param[out] fault       for NOVA_STRING_FAULT
 */
enum nova_string_end nova_string_run(const struct nova_access *access,
                                     const struct nova_instruction *in, unsigned rounds,
                                     nova_mtd_t *changed, struct nova_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
