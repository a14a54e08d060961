/* SPDX-License-Identifier: BSD-2-Clause */
/* Extension: accounts of kernel memory. */
#include "harness.h"

#define ALL   NOVA_PERM_ALL
#define QUOTA 0x40000

struct amount {
        word_t used, limit;
};

static word_t create_pd(nova_sel_t sel, nova_sel_t owner, word_t bytes)
{
        struct args a = {nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, sel), owner, 0, bytes,
                         0};
        return hypercall(&a);
}

static word_t quota(nova_sel_t pd, word_t operation, word_t bytes, nova_sel_t payer)
{
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, pd), operation, bytes,
                         payer, 0};
        return hypercall(&a);
}

static word_t give_bytes(nova_sel_t pd, word_t bytes, nova_sel_t payer)
{
        return quota(pd, NOVA_EXT_QUOTA_GIVE, bytes, payer);
}

static word_t take_bytes(nova_sel_t pd, word_t bytes)
{
        return quota(pd, NOVA_EXT_QUOTA_TAKE, bytes, 0);
}

static struct amount amount_of(nova_sel_t pd)
{
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, pd),
                         NOVA_EXT_QUOTA_QUERY, 0, 0, 0};
        EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        return (struct amount){a.a2, a.a3};
}

static void drop(nova_sel_t sel)
{
        EXPECT_EQ(hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
}

/* Returns the memory that the root PD uses after all memory of ended objects has been freed. */
static word_t settled(void)
{
        rest_until_freed();
        return amount_of(ROOT_PD).used;
}

#define RANGE_ORDER 12
#define RANGE       ((word_t)1 << RANGE_ORDER)

static nova_sel_t empty_range(void)
{
        static nova_sel_t range;
        if (!range)
                range = sel_far(RANGE_ORDER);
        EXPECT_EQ(hc_revoke(nova_crd(NOVA_CRD_OBJ, range, RANGE_ORDER, ALL), NOVA_REVOKE_SR),
                  NOVA_SUCCESS);
        return range;
}

/* Creates semaphores at the owner's expense until its account is empty. Returns their number. */
static word_t exhaust(nova_sel_t owner, nova_sel_t first, word_t max)
{
        word_t n = 0, status = NOVA_SUCCESS;
        while (n < max && (status = hc_create_sm(first + n, owner, 0)) == NOVA_SUCCESS)
                n++;
        EXPECT_EQ(status, NOVA_OUT_OF_MEMORY);
        return n;
}

static nova_sel_t new_pd(nova_sel_t owner, word_t bytes)
{
        const nova_sel_t pd = sel_alloc(0);
        EXPECT_EQ(create_pd(pd, owner, bytes), NOVA_SUCCESS);
        return pd;
}

CASE_ON(account, a_new_account_takes_its_memory_from_the_owners, "X-QUOTA", needs_quota)
{
        drop(new_pd(ROOT_PD, QUOTA)); /* tables for the selectors */
        const word_t before = settled();
        const nova_sel_t pd = new_pd(ROOT_PD, QUOTA);
        EXPECT_EQ(amount_of(pd).limit, QUOTA);
        EXPECT(amount_of(pd).used < 4096);
        EXPECT(amount_of(ROOT_PD).used >= before + QUOTA);
        EXPECT(amount_of(ROOT_PD).used < before + QUOTA + 0x8000);
        drop(pd);
        EXPECT_EQ(settled(), before);
}

CASE_ON(account, a_child_without_the_flag_uses_its_owners_account, "X-QUOTA", needs_quota)
{
        const nova_sel_t pd = sel_alloc(0);
        EXPECT_EQ(hc_create_pd(pd, ROOT_PD, 0), NOVA_SUCCESS);
        EXPECT_EQ(amount_of(pd).limit, amount_of(ROOT_PD).limit);
        EXPECT_EQ(take_bytes(pd, 0), NOVA_BAD_PAR);
        EXPECT_EQ(give_bytes(pd, 0, ROOT_PD), NOVA_BAD_PAR);
}

CASE_ON(account, too_much_and_too_little_are_refused, "X-QUOTA", needs_quota)
{
        const nova_sel_t pd = sel_alloc(0);
        const word_t limit = amount_of(ROOT_PD).limit;
        EXPECT_EQ(create_pd(pd, ROOT_PD, 0), NOVA_BAD_PAR);
        EXPECT_EQ(create_pd(pd, ROOT_PD, 1), NOVA_BAD_PAR);
        EXPECT_EQ(create_pd(pd, ROOT_PD, limit), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(create_pd(pd, ROOT_PD, limit + 1), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(create_pd(pd, ROOT_PD, ~(word_t)0), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(create_pd(pd, ROOT_PD, ~(word_t)0 - limit + 1), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(create_pd(pd, sel_alloc(0), QUOTA), NOVA_BAD_CAP);
        EXPECT_EQ(create_pd(ROOT_PD, ROOT_PD, QUOTA), NOVA_BAD_CAP);
        EXPECT_EQ(look(NOVA_CRD_OBJ, pd), 0);
}

CASE_ON(account, exhausting_a_child_leaves_the_parents_memory, "X-QUOTA", needs_quota)
{
        const nova_sel_t first = empty_range(), pd = new_pd(ROOT_PD, QUOTA), mine = sel_alloc(0);
        exhaust(pd, first, RANGE);
        EXPECT_EQ(hc_create_ec(sel_alloc(0), pd, utcb_alloc() | boot_cpu, 0, 0, 0),
                  NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(hc_create_pd(sel_alloc(0), pd, 0), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(create_pd(sel_alloc(0), pd, QUOTA / 2), NOVA_OUT_OF_MEMORY);
        for (unsigned i = 0; i < 100; i++) {
                EXPECT_EQ(hc_create_sm(mine, ROOT_PD, 0), NOVA_SUCCESS);
                drop(mine);
        }
        EXPECT(amount_of(pd).used <= QUOTA);
}

CASE_ON(account, the_tables_of_a_childs_space_are_charged_to_the_child, "X-QUOTA", needs_quota)
{
        const nova_sel_t pd = new_pd(ROOT_PD, QUOTA);
        struct thread *t = thread_blank(boot_cpu);
        t->ec = sel_alloc(0);
        const word_t utcb = utcb_alloc(), used = amount_of(pd).used;
        EXPECT_EQ(hc_create_ec(t->ec, ROOT_PD, utcb | boot_cpu, t->sp, 0, 0), NOVA_SUCCESS);
        EXPECT_EQ(amount_of(pd).used, used);
        drop(t->ec);
        EXPECT_EQ(hc_create_ec(t->ec, pd, utcb | boot_cpu, t->sp, 0, 0), NOVA_SUCCESS);
        EXPECT(amount_of(pd).used >= used + 2 * NOVA_PAGE_SIZE); /* UTCB and page tables */
}

CASE_ON(account, memory_that_was_given_can_be_used_and_memory_that_was_taken_cannot, "X-QUOTA",
        needs_quota)
{
        const nova_sel_t first = empty_range(), pd = new_pd(ROOT_PD, QUOTA);
        word_t n = exhaust(pd, first, RANGE);
        EXPECT_EQ(take_bytes(pd, QUOTA), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(give_bytes(pd, 0x1000, ROOT_PD), NOVA_SUCCESS);
        EXPECT_EQ(amount_of(pd).limit, QUOTA + 0x1000);
        EXPECT(exhaust(pd, first + n, 100) > 3);
        EXPECT_EQ(give_bytes(pd, 0x1000, ROOT_PD), NOVA_SUCCESS);
        EXPECT_EQ(take_bytes(pd, 0x1000), NOVA_SUCCESS);
        EXPECT_EQ(amount_of(pd).limit, QUOTA + 0x1000);
        EXPECT_EQ(hc_create_pd(sel_alloc(0), pd, 0), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(give_bytes(pd, ~(word_t)0, ROOT_PD), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(give_bytes(pd, (word_t)0 - QUOTA, ROOT_PD), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(take_bytes(pd, ~(word_t)0), NOVA_OUT_OF_MEMORY);
}

CASE_ON(account, only_a_holder_of_the_payer_can_give, "X-QUOTA", needs_quota)
{
        const nova_sel_t pd = new_pd(ROOT_PD, QUOTA), weak = sel_alloc(0), other = sel_alloc(0);
        const nova_sel_t stranger = new_pd(ROOT_PD, QUOTA);
        give_self(obj(pd, ALL & ~NOVA_PD_SM), weak);
        give_self(obj(ROOT_PD, ALL & ~NOVA_PD_PD), other);
        EXPECT_EQ(give_bytes(pd, 64, pd), NOVA_BAD_CAP);
        EXPECT_EQ(give_bytes(pd, 64, stranger), NOVA_BAD_CAP);
        EXPECT_EQ(give_bytes(pd, 64, other), NOVA_BAD_CAP);
        EXPECT_EQ(give_bytes(pd, 64, sel_alloc(0)), NOVA_BAD_CAP);
        EXPECT_EQ(give_bytes(weak, 64, ROOT_PD), NOVA_BAD_CAP);
        EXPECT_EQ(take_bytes(weak, 64), NOVA_BAD_CAP);
        EXPECT_EQ(amount_of(weak).limit, QUOTA);
        EXPECT_EQ(quota(sel_alloc(0), NOVA_EXT_QUOTA_QUERY, 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(quota(self->ec, NOVA_EXT_QUOTA_QUERY, 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(quota(pd, NOVA_EXT_QUOTA_QUERY + 1, 0, 0), NOVA_BAD_HYP);
        EXPECT_EQ(quota(pd, ~(word_t)0, 0, 0), NOVA_BAD_HYP);
}

CASE_ON(account, accounts_can_be_nested, "X-QUOTA", needs_quota)
{
        const nova_sel_t a = new_pd(ROOT_PD, QUOTA), b = new_pd(a, QUOTA / 2);
        const nova_sel_t first = empty_range();
        EXPECT_EQ(create_pd(sel_alloc(0), b, QUOTA / 2), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(give_bytes(b, 64, ROOT_PD), NOVA_BAD_CAP);
        EXPECT_EQ(give_bytes(b, 64, a), NOVA_SUCCESS);
        EXPECT(amount_of(a).used >= QUOTA / 2 + 64);
        exhaust(b, first, RANGE);
        EXPECT_EQ(hc_create_sm(sel_alloc(0), a, 0), NOVA_SUCCESS);
}

CASE_ON(account, everything_comes_back_after_destruction, "X-QUOTA", needs_quota)
{
        const nova_sel_t first = empty_range(), a = sel_alloc(0), b = sel_alloc(0);
        const word_t utcb = utcb_alloc();
        word_t before = 0;
        before = settled();
        for (unsigned round = 0; round < 4; round++) {
                EXPECT_EQ(create_pd(a, ROOT_PD, QUOTA), NOVA_SUCCESS);
                EXPECT_EQ(create_pd(b, a, QUOTA / 2), NOVA_SUCCESS);
                EXPECT_EQ(hc_create_ec(first, b, utcb | boot_cpu, 0, 0, 0), NOVA_SUCCESS);
                exhaust(b, first + 1, RANGE - 1);
                EXPECT_EQ(hc_pd_destroy(a), NOVA_SUCCESS);
                EXPECT_EQ(take_bytes(a, 1), NOVA_BAD_CAP);
                drop(a);
                EXPECT_EQ(amount_of(b).limit, QUOTA / 2); /* b lives on without its owner */
                drop(b);
                /* Objects that are charged to b still exist. */
                EXPECT(settled() > before + QUOTA / 4);
                empty_range();
                const word_t after = settled();
                EXPECT(round == 0 || after == before);
                before = after;
        }
}

/* A peer may keep a capability to a PD that was destroyed, or a thread that never runs again may
 * have a reference. */
CASE_ON(account, a_destroyed_pd_keeps_only_what_it_uses, "X-QUOTA", needs_quota)
{
        const nova_sel_t first = empty_range(), pd = sel_alloc(0), below = sel_alloc(0),
                         ec = sel_alloc(0);
        const word_t utcb = utcb_alloc();

        for (unsigned round = 0; round < 2; round++) {
                const word_t before = settled();

                EXPECT_EQ(create_pd(pd, ROOT_PD, QUOTA), NOVA_SUCCESS);
                EXPECT_EQ(create_pd(below, pd, QUOTA / 2), NOVA_SUCCESS);
                EXPECT_EQ(hc_create_ec(ec, pd, utcb | boot_cpu, 0, 0, 0), NOVA_SUCCESS);
                exhaust(pd, first, RANGE);
                EXPECT_EQ(hc_pd_destroy(pd), NOVA_SUCCESS);
                EXPECT_EQ(hc_pd_destroy(below), NOVA_SUCCESS);
                empty_range();
                const word_t kept = settled();
                drop(pd);
                drop(below);
                drop(ec);
                const word_t after = settled();
                /* The first round also needs tables for the selectors. */
                EXPECT(round == 0 || (kept < before + QUOTA / 8 && after == before));
        }
}

/* A peer may keep an object that the account of a freed PD paid for. The other objects are freed
 * after this PD, and before the PD that owns it is destroyed. */
CASE_ON(account, a_freed_pd_keeps_only_what_others_use, "X-QUOTA", needs_quota)
{
        enum { PDS_ORDER = 5, PDS = 1 << PDS_ORDER };
        const nova_sel_t pd = sel_alloc(0), below = sel_alloc(0), sm = sel_alloc(0),
                         pds = sel_alloc(PDS_ORDER);

        for (unsigned round = 0; round < 2; round++) {
                const word_t before = settled();
                word_t n = 0;

                EXPECT_EQ(create_pd(pd, ROOT_PD, QUOTA), NOVA_SUCCESS);
                EXPECT_EQ(create_pd(below, pd, QUOTA / 2), NOVA_SUCCESS);
                EXPECT_EQ(hc_create_sm(sm, below, 0), NOVA_SUCCESS);
                while (n < PDS && hc_create_pd(pds + n, below, 0) == NOVA_SUCCESS)
                        n++;
                EXPECT(n > 4);
                drop(below);
                EXPECT(settled() > before + QUOTA / 2);
                EXPECT_EQ(hc_revoke(nova_crd(NOVA_CRD_OBJ, pds, PDS_ORDER, ALL), NOVA_REVOKE_SR),
                          NOVA_SUCCESS);
                settled();
                EXPECT_EQ(hc_pd_destroy(pd), NOVA_SUCCESS);
                drop(pd);
                const word_t kept = settled();
                drop(sm);
                const word_t after = settled();
                /* The semaphore also keeps tables of the root PD. */
                EXPECT(kept < before + QUOTA / 16);
                EXPECT(round == 0 || after == before);
        }
}

CASE_ON(account, the_depth_is_bounded, "X-QUOTA", needs_quota)
{
        nova_sel_t owner = ROOT_PD;
        const nova_sel_t first = sel_alloc(7);
        word_t status = NOVA_SUCCESS, n = 0;
        /* The first account has room for the domains of the other accounts. */
        for (; n < 128 && status == NOVA_SUCCESS; n++) {
                status = create_pd(first + n, owner, 0x100000 - n * 0x3000);
                owner = first + n;
        }
        EXPECT_EQ(status, NOVA_OUT_OF_MEMORY);
        EXPECT(n > 20);
        EXPECT_EQ(hc_revoke(nova_crd(NOVA_CRD_OBJ, first, 7, ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
}

/* ---- Memory of ended objects ----------------------------------------------------------------- */

/* Waits until a PD's use has come back to this amount; a busy host may delay an emulator. */
static bool comes_back(nova_sel_t pd, word_t used)
{
        for (unsigned i = 0; i < 100 && amount_of(pd).used != used; i++)
                rest(20);
        return amount_of(pd).used == used;
}

/* All domains of a chain except the last one end first. So the end of the last domain closes all
 * accounts of the chain. */
CASE_ON(account, chains_end_with_their_last_domains, "X-QUOTA", needs_quota)
{
        enum { CHAINS_ORDER = 4, LENGTH_ORDER = 6, LENGTH = 60 };
        const word_t before = settled();
        const nova_sel_t last = sel_alloc(CHAINS_ORDER), others = sel_alloc(LENGTH_ORDER);
        for (unsigned chain = 0; chain < 1 << CHAINS_ORDER; chain++) {
                nova_sel_t owner = ROOT_PD;
                for (unsigned n = 1; n <= LENGTH; n++) {
                        const nova_sel_t sel = n < LENGTH ? others + n : last + chain;
                        EXPECT_EQ(create_pd(sel, owner, 0x2800 + (LENGTH - n) * 0x1800),
                                  NOVA_SUCCESS);
                        owner = sel;
                }
                hc_revoke(nova_crd(NOVA_CRD_OBJ, others, LENGTH_ORDER, ALL), NOVA_REVOKE_SR);
                rest(15); /* so that less memory waits to be freed */
        }
        hc_revoke(nova_crd(NOVA_CRD_OBJ, last, CHAINS_ORDER, ALL), NOVA_REVOKE_SR);
        EXPECT(comes_back(ROOT_PD, before));
}

CASE_ON(account, memory_of_a_few_ended_objects_comes_back_within_10_ms, "X-QUOTA", needs_quota)
{
        const nova_sel_t pd = new_pd(ROOT_PD, QUOTA), first = sel_alloc(2);
        const word_t before = amount_of(pd).used;
        unsigned late = 0;
        for (unsigned round = 0; round < 12; round++) {
                for (unsigned n = 0; n <= round % 4; n++)
                        EXPECT_EQ(hc_create_sm(first + n, pd, 0), NOVA_SUCCESS);
                hc_revoke(nova_crd(NOVA_CRD_OBJ, first, 2, ALL), NOVA_REVOKE_SR);
                rest(10);
                late += amount_of(pd).used != before;
                EXPECT(comes_back(pd, before));
        }
        /* A busy host may delay an emulator, but not in every round. In the test
         * conformance.extension.counted-N, the number of instructions determines the time; there no
         * round may be late. */
        remark("late rounds of 12:", late);
        EXPECT(late < 12);
}

/* Lowers an account's limit to what the account uses now. */
static void shrink(nova_sel_t pd)
{
        const struct amount now = amount_of(pd);
        EXPECT_EQ(take_bytes(pd, now.limit - now.used), NOVA_SUCCESS);
        EXPECT_EQ(amount_of(pd).limit, now.used);
}

typedef word_t create_fn(nova_sel_t sel, nova_sel_t owner);

/* Checks that a PD can create and drop an object again and again, even if its account is limited to
 * what it uses with one such object. */
static void create_for_ever(create_fn *create, unsigned rounds)
{
        const nova_sel_t pd = new_pd(ROOT_PD, QUOTA), sel = sel_alloc(0);
        unsigned refused = 0;
        EXPECT_EQ(create(sel, pd), NOVA_SUCCESS);
        drop(sel);
        rest_until_freed();
        EXPECT_EQ(create(sel, pd), NOVA_SUCCESS);
        shrink(pd);
        case_seconds(60);
        for (unsigned i = 0; i < rounds; i++) {
                drop(sel);
                refused += create(sel, pd) != NOVA_SUCCESS;
        }
        EXPECT_EQ(refused, 0);
        EXPECT_EQ(hc_create_sm(sel_alloc(0), pd, 0), NOVA_OUT_OF_MEMORY);
}

static word_t creates_sm(nova_sel_t sel, nova_sel_t owner)
{
        return hc_create_sm(sel, owner, 0);
}

static word_t fixed_utcb;

static word_t creates_ec(nova_sel_t sel, nova_sel_t owner)
{
        return hc_create_ec(sel, owner, fixed_utcb | boot_cpu, 0, 0, 0);
}

static word_t creates_pd(nova_sel_t sel, nova_sel_t owner)
{
        return hc_create_pd(sel, owner, 0);
}

static nova_sel_t inside;

/* Creates a PD with an account of its own, and an object in it. */
static word_t creates_account(nova_sel_t sel, nova_sel_t owner)
{
        const word_t status = create_pd(sel, owner, 0x8000);
        if (status == NOVA_SUCCESS) {
                EXPECT_EQ(hc_create_sm(inside, sel, 0), NOVA_SUCCESS);
                drop(inside);
        }
        return status;
}

CASE_ON(account, a_working_size_lets_its_pd_create_and_drop_for_ever, "X-QUOTA", needs_quota)
{
        create_for_ever(creates_sm, case_rounds(600));
        create_for_ever(creates_pd, case_rounds(200));
        fixed_utcb = utcb_alloc();
        create_for_ever(creates_ec, case_rounds(200));
        inside = sel_alloc(0);
        create_for_ever(creates_account, case_rounds(200));
}

/* A create that costs more than the account's total begins no grace period, because a grace period
 * interrupts all CPUs. So after such a create, the memory of recently ended objects is still
 * charged. */
CASE_ON(account, a_create_beyond_its_total_is_refused_without_a_grace_period, "X-QUOTA",
        needs_quota)
{
        const nova_sel_t pd = new_pd(ROOT_PD, QUOTA), sm = sel_alloc(0), sel = sel_alloc(0);
        const word_t before = amount_of(pd).used;
        unsigned waits = 0;
        for (unsigned i = 0; i < 8; i++) {
                EXPECT(comes_back(pd, before));
                EXPECT_EQ(hc_create_sm(sm, pd, 0), NOVA_SUCCESS);
                drop(sm);
                EXPECT_EQ(create_pd(sel, pd, ~(word_t)0), NOVA_OUT_OF_MEMORY);
                EXPECT_EQ(create_pd(sel, pd, QUOTA), NOVA_OUT_OF_MEMORY);
                EXPECT_EQ(give_bytes(pd, ~(word_t)0, ROOT_PD), NOVA_OUT_OF_MEMORY);
                waits += amount_of(pd).used != before;
        }
        EXPECT(waits > 0); /* a busy host may stop the emulator, but not in every round */
}

/* ---- Several CPUs ---------------------------------------------------------------------------- */

static volatile word_t failures;

/* Gives and takes memory, creates and drops objects: value[0] is the PD, value[1] the first
 * selector. */
static void churn(struct thread *t)
{
        const nova_sel_t pd = t->value[0], first = t->value[1];
        for (unsigned i = case_rounds(300); i; i--) {
                const bool given = give_bytes(pd, 0x2000, ROOT_PD) == NOVA_SUCCESS;
                for (unsigned k = 0; k < 8; k++)
                        hc_create_sm(first + k, pd, 0);
                if (amount_of(pd).limit > amount_of(ROOT_PD).limit)
                        failures++;
                hc_revoke(nova_crd(NOVA_CRD_OBJ, first, 3, ALL), NOVA_REVOKE_SR);
                while (given && take_bytes(pd, 0x2000) != NOVA_SUCCESS)
                        ;
        }
}

CASE_ON(account, cpus_that_share_an_account_lose_nothing, "X-QUOTA", needs_quota)
{
        const nova_sel_t pd = new_pd(ROOT_PD, QUOTA);
        struct thread *t[4];
        unsigned n = 0;
        case_seconds(120);
        failures = 0;
        const struct amount before = amount_of(pd);
        for (; n < cpu_count && n < 4; n++) {
                t[n] = global(cpu_numbers[n], churn, NULL);
                t[n]->value[0] = pd;
                t[n]->value[1] = sel_alloc(3);
                thread_start(t[n], n ? PRIO_HIGH : PRIO_CASE, QUANTUM);
        }
        for (unsigned i = 0; i < n; i++)
                EXPECT(wait_for(&t[i]->done, 1));
        EXPECT_EQ(failures, 0);
        EXPECT_EQ(amount_of(pd).limit, before.limit);
        settled();
        EXPECT_EQ(amount_of(pd).used, before.used);
}

static create_fn *made_for_ever;

/* Drops and creates an object at value[1] in a loop; value[0] pays. */
static void drop_and_create(struct thread *t)
{
        const nova_sel_t pd = t->value[0], sel = t->value[1];
        for (unsigned i = case_rounds(100); i; i--) {
                drop(sel);
                if (made_for_ever(sel, pd) != NOVA_SUCCESS)
                        __atomic_fetch_add(&failures, 1, __ATOMIC_SEQ_CST);
        }
}

/* Lets at least two threads, on up to four CPUs, create and drop objects again and again. They
 * share an account that is limited to what it uses with one object of each thread. */
static void share_for_ever(create_fn *create)
{
        const nova_sel_t pd = new_pd(ROOT_PD, QUOTA);
        const unsigned n = cpu_count < 2 ? 2 : cpu_count > 4 ? 4 : cpu_count;
        struct thread *t[4];
        failures = 0;
        made_for_ever = create;
        for (unsigned i = 0; i < n; i++) {
                const unsigned cpu = cpu_numbers[i % cpu_count];
                t[i] = global(cpu, drop_and_create, NULL);
                t[i]->value[0] = pd;
                t[i]->value[1] = sel_alloc(0);
                EXPECT_EQ(create(t[i]->value[1], pd), NOVA_SUCCESS);
        }
        rest_until_freed();
        shrink(pd);
        for (unsigned i = 0; i < n; i++)
                thread_start(t[i], PRIO_CASE, QUANTUM);
        for (unsigned i = 0; i < n; i++)
                EXPECT(wait_for(&t[i]->done, 1));
        EXPECT_EQ(failures, 0);
}

CASE_ON(account, a_working_size_is_enough_for_threads_that_share_it, "X-QUOTA", needs_quota)
{
        case_seconds(240);
        share_for_ever(creates_sm);
        share_for_ever(creates_pd);
}
