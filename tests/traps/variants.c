/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that change or whose page is revoked while they execute, and instructions at the
 * last address. */
#include "cell.h"

#define SECONDS     60 /* on a busy host the other CPU may stop */
#define ROUNDS      12 /* rounds; the revocation comes later in each further round */
#define MIXTURE_MAX 16 /* maximum bytes of a mixture of forms, with the zeroes after it */
#define LAST_PAGE   ((NOVA_USER_END >> NOVA_PAGE_BITS) - 1)

static struct cell two_bytes = {.name = "two bytes", .group = "", .code = {0x0f, 0x0b}, .size = 2};

static void set_mode(struct cell *c, bool compat)
{
        c->mode = NOVA_WORD_BITS == 32 ? MODE_32 : compat ? MODE_COMPAT : MODE_64;
}

/* Each instruction that enters the kernel, and the events that it may raise in any mode. */
static const struct {
        uint8_t code[7], size;
        uint32_t events;
} forms[] = {
        {{0xcc}, 1, ONLY(NOVA_EXC_BP)},
        {{0xcd, 0x03}, 2, ONLY(NOVA_EXC_BP)},
        {{0xcd, 0x04}, 2, ONLY(NOVA_EXC_OF)},
        {{0xcd, 0x80}, 2, ONLY(NOVA_EXC_GP)},
        {{0xce}, 1, ONLY(NOVA_EXC_UD)},
        {{0xf1}, 1, ONLY(NOVA_EXC_DB) | ONLY(NOVA_EXC_UD)},
        {{0x0f, 0x05}, 2, ONLY(NOVA_EXC_UD)},
        {{0x0f, 0x34}, 2, ONLY(NOVA_EXC_UD) | ONLY(NOVA_EXC_GP)},
        {{0x0f, 0x0b}, 2, ONLY(NOVA_EXC_UD)},
        {{0x0f, 0xb9, 0xc0}, 3, ONLY(NOVA_EXC_UD)},
        {{0x0f, 0xff, 0xc0}, 3, ONLY(NOVA_EXC_UD)},
        {{0x62, 0x03}, 2, ONLY(NOVA_EXC_UD) | ONLY(NOVA_EXC_BR)},
        {{0xff, 0x1b}, 2, ONLY(NOVA_EXC_GP)},
        {{0x9a}, 7, ONLY(NOVA_EXC_UD) | ONLY(NOVA_EXC_GP)},
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))

/* ---- Another CPU ----------------------------------------------------------------------------- */

/* Rewrites the instruction until told to stop. value[0]: stop, value[1]: rounds, value[2]: the
 * instruction's address. */
static void rewrites(struct thread *t)
{
        while (!t->value[0]) {
                const word_t form = t->value[1]++ % FORMS;
                volatile uint8_t *to = (volatile uint8_t *)t->value[2];

                for (unsigned i = 0; i < forms[form].size; i++)
                        to[i] = forms[form].code[i];
                for (unsigned i = 0; i < 20; i++)
                        __asm__ volatile("pause");
        }
}

/* Expects an event of the instruction: without synchronization any mixture of the forms may execute
 * (SDM 3A, 8.1.3). */
static void expect_an_own_event(void)
{
        EXPECT(attempt.number[0] < EVENTS);
        EXPECT(attempt.seen[0].ip - attempt.at <= MIXTURE_MAX);
}

CASE_ON(traps, an_instruction_that_another_thread_rewrites_raises_an_event_of_its_own, "",
        needs_2_cpus)
{
        case_seconds(SECONDS);
        cell_pages();
        struct thread *t = global(cpu_numbers[1], rewrites, NULL);
        struct place place = cell_place(&two_bytes);
        const unsigned rounds = 20 * FORMS, rounds_max = 1000000;

        cell_run(&two_bytes, place, self);
        place.alias = NULL;
        t->value[2] = attempt.at;
        thread_start(t, PRIO_CASE, QUANTUM);
        EXPECT(wait_for(&t->started, 1));
        const word_t before = t->value[1];
        /* On a busy host the other CPU may stop for many rounds. */
        for (unsigned i = 0; i < rounds || (t->value[1] == before && i < rounds_max); i++) {
                set_mode(&two_bytes, i & 1);
                cell_run(&two_bytes, place, self);
                expect_an_own_event();
        }
        EXPECT(t->value[1] != before);
        t->value[0] = 1;
        EXPECT(wait_for(&t->done, 1));
}

/* Revokes pages until told to stop. value[0]: stop, value[1]: a page to revoke, or 0, value[2]:
 * delay. */
static void revokes(struct thread *t)
{
        while (!t->value[0]) {
                if (!t->value[1])
                        continue;
                for (word_t n = t->value[2]; n; n--)
                        __asm__ volatile("pause");
                hc_revoke(mem(t->value[1], 0, NOVA_MEM_RWX), NOVA_REVOKE_SR);
                t->value[1] = 0;
        }
}

/* Expects that the code ends by the event of its instruction, or by the revocation of its page,
 * which comes at any instruction. An instruction that raises nothing is followed by UD2, at
 * `after`. */
