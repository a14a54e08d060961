/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that access devices in memory, and string instructions: what they do, decoded from
 * their bytes. Known are those that drivers use: moves, with extension, exchanges, arithmetic,
 * bits. */
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
        NOVA_OP_ADD,      /**< sum; from here to CMP as opcodes number them */
        NOVA_OP_OR,       /**< or */
        NOVA_OP_ADC,      /**< sum, with carry */
        NOVA_OP_SBB,      /**< difference, with borrow */
        NOVA_OP_AND,      /**< and */
        NOVA_OP_SUB,      /**< difference */
        NOVA_OP_XOR,      /**< exclusive or */
        NOVA_OP_CMP,      /**< flags alone */
        NOVA_OP_TEST,     /**< flags alone */
        NOVA_OP_NOT,      /**< all bits changed; no operand but memory, as the next three */
        NOVA_OP_NEG,      /**< 0 less memory */
        NOVA_OP_INC,      /**< one more */
        NOVA_OP_DEC,      /**< one less */
        NOVA_OP_BT,   /**< flags alone; the operand is the number of a bit, as in the next three */
        NOVA_OP_BTS,  /**< and the bit set */
        NOVA_OP_BTR,  /**< and the bit cleared */
        NOVA_OP_BTC,  /**< and the bit changed */
        NOVA_OP_XADD, /**< memory := sum, register := what memory held */
        NOVA_OP_CMPXCHG, /**< memory := register if it equals the accumulator */
        NOVA_OP_MOVS,    /**< string to string; from here on string instructions */
        NOVA_OP_CMPS,    /**< comparison of two strings */
        NOVA_OP_STOS,    /**< accumulator to a string */
        NOVA_OP_LODS,    /**< string to the accumulator */
        NOVA_OP_SCAS,    /**< comparison of the accumulator with a string */
        NOVA_OP_INS,     /**< port to a string */
        NOVA_OP_OUTS     /**< string to a port */
};

/** Segment registers, by their numbers in instructions. */
enum nova_segment_number {
        NOVA_SEGMENT_ES, /**< ES */
        NOVA_SEGMENT_CS, /**< CS */
        NOVA_SEGMENT_SS, /**< SS */
        NOVA_SEGMENT_DS, /**< DS */
        NOVA_SEGMENT_FS, /**< FS */
        NOVA_SEGMENT_GS  /**< GS */
};

/** Repetitions of string instructions. */
enum nova_repeat {
        NOVA_REPEAT_NONE,     /**< once */
        NOVA_REPEAT_EQUAL,    /**< REP; of comparisons: REPE */
        NOVA_REPEAT_NOT_EQUAL /**< REPNE: of other instructions the same as REP */
};

/** In place of a register's number: there is none. */
#define NOVA_NO_REGISTER 0xff

/** Where in its segment an operand in memory lies: at the sum of these, cut to the instruction's
 * address_bytes. */
struct nova_address {
        uint8_t base;      /**< number of a general register, or NOVA_NO_REGISTER */
        uint8_t index;     /**< the same, multiplied by 2^scale */
        uint8_t scale;     /**< 0 to 3 */
        bool from_next;    /**< and where the next instruction is */
        uint64_t constant; /**< extended with its sign */
};

/** An instruction with one operand in memory, or a string instruction. */
struct nova_instruction {
        enum nova_operation operation; /**< what is done */
        uint8_t length;                /**< bytes of the instruction */
        uint8_t bytes;                 /**< of the memory operand: 1, 2, 4 or 8 */
        uint8_t target_bytes;  /**< of the register; more than `bytes` when it is extended */
        uint8_t reg;           /**< number of the register */
        bool high;             /**< it is AH, CH, DH or BH */
        bool sign;             /**< extended with its sign */
        bool to_register;      /**< arithmetic: the result goes to the register */
        bool has_immediate;    /**< in place of the register */
        uint64_t immediate;    /**< extended with its sign */
        uint8_t address_bytes; /**< of addresses: 2, 4 or 8; of a string's SI, DI and CX */
        enum nova_segment_number from; /**< the operand's segment; of a string: the segment of SI */
        struct nova_address address;   /**< where the operand is, but a string's */
        enum nova_repeat repeat;       /**< string instructions: how often */
};

/**
 * Tell what an instruction does.
 *
 * @param code  its bytes, and whatever follows
 * @param count how many there are, at most NOVA_CODE_BYTES count
 * @param bits  16, 32 or 64: of the code segment
 * @param[out] out what it does
 * @return false if it is none of those that are known
 */
