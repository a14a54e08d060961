/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees of mappings are built and revoked from all CPUs at the same time; a revoked mapping is gone
 * on every CPU when the revoke returns. */
#include "stress.h"

#define PORTS_ORDER 8
#define PORTS_BASE  0x8000
#define LEVELS      6
#define AREA_ORDER  11
#define MAGIC       0x600d0000u

static nova_sel_t area[LEVELS]; /* areas of pages; each is delegated from the one before */
static nova_sel_t names[LEVELS];
static struct thread *mirrors[WORKERS];

/* Makes a local thread of the root PD on each CPU, by which the root PD sends items to itself. */
static void mirrors_new(void)
{
        for (unsigned i = 0; i < worker_count; i++)
                mirrors[i] = server(cpu_numbers[i]);
}

/* Sends one item from the root PD to itself. */
static nova_crd_t give_here(struct worker *w, nova_crd_t crd, nova_crd_t window, word_t upper)
{
        struct thread *t = mirrors[w->index];
        struct nova_utcb *u = w->self->utcb;
        t->win_d = t->utcb->delegate_window = window;
        u->word[nova_utcb_item_index(0)] = crd;
        u->word[nova_utcb_item_index(0) + 1] = upper;
        u->items = nova_utcb_items(0, 1);
        CHECK_VALUE(w, hc_call(t->pt, 0), NOVA_SUCCESS, 0);
        return t->rx_item[0];
}

static nova_crd_t part(struct worker *w, unsigned type, nova_sel_t base, unsigned order)
{
        const unsigned n = (unsigned)random_below(w, order + 1);
        const word_t at = random_below(w, (word_t)1 << order) >> n << n;
        return nova_crd(type, base + at, n, 1 + (unsigned)random_below(w, 31));
}

static void build_or_revoke(struct worker *w, unsigned type, const nova_sel_t *bases,
                            unsigned order)
{
        const unsigned level = (unsigned)random_below(w, LEVELS - 1);
        if (random_below(w, 8) < 5) {
                const nova_crd_t crd = part(w, type, bases[level], order);
                const word_t at = nova_crd_base(crd) - bases[level];
                /* Mostly the corresponding place in the next level, sometimes another one. */
                const word_t hot = random_below(w, 4) ? at : random_below(w, (word_t)1 << order);
                give_here(w, crd, nova_crd(type, bases[level + 1], order, ALL),
                          item_upper(NOVA_ITEM_DELEGATE, hot));
                return;
        }
        nova_crd_t crd = part(w, type, bases[level], order);
        if (random_below(w, 2))
                crd |= (nova_crd_t)ALL << NOVA_CRD_PERM_SHIFT;
        CHECK_EQ(w, hc_revoke(crd, level && random_below(w, 2) ? NOVA_REVOKE_SR : 0), NOVA_SUCCESS);
}

static void grow_and_cut_memory(struct worker *w)
{
        w->phase = 1;
        build_or_revoke(w, NOVA_CRD_MEM, area, AREA_ORDER);
}

static void grow_and_cut_objects(struct worker *w)
{
        w->phase = 2;
        build_or_revoke(w, NOVA_CRD_OBJ, names, 5);
        if (random_below(w, 4) == 0) {
                const nova_sel_t sel = names[0] + random_below(w, 32);
                if (random_below(w, 2))
                        hc_create_sm(sel, ROOT_PD, 0);
                else
                        hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR);
        }
}

static void grow_and_cut_ports(struct worker *w)
{
        const nova_crd_t crd = part(w, NOVA_CRD_IO, PORTS_BASE, PORTS_ORDER);
        w->phase = 3;
        if (random_below(w, 2))
                give_here(w, crd | NOVA_IO_A << NOVA_CRD_PERM_SHIFT,
                          nova_crd(NOVA_CRD_IO, 0, 16, ALL), NOVA_ITEM_DELEGATE | NOVA_ITEM_H);
        else
                hc_revoke(crd | NOVA_IO_A << NOVA_CRD_PERM_SHIFT, NOVA_REVOKE_SR);
}