static void expect_the_end_or_the_instruction(struct place place, uint32_t events)
{
        for (unsigned i = 0; i < 2 && i < attempt.count; i++) {
                const unsigned n = attempt.number[i];
                const word_t ip = attempt.seen[i].ip;
                const bool trap = n == NOVA_EXC_BP || n == NOVA_EXC_OF || n == NOVA_EXC_DB;

                if (n == NOVA_EXC_PF)
                        EXPECT_EQ((word_t)attempt.seen[i].qual[1] >> NOVA_PAGE_BITS,
                                  page_of(place.page));
                else if (n != NOVA_EXC_UD || ip != attempt.after) {
                        EXPECT(n < EVENTS && (events & ONLY(n)) != 0);
                        EXPECT_EQ(ip, trap ? attempt.after : attempt.at);
                }
        }
}

static void set_form(struct cell *c, unsigned i)
{
        for (unsigned k = 0; k < sizeof(forms[0].code); k++)
                c->code[k] = forms[i % FORMS].code[k];
        c->size = forms[i % FORMS].size;
        set_mode(c, i / FORMS & 1);
}

CASE_ON(traps, an_instruction_whose_page_is_revoked_raises_its_event_or_a_page_fault, "",
        needs_2_cpus)
{
        case_seconds(SECONDS);
        cell_pages();
        struct thread *t = global(cpu_numbers[1], revokes, NULL);
        struct cell c = {.name = "revoked", .group = ""};
        const word_t page = page_alloc(0);
        const struct place place = {(char *)(page << NOVA_PAGE_BITS), cell_place(&c).alias};
        unsigned faults = 0;

        thread_start(t, PRIO_CASE, QUANTUM);
        for (unsigned i = 0; i < ROUNDS * FORMS; i++) {
                set_form(&c, i);
                give_self(mem(page_of(place.alias), 0, NOVA_MEM_RWX), page);
                t->value[2] = i / FORMS * 6;
                t->value[1] = page;
                cell_run(&c, place, self);
                expect_the_end_or_the_instruction(place, forms[i % FORMS].events);
                faults += attempt.number[0] == NOVA_EXC_PF;
                EXPECT(wait_for(&t->value[1], 0));
        }
        remark("rounds in which the page went before the instruction:", faults);
        t->value[0] = 1;
        EXPECT(wait_for(&t->done, 1));
}

/* ---- The last address ------------------------------------------------------------------------ */

/* Returns whether event i is the page fault after the last byte. Its error code lacks the bit of a
 * fetch; it may have the bit of a present page, because on x86-32 the kernel's first page may be
 * present. */
static bool is_fault_after_the_end(unsigned i)
{
        return attempt.number[i] == NOVA_EXC_PF && attempt.seen[i].ip == attempt.after &&
               (attempt.seen[i].qual[0] & ~(uint64_t)1) == 4 &&
               attempt.seen[i].qual[1] == NOVA_USER_END;
}

/* Returns the number of differences from a row. The page after the instruction is absent here, as
 * in the row. */
static unsigned differs_at_the_end(const struct cell *c, const struct outcome *o)
{
        if (c->call) /* a call does not end at the absent page */
                return cell_differences(c, o);

        const unsigned end = o->event == NOTHING || o->event == HYPERCALL ? 0 : 1;
        const bool ends = end == 0 || o->reply == REPLY_ON;

        if (ends) {
                EXPECT(is_fault_after_the_end(end));
                attempt.seen[end].qual[0] = 0x14;
        } else if (o->event == NOVA_EXC_PF) {
                for (unsigned i = 0; i < 2; i++) {
                        EXPECT_EQ(attempt.seen[i].qual[0] & ~(uint64_t)1, 4);
                        attempt.seen[i].qual[0] = 0x14;
                }
        }
        return cell_differences(c, o);
}

/* Runs in a child PD, because the root PD has its information page at this address. */
CASE(traps, the_last_bytes_of_user_memory_are_an_instruction, "")
{
        cell_pages();
        struct thread *t = child_server(child_new(boot_cpu));
        const unsigned which = emulator();
        const struct place place = {(char *)(word_t)(LAST_PAGE << NOVA_PAGE_BITS),
                                    cell_place(&two_bytes).alias};
        unsigned done = 0, bad = 0;

        give(t, mem(page_of(place.alias), 0, NOVA_MEM_RWX), LAST_PAGE);
        give(t, mem(page_of(cell_operand()), 0, NOVA_MEM_RWX), page_of(cell_operand()));
        for (unsigned i = 0; i < cell_count; i++) {
                const struct cell *c = &cells[i];
                const struct outcome *o = &c->outcome[which];

                if (c->place != PLACE_BEFORE_ABSENT || c->mode == MODE_COMPAT ||
                    o->event == SKIPPED)
                        continue;
                cell_run(c, place, t);
                bad += differs_at_the_end(c, o) != 0;
                done++;
        }
        remark("at the last address", done);
        EXPECT(done > 0);
        EXPECT_EQ(bad, 0);
}
