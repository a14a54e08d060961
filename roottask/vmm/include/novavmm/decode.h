/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that access devices in memory: what they do, told from their bytes. Known are those
 * that drivers use: moves, with extension, exchanges, and arithmetic without carry. */
#ifndef NOVAVMM_DECODE_H
#define NOVAVMM_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nova/abi/utcb.h"
#include "novavmm/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The longest instruction, in bytes. */
#define NOVA_CODE_BYTES 15

/** What is done with the memory operand. */
enum nova_operation {
        NOVA_OP_LOAD,     /**< register := memory */
        NOVA_OP_STORE,    /**< memory := register or immediate */
        NOVA_OP_EXCHANGE, /**< both */
        NOVA_OP_ADD,
        NOVA_OP_OR,
        NOVA_OP_AND,
        NOVA_OP_SUB,
        NOVA_OP_XOR,
        NOVA_OP_CMP, /**< flags alone */
        NOVA_OP_TEST /**< flags alone */
};

/** An instruction with one operand in memory. */
struct nova_instruction {
        enum nova_operation operation;
        uint8_t length;       /**< bytes of the instruction */
        uint8_t bytes;        /**< of the memory operand: 1, 2, 4 or 8 */
        uint8_t target_bytes; /**< of the register; more than `bytes` when it is extended */
        uint8_t reg;          /**< number of the register */
        bool high;            /**< it is AH, CH, DH or BH */
        bool sign;            /**< extended with its sign */
        bool to_register;     /**< arithmetic: the result goes to the register */
        bool has_immediate;   /**< in place of the register */
        uint64_t immediate;
};

/**
 * Tell what an instruction does.
 *
 * @param code  its bytes, and whatever follows
 * @param count how many there are, at most NOVA_CODE_BYTES count
 * @param bits  16, 32 or 64: of the code segment
 * @return false if it is none of those that are known
 */
bool nova_decode(const uint8_t *code, size_t count, unsigned bits, struct nova_instruction *out);

/** @return the value of the register or immediate operand */
uint64_t nova_operand_get(const struct nova_utcb_state *state, const struct nova_instruction *in);

/** Sets the register operand to @p value, of @p in->bytes, extended as the instruction says.
 *  @return the group of state that changed */
nova_mtd_t nova_operand_set(struct nova_utcb_state *state, const struct nova_instruction *in,
                            uint64_t value);

/** Computes @p left OP @p right in @p bytes. @param[in,out] flags gets the arithmetic flags */
uint64_t nova_compute(enum nova_operation operation, unsigned bytes, uint64_t left, uint64_t right,
                      nova_word_t *flags);

/** What paging needs of a guest's state: CR0, CR3, CR4 and EFER. */
struct nova_paging {
        uint64_t cr0, cr3, cr4, efer;
};

/** Walks a guest's page tables. @return false if the address is not mapped, or its tables are not
 *  in RAM */
bool nova_translate(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                    uint64_t linear, uint64_t *physical);

/** Reads code at a linear address. @return bytes that could be read, at most @p bytes */
size_t nova_fetch(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                  uint64_t linear, uint8_t *to, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
