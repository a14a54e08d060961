/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoder for instructions that access devices in memory and for string instructions. It supports
 * the instructions that drivers use: moves (with and without extension), exchanges, arithmetic and
 * bit operations. */
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

/** Length of the longest instruction in bytes. */
#define NOVA_CODE_BYTES 15

/** Operations on the memory operand. */
enum nova_operation {
        NOVA_OP_LOAD,     /**< register := memory */
        NOVA_OP_STORE,    /**< memory := register or immediate */
        NOVA_OP_EXCHANGE, /**< exchanges register and memory */
        NOVA_OP_ADD,      /**< sum; ADD to CMP are in the order of the opcodes */
        NOVA_OP_OR,       /**< or */
        NOVA_OP_ADC,      /**< sum, with carry */
        NOVA_OP_SBB,      /**< difference, with borrow */
        NOVA_OP_AND,      /**< and */
        NOVA_OP_SUB,      /**< difference */
        NOVA_OP_XOR,      /**< exclusive or */
        NOVA_OP_CMP,      /**< difference; sets flags only */
        NOVA_OP_TEST,     /**< and; sets flags only */
        NOVA_OP_NOT, /**< inverts all bits; memory is the only operand of this and the next three */
        NOVA_OP_NEG, /**< 0 minus memory */
        NOVA_OP_INC, /**< one more */
        NOVA_OP_DEC, /**< one less */
        NOVA_OP_BT,  /**< carry flag := bit; in this operation and the next three, the other operand
                          is the bit's number */
        NOVA_OP_BTS, /**< carry flag := bit, then sets the bit */
        NOVA_OP_BTR, /**< carry flag := bit, then clears the bit */
        NOVA_OP_BTC, /**< carry flag := bit, then inverts the bit */
        NOVA_OP_XADD,    /**< memory := sum, register := old value of memory */
        NOVA_OP_CMPXCHG, /**< memory := register if it equals the accumulator */
        NOVA_OP_MOVS,    /**< string to string; this and the following are string instructions */
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
        NOVA_REPEAT_NOT_EQUAL /**< REPNE; for other instructions equivalent to REP */
};

/** Register number that means no register. */
#define NOVA_NO_REGISTER 0xff

/** Offset of a memory operand in its segment: the sum of these fields, truncated to the
 * instruction's address_bytes. */
struct nova_address {
        uint8_t base;   /**< number of a general register, or NOVA_NO_REGISTER */
        uint8_t index;  /**< number of a register that is multiplied by 2^scale, or NOVA_NO_REGISTER
                         */
        uint8_t scale;  /**< 0 to 3 */
        bool from_next; /**< true: add the address of the next instruction */
        uint64_t constant; /**< displacement, sign-extended */
};

/** An instruction with one operand in memory, or a string instruction. */
struct nova_instruction {
        enum nova_operation operation; /**< operation on the memory operand */
        uint8_t length;                /**< length of the instruction in bytes */
        uint8_t bytes;                 /**< size of the memory operand: 1, 2, 4 or 8 */
        uint8_t target_bytes;  /**< size of the register; more than `bytes` if the value is extended
                                */
        uint8_t reg;           /**< number of the register */
        bool high;             /**< the register is AH, CH, DH or BH */
        bool sign;             /**< the value is sign-extended; false: zero-extended */
        bool to_register;      /**< arithmetic: the result goes to the register */
        bool has_immediate;    /**< an immediate replaces the register */
        uint64_t immediate;    /**< the immediate, sign-extended */
        uint8_t address_bytes; /**< size of addresses, or of a string's SI, DI and CX: 2, 4 or 8 */
        enum nova_segment_number from; /**< segment of the operand, or of SI for a string */
        struct nova_address address;   /**< offset of the operand; not for strings */
        enum nova_repeat repeat;       /**< repetition of string instructions */
};

/**
 * Decodes an instruction.
 * @code
 * static const uint8_t code[] = {0x89, 0x03}; // mov [ebx], eax
 * struct nova_instruction in;
 *
 * if (nova_decode(code, sizeof(code), 32, &in))
 *         printf("%u bytes, writes %u\n", in.length, nova_operand_is_written(&in));
 * @endcode
 * @param code  bytes of the instruction and anything after it
 * @param count number of bytes; at most NOVA_CODE_BYTES are read
 * @param bits  width of the code segment: 16, 32 or 64
 * @param[out] out the decoded instruction
 * @return false if the instruction is unknown
 */
bool nova_decode(const uint8_t *code, size_t count, unsigned bits, struct nova_instruction *out);

/** Bytes at an instruction pointer. */
struct nova_code {
        uint8_t byte[NOVA_CODE_BYTES]; /**< the bytes; 0 after `count` of them */
        uint8_t count;                 /**< number of bytes that were read */
        unsigned bits;                 /**< width of the code segment: 16, 32 or 64 */
};

/** The last instruction that nova_decode_again() has decoded. Zeroed memory has none. */
struct nova_decoded {
        struct nova_code code;      /**< its bytes */
        struct nova_instruction in; /**< the decoded instruction */
};

