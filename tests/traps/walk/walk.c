/* SPDX-License-Identifier: BSD-2-Clause */
/* Executes the instructions of a module, which predict.c has made. */
#include "cell.h"
#include "exception.h"
#include "record.h"

#define BAD_NUMBER 0x0f /* a hypercall that is refused */
#define PORT       0x1234
#define SMALL      5
#define PRINTED    30
#define SECONDS    3600
#define CANARY     0x5ca1ab1e

#if __SIZEOF_POINTER__ == 8
#define NON_CANONICAL 0x800000100000
#else
#define NON_CANONICAL 0
#endif

static struct place place;
static unsigned done, left_out, excepted, wrong;

/* ---- The module ------------------------------------------------------------------------------ */

static const struct nova_hip_mem *second_module(void)
{
        unsigned n = 0;

        for (unsigned at = hip->mem_offset; at < hip->length; at += hip->mem_size) {
                const struct nova_hip_mem *m = (const void *)((const char *)hip + at);
                if (m->type == NOVA_MEM_MODULE && n++ == 1)
                        return m;
        }
        return NULL;
}

static const struct walk_header *records(void)
{
        const struct nova_hip_mem *m = second_module();

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

static bool is_prefix(uint8_t byte, unsigned mode)
{
        return byte == 0x66 || byte == 0x67 || byte == 0xf0 || byte == 0xf2 || byte == 0xf3 ||
               byte == 0x64 || byte == 0x65 || (byte & 0xe7) == 0x26 ||
               (mode == WALK_MODE_64 && (byte & 0xf0) == 0x40);
}

static unsigned prefixes(const struct walk_record *r, uint8_t wanted, bool *found)
{
        unsigned n = 0;

        *found = false;
        while (n < WALK_CODE && is_prefix(r->code[n], r->mode))
                *found |= r->code[n++] == wanted;
        return n;
}

static word_t pointer_of(const struct walk_record *r)
{
        return r->pointer == WALK_MAPPED ? (word_t)cell_operand() + CELL_DATA
               : r->pointer == WALK_ABSENT
                       ? ((word_t)place.page & ~(word_t)0xfff) + NOVA_PAGE_SIZE + 0x100
                       : NON_CANONICAL;
}

/* The opcodes a0 to a3 have their operand's address in the code. */
static void write_address(const struct walk_record *r, struct cell *c)
{
        bool found;
        const unsigned at = prefixes(r, 0, &found) + 1;
        const uint64_t pointer = pointer_of(r);

        if (r->map != WALK_MAP_1 || (r->opcode & 0xfc) != 0xa0)
                return;
        for (unsigned i = at; i < c->size; i++)
                c->code[i] = (uint8_t)(pointer >> 8 * (i - at));
}

static void registers_of(const struct walk_record *r, const struct cell *c,
                         struct nova_utcb_state *s)
{
        const bool enters = r->map == WALK_MAP_0F && (r->opcode == 0x05 || r->opcode == 0x34);
        const word_t operand = (word_t)cell_operand();

        s->flags = 0x202;
        s->bx = pointer_of(r);
        s->sp = operand + CELL_STACK;
        s->bp = operand + CELL_STACK + 0x100;
        s->si = operand + CELL_DATA + 0x200;
        s->di = enters ? BAD_NUMBER : operand + CELL_DATA + 0x280;
        s->ax = enters ? BAD_NUMBER : SMALL;
        s->cx = enters ? s->sp : SMALL;
        s->dx = enters ? (word_t)place.page + CELL_START + c->size : PORT;
}

static void clear_operand(void)
{
        char *to = cell_operand();
        word_t n = NOVA_PAGE_SIZE / sizeof(word_t);

#if __SIZEOF_POINTER__ == 8
        __asm__ volatile("rep stosq" : "+D"(to), "+c"(n) : "a"(0) : "memory");
#else
        __asm__ volatile("rep stosl" : "+D"(to), "+c"(n) : "a"(0) : "memory");
#endif
}

static void reset_fpu(void)
{
        static const uint32_t mxcsr = 0x1f80;

        __asm__ volatile("fnclex; fninit; ldmxcsr %0" : : "m"(mxcsr));
}

/* Returns whether the first event is one of those. */
static bool is_allowed(const struct walk_record *r, uint32_t allowed)
{
        const unsigned n = attempt.number[0];
        const word_t ip = attempt.seen[0].ip;
        const bool trap = n == NOVA_EXC_BP || n == NOVA_EXC_OF || n == NOVA_EXC_DB;

        if (allowed & WALK_ANY || (allowed & WALK_RUNS && !r->length))
                return true;
        if (n == NOVA_EXC_UD && r->length && ip == attempt.after)
                return (allowed & WALK_GOES_ON) != 0;
        if (n >= 29 || !(allowed & ONLY(n)))
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
        bool found;
        const unsigned at = prefixes(r, 0, &found) + before[r->map];

        return r->map == WALK_MAP_VEX || at >= WALK_CODE ? 0xff : r->code[at] >> 3 & 7;
}

/* Returns what an emulator's faults add to the events of a record. */
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

static void execute(const struct walk_record *r)
{
        struct nova_utcb_state registers = {0};
        struct cell c = {.name = "walk", .group = "", .mode = r->mode, .once = true};
        bool locked;

        prefixes(r, 0xf0, &locked);
        if (locked && !r->length && emulator() < 2) {
                left_out++;
                return;
        }
        c.size = r->length ? r->length : WALK_CODE;
        for (unsigned i = 0; i < c.size; i++)
                c.code[i] = r->code[i];
        write_address(r, &c);
        registers_of(r, &c, &registers);
        c.registers = &registers;
        clear_operand();
        cell_run(&c, place, self);
        reset_fpu();
        done++;
        if (is_allowed(r, r->allowed))
                return;
        if (is_allowed(r, faults_of(r)))
                excepted++;
        else
                print_wrong(r);
}

CASE(traps, each_opcode_does_what_a_decoder_predicts, "")
{
        static volatile word_t canary = CANARY;

        case_seconds(SECONDS);
        cell_pages();
        place = cell_place(&(struct cell){.size = 1});
        const struct walk_header *h = records();
        const struct walk_record *r = (const void *)(h + 1);
        for (uint32_t i = 0; i < h->count; i++)
                execute(&r[i]);
        remark("instructions:", done);
        remark("left out, because this emulator ignores LOCK:", left_out);
        remark("faults of this emulator:", excepted);
        EXPECT(done > 0);
        EXPECT_EQ(wrong, 0);
        EXPECT_EQ(canary, CANARY);
        EXPECT_EQ(hc_sm_ctrl(semaphore(1), NOVA_SM_DN_OP), NOVA_SUCCESS);
}
