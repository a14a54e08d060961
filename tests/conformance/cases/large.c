/* SPDX-License-Identifier: BSD-2-Clause */
/* A tree of more than 100,000 delegations is revoked. Meanwhile other CPUs use the mapping
 * database, and a thread of higher priority wakes again and again on the CPU that revokes. */
#include "harness.h"

#define ALL        NOVA_PERM_ALL
#define TREE_ORDER 17
#define TREE       ((nova_sel_t)1 << TREE_ORDER)
#define BELOW      0xc0000 /* selectors at which other CPUs receive capabilities of the tree */
#define BELOW_BITS 12
#define PART_BITS  3
#define SHOT_US    200
#define WAKES_MIN  5
#define CPUS       3

static struct {
        nova_sel_t tree, timer, ended;
        struct thread *mirror; /* thread on the CPU that delegates */
        volatile word_t stop, revoking, status;
        volatile word_t wakes, latest, delegated, created;
        nova_sel_t made[2];
} test;

/* Sends one item from the root PD to itself, through the server t. Returns the item that t
 * received. */
static nova_crd_t give_here(struct nova_utcb *u, struct thread *t, nova_crd_t crd,
                            nova_crd_t window)
{
        t->win_d = t->utcb->delegate_window = window;
        u->word[nova_utcb_item_index(0)] = crd;
        u->word[nova_utcb_item_index(0) + 1] = NOVA_ITEM_DELEGATE;
        u->items = nova_utcb_items(0, 1);
        return hc_call(t->pt, 0) == NOVA_SUCCESS ? t->rx_item[0] : 0;
}

/* Makes the tree. Each round delegates the whole tree, which doubles it. So every capability but
 * the first is derived from another one of the tree. */
static void grow_tree(void)
{
        test.tree = sel_far(TREE_ORDER);
        EXPECT_EQ(hc_create_sm(test.tree, ROOT_PD, 0), NOVA_SUCCESS);
        for (unsigned order = 0; order < TREE_ORDER; order++)
                EXPECT(give_self(nova_crd(NOVA_CRD_OBJ, test.tree, order, ALL),
                                 test.tree + ((nova_sel_t)1 << order)) != 0);
        EXPECT(look(NOVA_CRD_OBJ, test.tree + TREE - 1) != 0);
}

static void revokes(struct thread *t)
{
        (void)t;
        test.revoking = 1;
        test.status = hc_revoke(obj(test.tree, ALL), 0);
        test.revoking = 0;
        hc_sm_ctrl(test.ended, NOVA_SM_UP_OP);
}

/* Records how long after its interrupt this thread begins to run, and how often it ran during the
 * revocation. */
static void wakes(struct thread *t)
{
        (void)t;
        while (!test.stop) {
                const uint64_t due = tsc() + tsc_per_ms() * SHOT_US / 1000;
                const word_t revoking = test.revoking;
                timer_shot(SHOT_US);
                hc_sm_ctrl(test.timer, NOVA_SM_DN_OP);
                const uint64_t now = tsc();
                if (!revoking || !test.revoking)
                        continue;
                test.wakes++;
                if (now > due && now - due > test.latest)
                        test.latest = (word_t)(now - due);
        }
        hc_sm_ctrl(test.ended, NOVA_SM_UP_OP);
}

static void delegates_below(struct thread *t)
{
        word_t seed = 1;
        while (!test.stop) {
                seed = seed * 1664525 + 1013904223;
                const nova_sel_t from =
                        test.tree + ((seed >> 8 & (TREE - 1)) >> PART_BITS << PART_BITS);
                const nova_sel_t to =
                        BELOW + ((seed >> 4 & ((1 << BELOW_BITS) - 1)) >> PART_BITS << PART_BITS);
                give_here(t->utcb, test.mirror, nova_crd(NOVA_CRD_OBJ, from, PART_BITS, ALL),
                          nova_crd(NOVA_CRD_OBJ, to, PART_BITS, ALL));
                test.delegated += test.revoking;
        }
        hc_sm_ctrl(test.ended, NOVA_SM_UP_OP);
}

static void creates(struct thread *t)
{
        (void)t;
        while (!test.stop) {
                t->value[2] |= hc_create_sm(test.made[0], ROOT_PD, 0);
                t->value[2] |= hc_create_pd(test.made[1], ROOT_PD, 0);
                t->value[2] |= hc_revoke(obj(test.made[0], ALL), NOVA_REVOKE_SR);
                t->value[2] |= hc_revoke(obj(test.made[1], ALL), NOVA_REVOKE_SR);
                test.created += test.revoking;
        }
        hc_sm_ctrl(test.ended, NOVA_SM_UP_OP);
}

static void report(void)
{
        console_string("# during the revocation: ");
        console_dec(test.wakes);
        console_string(" wakes, the latest ");
        console_dec(test.latest / (word_t)(tsc_per_ms() / 1000));
        console_string(" us after its interrupt; ");
        console_dec(test.delegated);
        console_string(" delegations, ");
        console_dec(test.created);
        console_string(" objects made\n");
}

CASE_ON(large, a_tree_of_100000_is_revoked_while_others_use_the_database,
        "5.3.6-06 3.6-08 3.1-08 3.1-14", needs_large_pool)
{
        if (cpu_count < CPUS)
                NOT_RAISED("needs 3 CPUs");
        case_seconds(200);
        test.timer = timer_open();
        test.ended = semaphore(0);
        test.made[0] = sel_alloc(0);
        test.made[1] = sel_alloc(0);
        test.mirror = server(cpu_numbers[1]);
        grow_tree();
        struct thread *maker = run_thread(cpu_numbers[2], PRIO_CASE, creates, NULL);
        run_thread(cpu_numbers[1], PRIO_CASE, delegates_below, NULL);
        run_thread(boot_cpu, PRIO_HIGH, wakes, NULL);
        spin_us(20000);
        run_thread(boot_cpu, PRIO_LOW, revokes, NULL);
        EXPECT_EQ(hc_sm_ctrl(test.ended, NOVA_SM_DN_OP), NOVA_SUCCESS);
        test.stop = 1;
        for (unsigned i = 0; i < 3; i++)
                EXPECT_EQ(hc_sm_ctrl(test.ended, NOVA_SM_DN_OP), NOVA_SUCCESS);
        report();
        EXPECT_EQ(test.status, NOVA_SUCCESS);
        EXPECT_EQ(maker->value[2], NOVA_SUCCESS);
        /* Neither the high thread nor the other CPUs wait for the end of the revocation. */
        EXPECT(test.wakes >= WAKES_MIN);
        EXPECT(test.delegated >= WAKES_MIN && test.created >= WAKES_MIN);
        EXPECT(look(NOVA_CRD_OBJ, test.tree) != 0);
        for (nova_sel_t i = 1; i < TREE; i++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, test.tree + i), 0);
        /* The revocation of the root has also removed all capabilities derived from it, regardless
         * of the time of their delegation. */
        hc_revoke(obj(test.tree, ALL), 0);
        for (nova_sel_t i = 0; i < 1 << BELOW_BITS; i++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, BELOW + i), 0);
        hc_revoke(obj(test.tree, ALL), NOVA_REVOKE_SR);
}
