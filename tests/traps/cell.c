/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a cell: its code in a page of its own, with registers that a reply to an event sets. */
#include "cell.h"

#include "internal.h"

#define LANDING     0x800
#define COMPAT_WAY  0x10 /* a far jump to 32-bit code, which raises an event */
#define COMPAT_CODE 0x40
#define BAD_NUMBER  0x0f /* a hypercall that is refused */
#define OTHER       0x51515151
#define FLAGS_SEEN  0x10900 /* RF, OF, TF */
#define LAST_BYTE   (NOVA_PAGE_SIZE - 1)

#if __SIZEOF_POINTER__ == 8
#define STATUS(s)     ((s)->di)
#define NON_CANONICAL 0x800000100000
#define KERNEL        0xffffffff80000000
#else
#define STATUS(s)     ((s)->ax)
#define NON_CANONICAL 0
#define KERNEL        0xe0000000
#endif

/* The exit of a cell, for 64-bit and 32-bit code. Byte 0x40 shows which code runs: it is a prefix
 * in 64-bit code, and increments EAX in 32-bit code. */
__asm__(".text\ntraps_start:\n"
#if __SIZEOF_POINTER__ == 8
        "mov traps_high, %r8\nmov traps_high + 8, %r9\n"
        "mov traps_high + 16, %r10\nmov traps_high + 24, %r11\n"
        "mov traps_high + 32, %r12\nmov traps_high + 40, %r13\n"
        "mov traps_high + 48, %r14\nmov traps_high + 56, %r15\n"
#endif
        "ud2\n"
        ".globl traps_out\ntraps_out:\nxor %eax, %eax\n.byte 0x40, 0x90\n"
#if __SIZEOF_POINTER__ == 8
        "jz 1f\n.code32\nljmp $0x2b, $1f\n.code64\n1:"
#endif
        "mov $0x23, %eax\nmov %eax, %ds\nmov %eax, %es\nmov %eax, %fs\nmov %eax, %gs\n"
        "jmp attempt_end\n");
void traps_start(void);
extern char traps_out[];

struct attempt attempt;
uint64_t traps_high[8];
static struct context before;
static word_t stack_in_order;

_Noreturn void attempt_end(void);
_Noreturn void attempt_end(void)
{
        __asm__ volatile("push $2; popf");
        context_restore(&before);
}

unsigned emulator(void)
{
        uint32_t r[4];

        cpuid(0, 0, r);
        return (needs_hardware() ? 0u : 2u) + (r[1] == 0x756e6547); /* Genu */
}

/* ---- Pages ----------------------------------------------------------------------------------- */

/* Code before an absent page, and before one that is not executable. */
static char *before_absent, *before_data;
static char *operand;

void cell_pages(void)
{
        if (before_absent)
                return;
        before_absent = memory(0);
        before_data = memory(1);
        operand = memory(0);
        hc_revoke(mem(page_of(before_data) + 1, 0, NOVA_MEM_X), NOVA_REVOKE_SR);
}

/* Does not write bytes that are equal already: an emulator translates a page again after each write
 * to it. */
static void put(char *to, const void *from, unsigned size)
{
        for (unsigned i = 0; i < size; i++)
                if (to[i] != ((const char *)from)[i])
                        to[i] = ((const char *)from)[i];
}

struct place cell_place(const struct cell *c)
{
        char *page = c->place == PLACE_BEFORE_DATA ? before_data : before_absent;

        return (struct place){page, page};
}

char *cell_operand(void)
{
        return operand;
}

static void write_compat_way(void)
{
        static const uint8_t jump[] = {0xff, 0x2d, 0, 0, 0, 0};
        const uint32_t code = (uint32_t)(word_t)attempt.place.page + COMPAT_CODE;
        const uint16_t sel = 0x1b;
        char *to = attempt.place.alias + COMPAT_WAY;

        put(to, jump, sizeof(jump));
        put(to + sizeof(jump), &code, sizeof(code));
        put(to + sizeof(jump) + sizeof(code), &sel, sizeof(sel));
        put(attempt.place.alias + COMPAT_CODE, "\x0f\x0b", 2);
}

static void place_code(const struct cell *c)
{
        const word_t offset = c->place == PLACE_MIDDLE ? CELL_START : NOVA_PAGE_SIZE - c->size;

        attempt.at = (word_t)attempt.place.page + offset;
        attempt.after = attempt.at + c->size;
        attempt.landing = (word_t)attempt.place.page + LANDING;
        attempt.absent = (word_t)before_absent + NOVA_PAGE_SIZE + 0x100;
}

