/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's instructions reach: memory through segments and page tables, devices, ports; and
 * instructions that need all of that. */
#ifndef NOVAVMM_ACCESS_H
#define NOVAVMM_ACCESS_H

#include "novavmm/bus.h"
#include "novavmm/decode.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A virtual CPU and what lies around it. */
struct nova_access {
        const struct nova_guest_memory *memory; /**< the guest's RAM */
        const struct nova_bus *mmio;            /**< its devices in memory */
        const struct nova_bus *ports;           /**< its devices at ports */
        struct nova_utcb_state *state;          /**< all registers but those of tables */
        uint64_t efer;                          /**< EFER */
};

/** An exception that an access raises. */
struct nova_fault {
        uint8_t vector;   /**< 12: #SS, 13: #GP, 14: #PF */
        uint32_t error;   /**< its error code */
        uint64_t address; /**< of a page fault */
};

/** @return 16, 32 or 64: how the virtual CPU of @p access reads its code */
unsigned nova_access_bits(const struct nova_access *access);

/**
 * Cut a sum to what the virtual CPU of @p access has as an instruction pointer: 32 bits, but in
 * 64-bit mode. 16-bit code has 32, too: its segment's limit ends it (SDM 3B, "Segment
 * Wraparound").
 *
 * @return @p ip, cut
 */
nova_word_t nova_access_cut(const struct nova_access *access, nova_word_t ip);

/**
 * Fetch code where a virtual CPU is.
 *
 * @param access    the virtual CPU
 * @param[out] code gets it
 * @return bytes that could be read, at most NOVA_CODE_BYTES
 */
size_t nova_access_fetch(const struct nova_access *access, uint8_t *code);

/** Bytes in a row that may lie in two pages. */
struct nova_place {
        uint64_t physical[2]; /**< of the first byte, and of the first in the second page */
        uint8_t bytes;        /**< in all */
        uint8_t first;        /**< in the first page */
};

/**
 * Find what a virtual CPU would access.
 *
 * @param access      the virtual CPU
 * @param segment     the segment register
 * @param offset      in the segment
 * @param bytes       at most 8
 * @param write       else it reads
 * @param[out] place  where it is
 * @param[out] fault  what it gets instead
 * @return false: @p fault
 */
bool nova_access_find(const struct nova_access *access, enum nova_segment_number segment,
                      uint64_t offset, unsigned bytes, bool write, struct nova_place *place,
                      struct nova_fault *fault);

/** @return what the virtual CPU of @p access reads at @p place: RAM, a device, or ones */
uint64_t nova_access_get(const struct nova_access *access, const struct nova_place *place);

/** Writes @p value at @p place, for the virtual CPU of @p access: to RAM, a device, or nowhere. */
void nova_access_put(const struct nova_access *access, const struct nova_place *place,
                     uint64_t value);

/**
 * Do an instruction that is not a string instruction, in its virtual CPU's place.
 *
 * An operand that lies partly in RAM and partly in a device, or in two devices, is taken apart into
 * bytes, each of which goes where it belongs.
 *
 * @param access          the virtual CPU, at that instruction
 * @param in              the instruction
 * @param address         guest-physical: where the exit says that there is no memory
 * @param[in,out] changed gets the groups of state that changed
 * @param[out] fault      what it gets instead
 * @return false: @p fault, and nothing was done
 */
bool nova_access_perform(const struct nova_access *access, const struct nova_instruction *in,
                         uint64_t address, nova_mtd_t *changed, struct nova_fault *fault);

/** How a string instruction ended. */
enum nova_string_end {
        NOVA_STRING_DONE,    /**< the instruction is over */
        NOVA_STRING_GOES_ON, /**< there are more rounds: registers are as between two of them */
        NOVA_STRING_FAULT    /**< registers are as before the round that raised it */
};

/**
 * Do rounds of a string instruction.
 *
 * @param access          the virtual CPU
 * @param in              the instruction
 * @param rounds          the most that are done
 * @param[in,out] changed gets the groups of state that changed
 * @param[out] fault      for NOVA_STRING_FAULT
 * @return how it ended
 */
enum nova_string_end nova_string_run(const struct nova_access *access,
                                     const struct nova_instruction *in, unsigned rounds,
                                     nova_mtd_t *changed, struct nova_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
