/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses of a guest's instructions: to memory through segments and page tables, to devices and to
 * ports. Also the emulation of instructions that make such accesses. */
#ifndef NOVAVMM_ACCESS_H
#define NOVAVMM_ACCESS_H

#include "novavmm/bus.h"
#include "novavmm/decode.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A virtual CPU, and the memory and devices that it can access. */
struct nova_access {
        const struct nova_guest_memory *memory; /**< the guest's RAM */
        const struct nova_bus *mmio;            /**< its devices in memory */
        const struct nova_bus *ports;           /**< its devices at ports */
        struct nova_utcb_state *state; /**< all registers except descriptor-table registers */
        uint64_t efer;                 /**< value of EFER, whose LMA selects the mode */
};

/** An exception that an access raises. */
struct nova_fault {
        uint8_t vector;   /**< 12: #SS, 13: #GP, 14: #PF */
        uint32_t error;   /**< error code of the exception */
        uint64_t address; /**< faulting address of a #PF */
};

/** Returns the width in which the virtual CPU of @p access runs its code: 16, 32 or 64. */
unsigned nova_access_bits(const struct nova_access *access);

/**
 * Truncates a sum to the width of the instruction pointer of the virtual CPU of @p access: 64 bits
 * in 64-bit mode, otherwise 32. 16-bit code uses 32 bits, too, and does not wrap: beyond the
 * segment's limit it raises an exception (SDM 3B, "Segment Wraparound").
 *
 * @return @p ip, truncated
 */
nova_word_t nova_access_cut(const struct nova_access *access, nova_word_t ip);

/**
 * Fetches code at a virtual CPU's instruction pointer.
 *
 * @param access    the virtual CPU
 * @param[out] code the bytes read
 * @return number of bytes read, at most NOVA_CODE_BYTES
 */
size_t nova_access_fetch(const struct nova_access *access, uint8_t *code);

/** A run of bytes, which may lie in two pages. */
struct nova_place {
        uint64_t physical[2]; /**< physical address of the first byte, and of the first byte in the
                                 second page */
        uint8_t bytes;        /**< number of bytes in all */
        uint8_t first;        /**< number of bytes in the first page */
};

/**
 * Finds the memory that a virtual CPU would access.
 *
 * @code
 * extern struct nova_access access; // of a virtual CPU at an exit
 * struct nova_place top;
 * struct nova_fault fault;
 *
 * if (nova_access_find(&access, NOVA_SEGMENT_SS, access.state->sp, 8, false, &top, &fault))
 *         printf("%#llx\n", (unsigned long long)nova_access_get(&access, &top));
 * else
 *         printf("the access raises exception %u\n", fault.vector);
 * @endcode
 * @param access      the virtual CPU
 * @param segment     the segment register
 * @param offset      in the segment
 * @param bytes       size of the access, at most 8
 * @param write       true for a write, false for a read
 * @param[out] place  location of the bytes
 * @param[out] fault  exception that the access raises
 * @return false if the access raises @p fault
 */
bool nova_access_find(const struct nova_access *access, enum nova_segment_number segment,
                      uint64_t offset, unsigned bytes, bool write, struct nova_place *place,
                      struct nova_fault *fault);

/** Returns the value that the virtual CPU of @p access reads at @p place, from RAM or a device; all
 * ones if neither is there. */
uint64_t nova_access_get(const struct nova_access *access, const struct nova_place *place);

/** Writes @p value at @p place, for the virtual CPU of @p access, to RAM or a device; has no effect
 * if neither is there. */
void nova_access_put(const struct nova_access *access, const struct nova_place *place,
                     uint64_t value);

/**
 * Executes an instruction that is not a string instruction on behalf of its virtual CPU.
 *
 * An operand that lies partly in RAM and partly in a device, or in two devices, is accessed byte by
 * byte. If the exit's qualification (@c state->qual) does not say that the guest wrote, a write is
 * checked with the guest's page tables.
 *
 * @param access          the virtual CPU, at that instruction
 * @param in              the instruction
 * @param address         guest-physical address that the guest accessed and at which it has no
 * memory
 * @param[in,out] changed adds the groups of state that changed
 * @param[out] fault      exception that the instruction raises
 * @return false if it raises @p fault; then nothing has changed
 */
bool nova_access_perform(const struct nova_access *access, const struct nova_instruction *in,
                         uint64_t address, nova_mtd_t *changed, struct nova_fault *fault);

/** Ways in which the execution of a string instruction ends. */
enum nova_string_end {
        NOVA_STRING_DONE,    /**< the instruction is complete */
        NOVA_STRING_GOES_ON, /**< more rounds remain; the registers have their values between two
                              * rounds */
        NOVA_STRING_FAULT    /**< a round raised an exception; the registers have their values
                              * before that round */
};

/**
 * Executes rounds of a string instruction.
 *
 * @param access          the virtual CPU
 * @param in              the instruction
 * @param rounds          maximum number of rounds
 * @param[in,out] changed adds the groups of state that changed
 * @param[out] fault      exception, for NOVA_STRING_FAULT
 * @return how the execution ended
 */
enum nova_string_end nova_string_run(const struct nova_access *access,
                                     const struct nova_instruction *in, unsigned rounds,
                                     nova_mtd_t *changed, struct nova_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