static void write_code(const struct cell *c)
{
        char *to = attempt.place.alias + attempt.at % NOVA_PAGE_SIZE;

        put(to, c->code, c->size);
        if (c->target_at)
                put(to + c->target_at, &attempt.landing, 4);
        if (c->place == PLACE_MIDDLE)
                put(to + c->size, "\x0f\x0b", 2);
        put(attempt.place.alias + LANDING, "\x0f\x0b", 2);
        write_compat_way();
}

static void write_operand(const struct cell *c)
{
        const uint32_t landing = (uint32_t)attempt.landing;

        for (unsigned i = 0; i < 16; i++)
                operand[CELL_DATA + i] = 0;
        if (c->call)
                put(operand + CELL_DATA, &landing, 4);
        put(operand + CELL_DATA + 4, &c->sel, 2);
        if (c->bound_size) {
                put(operand + CELL_DATA, &c->low, c->bound_size);
                put(operand + CELL_DATA + c->bound_size, &c->high, c->bound_size);
        }
        *(word_t *)(word_t)(operand + CELL_STACK) = c->top;
}

static word_t pointer(unsigned kind, const char *normal)
{
        return kind == POINTER_ABSENT          ? attempt.absent
               : kind == POINTER_NON_CANONICAL ? NON_CANONICAL
               : kind == POINTER_KERNEL        ? KERNEL
                                               : (word_t)normal;
}

static void make_registers(const struct cell *c)
{
        struct nova_utcb_state *s = &attempt.begin;

        s->sp = pointer(c->sp, operand + CELL_STACK);
        s->flags = 0x202 | c->flags;
        s->ax = c->has_ax ? c->ax : BAD_NUMBER;
        s->di = BAD_NUMBER;
        s->cx = s->sp;
        s->dx = attempt.after;
        s->bx = pointer(c->bx, operand + CELL_DATA);
        s->bp = OTHER;
        s->si = c->si ? c->si : OTHER;
        if (c->registers)
                *s = *c->registers;
        s->ip = attempt.at;
}

/* ---- Events ---------------------------------------------------------------------------------- */

static void answer(struct nova_utcb *u, nova_mtd_t mtd)
{
        u->state.mtd = mtd;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
}

static void begin(struct nova_utcb *u)
{
        const struct nova_utcb_state *b = &attempt.begin;

        u->state.ax = b->ax;
        u->state.cx = b->cx;
        u->state.dx = b->dx;
        u->state.bx = b->bx;
        u->state.bp = b->bp;
        u->state.si = b->si;
        u->state.di = b->di;
        u->state.sp = b->sp;
        u->state.ip = b->ip;
        u->state.flags = b->flags;
        answer(u, NOVA_MTD_ACDB | NOVA_MTD_BSD | NOVA_MTD_ESP | NOVA_MTD_EIP | NOVA_MTD_EFL);
}

static bool is_end(unsigned n, const struct nova_utcb_state *s)
{
        if (n == NOVA_EXC_UD && s->ip == attempt.landing)
                return true;
        return s->ip == attempt.after &&
               n == (attempt.cell->place == PLACE_MIDDLE ? NOVA_EXC_UD : NOVA_EXC_PF);
}

/* Answers the events before the code begins: the first event of the thread, and another one for
 * 32-bit code. */
static void answer_begin(struct nova_utcb *u)
{
        begin(u);
        if (attempt.cell->mode == MODE_COMPAT && attempt.stage == 1) {
                u->state.ip = (word_t)attempt.place.page + COMPAT_WAY;
                u->state.flags = 2;
        }
}

static void answer_end(struct nova_utcb *u)
{
        u->state.ip = (word_t)traps_out;
        u->state.sp = stack_in_order;
        u->state.flags = 2;
        answer(u, NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_EFL);
}

static bool serve(struct thread *t, unsigned n, struct nova_utcb *u)
{
        if (t->child && n == NOVA_EXC_PF && event_answer_image(u, (word_t)u->state.qual[1]))
                return true;
        if (attempt.stage++ < (attempt.cell->mode == MODE_COMPAT ? 2u : 1u)) {
                answer_begin(u);
                return true;
        }
        if (attempt.count < 2) {
                attempt.number[attempt.count] = n;
                attempt.seen[attempt.count] = u->state;
        }
        if (attempt.count++ == 0 && !attempt.cell->once && !is_end(n, &u->state))
                answer(u, 0);
        else
                answer_end(u);
        return true;
}

static void run_here(struct thread *t)
{
        stack_in_order =
                (((word_t)__builtin_frame_address(0) - 1024) & ~(word_t)15) - STACK_ENTRY_GAP;
        if (!context_save(&before))
                traps_start();
        (void)t;
}