static void grow_and_cut(struct worker *w)
{
        switch (random_below(w, 3)) {
        case 0:
                grow_and_cut_memory(w);
                break;
        case 1:
                grow_and_cut_objects(w);
                break;
        default:
                grow_and_cut_ports(w);
                break;
        }
}

/* Takes back everything below level 0 and checks that nothing is left. */
static void nothing_escapes(void)
{
        hc_revoke(nova_crd(NOVA_CRD_MEM, area[0], AREA_ORDER, ALL), 0);
        hc_revoke(nova_crd(NOVA_CRD_OBJ, names[0], 5, ALL), NOVA_REVOKE_SR);
        hc_revoke(nova_crd(NOVA_CRD_IO, PORTS_BASE, PORTS_ORDER, ALL), NOVA_REVOKE_SR);
        for (unsigned level = 1; level < LEVELS; level++) {
                for (word_t i = 0; i < (word_t)1 << AREA_ORDER; i++)
                        EXPECT_EQ(look(NOVA_CRD_MEM, area[level] + i), 0);
                for (word_t i = 0; i < 32; i++)
                        EXPECT_EQ(look(NOVA_CRD_OBJ, names[level] + i), 0);
        }
        for (word_t i = 0; i < (word_t)1 << AREA_ORDER; i++)
                EXPECT(look(NOVA_CRD_MEM, area[0] + i) != 0);
}

CASE(tree, mappings_grow_and_are_cut_on_all_CPUs, "3.5 3.6-08")
{
        stress_begin();
        mirrors_new();
        area[0] = page_of(memory(AREA_ORDER));
        for (unsigned level = 0; level < LEVELS; level++) {
                names[level] = sel_alloc(5);
                if (level)
                        area[level] = page_alloc(AREA_ORDER);
        }
        const word_t before = memory_left();
        for (unsigned i = 0; i < 3; i++) {
                stress_run(grow_and_cut);
                nothing_escapes();
                memory_check(before);
        }
        hc_revoke(nova_crd(NOVA_CRD_MEM, area[0], AREA_ORDER, ALL), NOVA_REVOKE_SR);
}

/* ---- Delegating below a tree that is revoked from above -----------------------------------------
 */

/* Delegates level 1 and revokes it, as worker 0. The other workers delegate parts of level 1
 * further down. After each revoke no mapping below level 1 is left, regardless of what the others
 * do. */
