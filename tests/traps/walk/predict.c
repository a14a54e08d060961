/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes instructions of all opcode maps, with random operands and prefixes, and what the decoder
 * Zydis predicts for each: predict x86_64|x86_32 SEED COUNT > FILE. It runs on the host. */
#include <Zydis/Zydis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

#define EVENT(n)    (1u << (n))
#define DE          EVENT(0)
#define DB          EVENT(1)
#define BP          EVENT(3)
#define OF          EVENT(4)
#define BR          EVENT(5)
#define UD          EVENT(6)
#define NP          EVENT(11)
#define SS          EVENT(12)
#define GP          EVENT(13)
#define PF          EVENT(14)
#define CLOSED_PORT 0x10
#define CLI         0xfa

static uint64_t state;

static uint32_t draw(uint32_t end)
{
        state = state * 6364136223846793005 + 1442695040888963407;
        return (uint32_t)(state >> 33) % end;
}

static bool chance(unsigned percent)
{
        return draw(100) < percent;
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static const uint8_t legacy[] = {0x66, 0xf2, 0xf3, 0x2e, 0x26, 0x36, 0x3e, 0x64, 0x65, 0x67, 0xf0};

static bool is_prefix(uint8_t byte, unsigned mode)
{
        return memchr(legacy, byte, sizeof(legacy)) ||
               (mode == WALK_MODE_64 && (byte & 0xf0) == 0x40);
}

static unsigned add_prefixes(uint8_t *to, unsigned mode)
{
        unsigned n = 0;

        if (chance(20))
                to[n++] = 0x66;
        if (chance(20))
                to[n++] = chance(50) ? 0xf2 : 0xf3;
        /* Not CS outside of 64-bit mode: QEMU writes there. */
        if (chance(10))
                to[n++] = legacy[mode == WALK_MODE_64 ? 3 + draw(6) : 4 + draw(5)];
        if (mode == WALK_MODE_64 && chance(5))
                to[n++] = 0x67;
        if (chance(4))
                to[n++] = 0xf0;
        /* Without the bit that extends the operand's base register. */
        if (mode == WALK_MODE_64 && chance(30))
                to[n++] = 0x40 | (draw(8) << 1);
        return n;
}

/* Returns the number of bytes before the ModRM. */
static unsigned make(struct walk_record *r, unsigned turn)
{
        unsigned n = add_prefixes(r->code, r->mode);

        r->map = turn / 256 % 4;
        r->opcode = turn % 256;
        if (r->map != WALK_MAP_1)
                r->code[n++] = 0x0f;
        if (r->map == WALK_MAP_0F38 || r->map == WALK_MAP_0F3A)
                r->code[n++] = r->map == WALK_MAP_0F38 ? 0x38 : 0x3a;
        r->code[n++] = r->opcode;
        const unsigned modrm = n;
        r->code[n++] = (draw(8) << 3) | (chance(50) ? 3 : 0xc0 | draw(8));
        while (n < WALK_CODE)
                r->code[n++] = draw(256);
        r->pointer = draw(r->mode == WALK_MODE_64 ? 3 : 2);
        return modrm;
}

/* Opcodes that lead to other maps, and IRET, which QEMU lets enter virtual-8086 mode. */
static bool is_left_out(const struct walk_record *r)
{
        if (r->map == WALK_MAP_1)
                return is_prefix(r->opcode, r->mode) || r->opcode == 0x0f || r->opcode == 0xcf;
        return r->map == WALK_MAP_0F && (r->opcode == 0x38 || r->opcode == 0x3a);
}

/* Makes branches lead to the next instruction, and ports closed. */
static void tame(struct walk_record *r, const ZydisDecodedInstruction *d, unsigned modrm)
{
        if (d->attributes & ZYDIS_ATTRIB_IS_RELATIVE)
                memset(r->code + d->raw.imm[0].offset, 0, d->raw.imm[0].size / 8);
        if (r->map != WALK_MAP_1)
                return;
        if (r->opcode >= 0xe4 && r->opcode <= 0xe7)
                r->code[modrm] = CLOSED_PORT;
        if (r->opcode == 0xc8)
                memcpy(r->code + modrm, "\x10\0\1", 3);
}

/* ---- Predictions ----------------------------------------------------------------------------- */

/* Sets that each CPU of the tests has. */
static bool is_common(ZydisISASet set)
{
        switch (set) {
        case ZYDIS_ISA_SET_I86:
        case ZYDIS_ISA_SET_I186:
        case ZYDIS_ISA_SET_I286PROTECTED:
        case ZYDIS_ISA_SET_I286REAL:
        case ZYDIS_ISA_SET_I386:
        case ZYDIS_ISA_SET_I486:
        case ZYDIS_ISA_SET_I486REAL:
        case ZYDIS_ISA_SET_PENTIUMREAL:
        case ZYDIS_ISA_SET_PENTIUMMMX:
        case ZYDIS_ISA_SET_PPRO:
        case ZYDIS_ISA_SET_CMOV:
        case ZYDIS_ISA_SET_FCMOV:
        case ZYDIS_ISA_SET_FAT_NOP:
        case ZYDIS_ISA_SET_FXSAVE:
        case ZYDIS_ISA_SET_LONGMODE:
        case ZYDIS_ISA_SET_PAUSE:
        case ZYDIS_ISA_SET_PREFETCH_NOP:
        case ZYDIS_ISA_SET_SSE:
        case ZYDIS_ISA_SET_SSE2:
        case ZYDIS_ISA_SET_SSE2MMX:
        case ZYDIS_ISA_SET_SSEMXCSR:
        case ZYDIS_ISA_SET_SSE_PREFETCH:
        case ZYDIS_ISA_SET_X87:
                return true;
        default:
                return false;
        }
}

/* Sets for virtual machines and enclaves, whose instructions are refused in one way or another. */
static bool is_of_machines(ZydisISASet set)
{
        return set == ZYDIS_ISA_SET_SVM || set == ZYDIS_ISA_SET_VTX || set == ZYDIS_ISA_SET_SMX ||
               set == ZYDIS_ISA_SET_SGX || set == ZYDIS_ISA_SET_SNP || set == ZYDIS_ISA_SET_TDX ||
               set == ZYDIS_ISA_SET_PCONFIG || set == ZYDIS_ISA_SET_AMD_INVLPGB ||
               set == ZYDIS_ISA_SET_MONITOR || set == ZYDIS_ISA_SET_MONITORX;
}

static bool touches_nothing(const ZydisDecodedInstruction *d)
{
        const ZydisInstructionCategory c = d->meta.category;

        return c == ZYDIS_CATEGORY_PREFETCH || c == ZYDIS_CATEGORY_WIDENOP ||
               c == ZYDIS_CATEGORY_NOP || c == ZYDIS_CATEGORY_CLDEMOTE ||
               c == ZYDIS_CATEGORY_PREFETCHWT1;
}

/* Returns what an access at the pointer does, WALK_GOES_ON if there is none. */
static uint32_t of_operands(const struct walk_record *r, const ZydisDecodedInstruction *d,
                            const ZydisDecodedOperand *o)
{
        uint32_t allowed = WALK_GOES_ON;

        for (unsigned i = 0; i < d->operand_count; i++) {
                const bool at_bx = o[i].mem.base == ZYDIS_REGISTER_RBX ||
                                   o[i].mem.base == ZYDIS_REGISTER_EBX ||
                                   o[i].mem.base == ZYDIS_REGISTER_NONE;
                if (o[i].type != ZYDIS_OPERAND_TYPE_MEMORY ||
                    o[i].mem.type == ZYDIS_MEMOP_TYPE_AGEN || o[i].mem.type == ZYDIS_MEMOP_TYPE_MIB)
                        continue;
                if (!at_bx && o[i].mem.base == ZYDIS_REGISTER_RAX)
                        return PF;
                if (at_bx && r->pointer == WALK_ABSENT)
                        allowed = PF;
                if (at_bx && r->pointer == WALK_NON_CANONICAL)
                        allowed = d->attributes & ZYDIS_ATTRIB_HAS_ADDRESSSIZE ? PF : GP | SS;
        }
        return touches_nothing(d) ? WALK_GOES_ON : allowed;
}

static uint32_t of_int(uint8_t vector)
{
        return vector == 3 ? BP : vector == 4 ? OF : GP;
}

/* A branch with a prefix of the operand's size may lose the upper half of its target. */
static uint32_t of_branch(const ZydisDecodedInstruction *d)
{
        const bool relative = d->attributes & ZYDIS_ATTRIB_IS_RELATIVE;

        return relative && !(d->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE) ? WALK_GOES_ON
                                                                           : WALK_ANY;
}

/* Returns what a mnemonic adds to the events of its operands. */
static uint32_t more_of(const ZydisDecodedInstruction *d)
{
        switch (d->mnemonic) {
        case ZYDIS_MNEMONIC_DIV:
        case ZYDIS_MNEMONIC_IDIV:
        case ZYDIS_MNEMONIC_AAM:
                return DE;
        case ZYDIS_MNEMONIC_BOUND:
                return BR;
        case ZYDIS_MNEMONIC_SGDT:
        case ZYDIS_MNEMONIC_SIDT:
        case ZYDIS_MNEMONIC_SLDT:
        case ZYDIS_MNEMONIC_STR:
        case ZYDIS_MNEMONIC_SMSW:
        case ZYDIS_MNEMONIC_RDPMC:
        case ZYDIS_MNEMONIC_XGETBV:
                return GP;
        case ZYDIS_MNEMONIC_BT: /* a register reaches bits far from the operand */
        case ZYDIS_MNEMONIC_BTC:
        case ZYDIS_MNEMONIC_BTR:
        case ZYDIS_MNEMONIC_BTS:
                return (d->opcode & 0xc7) == 0x83 ? PF | GP | WALK_GOES_ON : 0;
        case ZYDIS_MNEMONIC_LDS:
        case ZYDIS_MNEMONIC_LES:
        case ZYDIS_MNEMONIC_LFS:
        case ZYDIS_MNEMONIC_LGS:
        case ZYDIS_MNEMONIC_LSS:
                return GP | NP | SS;
        case ZYDIS_MNEMONIC_POP:
        case ZYDIS_MNEMONIC_MOV:
                return d->opcode_map == ZYDIS_OPCODE_MAP_0F || d->opcode == 0x8e ||
                                       (d->opcode & 0xe7) == 0x07
                               ? GP | NP | SS
                               : 0;
        default:
                return d->meta.category == ZYDIS_CATEGORY_XSAVE ? GP : 0;
        }
}

static uint32_t of_privilege(const struct walk_record *r, const ZydisDecodedInstruction *d)
{
        switch (d->mnemonic) {
        case ZYDIS_MNEMONIC_SYSCALL:
                return r->mode == WALK_MODE_64       ? WALK_GOES_ON
                       : r->mode == WALK_MODE_COMPAT ? WALK_GOES_ON | UD
                                                     : UD;
        case ZYDIS_MNEMONIC_SYSENTER:
                return r->mode == WALK_MODE_32 ? WALK_GOES_ON : GP | UD;
        case ZYDIS_MNEMONIC_SYSRET:
        case ZYDIS_MNEMONIC_SYSEXIT:
                return GP | UD;
        case ZYDIS_MNEMONIC_LGDT:
        case ZYDIS_MNEMONIC_LIDT:
        case ZYDIS_MNEMONIC_CLI:
        case ZYDIS_MNEMONIC_STI:
                return GP;
        case ZYDIS_MNEMONIC_RSM:
                return UD;
        default:
                break;
        }
        if (d->meta.category == ZYDIS_CATEGORY_IO || d->meta.category == ZYDIS_CATEGORY_IOSTRINGOP)
                return GP;
        return d->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED ? GP : 0;
}

static uint32_t of_transfer(const ZydisDecodedInstruction *d)
{
        switch (d->mnemonic) {
        case ZYDIS_MNEMONIC_INT3:
                return BP;
        case ZYDIS_MNEMONIC_INT1:
                return DB;
        case ZYDIS_MNEMONIC_INT:
                return of_int((uint8_t)d->raw.imm[0].value.u);
        case ZYDIS_MNEMONIC_UD0:
        case ZYDIS_MNEMONIC_UD1:
        case ZYDIS_MNEMONIC_UD2:
                return UD;
        default:
                break;
        }
        switch (d->meta.category) {
        case ZYDIS_CATEGORY_COND_BR:
        case ZYDIS_CATEGORY_UNCOND_BR:
        case ZYDIS_CATEGORY_CALL:
        case ZYDIS_CATEGORY_RET:
                return of_branch(d);
        default:
                return 0;
        }
}

static uint32_t of_instruction(const struct walk_record *r, const ZydisDecodedInstruction *d,
                               const ZydisDecodedOperand *o)
{
        const uint32_t lacking = is_common(d->meta.isa_set) ? 0 : UD;
        uint32_t allowed = of_privilege(r, d);

        if (!allowed)
                allowed = of_transfer(d);
        if (!allowed && is_of_machines(d->meta.isa_set))
                allowed = GP | UD;
        if (!allowed)
                allowed = of_operands(r, d, o) | more_of(d);
        return allowed | lacking;
}

/* MPX, which no CPU of the tests enables: hints without it, whatever their operand. */
static bool is_hint(const struct walk_record *r)
{
        return r->map == WALK_MAP_0F && (r->opcode == 0x1a || r->opcode == 0x1b);
}

static void predict(struct walk_record *r, const ZydisDecoder *decoder, unsigned modrm)
{
        ZydisDecodedInstruction d;
        ZydisDecodedOperand o[ZYDIS_MAX_OPERAND_COUNT];

        /* An emulator that executes it anyway continues in instructions that are refused. Only EMMS
         * has no ModRM. */
        const unsigned last = r->map == WALK_MAP_0F && r->opcode == 0x77 ? modrm : modrm + 1;

        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, r->code, WALK_CODE, &d, o)))
                memset(r->code + last, CLI, WALK_CODE - last);
        else
                tame(r, &d, modrm);
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, r->code, WALK_CODE, &d, o))) {
                r->length = 0;
                r->allowed = is_hint(r) ? WALK_ANY : UD;
                return;
        }
        r->length = d.length;
        r->allowed = is_hint(r) ? WALK_ANY : of_instruction(r, &d, o);
        if (r->map == WALK_MAP_0F && r->opcode == 0x0d && d.raw.modrm.mod == 3)
                r->allowed |= UD; /* APM 3, PREFETCH: only in memory */
        if (d.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
            d.encoding != ZYDIS_INSTRUCTION_ENCODING_3DNOW)
                r->map = WALK_MAP_VEX;
        if (r->map == WALK_MAP_VEX)
                r->opcode = d.opcode;
}

static void decoder_of(ZydisDecoder *decoder, unsigned mode)
{
        if (mode == WALK_MODE_64)
                ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
        else if (mode == WALK_MODE_COMPAT)
                ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32);
        else
                ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
}

int main(int count, char **words)
{
        if (count != 4)
                return 2;
        const bool wide = !strcmp(words[1], "x86_64");
        const uint32_t records = (uint32_t)strtoul(words[3], NULL, 0);
        const struct walk_header header = {.magic = WALK_MAGIC, .count = records};
        unsigned turn = 0;

        state = strtoull(words[2], NULL, 0);
        turn = draw(1024);
        fwrite(&header, sizeof(header), 1, stdout);
        for (uint32_t done = 0; done < records; turn++) {
                struct walk_record r = {.mode = wide ? draw(2) : WALK_MODE_32};
                ZydisDecoder decoder;
                const unsigned modrm = make(&r, turn);

                if (is_left_out(&r))
                        continue;
                decoder_of(&decoder, r.mode);
                predict(&r, &decoder, modrm);
                done += fwrite(&r, sizeof(r), 1, stdout) == 1;
        }
        return 0;
}