void cell_run(const struct cell *c, struct place place, struct thread *t)
{
        attempt.cell = c;
        attempt.place = place;
        attempt.count = attempt.stage = 0;
        place_code(c);
        if (place.alias)
                write_code(c);
        if (!c->registers)
                write_operand(c);
        make_registers(c);
        t->on_event = serve;
        if (t == self)
                run_here(t);
        else
                remote(t, run_here, NULL);
        t->on_event = NULL;
}

/* ---- Outcomes -------------------------------------------------------------------------------- */

static unsigned wrong;

static void compare(const char *what, word_t actual, word_t expected)
{
        if (actual == expected)
                return;
        if (!wrong++)
                console_string("# ");
        else
                console_string("; ");
        console_string(what);
        console_string(" is ");
        console_hex(actual);
        console_string(", not ");
        console_hex(expected);
}

static void compare_registers(const struct nova_utcb_state *s, const struct nova_utcb_state *b,
                              word_t delta)
{
        compare("ax", s->ax, b->ax);
        compare("cx", s->cx, b->cx);
        compare("dx", s->dx, b->dx);
        compare("bx", s->bx, b->bx);
        compare("bp", s->bp, b->bp);
        compare("si", s->si, b->si);
        compare("di", s->di, b->di);
        compare("sp", s->sp, b->sp + delta);
}

static void compare_end(const struct cell *c, unsigned i, word_t ip)
{
        const bool middle = c->place == PLACE_MIDDLE || c->call;

        compare("number of the end", attempt.number[i], middle ? NOVA_EXC_UD : NOVA_EXC_PF);
        compare("ip of the end", attempt.seen[i].ip, ip);
        compare("error of the end", (word_t)attempt.seen[i].qual[0],
                middle                          ? 0
                : c->place == PLACE_BEFORE_DATA ? 0x15
                                                : 0x14);
        compare("address of the end", (word_t)attempt.seen[i].qual[1], middle ? 0 : attempt.after);
}

static bool is_hypercall(const struct cell *c, const struct outcome *o)
{
        return o->event == HYPERCALL ||
               (o->event == NOVA_EXC_DB && o->ip == IP_AFTER && c->code[c->size - 2] == 0x0f);
}

static void compare_event(const struct cell *c, const struct outcome *o)
{
        static const char names[][10] = {"event", "event 2"};
        const struct nova_utcb_state *b = &attempt.begin;
        const word_t qual[] = {
                [QUAL_AFTER] = attempt.after,   [QUAL_ABSENT] = attempt.absent,
                [QUAL_STACK] = b->sp - 4,       [QUAL_STACK_32] = (uint32_t)b->sp - 4,
                [QUAL_BX_16] = (uint16_t)b->bx, [QUAL_BP_DI_16] = (uint16_t)(b->bp + b->di)};
        const word_t ip[] = {attempt.at, attempt.after, attempt.landing};

        for (unsigned i = 0; i < attempt.count; i++) {
                const struct nova_utcb_state *s = &attempt.seen[i];

                if (i == 1 && o->reply == REPLY_ON) {
                        compare_end(c, 1, ip[o->ip == IP_TARGET ? IP_TARGET : IP_AFTER]);
                        break;
                }
                compare(names[i], attempt.number[i], o->event);
                compare("ip", s->ip, ip[o->ip] + o->offset);
                compare("error", (word_t)s->qual[0], o->error);
                compare("address", (word_t)s->qual[1], qual[o->qual]);
                compare("flags", s->flags & FLAGS_SEEN, o->flags);
        }
        compare("number of events", attempt.count, 2);
}

static void compare_outcome(const struct cell *c, const struct outcome *o)
{
        if (o->event == NOTHING || o->event == HYPERCALL)
                compare_end(c, 0, o->ip == IP_TARGET ? attempt.landing : attempt.after);
        else
                compare_event(c, o);
        if (is_hypercall(c, o))
                compare("status",
                        (c->mode == MODE_COMPAT ? attempt.seen[0].ax : STATUS(&attempt.seen[0])) &
                                0xff,
                        NOVA_BAD_HYP);
        else
                compare_registers(&attempt.seen[0], &attempt.begin,
                                  c->call ? (word_t)-8 : c->delta);
        if (c->call)
                compare("return address", *(uint32_t *)(attempt.begin.sp - 8), attempt.after);
}

bool same(const char *a, const char *b)
{
        while (*a && *a == *b) {
                a++;
                b++;
        }
        return *a == *b;
}

unsigned cell_differences(const struct cell *c, const struct outcome *o)
{
        wrong = 0;
        compare_outcome(c, o);
        if (wrong) {
                console_string(" (");
                console_string(c->name);
                console_string(")\n");
        }
        return wrong;
}