static void cuts_above(struct worker *w)
{
        const nova_crd_t all = nova_crd(NOVA_CRD_MEM, area[0], AREA_ORDER, ALL);
        if (w->index) {
                const unsigned level = 1 + (unsigned)random_below(w, LEVELS - 2);
                const nova_crd_t crd = part(w, NOVA_CRD_MEM, area[level], AREA_ORDER);
                give_here(w, crd | (nova_crd_t)ALL << NOVA_CRD_PERM_SHIFT,
                          nova_crd(NOVA_CRD_MEM, area[level + 1], AREA_ORDER, ALL),
                          item_upper(NOVA_ITEM_DELEGATE, nova_crd_base(crd) - area[level]));
                return;
        }
        give_here(w, all, nova_crd(NOVA_CRD_MEM, area[1], AREA_ORDER, ALL), NOVA_ITEM_DELEGATE);
        delay_us((unsigned)random_below(w, 2000));
        CHECK_EQ(w, hc_revoke(all, 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < 200; i++) {
                const unsigned level = 1 + (unsigned)random_below(w, LEVELS - 1);
                const word_t page = area[level] + random_below(w, (word_t)1 << AREA_ORDER);
                CHECK_EQ(w, look(NOVA_CRD_MEM, page), 0);
        }
}

/* Starts a case with memory at the first level, and room for it at the others. */
static void areas_begin(void)
{
        stress_begin();
        mirrors_new();
        area[0] = page_of(memory(AREA_ORDER));
        for (unsigned level = 1; level < LEVELS; level++)
                area[level] = page_alloc(AREA_ORDER);
}

CASE(tree, nothing_grows_below_what_is_being_revoked, "3.6-08")
{
        areas_begin();
        const word_t before = memory_left();
        stress_run(cuts_above);
        hc_revoke(nova_crd(NOVA_CRD_MEM, area[0], AREA_ORDER, ALL), 0);
        memory_check(before);
        hc_revoke(nova_crd(NOVA_CRD_MEM, area[0], AREA_ORDER, ALL), NOVA_REVOKE_SR);
}

/* ---- TLBs of all CPUs --------------------------------------------------------------------------
 */

static nova_sel_t frames[2]; /* two different ranges of memory */
static nova_sel_t seen;      /* page where one of them is mapped, or none */
static unsigned seen_order;
static volatile word_t epoch; /* even: nothing; 1 mod 4: the first, 3 mod 4: the second */

/* Returns the word at the page; 0: an exception came. */
static word_t read_page(nova_sel_t page)
{
        const volatile word_t *p = (const volatile word_t *)(page << NOVA_PAGE_BITS);
        return probe_read(p) ? 0 : *p;
}

static void reads(struct worker *w)
{
        const nova_sel_t page = seen + random_below(w, (word_t)1 << seen_order);
        const word_t at = epoch;
        const volatile word_t *p = (const volatile word_t *)(page << NOVA_PAGE_BITS);
        /* The page may be revoked between the two reads; then the second value may differ from the
         * first. */
        const int fault = probe_read(p);
        if (epoch != at || at == (word_t)-1)
                return;
        CHECK_EQ(w, fault, at % 2 == 0);
}

static void maps_and_revokes(struct worker *w)
{
        if (w->index) {
                reads(w);
                return;
        }
        const unsigned which = (unsigned)(w->rounds & 1);
        give_here(w, nova_crd(NOVA_CRD_MEM, frames[which], seen_order, NOVA_MEM_RWX),
                  nova_crd(NOVA_CRD_MEM, seen, seen_order, ALL), NOVA_ITEM_DELEGATE);
        if (w->failed)
                return;
        epoch = 1 + 2 * which;
        delay_us((unsigned)random_below(w, 300));
        CHECK_EQ(w, read_page(seen), MAGIC + which);
        epoch = (word_t)-1;
        CHECK_EQ(w, hc_revoke(nova_crd(NOVA_CRD_MEM, seen, seen_order, ALL), NOVA_REVOKE_SR),
                 NOVA_SUCCESS);
        epoch = 2 * which;
        CHECK_EQ(w, read_page(seen), 0);
        delay_us((unsigned)random_below(w, 300));
        epoch = (word_t)-1;
}

static void mark(nova_sel_t first, unsigned order, word_t value)
{
        for (word_t i = 0; i < (word_t)1 << order; i++)
                *(volatile word_t *)((first + i) << NOVA_PAGE_BITS) = value;
}

CASE(tree, no_CPU_reads_what_was_revoked, "3.6-08")
{
        stress_begin();
        mirrors_new();
        const word_t before = memory_left();
        for (seen_order = 0; seen_order <= 10; seen_order += 5) {
                for (unsigned i = 0; i < 2; i++) {
                        frames[i] = page_of(memory(seen_order));
                        mark(frames[i], seen_order, MAGIC + i);
                }
                seen = page_alloc(seen_order);
                epoch = (word_t)-1;
                stress_run(maps_and_revokes);
                for (unsigned i = 0; i < 2; i++)
                        hc_revoke(nova_crd(NOVA_CRD_MEM, frames[i], seen_order, ALL),
                                  NOVA_REVOKE_SR);
        }
        memory_check(before);
}

/* ---- Large ranges ------------------------------------------------------------------------------
 */

/* Delegates parts of the first GiB, except the kernel's own memory, to one place, or revokes parts
 * of that place. */
static void large(struct worker *w)
{
        const unsigned order = 9 + (unsigned)random_below(w, 10);
        const nova_sel_t place = 0x80000;
        const word_t at = random_below(w, 0x40000) >> order << order;
        if (random_below(w, 3))
                give_here(w, nova_crd(NOVA_CRD_MEM, at, order, NOVA_MEM_R | NOVA_MEM_W),
                          nova_crd(NOVA_CRD_MEM, place, 18, ALL),
                          item_upper(NOVA_ITEM_DELEGATE | NOVA_ITEM_H, at));
        else
                hc_revoke(nova_crd(NOVA_CRD_MEM,
                                   place + (random_below(w, 0x3e000) >> (order % 8) << (order % 8)),
                                   order - 6, ALL),
                          NOVA_REVOKE_SR);
}

CASE(tree, large_ranges_come_and_go, "3.5 3.6-08")
{
        stress_begin();
        mirrors_new();
        const word_t before = memory_left();
        stress_run(large);
        hc_revoke(nova_crd(NOVA_CRD_MEM, 0x80000, 17, ALL), NOVA_REVOKE_SR);
        for (word_t page = 0xa0000; page < 0xbf000; page += 0x1000)
                hc_revoke(nova_crd(NOVA_CRD_MEM, page, 12, ALL), NOVA_REVOKE_SR);
        for (word_t page = 0xbf000; page < 0xbff00; page += 0x100)
                hc_revoke(nova_crd(NOVA_CRD_MEM, page, 8, ALL), NOVA_REVOKE_SR);
        memory_check(before);
}

/* ---- Threads that end in the middle of an operation ------------------------------------------ */

static struct worker doers[WORKERS]; /* state of the threads that end */

static void grows_and_cuts_for_ever(struct thread *t)
{
        for (;;)
                build_or_revoke(&doers[t->value[1]], NOVA_CRD_MEM, area, AREA_ORDER);
}

/* Lets a thread of lower priority work on the trees while the worker sleeps; then the worker ends
 * the thread. */
static void ends_a_thread(struct worker *w)
{
        const nova_sel_t ec = w->sel, sc = w->sel + 1, sm = w->sel + 2;
        struct thread *t = &w->slot[0].thread;
        struct worker *doer = &doers[w->index];
        t->cpu = w->cpu;
        t->value[1] = w->index;
        doer->index = w->index;
        doer->cpu = w->cpu;
        doer->seed = random_next(&w->seed) | 1;
        doer->self = t;
        hc_create_sm(sm, ROOT_PD, 0);
        /* The previous thread keeps its UTCB until the kernel answers the call in which the thread
         * was dropped. */
        word_t status = NOVA_BAD_PAR;
        for (unsigned i = 0; i < 1000 && status == NOVA_BAD_PAR; i++) {
                if (i)
                        hc_sm_until(sm, NOVA_SM_DN_OP, tsc() + tsc_per_ms());
                status = hc_create_ec(ec, ROOT_PD, utcb_of(w, 0) | w->cpu,
                                      slot_prepare(w, 0, grows_and_cuts_for_ever),
                                      events_of(group, w->index), NOVA_EC_GLOBAL);
        }
        CHECK_EQ(w, status, NOVA_SUCCESS);
        CHECK_EQ(w, hc_create_sc(sc, ROOT_PD, ec, nova_qpd(500, 80)), NOVA_SUCCESS);
        const uint64_t until = tsc() + tsc_per_ms() * (1 + random_below(w, 3000)) / 1000;
        hc_sm_until(sm, NOVA_SM_DN_OP, until);
        hc_revoke(obj(sc, ALL), NOVA_REVOKE_SR);
        CHECK_EQ(w, hc_revoke(obj(ec, ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
}

CASE_ON(tree, threads_that_end_leave_no_mapping_without_rights, "3.6-08 3.6-11", needs_timeout)
{
        areas_begin();
        const word_t before = memory_left();
        stress_run(ends_a_thread);
        for (unsigned level = 0; level < LEVELS; level++)
                for (word_t i = 0; i < (word_t)1 << AREA_ORDER; i++) {
                        const nova_crd_t crd = look(NOVA_CRD_MEM, area[level] + i);
                        EXPECT(!crd || nova_crd_perms(crd));
                }
        hc_revoke(nova_crd(NOVA_CRD_MEM, area[0], AREA_ORDER, ALL), 0);
        for (unsigned level = 1; level < LEVELS; level++)
                for (word_t i = 0; i < (word_t)1 << AREA_ORDER; i++)
                        EXPECT_EQ(look(NOVA_CRD_MEM, area[level] + i), 0);
        stress_clear();
        memory_check(before);
        hc_revoke(nova_crd(NOVA_CRD_MEM, area[0], AREA_ORDER, ALL), NOVA_REVOKE_SR);
}
