/* SPDX-License-Identifier: BSD-2-Clause */
/* Executes the instructions of the walk at CPL 3 and at CPL 0, as a kernel of its own. With one
 * module, the records, it writes its observations to the port of QEMU's debug console. With a
 * second module, the observations on another machine, it prints the differences. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "machine.h"
#include "outcome.h"
#include "registers.h"

#define CODE_AT        0x100
#define FLAGS_MADE     0x2 /* the bit that is always 1 */
#define VECTORS        256
#define TSS_TYPE       0x89
#define MSR_EFER       0xc0000080
#define MSR_SYSENTER   0x174
#define UNKNOWN_MSR    0x12345678
#define DR6_RESET      0xffff0ff0
#define VECTORS_ERRORS 0x60227d00u /* vectors with an error code: 8, 10 to 14, 17, 21, 29, 30 */
#define VECTOR_PF      14
#define VECTOR_TIMER   0x20
#define FLAG_IF        0x200
#define TICKS          0x800 /* maximum time of a halt: 1.7 ms */
#define TICKS_END      0x10000

typedef unsigned long word_t;
typedef uint32_t __attribute__((may_alias)) part_t;

/* start.S */
extern uint64_t walker_gdt[];
extern const char walker_entries[];
extern char walker_code[], walker_stack_top[];
extern uint32_t walker_operand[1024], walker_fpu[WALK_FPU_WORDS];
extern word_t walker_begin[WALK_REGISTERS], walker_frame[5], walker_cr0;
extern const word_t *walker_saved;
extern uint32_t walker_modules;
extern const struct {
        uint32_t start, end;
} walker_module[2];
void walker_run(void);
_Noreturn void walker_main(void);

static const struct walk_places places = {
        .operand = WALKER_OPERAND, .absent = WALKER_ABSENT, .non_canonical = 0x8000c0100000};
static const uint32_t msrs[WALK_MSRS] = {MSR_SYSENTER, UNKNOWN_MSR, MSR_EFER,
                                         0x277,        0xc0000101,  0x10};

/* ---- Tables ---------------------------------------------------------------------------------- */

#define WIDE (sizeof(word_t) == 8)

static word_t idt[VECTORS * 2] __attribute__((aligned(16)));
static uint32_t tss[26];

static void fill_tables(void)
{
        const word_t stack = (word_t)walker_stack_top, task = (word_t)tss;

        for (unsigned i = 0; i < VECTORS; i++) {
                const word_t entry = (word_t)walker_entries + i * 16;
                const uint64_t gate = (entry & 0xffff) | SEL_KERNEL_CODE << 16 |
                                      (uint64_t)WIDE << 32 |
                                      (uint64_t)(i == 3 || i == 4 ? 0xee : 0x8e) << 40 |
                                      (uint64_t)(entry >> 16 & 0xffff) << 48;
                idt[i * 2] = (word_t)gate;
                idt[i * 2 + 1] = WIDE ? 0 : (word_t)(gate >> 32);
        }
        if (WIDE) {
                tss[9] = (uint32_t)stack; /* interrupt stack 1, which all gates use */
        } else {
                tss[1] = (uint32_t)stack;
                tss[2] = SEL_KERNEL_DATA;
        }
        walker_gdt[SEL_TASK / 8] = (sizeof(tss) - 1) | (uint64_t)(task & 0xffffff) << 16 |
                                   (uint64_t)TSS_TYPE << 40 | (uint64_t)(task >> 24 & 0xff) << 56;
        load_task(SEL_TASK);
        load_idt(idt, sizeof(idt) - 1);
}

/* ---- Output ---------------------------------------------------------------------------------- */

static void print_char(char c)
{
        while (!(in8(0x3fd) & 0x20))
                ;
        out8(0x3f8, (uint8_t)c);
}

static void print(const char *text)
{
        while (*text)
                print_char(*text++);
}

static void print_hex(uint32_t value)
{
        char digits[9];
        unsigned at = 8;

        digits[8] = 0;
        do {
                digits[--at] = "0123456789abcdef"[value & 15];
                value >>= 4;
        } while (value);
        print(digits + at);
        print_char(' ');
}

/* ---- One instruction ------------------------------------------------------------------------- */

static uint32_t mix(uint32_t hash, uint32_t word)
{
        hash = (hash ^ word) * 0x01000193;
        return hash ^ hash >> 15;
}

static uint32_t mix_words(uint32_t hash, const void *from, unsigned bytes)
{
        const part_t *word = from;

        /* The static analyzer takes the upper half of an element of 8 bytes for uninitialized. */
        for (unsigned i = 0; i < bytes / 4; i++)
                hash = mix(hash, word[i]); /* NOLINT(clang-analyzer-core.CallAndMessage) */
        return hash;
}

