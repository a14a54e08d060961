/* SPDX-License-Identifier: BSD-2-Clause */
/* Random values in hypercalls and messages: each returns a status of section 5.1, and nothing
 * breaks. */
#include "harness.h"

static uint64_t seed;

static word_t random(void)
{
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        return (word_t)(seed * 0x2545f4914f6cdd1dull >> 16) ^ (word_t)(seed << 40);
}

/* Returns a small, a huge or a medium value. */
static word_t value(void)
{
        const word_t r = random();
        switch (r & 7) {
        case 0:
                return 0;
        case 1:
                return ~(word_t)0 >> (random() % NOVA_WORD_BITS);
        case 2:
                return random() & 0xff;
        case 3:
                return (word_t)1 << random() % NOVA_WORD_BITS;
        case 4:
                return nova_crd((unsigned)random() & 3, random() & 0xffff, random() & 0x1f, 0x1f);
        default:
                return random();
        }
}

static bool harmless(word_t id, const struct args *a)
{
        const unsigned number = nova_id_number(id);
        if (number == NOVA_REPLY || number == NOVA_CALL)
                return false;
        if (number == NOVA_SM_CTRL && id & NOVA_SM_DN_OP)
                return false;
        if (number == NOVA_EXTENSION && nova_id_flags(id) == NOVA_EXT_OBJECT)
                return false;
        if (number == NOVA_EXTENSION && nova_id_flags(id) == NOVA_EXT_THREAD)
                return a->a2 != NOVA_EXT_THREAD_EXIT;
        if (number == NOVA_REVOKE)
                return nova_crd_type(a->a2) == NOVA_CRD_NULL || nova_crd_perms(a->a2) == 0;
        return true;
}

/* Makes random hypercalls. Runs in a child PD, so that the hypercalls cannot reach the harness. */
static void many(struct thread *t)
{
        for (unsigned i = 0; i < 20000; i++) {
                struct args a = {value(), value(), value(), value(), value()};
                a.a1 = (a.a1 & ~(word_t)0xf) | (random() & 0xf);
                if (!harmless(a.a1, &a))
                        continue;
                const word_t status = hypercall(&a);
                if (status > NOVA_DEADLOCK)
                        t->value[0]++;
                t->value[1]++;
        }
}

CASE(fuzz, hypercalls_of_a_child_without_capabilities_give_a_defined_status,
     "5.1-19 5.1-24 7.5-05 8.5-05")
{
        case_seconds(60);
        struct thread *t = child_server(child_new(boot_cpu));
        seed = 0x9e3779b97f4a7c15ull;
        remote(t, many, NULL);
        EXPECT_EQ(t->value[0], 0);
        EXPECT(t->value[1] > 10000);
}

CASE(fuzz, hypercalls_of_a_child_with_capabilities_give_a_defined_status,
     "5.1-19 5.1-20 5.1-22 5.1-24")
{
        case_seconds(120);
        struct child *c = child_new(boot_cpu), *victim = child_new(boot_cpu);
        struct thread *t = child_server(c), *g = global(boot_cpu, thread_exit_fn, NULL);
        give(t, obj(victim->pd, NOVA_PERM_ALL), 0x80);
        give(t, obj(g->ec, NOVA_PERM_ALL), 0x81);
        give(t, obj(semaphore(0), NOVA_PERM_ALL), 0x82);
        seed = 0xdeadbeefcafef00dull;
        remote(t, many, NULL);
        EXPECT_EQ(t->value[0], 0);
        EXPECT_EQ(hc_create_sm(sel_alloc(0), ROOT_PD, 0), NOVA_SUCCESS);
}

static void random_messages(struct thread *t)
{
        for (unsigned i = 0; i < 2000; i++) {
                for (unsigned n = 0; n < NOVA_UTCB_WORDS; n++)
                        t->utcb->word[n] = value();
                t->utcb->items = value();
                const word_t flags = random() & (NOVA_CALL_DB | NOVA_CALL_DL);
                if (hc_call(CHILD_FREE_SEL, flags) != NOVA_SUCCESS)
                        t->value[0]++;
        }
        t->utcb->items = 0;
}

CASE(fuzz, random_messages_of_a_child_do_no_harm, "5.2.1-05 D-19 D-19.2 4.6.2.2-09 4.6.2.2-17")
{
        case_seconds(120);
        struct thread *t = child_server(child_new(boot_cpu));
        struct thread *s = child_server(child_new(boot_cpu));
        give(t, obj(s->pt, NOVA_PERM_ALL), CHILD_FREE_SEL);
        windows(s, nova_crd(NOVA_CRD_OBJ, 0, 31, 0x1f), nova_crd(NOVA_CRD_OBJ, 0x100000, 8, 0x1f));
        seed = 0x0123456789abcdefull;
        remote(t, random_messages, NULL);
        EXPECT_EQ(t->value[0], 0);
        EXPECT_EQ(s->calls, 2001);
        EXPECT_EQ(remote_look(s, NOVA_CRD_OBJ, CHILD_FREE_SEL), 0);
}

static bool random_reply(struct thread *t, unsigned n, struct nova_utcb *u)
{
        if (n != NOVA_EXC_UD && n != NOVA_EXC_PF && n != NOVA_EXC_GP && n != NOVA_EXC_DB)
                return false;
        for (unsigned i = 0; i < NOVA_UTCB_WORDS; i++)
                u->word[i] = value();
        u->state.ip = (word_t)probe_failed;
        u->state.mtd =
                (value() & ~(word_t)(NOVA_MTD_ESP | NOVA_MTD_BSD | NOVA_MTD_ACDB)) | NOVA_MTD_EIP;
        u->state.flags &= ~(word_t)0x500;
        u->items = nova_utcb_items((unsigned)random() & 0x3ff, (unsigned)random() & 0xf);
        t->value[0]++;
        return true;
}

static void raises_500(struct thread *t)
{
        for (unsigned i = 0; i < 500; i++)
                t->value[1] += (word_t)raise_ud();
}

CASE(fuzz, random_replies_to_events_do_no_harm, "D-12 D-27 D-27.2")
{
        case_seconds(60);
        struct thread *t = child_server(child_new(boot_cpu));
        remote_read(t, 0x1000);
        probe_out(0x3f8 + 7, 0);
        seed = 0xfedcba9876543210ull;
        t->on_event = random_reply;
        remote(t, raises_500, NULL);
        EXPECT(t->value[1] >= 400);
}
