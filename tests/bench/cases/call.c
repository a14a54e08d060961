/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls: the smallest hypercalls, call and reply, words, translation. */
#include "bench.h"

#define WORDS         64
#define ALL_SEL_ORDER 20 /* order of a range that holds the selectors of all cases */

#define CALL_OP(key_, pt, items_)                                                                 \
        {                                                                                         \
                .key = (key_), .fn = timed_trap_1, .args = {.a1 = call_id(pt)}, .items = (items_) \
        }

static word_t call_id(nova_sel_t pt)
{
        return nova_hypercall_id(NOVA_CALL, 0, pt);
}

CASE(call, refusals, "")
{
        struct timed ops[] = {
                {.key = "invalid_hypercall",
                 .fn = timed_trap_1,
                 .args = {.a1 = 0xf},
                 .expected = NOVA_BAD_HYP},
                {.key = "call_bad_cap",
                 .fn = timed_trap_1,
                 .args = {.a1 = call_id(sel_alloc(0))},
                 .expected = NOVA_BAD_CAP},
        };

        measure(ops, 2);
}

CASE(call, same_pd, "")
{
        static struct timed ops[1];

        ops[0] = (struct timed)CALL_OP("call_same_pd", portal_at(server(boot_cpu), 0, portal_echo),
                                       0);
        measure(ops, 1);
}

/* The figure call_word is the cost of one more word in one direction: the difference between 64
 * words and none, divided by 64. */
CASE(call, other_pd, "")
{
        struct thread *server = child_server(child_new(boot_cpu));
        const nova_sel_t echo = portal_at(server, 0, portal_echo);
        const nova_sel_t empty = portal_at(server, 0, portal_empty);
        static struct timed ops[4];

        ops[0] = (struct timed)CALL_OP("call_other_pd", echo, 0);
        ops[1] = (struct timed)CALL_OP("call_64_words", echo, WORDS);
        ops[2] = (struct timed)CALL_OP(NULL, empty, 0);
        ops[3] = (struct timed)CALL_OP(NULL, empty, WORDS);
        measure(ops, 4);
        report_hundredths("call_word", (figure(&ops[3]) - figure(&ops[2])) * 100 / WORDS);
}

/* Sets the storage base of the current thread; 0 clears it. */
static void set_base(word_t base)
{
        struct args args = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_THREAD, 0),
                            NOVA_EXT_THREAD_TLS, base, 0, 0};

        EXPECT_EQ(hypercall(&args), NOVA_SUCCESS);
}

static void take_base(struct thread *t)
{
        set_base((word_t)t->utcb);
}

/* Caller and callee have a base of thread-local storage, like all threads of the runtime. */
CASE(call, bases, "")
{
        struct thread *server = child_server(child_new(boot_cpu));
        const nova_sel_t echo = portal_at(server, 0, portal_echo);
        static struct timed ops[2];

        ops[0] = (struct timed)CALL_OP("call_bases", echo, 0);
        ops[1] = (struct timed)CALL_OP("call_bases_64_words", echo, WORDS);
        remote(server, take_base, NULL);
        take_base(server);
        measure(ops, 2);
        set_base(0);
}

static struct timed translation;

#define CLIENT_PT CHILD_FREE_SEL
#define CLIENT_SM (CHILD_FREE_SEL + 1)

/* Runs in the child. Selects another capability in each round. */
static void next_item(struct timed *op, unsigned round)
{
        struct thread *client = op->thread;

        client->utcb->word[nova_utcb_item_index(0)] = obj(CLIENT_SM + round, NOVA_PERM_ALL);
}

static void run_translation(struct thread *t)
{
        t->utcb->word[nova_utcb_item_index(0) + 1] = NOVA_ITEM_TRANSLATE;
        run_rounds(&translation, 1, t->utcb);
        t->utcb->items = 0;
}

/* A child sends a capability back to the PD that it came from. */
CASE(call, translation, "")
{
        struct thread *client = child_server(child_new(boot_cpu));
        struct thread *receiver = server(boot_cpu);

        give(client, obj(portal_at(receiver, 0, portal_empty), NOVA_PERM_ALL), CLIENT_PT);
        for (unsigned i = 0; i < WARM + ROUNDS; i++)
                give(client, obj(semaphore(0), NOVA_PERM_ALL), CLIENT_SM + i);
        windows(receiver, nova_crd(NOVA_CRD_OBJ, 0, ALL_SEL_ORDER, NOVA_PERM_ALL), 0);
        translation = (struct timed)CALL_OP("translate_object", CLIENT_PT, nova_utcb_items(0, 1));
        translation.before = next_item;
        translation.thread = client;
        remote(client, run_translation, NULL);
        report(translation.key, figure(&translation));
}
