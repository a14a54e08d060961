/* SPDX-License-Identifier: BSD-2-Clause */
/* Executes the instructions of a module, which predict.c has made. */
#include "bystander.h"
#include "cell.h"
#include "exception.h"
#include "registers.h"

#define BAD_NUMBER 0x0f /* a hypercall that is refused */
#define PRINTED    30
#define SECONDS    3600

#if __SIZEOF_POINTER__ == 8
#define NON_CANONICAL 0x8000c0100000
#else
#define NON_CANONICAL 0
#endif

static struct place place;
static unsigned done, left_out, excepted, wrong;

/* ---- The module ------------------------------------------------------------------------------ */

static const struct nova_hip_mem *module(unsigned number)
{
        unsigned n = 0;

        for (unsigned at = hip->mem_offset; at < hip->length; at += hip->mem_size) {
                const struct nova_hip_mem *m = (const void *)((const char *)hip + at);
                if (m->type == NOVA_MEM_MODULE && n++ == number)
                        return m;
        }
        return NULL;
}

static const struct walk_header *records(void)
{
        const struct nova_hip_mem *m = module(1);

        EXPECT(m != NULL);
        const word_t first = (word_t)m->addr >> NOVA_PAGE_BITS;
        const word_t pages = ((word_t)(m->addr + m->size - 1) >> NOVA_PAGE_BITS) - first + 1;
        unsigned order = 0;
        while ((word_t)1 << order < pages)
                order++;
        const word_t to = page_alloc(order);
        for (word_t i = 0; i < pages; i++)
                EXPECT(request(mem(first + i, 0, NOVA_MEM_R), to + i) != 0);
        const struct walk_header *h =
                (const void *)((to << NOVA_PAGE_BITS) + (word_t)(m->addr % NOVA_PAGE_SIZE));
        EXPECT_EQ(h->magic, WALK_MAGIC);
        EXPECT_EQ(m->size, sizeof(*h) + h->count * sizeof(struct walk_record));
        return h;
}

/* ---- One record ------------------------------------------------------------------------------ */

static struct walk_places places(void)
{
        return (struct walk_places){.operand = (word_t)cell_operand(),
                                    .absent = (word_t)place.page + NOVA_PAGE_SIZE,
                                    .non_canonical = NON_CANONICAL};
}

/* Chooses the registers of a record. SYSCALL and SYSENTER get the number of a hypercall that is
 * refused. */
static void registers_of(const struct walk_record *r, const struct cell *c,
                         struct nova_utcb_state *s)
{
        const bool enters = r->map == WALK_MAP_0F && (r->opcode == 0x05 || r->opcode == 0x34);
        const struct walk_places p = places();
        uint64_t reg[WALK_REGISTERS];

        walk_registers(r, &p, reg);
        s->flags = 0x202 | walk_flags(r);
        s->bx = (word_t)reg[WALK_BX];
        s->sp = (word_t)reg[WALK_SP];
        s->bp = (word_t)reg[WALK_BP];
        s->si = (word_t)reg[WALK_SI];
        s->di = enters ? BAD_NUMBER : (word_t)reg[WALK_DI];
        s->ax = enters ? BAD_NUMBER : (word_t)reg[WALK_AX];
        s->cx = enters ? s->sp : (word_t)reg[WALK_CX];
        s->dx = enters ? (word_t)place.page + CELL_START + c->size : (word_t)reg[WALK_DX];
        for (unsigned i = 0; i < 8; i++)
                traps_high[i] = reg[8 + i];
}

static void load_fpu(const struct walk_record *r)
{
        static uint32_t image[WALK_FPU_WORDS] __attribute__((aligned(16)));

        walk_fpu(r, image);
        __asm__ volatile("fxrstor %0" : : "m"(image));
}

/* Returns whether the first event is one of the allowed ones. */
static bool is_allowed(const struct walk_record *r, uint32_t allowed)
{
        const unsigned n = attempt.number[0];
        const word_t ip = attempt.seen[0].ip;
        const bool trap = n == NOVA_EXC_BP || n == NOVA_EXC_OF || n == NOVA_EXC_DB;

        if (allowed & WALK_ANY || (allowed & WALK_RUNS && !r->length))
                return true;
        if (n == NOVA_EXC_UD && r->length && ip == attempt.after)
                return (allowed & WALK_GOES_ON) != 0;
        if (n == NOVA_EXC_PF && ip == (attempt.after & 0xffff))
                return (allowed & WALK_LOW) && attempt.seen[0].qual[1] == ip;
        if (n >= 28 || !(allowed & ONLY(n)))
                return false;
        return ip == (trap ? attempt.after : attempt.at);
}

