/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of the system after each round: kernel memory, threads and restarts of all programs,
 * openings of sessions, and what init and this program use. Restarts and openings grow by the same
 * number in each round. All other counters stay the same, with two exceptions:
 *
 * - Init may need a different number of tables, which the kernel allocates in whole pages: the
 *   selectors of programs and threads depend on what else runs when they start. Objects and
 *   mappings are smaller than a table, so their leaks show.
 * - The bytes in use of this program's heap may differ a little, because a block may be a few bytes
 *   larger than requested.
 *
 * The heap's pages do not count: depending on the order in which threads allocate, the heap keeps
 * some pages that are free. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "novart/page.h"
#include "novart/parent.h"
#include "novart/parent_status.h"
#include "novart/selector.h"
#include "novart/time.h"

#include "soak.h"

#define FIGURES    128
#define NAME       160
#define TABLE      4096 /* bytes of a table of the kernel */
#define TABLES     4    /* permitted difference of the number of init's tables */
#define HEAP_BYTES 1024 /* permitted difference of the used bytes of the heap */
/* Maximum number of readings: the kernel frees memory a moment after an object ends. */
#define PATIENCE   200
#define REST_NS    20000000 /* time between two readings */
#define PAGE_TOTAL 0x100000 /* more pages than a program has */

struct figure {
        char name[NAME];
        int64_t value;
        bool steps; /* the figure grows by the same number in each round */
};

/* Indices of the figures that may differ. */
enum { INIT_KERNEL_MEMORY, SOAK_HEAP };

struct figures {
        unsigned count;
        struct figure figure[FIGURES];
};

static struct figures now, before, first;
static int64_t step[FIGURES]; /* growth in a round of each figure of `first` */

static void add(const char *what, const char *of, const char *more, uint64_t value, bool steps)
{
        struct figure *const figure = &now.figure[now.count];

        if (now.count == FIGURES)
                return;
        now.count++;
        snprintf(figure->name, NAME, "%s %s%s", what, of, more);
        figure->value = (int64_t)value;
        figure->steps = steps;
}

static void read_programs(void)
{
        struct nova_parent_program program;

        for (unsigned i = 0; nova_parent_program_describe(i, &program) == 0; i++) {
                add("kernel memory, in bytes, of", program.name, "", program.kernel_used, false);
                add("the number of threads of", program.name, "", program.threads, false);
                add("the number of restarts of", program.name, "", program.restarts, true);
        }
}

static void read_sessions(void)
{
        struct nova_parent_session session;
        char text[3 * NOVA_PARENT_NAME];

        for (unsigned i = 0; nova_parent_session_describe(i, &session) == 0; i++) {
                snprintf(text, sizeof(text), "%s of %s", session.client, session.service);
                add("the number of sessions that", text, " has opened", session.opened, true);
        }
}

static void read_all(void)
{
        const struct mallinfo heap = mallinfo();
        const uint64_t pages = PAGE_TOTAL - nova_page_free_count() - heap.arena / 4096;
        struct nova_parent_own own = {0};

        now.count = 0;
        nova_parent_own_describe(&own);
        add("kernel memory, in bytes, of", "init", "", own.kernel_used, false);
        add("bytes in use of the heap of", "soak", "", heap.uordblks, false);
        add("the number of selectors of", "init", "", own.selectors, false);
        add("memory, in pages, of", "init", "", PAGE_TOTAL - own.free_bytes / 4096, false);
        add("the number of selectors of", "soak", "", nova_sel_used(), false);
        add("memory, in pages, beside the heap, of", "soak", "", pages, false);
        read_programs();
        read_sessions();
}

/* Returns the figure that has a name. Its index may differ from that in another round. */
static const struct figure *find(const struct figures *in, const char *name)
{
        for (unsigned i = 0; i < in->count; i++)
                if (!strcmp(in->figure[i].name, name))
                        return &in->figure[i];
        return NULL;
}

/* Returns true if a figure may differ by MORE. */
static bool is_tolerated(unsigned number, int64_t more)
{
        const int64_t size = more < 0 ? -more : more;

        if (number == INIT_KERNEL_MEMORY)
                return size % TABLE == 0 && size <= TABLES * TABLE;
        return number == SOAK_HEAP && size <= HEAP_BYTES;
}

/* Returns by how much a figure exceeds the value that it must have after a round. */
static int64_t excess(unsigned number, unsigned round)
{
        const struct figure *const was = &first.figure[number], *const is = find(&now, was->name);
        const int64_t more =
                (is ? is->value : 0) - was->value - step[number] * (round - FIGURES_FIRST);

        return is_tolerated(number, more) ? 0 : more;
}

static bool equal(unsigned round)
{
        if (now.count != first.count)
                return false;
        for (unsigned i = 0; i < first.count; i++)
                if (excess(i, round))
                        return false;
        return true;
}

static void learn(void)
{
        first = now;
        for (unsigned i = 0; i < now.count; i++) {
                const struct figure *const was = find(&before, now.figure[i].name);

                step[i] = was && now.figure[i].steps ? now.figure[i].value - was->value : 0;
        }
}

static void report(unsigned round)
{
        if (now.count != first.count)
                soak_fail("after round %u there are %u figures instead of %u", round, now.count,
                          first.count);
        for (unsigned i = 0; i < first.count; i++) {
                const int64_t more = excess(i, round);

                if (more)
                        soak_fail("in round %u %s %s by %" PRId64 " more than in the rounds before "
                                  "it",
                                  round, first.figure[i].name, more > 0 ? "grew" : "fell",
                                  more > 0 ? more : -more);
        }
}

bool figures_compare(unsigned round)
{
        before = now;
        for (unsigned i = 0; i < PATIENCE; i++) {
                nova_sleep(REST_NS);
                read_all();
                if (round > FIGURES_FIRST && equal(round))
                        return true;
                /* Nothing to compare with yet: only wait while the kernel frees memory. */
                if (round <= FIGURES_FIRST && i == 24)
                        break;
        }
        if (round == FIGURES_FIRST)
                learn();
        if (round <= FIGURES_FIRST)
                return true;
        report(round);
        return false;
}

unsigned figures_count(void)
{
        return now.count;
}