bool nova_decode(const uint8_t *code, size_t count, unsigned bits, struct nova_instruction *out);

/**
 * Tell whether an instruction is a move to CR8.
 *
 * @param code  its bytes, and whatever follows
 * @param count how many there are, at most NOVA_CODE_BYTES count
 * @param bits  16, 32 or 64: of the code segment
 * @param[out] out its register and length
 * @return false if it is another one
 */
bool nova_decode_cr8_write(const uint8_t *code, size_t count, unsigned bits,
                           struct nova_instruction *out);

/** @return the value of the register of @p state, or of the immediate operand, that @p in names */
uint64_t nova_operand_get(const struct nova_utcb_state *state, const struct nova_instruction *in);

/** Sets the register operand that @p in names, in @p state, to @p value, of @p in->bytes, extended
 * as the instruction says. @return the group of state that changed */
nova_mtd_t nova_operand_set(struct nova_utcb_state *state, const struct nova_instruction *in,
                            uint64_t value);

/**
 * Computes @p left @p operation @p right in @p bytes; of operations with one operand it is @p left.
 *
 * @param[in,out] flags gets the arithmetic flags
 * @return the result
 */
uint64_t nova_compute(enum nova_operation operation, unsigned bytes, uint64_t left, uint64_t right,
                      nova_word_t *flags);

/**
 * Do an instruction that is not a string instruction.
 *
 * @param state           registers and flags
 * @param in              the instruction
 * @param[in,out] memory  its operand in memory: what was read, and what is to be written
 * @param[in,out] changed gets the groups of state that changed
 * @return nova_operand_is_written()
 */
bool nova_operand_perform(struct nova_utcb_state *state, const struct nova_instruction *in,
                          uint64_t *memory, nova_mtd_t *changed);

/** @return bytes of prefixes before the opcode of the instruction at @p code, of which @p count
 * bytes are there, in code of @p bits (16, 32 or 64); 0 if nothing comes behind them */
size_t nova_decode_prefixes(const uint8_t *code, size_t count, unsigned bits);

/** @return whether @p in, which is not a string instruction, writes its operand in memory */
bool nova_operand_is_written(const struct nova_instruction *in);

/** @return where in its segment the memory operand of @p in lies, for the registers of @p state,
 *  which is at that instruction */
uint64_t nova_operand_offset(const struct nova_utcb_state *state,
                             const struct nova_instruction *in);

/** @return whether @p in is a string instruction */
static inline bool nova_is_string(const struct nova_instruction *in)
{
        return in->operation >= NOVA_OP_MOVS;
}

/** What paging needs of a guest's state: CR0, CR3, CR4 and EFER. */
struct nova_paging {
        uint64_t cr0;  /**< CR0 */
        uint64_t cr3;  /**< CR3 */
        uint64_t cr4;  /**< CR4 */
        uint64_t efer; /**< EFER */
};

/** An access, as page tables judge it. */
enum nova_access_kind {
        NOVA_ACCESS_WRITE = 2, /**< else a read; these two as in error codes of #PF */
        NOVA_ACCESS_USER = 4,  /**< by a program, else by the kernel */
        NOVA_ACCESS_STRICT = 8 /**< by the kernel, which must not touch users' pages (SMAP) */
};

/**
 * Walk a guest's page tables.
 *
 * @param memory         its RAM
 * @param paging         where the tables are, and of which form
 * @param linear         an address
 * @param[out] physical  what it is translated to
 * @return false if the address is not mapped, or its tables are not in RAM
 */
bool nova_translate(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                    uint64_t linear, uint64_t *physical);

/**
 * Walk a guest's page tables for an access, as its CPU would: the tables' entries are marked as
 * used, and for a write the page's as changed.
 *
 * @param memory        its RAM
 * @param paging        where the tables are, and of which form
 * @param linear        an address
 * @param kind          an OR of enum nova_access_kind
 * @param[out] physical what it is translated to
 * @param[out] error    what a page fault's error code is to say
 * @return false: a page fault
 */
bool nova_translate_access(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                           uint64_t linear, unsigned kind, uint64_t *physical, uint32_t *error);

/** Reads code at a @p linear address, through the tables of @p paging, from @p memory to
 *  @p to. @return bytes that could be read, at most @p bytes */
size_t nova_fetch(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                  uint64_t linear, uint8_t *to, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
