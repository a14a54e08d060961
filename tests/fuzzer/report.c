/* SPDX-License-Identifier: BSD-2-Clause */
/* Output of the fuzzer: a line for each round, totals, and the present step of each suspect. */
#include "fuzzer.h"

#define CALLS_MOST 1000000 /* a record with a larger count of hypercalls has been overwritten */

#define NAME(number, NAME_, function, spec) [number] = #function,
static const char *const names[NOVA_HYPERCALL_COUNT] = {NOVA_HYPERCALL_ROWS(NAME)[15] = "unknown"};

static word_t results[NOVA_HYPERCALL_COUNT][RESULTS], calls, good;
static word_t events, exits;
static word_t overwritten; /* number of overwritten records, which are not in the sums */

static void number(const char *what, word_t n)
{
        console_string(what);
        console_dec(n);
}

word_t report_calls(void)
{
        return calls;
}

word_t report_good(void)
{
        return good;
}

/* Returns whether a record is intact. Threads that a random hypercall has put on the same stack can
 * overwrite their record. */
static bool is_plausible(const struct suspect *s)
{
        for (unsigned i = 0; i < NOVA_HYPERCALL_COUNT; i++)
                for (unsigned status = 0; status < RESULTS; status++)
                        if (s->results[i][status] > CALLS_MOST)
                                return false;
        return true;
}

static void add(const struct suspect *s, word_t *round_calls, word_t *round_good)
{
        if (!is_plausible(s)) {
                overwritten++;
                return;
        }
        for (unsigned i = 0; i < NOVA_HYPERCALL_COUNT; i++) {
                for (unsigned status = 0; status < RESULTS; status++) {
                        results[i][status] += s->results[i][status];
                        *round_calls += s->results[i][status];
                }
                *round_good += s->results[i][NOVA_SUCCESS];
        }
}

void report_round(word_t round, word_t late_ms)
{
        word_t round_calls = 0, round_good = 0;

        for (unsigned arena = 0; arena < ARENAS; arena++)
                for (unsigned slot = 0; slot < SLOTS; slot++)
                        add(suspect_at(arena, slot), &round_calls, &round_good);
        calls += round_calls;
        good += round_good;
        number("# round ", round);
        number(": hypercalls ", round_calls);
        number(", succeeded ", round_good);
        number(", events ", keepers_events() - events);
        number(", exits ", keepers_exits() - exits);
        number(", memory returned after ", late_ms);
        console_string(" ms\n");
        events = keepers_events();
        exits = keepers_exits();
}

/* Prints one row: how often a hypercall returned each status, and how often no status is known. */
static void row(unsigned hypercall_number)
{
        const word_t *r = results[hypercall_number];
        word_t sum = 0;

        for (unsigned status = 0; status < RESULTS; status++)
                sum += r[status];
        if (!sum)
                return;
        console_string("# hypercall ");
        console_string(names[hypercall_number]);
        number(": ", sum);
        number(" made, ", r[NOVA_SUCCESS]);
        console_string(" succeeded; statuses");
        for (unsigned status = 1; status < RESULTS - 1; status++)
                number(" ", r[status]);
        number(", no status ", r[RESULTS - 1]);
        console_string("\n");
}

void report_total(void)
{
        for (unsigned i = 0; i < NOVA_HYPERCALL_COUNT; i++)
                row(i);
        number("# total: hypercalls ", calls);
        number(", succeeded ", good);
        number(", events ", events);
        number(", exits ", exits);
        console_string("\n");
        number("# records that threads had overwritten: ", overwritten);
        console_string("\n");
}

void report_found(unsigned arena, unsigned slot)
{
        number("# PD ", arena);
        number(", slot ", slot);
        console_string(": XMM0 holds ");
        console_hex(suspect_at(arena, slot)->found);
        console_string("\n");
}

static void thread(unsigned arena, unsigned slot, const struct suspect *s)
{
        const unsigned hypercall_number = nova_id_number(s->now.a1);

        number("# PD ", arena);
        number(", slot ", slot);
        number(": ", s->calls);
        console_string(s->inside ? " hypercalls, inside " : " hypercalls, after ");
        console_string(names[hypercall_number]);
        console_string(" ");
        console_hex(s->now.a1);
        console_string(" ");
        console_hex(s->now.a2);
        console_string(" ");
        console_hex(s->now.a3);
        console_string(" ");
        console_hex(s->now.a4);
        console_string(" ");
        console_hex(s->now.a5);
        number(", status ", s->status);
        number(", events ", s->events);
        console_string(", last ");
        console_hex(s->last_event);
        console_string("\n");
}

void report_threads(void)
{
        for (unsigned arena = 0; arena < ARENAS; arena++)
                for (unsigned slot = 0; slot < SLOTS; slot++)
                        if (suspect_at(arena, slot)->calls || suspect_at(arena, slot)->events)
                                thread(arena, slot, suspect_at(arena, slot));
}