static void copy(void *to, const void *from, unsigned bytes)
{
        char *t = to;
        const char *f = from;

        /* An emulator translates a page again after each write to it, so equal bytes are not
         * written. */
        for (unsigned i = 0; i < bytes; i++)
                if (t[i] != f[i])
                        t[i] = f[i];
}

static void write_code(const struct walk_record *r)
{
        uint8_t code[WALK_CODE + 2];
        const unsigned size = walk_code(r, &places, code);

        code[size] = 0x0f;
        code[size + 1] = 0x0b;
        copy(walker_code + CODE_AT, code, size + 2);
}

static word_t control(unsigned number)
{
        switch (number) {
        case 0:
                return WALKER_CR0;
        case 3:
                return read_cr3();
        case 4:
                return WIDE ? WALKER_CR4_64 : WALKER_CR4_32;
        default:
                return 0;
        }
}

static bool is_halt(const struct walk_record *r, unsigned level)
{
        return r->special == WALK_HALT && level == 0;
}

static void begin(const struct walk_record *r, unsigned level)
{
        static const uint8_t code_of[][4] = {
                {SEL_KERNEL_CODE, 0, 0, SEL_USER_CODE_64},
                {SEL_KERNEL_COMPAT, 0, 0, SEL_USER_CODE_32},
                {SEL_KERNEL_CODE, 0, 0, SEL_USER_CODE_32},
        };
        uint64_t reg[WALK_REGISTERS];

        struct walk_record in_order = *r;

        if (!WIDE && level == 0) /* events at CPL 0 are pushed onto the instruction's stack */
                in_order.stack = WALK_MAPPED;
        walk_registers(&in_order, &places, reg);
        if (r->special == WALK_WRITES_CR)
                reg[r->reg] = control(r->control);
        if (r->special == WALK_MSR)
                reg[WALK_CX] = msrs[r->control];
        for (unsigned i = 0; i < WALK_REGISTERS; i++)
                walker_begin[i] = (word_t)reg[i];
        walker_frame[0] = WALKER_CODE + CODE_AT;
        walker_frame[1] = code_of[r->mode][level];
        walker_frame[2] = FLAGS_MADE | walk_flags(r) | (is_halt(r, level) ? FLAG_IF : 0);
        walker_frame[3] = (word_t)reg[WALK_SP];
        walker_frame[4] = level ? SEL_USER_DATA : SEL_KERNEL_DATA;
}

#define TASK_BUSY (2ull << 40)

static void table_of(const struct walk_record *r, struct walker_table *to)
{
        if (r->control)
                store_idt(to);
        else
                store_gdt(to);
}

/* Gives the operand of LGDT, LIDT or LTR a value with which the walker can continue. QEMU 7.2 loads
 * a null selector with LTR, and terminates at the next event. */
static void give_operand(const struct walk_record *r)
{
        char *const operand = (char *)walker_operand + WALK_DATA;
        struct walker_table table;
        uint16_t selector = 0;

        if (r->special == WALK_TABLE) {
                table_of(r, &table);
                copy(operand, &table, sizeof(table));
        }
        if (r->special != WALK_TASK)
                return;
        walker_gdt[SEL_TASK / 8] &= ~TASK_BUSY;
        if (r->reg == WALK_NO_REGISTER)
                copy(&selector, operand, sizeof(selector));
        else
                selector = (uint16_t)walker_begin[r->reg];
        selector = r->control ? SEL_TASK : selector | SEL_KERNEL_DATA;
        if (r->reg == WALK_NO_REGISTER)
                copy(operand, &selector, sizeof(selector));
        else
                walker_begin[r->reg] = (walker_begin[r->reg] & ~(word_t)0xffff) | selector;
}

/* Restores the state that an instruction at CPL 0 may have changed. */
static void restore(const struct walk_record *r)
{
        if (r->map != WALK_MAP_0F)
                return;
        walker_gdt[SEL_TASK / 8] |= TASK_BUSY;
        if (r->opcode == 0x00)
                load_ldt(0);
        if (r->opcode == 0x23)
                reset_debug(DR6_RESET);
        if (r->opcode == 0x30)
                write_msr(MSR_SYSENTER, 0);
}

static uint32_t mix_control(uint32_t hash)
{
        word_t words[10];

        words[0] = walker_cr0;
        words[1] = read_cr3();
        words[2] = read_cr4();
        words[3] = read_cr2();
        read_debug(words + 4);
        return mix_words(hash, words, sizeof(words));
}

#define SAVED_WORDS (4 + (WIDE ? 16 : 8))
#define FRAME_WORDS 5 /* IP, CS, flags, SP, SS */

/* Returns whether the CPU has pushed an error code. */
static bool has_error(unsigned vector, unsigned level, const word_t *frame)
{
        if (!WIDE && level == 0)
                return VECTORS_ERRORS >> vector & 1 && vector < 32;
        return (const char *)(frame + FRAME_WORDS) != walker_stack_top;
}