/**
 * Decodes an instruction like nova_decode(), or returns the last one if its bytes are the same. A
 * guest often executes one instruction again: the one that ends its interrupts.
 *
 * @param[in,out] last the last instruction
 * @param code         bytes of the instruction and anything after it
 * @return the instruction, valid until the next call; NULL if it is unknown
 */
const struct nova_instruction *nova_decode_again(struct nova_decoded *last,
                                                 const struct nova_code *code);

/**
 * Decodes a move to CR8.
 *
 * @param code  bytes of the instruction and anything after it
 * @param count number of bytes; at most NOVA_CODE_BYTES are read
 * @param bits  width of the code segment: 16, 32 or 64
 * @param[out] out its register and length
 * @return false for any other instruction
 */
bool nova_decode_cr8_write(const uint8_t *code, size_t count, unsigned bits,
                           struct nova_instruction *out);

/** Returns the value of the operand of @p in: an immediate, or a register in @p state */
uint64_t nova_operand_get(const struct nova_utcb_state *state, const struct nova_instruction *in);

/** Sets the register operand of @p in, in @p state, to @p value, which has @p in->bytes bytes and
 * is extended as the instruction specifies. @return the group of state that changed */
nova_mtd_t nova_operand_set(struct nova_utcb_state *state, const struct nova_instruction *in,
                            uint64_t value);

/**
 * Computes @p left @p operation @p right in @p bytes; @p left is the operand of unary operations.
 *
 * @param[in,out] flags receives the arithmetic flags
 * @return the result
 */
uint64_t nova_compute(enum nova_operation operation, unsigned bytes, uint64_t left, uint64_t right,
                      nova_word_t *flags);

/**
 * Executes an instruction that is not a string instruction.
 *
 * @param state           registers and flags
 * @param in              the instruction
 * @param[in,out] memory  its memory operand: in: the value read, out: the value to write
 * @param[in,out] changed gets the groups of state that changed
 * @return nova_operand_is_written()
 */
bool nova_operand_perform(struct nova_utcb_state *state, const struct nova_instruction *in,
                          uint64_t *memory, nova_mtd_t *changed);

/** Returns the number of prefix bytes before the opcode of the instruction at @p code, which has @p
 * count bytes, in code of width @p bits (16, 32 or 64); 0 if no opcode follows. */
size_t nova_decode_prefixes(const uint8_t *code, size_t count, unsigned bits);

/** Returns true if @p in, which is not a string instruction, writes its memory operand. */
bool nova_operand_is_written(const struct nova_instruction *in);

/** Returns the offset of the memory operand of @p in in its segment, computed from the registers in
 * @p state, whose ip is at that instruction. */
uint64_t nova_operand_offset(const struct nova_utcb_state *state,
                             const struct nova_instruction *in);

/** Returns true if @p in is a string instruction. */
static inline bool nova_is_string(const struct nova_instruction *in)
{
        return in->operation >= NOVA_OP_MOVS;
}

/** Registers that paging depends on: CR0, CR3, CR4 and EFER. */
struct nova_paging {
        uint64_t cr0;  /**< value of CR0: paging is on, write protection */
        uint64_t cr3;  /**< value of CR3: physical address of the top page table */
        uint64_t cr4;  /**< value of CR4: size of pages and of table entries */
        uint64_t efer; /**< value of EFER: long mode, no-execute pages */
};

/** Kind of an access, for permission checks in page tables. */
enum nova_access_kind {
        NOVA_ACCESS_WRITE =
                2, /**< write, else read; this and the next have the values of #PF error codes */
        NOVA_ACCESS_USER = 4,  /**< from user mode, else from the kernel */
        NOVA_ACCESS_STRICT = 8 /**< by a kernel that must not access user pages (SMAP) */
};

/**
 * Translates an address with a guest's page tables.
 *
 * @param memory         its RAM
 * @param paging         address and form of the tables
 * @param linear         linear address
 * @param[out] physical  guest-physical address
 * @return false if the address is not mapped or its tables are not in RAM
 */
bool nova_translate(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                    uint64_t linear, uint64_t *physical);

/**
 * Translates an address for an access as a CPU does: sets the accessed bits of the entries and, for
 * a write, the dirty bit of the page.
 *
 * @param memory        its RAM
 * @param paging        address and form of the tables
 * @param linear        linear address
 * @param kind          an OR of enum nova_access_kind
 * @param[out] physical guest-physical address
 * @param[out] error    error code of the page fault
 * @return false if the access causes a page fault
 */
bool nova_translate_access(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                           uint64_t linear, unsigned kind, uint64_t *physical, uint32_t *error);

/** Reads code at a @p linear address, through the tables of @p paging, from @p memory to
 *  @p to. @return number of bytes read, at most @p bytes */
size_t nova_fetch(const struct nova_guest_memory *memory, const struct nova_paging *paging,
                  uint64_t linear, uint8_t *to, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
