/* SPDX-License-Identifier: BSD-2-Clause */
/* The kinds of instructions, and the marker that names an operation: a NOP of seven bytes with MARK
 * in its displacement. The next instruction stores to an address whose low byte is the number. */
#ifndef NOVA_TESTS_BENCH_KINDS_H
#define NOVA_TESTS_BENCH_KINDS_H

#include "plugin.h"

#define MARK 0x4d4b8000u

/* Properties that are counted for an instruction. */
enum kind { PLAIN, LOCKED, CR3, SERIALISING, MSR, KINDS };

static inline bool is_mark(const struct qemu_plugin_insn *insn)
{
        uint32_t number;

        return is_long_nop(insn, &number) && number == MARK;
}

static inline bool is_prefix(uint8_t byte)
{
        return strchr("\x66\x67\x2e\x36\x3e\x26\x64\x65\xf0\xf2\xf3", byte) && byte;
}

/* Classifies an instruction whose opcode follows the byte 0F. SDM 3A, 8.3, lists the serialising
 * instructions. With REX.R, the number of CR0 means CR8. */
static inline enum kind kind_of_two_bytes(uint8_t opcode, uint8_t modrm, bool rex_r)
{
        const unsigned reg = modrm >> 3 & 7;

        switch (opcode) {
        case 0x22: /* MOV to a control register; none for CR8 */
                return rex_r ? PLAIN : reg == 3 ? CR3 : SERIALISING;
        case 0x30:
        case 0x32:
                return MSR;
        case 0x00: /* LLDT, LTR */
                return reg == 2 || reg == 3 ? SERIALISING : PLAIN;
        case 0x01: /* LGDT, LIDT, INVLPG */
                return modrm < 0xc0 && (reg == 2 || reg == 3 || reg == 7) ? SERIALISING : PLAIN;
        case 0x08: /* INVD */
        case 0x09: /* WBINVD */
        case 0x23: /* MOV to a debug register */
        case 0xa2: /* CPUID */
        case 0xaa: /* RSM */
                return SERIALISING;
        default:
                return PLAIN;
        }
}

/* Returns true for INVEPT, INVVPID and INVPCID: 66 0F 38 80 to 82. */
static inline bool is_invalidation(const uint8_t *bytes, size_t size)
{
        return size > 2 && bytes[0] == 0x0f && bytes[1] == 0x38 && bytes[2] >= 0x80 &&
               bytes[2] <= 0x82;
}

static inline enum kind kind_of(const struct qemu_plugin_insn *insn, bool wide)
{
        const uint8_t *bytes = qemu_plugin_insn_data(insn);
        const size_t size = qemu_plugin_insn_size(insn);
        size_t i = 0;
        bool rex_r = false;

        while (i < size && is_prefix(bytes[i]))
                if (bytes[i++] == 0xf0)
                        return LOCKED;
        if (wide && i < size && (bytes[i] & 0xf0) == 0x40)
                rex_r = bytes[i++] & 4;
        if (is_invalidation(bytes + i, size - i))
                return SERIALISING;
        if (i + 2 < size && bytes[i] == 0x0f)
                return kind_of_two_bytes(bytes[i + 1], bytes[i + 2], rex_r);
        if (i + 1 < size && bytes[i] == 0x0f)
                return kind_of_two_bytes(bytes[i + 1], 0xc0, rex_r);
        if (i + 1 < size && (bytes[i] == 0x86 || bytes[i] == 0x87) && bytes[i + 1] < 0xc0)
                return LOCKED;                                     /* XCHG with memory */
        return i < size && bytes[i] == 0xcf ? SERIALISING : PLAIN; /* IRET */
}

#endif