static void judge(const struct walk_record *r, unsigned level, struct walk_outcome *o)
{
        const word_t *s = walker_saved;
        const unsigned vector = s[SAVED_WORDS] & 0xff;
        const word_t *frame = s + SAVED_WORDS + 1;
        uint32_t hash = 0;

        o->error = 0;
        if (has_error(vector, level, frame))
                o->error = (uint16_t)*frame++;
        const word_t offset = frame[0] - (WALKER_CODE + CODE_AT);
        o->vector = (uint8_t)vector;
        o->ip = offset < 0xff ? (uint8_t)offset : 0xff;
        /* Mixes in all registers and segments except the kernel's own SP, and then the frame. */
        for (unsigned i = 0; i < SAVED_WORDS; i++)
                if (i != SAVED_WORDS - 1 - WALK_SP)
                        hash = mix_words(hash, &s[i], sizeof(word_t));
        hash = mix_words(hash, frame, (WIDE || level ? 5 : 3) * sizeof(word_t));
        if (!WIDE && level == 0)
                hash = mix(hash, (uint32_t)(word_t)frame);
        if (vector == VECTOR_PF) {
                const word_t address = read_cr2();
                hash = mix_words(hash, &address, sizeof(address));
        }
        if (level == 0 && r->map == WALK_MAP_0F && (r->opcode & 0xfc) == 0x20)
                hash = mix_control(hash);
        if (r->special == WALK_TABLE) {
                struct walker_table table;
                table_of(r, &table);
                hash = mix(mix_words(hash, &table.base, sizeof(table.base)), table.limit);
        }
        if (r->special == WALK_TASK)
                hash = mix_words(hash, &walker_gdt[SEL_TASK / 8], sizeof(walker_gdt[0]));
        o->registers = mix(hash, (uint32_t)walker_cr0);
        o->memory = mix_words(0, walker_operand, 4096);
        o->fpu = mix_words(0, walker_fpu, 416);
}

static void execute_once(const struct walk_record *r, unsigned level, struct walk_outcome *o)
{
        walk_fill(r, walker_operand, 1024);
        walk_fpu(r, walker_fpu);
        write_code(r);
        begin(r, level);
        give_operand(r);
        walker_run();
        judge(r, level, o);
        restore(r);
}

/* Executes an instruction at a privilege level. The timer ends a halt; on a slow machine its
 * interrupt may come before the halt. */
static void execute(const struct walk_record *r, unsigned level, struct walk_outcome *o)
{
        if (!is_halt(r, level)) {
                execute_once(r, level, o);
                return;
        }
        for (uint32_t ticks = TICKS; ticks < TICKS_END; ticks *= 2) {
                start_timer((uint16_t)ticks);
                execute_once(r, level, o);
                stop_timer();
                if (o->vector != VECTOR_TIMER || o->ip)
                        break;
        }
}

/* ---- All instructions ------------------------------------------------------------------------ */

static void print_difference(uint32_t i, unsigned level, const struct walk_outcome *want,
                             const struct walk_outcome *is)
{
        const struct walk_outcome *both[] = {want, is};

        print("walk ");
        print_hex(i);
        print_hex(level);
        for (unsigned k = 0; k < 2; k++) {
                print_hex(both[k]->vector);
                print_hex(both[k]->ip);
                print_hex(both[k]->error);
                print_hex(both[k]->registers);
                print_hex(both[k]->memory);
                print_hex(both[k]->fpu);
        }
        print_char('\n');
}

static bool equal(const struct walk_outcome *a, const struct walk_outcome *b)
{
        return a->vector == b->vector && a->ip == b->ip && a->error == b->error &&
               a->registers == b->registers && a->memory == b->memory && a->fpu == b->fpu;
}

static bool is_left_out(const struct walk_record *r, unsigned level)
{
        return r->special == WALK_NOT_QEMU || (level == 0 && r->special == WALK_LEFT_OUT);
}

void walker_main(void)
{
        const struct walk_header *h = (const void *)(word_t)walker_module[0].start;
        const struct walk_record *r = (const void *)(h + 1);
        const struct walk_outcome *want =
                walker_modules > 1 ? (const void *)(word_t)walker_module[1].start : NULL;
        uint32_t executed = 0;

        fill_tables();
        init_interrupts(VECTOR_TIMER);
        for (uint32_t i = 0; h->magic == WALK_MAGIC && i < h->count; i++)
                for (unsigned level = 0; level <= 3; level += 3) {
                        struct walk_outcome o;

                        if (is_left_out(&r[i], level))
                                continue;
                        execute(&r[i], level, &o);
                        executed++;
                        if (!want)
                                out_bytes(0xe9, &o, sizeof(o));
                        else if (!equal(want, &o))
                                print_difference(i, level, want, &o);
                        want += want != NULL;
                }
        print("executed ");
        print_hex(executed);
        print_char('\n');
        out32(0xf4, executed == 0);
        for (;;)
                ;
}