static void print_wrong(const struct walk_record *r)
{
        static const char modes[][7] = {"64", "compat", "32"};
        static const char maps[][5] = {"1", "0f", "0f38", "0f3a", "vex"};

        if (wrong++ >= PRINTED)
                return;
        console_string("# walk ");
        console_string(modes[r->mode]);
        console_string(" map ");
        console_string(maps[r->map]);
        console_string(" opcode ");
        console_hex(r->opcode);
        console_string(" length ");
        console_dec(r->length);
        console_string(" allowed ");
        console_hex(r->allowed);
        console_string(" pointer ");
        console_dec(r->pointer);
        console_string(" event ");
        console_hex(attempt.number[0]);
        console_string(" at ");
        console_hex(attempt.seen[0].ip - attempt.at);
        console_string(" code");
        for (unsigned i = 0; i < WALK_CODE; i++) {
                console_char(' ');
                console_hex(r->code[i]);
        }
        console_string("\n");
}

static uint8_t reg_of(const struct walk_record *r)
{
        static const uint8_t before[] = {1, 2, 3, 3, 1};
        const unsigned at = walk_prefixes(r) + before[r->map];

        return r->map == WALK_MAP_VEX || at >= WALK_CODE ? 0xff : r->code[at] >> 3 & 7;
}

/* Returns the events of a record that are allowed because of this emulator's faults. */
static uint32_t faults_of(const struct walk_record *r)
{
        uint32_t allowed = 0;

        for (unsigned i = 0; i < walk_exception_count; i++) {
                const struct walk_exception *e = &walk_exceptions[i];
                if (e->emulators >> emulator() & 1 && e->map == r->map && e->opcode == r->opcode &&
                    (e->reg == 0xff || e->reg == reg_of(r)))
                        allowed |= e->allowed;
        }
        return allowed;
}

/* Returns the events of a record that are allowed on this CPU. Intel CPUs ignore the prefix 66 of a
 * branch in 64-bit mode. */
static uint32_t allowed_here(const struct walk_record *r)
{
        return r->mode == WALK_MODE_64 && emulator() & 1 ? r->allowed & ~WALK_LOW : r->allowed;
}

/* Returns whether QEMU has read only 16 bits of the displacement of a branch with the prefix 66. It
 * then executes the other 16 bits, which are 0: ADD to the memory at RAX. */
static bool is_short_branch(const struct walk_record *r)
{
        const unsigned n = attempt.number[0];

        return r->special == WALK_SHORT && emulator() < 2 && r->allowed & WALK_GOES_ON &&
               attempt.seen[0].ip == attempt.after - 2 && (n == NOVA_EXC_PF || n == NOVA_EXC_GP);
}

static void execute(const struct walk_record *r)
{
        struct nova_utcb_state registers = {0};
        struct cell c = {.name = "walk", .group = "", .mode = r->mode, .once = true};
        const struct walk_places p = places();

        if (r->special == WALK_NOT_QEMU && emulator() < 2) {
                left_out++;
                return;
        }
        c.size = (uint8_t)walk_code(r, &p, c.code);
        registers_of(r, &c, &registers);
        c.registers = &registers;
        walk_fill(r, (uint32_t *)(void *)cell_operand(), NOVA_PAGE_SIZE / sizeof(uint32_t));
        load_fpu(r);
        cell_run(&c, place, self);
        done++;
        if (is_allowed(r, allowed_here(r)) || is_short_branch(r))
                return;
        if (is_allowed(r, faults_of(r)))
                excepted++;
        else
                print_wrong(r);
}

/* Waits for ever if there is a third module, so that machine.py can read the registers of the
 * machine. */
static void wait_for_reader(void)
{
        if (!module(2))
                return;
        console_string("# the walk has passed\n");
        for (;;)
                __asm__ volatile("pause");
}

CASE(traps, each_opcode_does_what_a_decoder_predicts_and_changes_nothing_else, "")
{
        case_seconds(SECONDS);
        cell_pages();
        place = cell_place(&(struct cell){.size = 1});
        const struct walk_header *h = records();
        const struct walk_record *r = (const void *)(h + 1);
        bystander_start();
        for (uint32_t i = 0; i < h->count; i++) {
                execute(&r[i]);
                if (i % BYSTANDER_RECORDS == 0)
                        bystander_look();
        }
        remark("instructions:", done);
        remark("left out, because this emulator executes another instruction:", left_out);
        remark("faults of this emulator:", excepted);
        EXPECT(done > 0);
        EXPECT_EQ(wrong, 0);
        bystander_end();
        EXPECT_EQ(hc_sm_ctrl(semaphore(1), NOVA_SM_DN_OP), NOVA_SUCCESS);
        wait_for_reader();
}
