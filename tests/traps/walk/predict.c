/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes instructions of all opcode maps, with random operands and prefixes, and the decoder
 * Zydis's prediction for each: predict x86_64|x86_32 SEED COUNT > FILE. COUNT of them are for
 * QEMU, which would not execute the others correctly. This program runs on the host. */
#include <Zydis/Zydis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "registers.h"

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
#define FLAG_OF     0x800
#define CLOSED_PORT 0x10
#define INT3        0xcc
#define CLI         0xfa

/* Makes branches lead to the next instruction, replaces ports by a closed one, and keeps the stack
 * in its page. */
static void tame(struct walk_record *r, const ZydisDecodedInstruction *d, unsigned modrm)
{
        uint8_t *const next = r->code + d->raw.imm[0].offset;

        if (d->attributes & ZYDIS_ATTRIB_IS_RELATIVE)
                memset(next, 0, d->raw.imm[0].size / 8);
        if (r->map != WALK_MAP_1)
                return;
        if (r->opcode >= 0xe4 && r->opcode <= 0xe7)
                r->code[modrm] = CLOSED_PORT;
        if (r->opcode == 0xc8)
                memcpy(r->code + modrm, "\x10\0\1", 3);
        if (r->opcode == 0xc2 || r->opcode == 0xca)
                memcpy(next, "\x10\0", 2);
        /* Replaces the vectors below 32. INT n never pushes an error code, but at CPL 0 the walker
         * infers the error code from the vector, because the stack stays the same. */
        if (r->opcode == 0xcd && r->mode == WALK_MODE_32 && *next < 32)
                *next |= 0x20;
}

/* Replaces a ModRM operand in memory by [BX]: BX always holds the operand's address. This is for
 * bytes that an emulator may decode in another way. */
static void simplify(struct walk_record *r, unsigned modrm)
{
        for (unsigned i = 0; i < walk_prefixes(r); i++)
                if (r->mode == WALK_MODE_64 && (r->code[i] & 0xf0) == 0x40)
                        r->code[i] &= 0xfe;
        if (r->code[modrm] < 0xc0)
                r->code[modrm] = (r->code[modrm] & 0x38) | WALK_BX;
}

/* Records the registers that put the operand at its place. Returns false if no registers can.
 */
static bool aim(struct walk_record *r, const ZydisDecodedInstruction *d,
                const ZydisDecodedOperand *o)
{
        for (unsigned i = 0; i < d->operand_count; i++) {
                if (o[i].type != ZYDIS_OPERAND_TYPE_MEMORY ||
                    o[i].encoding != ZYDIS_OPERAND_ENCODING_MODRM_RM)
                        continue;
                /* Zydis 4 takes R13 as base of this form, which has none. */
                if (d->raw.modrm.mod == 0 && d->raw.modrm.rm == 4 && d->raw.sib.base == 5)
                        return false;
                const int base = ZydisRegisterGetId(o[i].mem.base);
                const int index = ZydisRegisterGetId(o[i].mem.index);

                if (base < 0 || base >= WALK_REGISTERS || base == WALK_SP || base == index ||
                    o[i].mem.base == ZYDIS_REGISTER_RIP || o[i].mem.base == ZYDIS_REGISTER_EIP)
                        return false;
                r->base = (uint8_t)base;
                r->index = index < 0 ? WALK_NO_REGISTER : (uint8_t)(index % WALK_REGISTERS);
                r->scale = o[i].mem.scale;
                r->displacement = (int32_t)o[i].mem.disp.value;
        }
        return true;
}

/* Returns whether QEMU 7.2 would execute another instruction, and so might continue anywhere: it
 * takes XOP for POP, adds REX.B to the number of an MMX register, and writes to memory with the
 * segment CS. */
