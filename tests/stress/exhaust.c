/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's pool is used up in every way, again and again. Each time a status reports it, and
 * all operations work again after some memory was freed. */
#include "stress.h"

#define BITS        14 /* order of a worker's selectors */
#define PILE_BITS   15
#define PAGE        0x80000 /* first page of the UTCBs */
#define MEMORY_PAGE 0x90000
#define PORT_BITS   12

static nova_sel_t bulk[WORKERS];
static struct thread *mirrors[WORKERS];
static nova_sel_t source; /* pages */

enum {
        MAKE_SM,
        MAKE_PT,
        MAKE_EC,
        MAKE_PD,
        MAKE_PD_WITH,
        GIVE_MEMORY,
        GIVE_OBJECT,
        GIVE_PORT,
        KINDS
};

static word_t give_here(struct worker *w, nova_crd_t crd, nova_crd_t window, word_t upper)
{
        struct thread *t = mirrors[w->index];
        struct nova_utcb *u = w->self->utcb;
        t->utcb->delegate_window = t->win_d = window;
        u->word[nova_utcb_item_index(0)] = crd;
        u->word[nova_utcb_item_index(0) + 1] = upper;
        u->items = nova_utcb_items(0, 1);
        if (hc_call(t->pt, 0) != NOVA_SUCCESS)
                return NOVA_COM_ABT;
        return t->rx_item[0] ? NOVA_SUCCESS : NOVA_OUT_OF_MEMORY;
}

static word_t first_port(const struct worker *w)
{
        return 0x1000 + 0x2000 * w->index;
}

/* Makes one more object of a kind. */
static word_t make(struct worker *w, unsigned kind, word_t n)
{
        const nova_sel_t sel = bulk[w->index] + n;
        const nova_sel_t page = PAGE + (w->index << BITS) + n;
        switch (kind) {
        case MAKE_SM:
                return hc_create_sm(sel, ROOT_PD, 0);
        case MAKE_PT:
                return hc_create_pt(sel, ROOT_PD, mirrors[w->index]->ec, 0, 0);
        case MAKE_EC:
                return hc_create_ec(sel, ROOT_PD, page << NOVA_PAGE_BITS | w->cpu, 0, 0, 0);
        case MAKE_PD:
                return hc_create_pd(sel, ROOT_PD, 0);
        case MAKE_PD_WITH:
                return hc_create_pd(sel, ROOT_PD, nova_crd(NOVA_CRD_OBJ, group, 7, ALL));
        case GIVE_MEMORY:
                return give_here(
                        w, mem(source, 0, ALL),
                        mem(MEMORY_PAGE + (w->index << BITS) + (n << 9) % (1 << BITS) + (n >> 5), 0,
                            ALL),
                        NOVA_ITEM_DELEGATE);
        case GIVE_OBJECT:
                return give_here(w, obj(group + NOVA_EXC_PF, ALL), obj(sel, ALL),
                                 NOVA_ITEM_DELEGATE);
        default:
                return give_here(
                        w, nova_crd(NOVA_CRD_IO, first_port(w) + n % (1 << PORT_BITS), 0, 1),
                        nova_crd(NOVA_CRD_IO, 0, 16, ALL), NOVA_ITEM_DELEGATE | NOVA_ITEM_H);
        }
}

static void take_back(struct worker *w)
{
        const nova_sel_t page = MEMORY_PAGE + (w->index << BITS);
        hc_revoke(nova_crd(NOVA_CRD_OBJ, bulk[w->index], BITS, ALL), NOVA_REVOKE_SR);
        hc_revoke(nova_crd(NOVA_CRD_MEM, page, BITS, ALL), NOVA_REVOKE_SR);
        hc_revoke(nova_crd(NOVA_CRD_IO, first_port(w), PORT_BITS, ALL), NOVA_REVOKE_SR);
}

/* Fills the rest of the pool with objects of one kind, frees a part of the pool, and continues with
 * another kind. */
static void fills(struct worker *w)
{
        word_t n = 0;
        for (unsigned turn = 0; turn < 3; turn++) {
                const unsigned kind = (unsigned)random_below(w, KINDS);
                const word_t limit = n + (kind == GIVE_PORT ? 0x100 : (word_t)1 << BITS);
                word_t status = NOVA_SUCCESS;
                w->phase = kind;
                while (n < (1 << BITS) && n < limit && status == NOVA_SUCCESS && !stress_over())
                        status = make(w, kind, n++);
                if (status != NOVA_SUCCESS)
                        CHECK_EQ(w, status, NOVA_OUT_OF_MEMORY);
                w->phase = 100 + kind;
                hc_revoke(nova_crd(NOVA_CRD_OBJ, bulk[w->index] + random_below(w, n + 1),
                                   (unsigned)random_below(w, 9), ALL),
                          NOVA_REVOKE_SR);
        }
        w->phase = 200;
        take_back(w);
        if (worker_count > 1)
                return; /* other workers may have taken all free memory */
        w->phase = 300;
        CHECK_EQ(w, make(w, MAKE_EC, 0), NOVA_SUCCESS);
        take_back(w);
}

static void prepare(void)
{
        stress_begin();
        for (unsigned i = 0; i < worker_count; i++) {
                mirrors[i] = server(cpu_numbers[i]);
                if (!bulk[i])
                        bulk[i] = sel_far(BITS);
        }
        source = page_of(memory(0));
}

CASE(exhaust, every_way_to_use_the_pool_up_ends_in_a_status, "5.1-19")
{
        prepare();
        take_back(&workers[0]);
        const word_t before = memory_left();
        for (unsigned i = 0; i < 2; i++) {
                stress_run(fills);
                memory_check(before);
        }
}

/* ---- At the edge -------------------------------------------------------------------------------
 */

static nova_sel_t pile;

/* Creates objects when there is memory for a few of them only: creations fail at different
 * allocations and are undone. */
static void at_the_edge(struct worker *w)
{
        for (unsigned i = 0; i < 64; i++) {
                const unsigned kind = (unsigned)random_below(w, KINDS);
                const word_t status = make(w, kind, random_below(w, 16));
                w->phase = kind;
                CHECK_EQ(w,
                         status == NOVA_SUCCESS || status == NOVA_OUT_OF_MEMORY ||
                                 status == NOVA_BAD_CAP || status == NOVA_BAD_PAR,
                         true);
        }
        take_back(w);
}

CASE(exhaust, the_last_few_bytes_are_given_and_taken_thousands_of_times, "5.1-19")
{
        prepare();
        if (!pile)
                pile = sel_far(PILE_BITS);
        const word_t before = memory_left();
        /* Besides `room`, the pile leaves memory for the threads of the run. */
        for (unsigned room = 200; room <= 600; room += 400) {
                const word_t height = before > 400 + room ? before - 400 - room : 0;
                for (word_t n = 0; n < height; n++)
                        EXPECT_EQ(hc_create_sm(pile + n, ROOT_PD, 0), NOVA_SUCCESS);
                stress_run(at_the_edge);
                hc_revoke(nova_crd(NOVA_CRD_OBJ, pile, PILE_BITS, ALL), NOVA_REVOKE_SR);
                memory_check(before);
        }
}