static bool is_not_for_qemu(const struct walk_record *r, const ZydisDecodedInstruction *d,
                            const ZydisDecodedOperand *o)
{
        if (d->encoding == ZYDIS_INSTRUCTION_ENCODING_XOP ||
            (r->mode != WALK_MODE_64 && memchr(r->code, 0x2e, walk_prefixes(r))))
                return true;
        for (unsigned i = 0; i < d->operand_count; i++)
                if (o[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
                    o[i].encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM &&
                    ZydisRegisterGetClass(o[i].reg.value) == ZYDIS_REGCLASS_MMX)
                        return d->raw.rex.B;
        return false;
}

/* Returns whether an instruction branches to the address in a register that may point to data,
 * which would then be executed. */
static bool branches_to_data(const struct walk_record *r, const ZydisDecodedInstruction *d)
{
        const uint8_t byte = r->code[d->raw.modrm.offset];

        if (r->map != WALK_MAP_1 || r->opcode != 0xff || byte < 0xc0 || d->raw.rex.B)
                return false;
        return ((byte & 0x38) == 0x10 || (byte & 0x38) == 0x20) && (byte & 7) >= WALK_BX;
}

/* ---- What a kernel must know ----------------------------------------------------------------- */

static bool writes_stack_pointer(const ZydisDecodedInstruction *d, const ZydisDecodedOperand *o)
{
        for (unsigned i = 0; i < d->operand_count; i++)
                if (o[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
                    o[i].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
                    o[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE &&
                    (o[i].reg.value == ZYDIS_REGISTER_ESP || o[i].reg.value == ZYDIS_REGISTER_SP))
                        return true;
        return false;
}

/* Returns the special need of an instruction that must be invalid, but that an emulator may
 * execute. */
static uint8_t special_of_invalid(const struct walk_record *r, unsigned modrm)
{
        const uint8_t op = r->opcode;
        const bool ports = (op >= 0x6c && op <= 0x6f) || (op >= 0xe4 && op <= 0xe7) ||
                           (op >= 0xec && op <= 0xef);
        const uint8_t byte = r->code[modrm];

        if (memchr(r->code, 0xf0, walk_prefixes(r)) ||
            (r->mode != WALK_MODE_64 && memchr(r->code, 0x2e, walk_prefixes(r))))
                return WALK_NOT_QEMU;
        if (r->mode == WALK_MODE_32 && ((byte & 0x38) == 0x20 || (byte & 0xc7) == 0xc4))
                return WALK_LEFT_OUT;
        if (r->map == WALK_MAP_1 && ports)
                return WALK_LEFT_OUT;
        return r->map == WALK_MAP_0F && (op == 0x01 || op == 0x22 || op == 0x23 || op == 0x30)
                       ? WALK_LEFT_OUT
                       : WALK_PLAIN;
}

static uint8_t special_of_registers(struct walk_record *r, const ZydisDecodedInstruction *d,
                                    const ZydisDecodedOperand *o)
{
        if (r->map != WALK_MAP_0F || d->operand_count < 2)
                return WALK_PLAIN;
        r->reg = (uint8_t)(ZydisRegisterGetId(o[1].reg.value) % WALK_REGISTERS);
        switch (r->opcode) {
        case 0x22:
                r->control = (uint8_t)ZydisRegisterGetId(o[0].reg.value);
                if (r->mode == WALK_MODE_32 && r->reg == WALK_SP)
                        return WALK_LEFT_OUT;
                return r->control == 2 ? WALK_PLAIN : WALK_WRITES_CR;
        case 0x23: /* DR7, and DR5, its other name: see docs/manual/traps.md */
                return (r->code[d->raw.modrm.offset] >> 3 & 5) == 5 ? WALK_LEFT_OUT : WALK_PLAIN;
        case 0xa3:
        case 0xab:
        case 0xb3:
        case 0xbb:
                return WALK_BIT;
        default:
                return WALK_PLAIN;
        }
}

static bool has_short_operand(const struct walk_record *r)
{
        return memchr(r->code, 0x66, walk_prefixes(r)) != NULL;
}

static uint8_t special_of(struct walk_record *r, const ZydisDecodedInstruction *d,
                          const ZydisDecodedOperand *o)
{
        if (d->meta.category == ZYDIS_CATEGORY_IO || d->meta.category == ZYDIS_CATEGORY_IOSTRINGOP)
                return WALK_PORT;
        if (r->mode == WALK_MODE_32 && writes_stack_pointer(d, o))
                return WALK_LEFT_OUT;
        if (r->mode == WALK_MODE_64 && d->attributes & ZYDIS_ATTRIB_IS_RELATIVE &&
            d->raw.imm[0].size > 8 && has_short_operand(r))
                return WALK_SHORT;
        switch (d->mnemonic) {
        case ZYDIS_MNEMONIC_HLT:
                return WALK_HALT;
        case ZYDIS_MNEMONIC_LTR:
                r->reg = WALK_NO_REGISTER;
                if (o[0].type == ZYDIS_OPERAND_TYPE_REGISTER)
                        r->reg = (uint8_t)(ZydisRegisterGetId(o[0].reg.value) % WALK_REGISTERS);
                r->control = bytes_draw(2);
                return r->mode == WALK_MODE_32 && r->reg == WALK_SP ? WALK_LEFT_OUT : WALK_TASK;
        case ZYDIS_MNEMONIC_CPUID:
                r->control = bytes_draw(2 * WALK_LEAVES);
                return WALK_LEAF;
        case ZYDIS_MNEMONIC_LGDT:
        case ZYDIS_MNEMONIC_LIDT:
                r->control = d->mnemonic == ZYDIS_MNEMONIC_LIDT;
                return WALK_TABLE;
        case ZYDIS_MNEMONIC_RDMSR:
        case ZYDIS_MNEMONIC_WRMSR:
                r->control = bytes_draw(d->mnemonic == ZYDIS_MNEMONIC_RDMSR ? WALK_MSRS
                                                                            : WALK_WRITTEN_MSRS);
                return WALK_MSR;
        default:
                return special_of_registers(r, d, o);
        }
}

/* ---- Predictions ----------------------------------------------------------------------------- */

/* Returns whether all CPUs of the tests have an instruction set. */
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

/* Returns whether an instruction set is for virtual machines, enclaves or the monitoring of an
 * address. A program's use of its instructions is a #GP or #UD. */
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

/* Returns where an operand in memory lies: at the operand of the ModRM, or where SI, DI, SP or BP
 * points. */
static unsigned class_of(const struct walk_record *r, const ZydisDecodedOperand *o)
{
        if (o->encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM)
                return r->pointer;
        switch (ZydisRegisterGetId(o->mem.base)) {
        case WALK_SI:
        case WALK_DI:
                return r->strings;
        case WALK_SP:
        case WALK_BP:
                return r->stack;
        default:
                return r->pointer;
        }
}

/* Returns the events that the accesses to memory can raise, and WALK_GOES_ON if they may raise
 * none. */
static uint32_t of_operands(const struct walk_record *r, const ZydisDecodedInstruction *d,
                            const ZydisDecodedOperand *o)
{
        const bool repeated = d->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
                                               ZYDIS_ATTRIB_HAS_REPNE);
        uint32_t faults = repeated ? PF | WALK_GOES_ON : 0; /* PF beyond the page; no access if CX
                                                             * is 0 */

        for (unsigned i = 0; i < d->operand_count; i++) {
                if (o[i].type != ZYDIS_OPERAND_TYPE_MEMORY ||
                    o[i].mem.type == ZYDIS_MEMOP_TYPE_AGEN || o[i].mem.type == ZYDIS_MEMOP_TYPE_MIB)
                        continue;
                const unsigned class = class_of(r, &o[i]);

                if (r->mode != WALK_MODE_64 && o[i].mem.segment == ZYDIS_REGISTER_CS &&
                    o[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
                        return GP;
                if (o[i].encoding != ZYDIS_OPERAND_ENCODING_MODRM_RM &&
                    o[i].mem.base == ZYDIS_REGISTER_RAX)
                        faults |= PF | GP | WALK_GOES_ON;
                else if (class == WALK_ABSENT)
                        faults |= PF;
                else if (class == WALK_NON_CANONICAL)
                        faults |= d->attributes & ZYDIS_ATTRIB_HAS_ADDRESSSIZE ? PF | GP | SS
                                                                               : GP | SS;
        }
        return touches_nothing(d) || !faults ? WALK_GOES_ON : faults;
}

static uint32_t of_int(uint8_t vector)
{
        return vector == 3 ? BP : vector == 4 ? OF : GP;
}

/* Returns the events of a branch. With the prefix 66, a branch keeps only the low 16 bits of its
 * target (SDM 2A JMP, Jcc, CALL; APM 3 JMP, Jcc, CALL). In 64-bit mode, Intel's CPUs ignore the
 * prefix. AMD's CPUs obey it, and read a displacement of 16 bits instead of 32. No emulator does
 * both, so the prediction for a displacement of 32 bits is that of Intel. */
static uint32_t of_branch(const struct walk_record *r, const ZydisDecodedInstruction *d,
                          const ZydisDecodedOperand *o)
{
        const bool always = d->meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
                            d->meta.category == ZYDIS_CATEGORY_CALL;
        const uint32_t allowed = of_operands(r, d, o);

        if (!(d->attributes & ZYDIS_ATTRIB_IS_RELATIVE))
                return WALK_ANY;
        if (!has_short_operand(r) || !(allowed & WALK_GOES_ON))
                return allowed;
        if (r->mode == WALK_MODE_64)
                return d->raw.imm[0].size > 8 ? allowed : allowed | WALK_LOW;
        return always ? (allowed & ~WALK_GOES_ON) | WALK_LOW : allowed | WALK_LOW;
}

/* Returns the events that a mnemonic adds to those of its operands. */
static uint32_t more_of(const ZydisDecodedInstruction *d)
{
        switch (d->mnemonic) {
        case ZYDIS_MNEMONIC_DIV:
        case ZYDIS_MNEMONIC_IDIV:
        case ZYDIS_MNEMONIC_AAM:
                return DE;
        case ZYDIS_MNEMONIC_BOUND:
                return BR;
        case ZYDIS_MNEMONIC_FXRSTOR: /* reserved bits of MXCSR */
        case ZYDIS_MNEMONIC_FXRSTOR64:
        case ZYDIS_MNEMONIC_LDMXCSR:
        case ZYDIS_MNEMONIC_SGDT:
        case ZYDIS_MNEMONIC_SIDT:
        case ZYDIS_MNEMONIC_SLDT:
        case ZYDIS_MNEMONIC_STR:
        case ZYDIS_MNEMONIC_SMSW:
        case ZYDIS_MNEMONIC_RDPMC:
        case ZYDIS_MNEMONIC_XGETBV:
                return GP;
        case ZYDIS_MNEMONIC_BT: /* the number in a register may name a bit far from the operand */
        case ZYDIS_MNEMONIC_BTC:
        case ZYDIS_MNEMONIC_BTR:
        case ZYDIS_MNEMONIC_BTS:
                return (d->opcode & 0xc7) == 0x83 ? PF | GP | WALK_GOES_ON : 0;
        case ZYDIS_MNEMONIC_CLZERO: /* an instruction of AMD, which writes where AX points */
                return GP | PF | SS;
        case ZYDIS_MNEMONIC_MASKMOVQ: /* a mask that is zero may access nothing */
        case ZYDIS_MNEMONIC_MASKMOVDQU:
                return WALK_GOES_ON;
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
        default: /* an area with the registers of AVX-512 ends in the next page */
                return d->meta.category == ZYDIS_CATEGORY_XSAVE ? GP | PF : 0;
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

static uint32_t of_transfer(const struct walk_record *r, const ZydisDecodedInstruction *d,
                            const ZydisDecodedOperand *o)
{
        switch (d->mnemonic) {
        case ZYDIS_MNEMONIC_INT3:
                return BP;
        case ZYDIS_MNEMONIC_INT1:
                return DB;
        case ZYDIS_MNEMONIC_INTO:
                return walk_flags(r) & FLAG_OF ? OF : WALK_GOES_ON;
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
                return of_branch(r, d, o);
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
                allowed = of_transfer(r, d, o);
        if (!allowed && is_of_machines(d->meta.isa_set))
                allowed = GP | UD;
        if (!allowed)
                allowed = of_operands(r, d, o) | more_of(d);
        return allowed | lacking;
}

/* Returns whether an instruction is one of MPX, which no CPU of the tests enables. Without MPX it
 * is a hint, whatever its operand. */
static bool is_hint(const struct walk_record *r)
{
        return r->map == WALK_MAP_0F && (r->opcode == 0x1a || r->opcode == 0x1b);
}

/* Returns whether an instruction names CR8 as CR0 with LOCK, as AMD's CPUs allow (APM 3, MOV
 * CRn). */
static bool names_cr8(const struct walk_record *r, unsigned modrm)
{
        return r->map == WALK_MAP_0F && (r->opcode == 0x20 || r->opcode == 0x22) &&
               memchr(r->code, 0xf0, walk_prefixes(r)) && (r->code[modrm] & 0x38) == 0;
}

/* Fills the bytes after an invalid instruction with instructions that raise events, for an emulator
 * that executes the invalid one. EMMS is the only one of them without a ModRM. */
static void fill_invalid(struct walk_record *r, unsigned modrm)
{
        const unsigned last = r->map == WALK_MAP_0F && r->opcode == 0x77 ? modrm : modrm + 1;

        simplify(r, modrm);
        memset(r->code + last, r->mode == WALK_MODE_64 ? INT3 : CLI, WALK_CODE - last);
}

/* Returns false if other bytes are needed. */
static bool predict(struct walk_record *r, const ZydisDecoder *decoder, unsigned modrm)
{
        ZydisDecodedInstruction d;
        ZydisDecodedOperand o[ZYDIS_MAX_OPERAND_COUNT];

        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, r->code, WALK_CODE, &d, o)))
                fill_invalid(r, modrm);
        else
                tame(r, &d, modrm);
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, r->code, WALK_CODE, &d, o))) {
                r->length = 0;
                r->allowed = is_hint(r) ? WALK_ANY : names_cr8(r, modrm) ? GP | UD : UD;
                r->special = special_of_invalid(r, modrm);
                return true;
        }
        r->length = d.length;
        r->allowed = is_hint(r) ? WALK_ANY : of_instruction(r, &d, o);
        r->special = is_not_for_qemu(r, &d, o) ? WALK_NOT_QEMU : special_of(r, &d, o);
        if (r->map == WALK_MAP_0F && r->opcode == 0x0d && d.raw.modrm.mod == 3)
                r->allowed |= UD; /* APM 3, PREFETCH: only in memory */
        if (branches_to_data(r, &d))
                return false;
        if (!aim(r, &d, o) || (r->special == WALK_BIT &&
                               (r->reg == WALK_SP || r->reg == r->base || r->reg == r->index)))
                return false;
        if (d.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
            d.encoding != ZYDIS_INSTRUCTION_ENCODING_3DNOW)
                r->map = WALK_MAP_VEX;
        if (r->map == WALK_MAP_VEX)
                r->opcode = d.opcode;
        return true;
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

/* Writes records until `count` of them are for QEMU. Returns the number of all records. */
static uint32_t write_records(bool wide, uint32_t count)
{
        uint32_t executed = 0, written = 0;

        for (unsigned turn = bytes_draw(1024); executed < count;) {
                struct walk_record r = {.mode = wide ? bytes_draw(2) : WALK_MODE_32};
                ZydisDecoder decoder;
                const unsigned modrm = bytes_make(&r, turn);

                decoder_of(&decoder, r.mode);
                if (!bytes_are_left_out(&r) && !predict(&r, &decoder, modrm))
                        continue;
                turn++;
                if (bytes_are_left_out(&r))
                        continue;
                if (fwrite(&r, sizeof(r), 1, stdout) != 1)
                        exit(1);
                written++;
                executed += r.special != WALK_NOT_QEMU;
        }
        return written;
}

int main(int count, char **words)
{
        if (count != 4)
                return 2;
        struct walk_header header = {.magic = WALK_MAGIC};

        bytes_seed(strtoull(words[2], NULL, 0));
        fwrite(&header, sizeof(header), 1, stdout);
        const uint32_t records = (uint32_t)strtoul(words[3], NULL, 0);
        header.count = write_records(!strcmp(words[1], "x86_64"), records);
        return fseek(stdout, 0, SEEK_SET) || fwrite(&header, sizeof(header), 1, stdout) != 1;
}
