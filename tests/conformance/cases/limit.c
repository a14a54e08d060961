/* SPDX-License-Identifier: BSD-2-Clause */
/* Extension: limits of PDs. They bound the requests of a PD's threads, regardless of the
 * capabilities that the threads hold. */
#include "harness.h"

#define ALL      NOVA_PERM_ALL
#define ALL_CPUS UINT64_MAX
#define OWN_PD   CHILD_FREE_SEL /* a bounded child's capability for its own PD */
#define OWN_EC   (CHILD_FREE_SEL + 1)
#define NEW      (CHILD_FREE_SEL + 2)
#define TO_ROOT  (CHILD_FREE_SEL + 3)
#define PRIO     60

static const char *needs_limit_and_2_cpus(void)
{
        const char *lacks = needs_limit();
        return lacks ? lacks : needs_2_cpus();
}

static uint64_t bit(unsigned cpu)
{
        return (uint64_t)1 << cpu;
}

static struct args limit_args(nova_sel_t pd, word_t prio, uint64_t cpus)
{
        return (struct args){nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, pd),
                             NOVA_EXT_PD_LIMIT, prio, (uint32_t)cpus, (uint32_t)(cpus >> 32)};
}

static word_t limit(nova_sel_t pd, word_t prio, uint64_t cpus)
{
        struct args a = limit_args(pd, prio, cpus);
        return hypercall(&a);
}

static word_t remote_limit(struct thread *t, nova_sel_t pd, word_t prio, uint64_t cpus)
{
        struct args a = limit_args(pd, prio, cpus);
        return remote_hypercall(t, &a);
}

/* Drops the new object, so that the next create can use its selector. */
static word_t drop_new(struct thread *t, word_t status)
{
        struct args a = {nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0), obj(NEW, ALL), 0, 0, 0};
        EXPECT_EQ(remote_hypercall(t, &a), NOVA_SUCCESS);
        return status;
}

static word_t remote_create_sc(struct thread *t, nova_sel_t ec, word_t prio)
{
        struct args a = {nova_hypercall_id(NOVA_CREATE_SC, 0, NEW), OWN_PD, ec,
                         nova_qpd(QUANTUM, (unsigned)prio), 0};
        return drop_new(t, remote_hypercall(t, &a));
}

static word_t remote_create_ec(struct thread *t, word_t cpu)
{
        struct args a = {nova_hypercall_id(NOVA_CREATE_EC, NOVA_EC_GLOBAL, NEW), OWN_PD,
                         utcb_alloc() | cpu, 0, 0};
        return drop_new(t, remote_hypercall(t, &a));
}

static word_t remote_create_pd(struct thread *t, nova_sel_t sel, nova_sel_t owner)
{
        struct args a = {nova_hypercall_id(NOVA_CREATE_PD, 0, sel), owner,
                         nova_crd(NOVA_CRD_OBJ, 0, CHILD_ORDER, ALL), 0, 0};
        return remote_hypercall(t, &a);
}

/* Gives a PD a capability for a new thread, which never runs. */
static void give_ec(struct thread *t, unsigned cpu, nova_sel_t dst)
{
        give(t, obj(global(cpu, thread_exit_fn, NULL)->ec, ALL), dst);
}

/* Makes a child thread that holds all permissions for its own PD, and for a global EC on its
 * CPU. */
static struct thread *mighty_child(struct child **child)
{
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_server(c);
        give(t, obj(c->pd, ALL), OWN_PD);
        give_ec(t, boot_cpu, OWN_EC);
        if (child)
                *child = c;
        return t;
}

/* Returns a CPU other than the case's. */
static unsigned other_cpu(void)
{
        return cpu_numbers[1];
}

CASE(limit, a_new_pd_may_use_every_priority_and_every_cpu, "5.3.3-01 5.3.2-01")
{
        struct thread *t = mighty_child(NULL);
        EXPECT_EQ(remote_create_sc(t, OWN_EC, 1), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_sc(t, OWN_EC, NOVA_PRIO_MAX), NOVA_SUCCESS);
        for (unsigned i = 0; i < cpu_count; i++)
                EXPECT_EQ(remote_create_ec(t, cpu_numbers[i]), NOVA_SUCCESS);
}

CASE_ON(limit, a_priority_above_the_limit_gives_BAD_PAR, "X-LIMIT", needs_limit)
{
        struct child *c;
        struct thread *t = mighty_child(&c);
        EXPECT_EQ(limit(c->pd, PRIO, ALL_CPUS), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_sc(t, OWN_EC, PRIO), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_sc(t, OWN_EC, PRIO + 1), NOVA_BAD_PAR);
        EXPECT_EQ(remote_create_sc(t, OWN_EC, NOVA_PRIO_MAX), NOVA_BAD_PAR);
        EXPECT_EQ(remote_create_sc(t, OWN_EC, 0), NOVA_BAD_PAR);
        EXPECT_EQ(limit(c->pd, 0, ALL_CPUS), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_sc(t, OWN_EC, 1), NOVA_BAD_PAR);
        EXPECT_EQ(remote_create_ec(t, boot_cpu), NOVA_SUCCESS);
}

CASE_ON(limit, a_cpu_beyond_the_limit_gives_BAD_CPU, "X-LIMIT", needs_limit_and_2_cpus)
{
        struct child *c;
        struct thread *t = mighty_child(&c);
        give_ec(t, other_cpu(), OWN_EC + 8);
        EXPECT_EQ(remote_create_sc(t, OWN_EC + 8, PRIO), NOVA_SUCCESS);
        EXPECT_EQ(limit(c->pd, NOVA_PRIO_MAX, bit(boot_cpu)), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_ec(t, boot_cpu), NOVA_SUCCESS);
        for (unsigned i = 1; i < cpu_count; i++)
                EXPECT_EQ(remote_create_ec(t, cpu_numbers[i]), NOVA_BAD_CPU);
        EXPECT_EQ(remote_create_sc(t, OWN_EC, PRIO), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_sc(t, OWN_EC + 8, PRIO), NOVA_BAD_CPU);
}

/* The kernel checks the CPU before anything else. A create_ec with UTCB 0 creates a virtual CPU. */
CASE_ON(limit, a_virtual_cpu_beyond_the_limit_gives_BAD_CPU, "X-LIMIT", needs_limit)
{
        struct child *c;
        struct thread *t = mighty_child(&c);
        struct args a = {nova_hypercall_id(NOVA_CREATE_EC, 0, NEW), OWN_PD, boot_cpu, 0, 0};
        EXPECT_EQ(limit(c->pd, NOVA_PRIO_MAX, 0), NOVA_SUCCESS);
        EXPECT_EQ(remote_hypercall(t, &a), NOVA_BAD_CPU);
        EXPECT_EQ(remote_create_ec(t, boot_cpu), NOVA_BAD_CPU);
        EXPECT_EQ(remote_create_sc(t, OWN_EC, 1), NOVA_BAD_CPU);
}

CASE_ON(limit, an_interrupt_cannot_be_routed_beyond_the_limit, "X-LIMIT", needs_limit_and_2_cpus)
{
        struct child *c;
        struct thread *t = mighty_child(&c);
        const nova_sel_t gsi = sel_alloc(0);
        request(obj(NOVA_SEL_GSI_SM + 11, ALL), gsi);
        give(t, obj(gsi, ALL), NEW);
        EXPECT_EQ(limit(c->pd, NOVA_PRIO_MAX, bit(boot_cpu)), NOVA_SUCCESS);
        struct args there = {nova_hypercall_id(NOVA_ASSIGN_GSI, 0, NEW), 0, other_cpu(), 0, 0};
        EXPECT_EQ(remote_hypercall(t, &there), NOVA_BAD_CPU);
        struct args here = {nova_hypercall_id(NOVA_ASSIGN_GSI, 0, NEW), 0, boot_cpu, 0, 0};
        EXPECT_EQ(remote_hypercall(t, &here), NOVA_SUCCESS);
}

/* Each of the 64 CPUs has a bit, on x86-32 and on x86-64. */
CASE_ON(limit, each_cpu_has_a_bit_of_its_own, "X-LIMIT", needs_limit)
{
        for (unsigned i = 0; i < cpu_count; i++) {
                struct child *c;
                struct thread *t = mighty_child(&c);
                EXPECT_EQ(limit(c->pd, NOVA_PRIO_MAX, ~bit(cpu_numbers[i])), NOVA_SUCCESS);
                for (unsigned k = 0; k < cpu_count; k++)
                        EXPECT_EQ(remote_create_ec(t, cpu_numbers[k]),
                                  k == i ? NOVA_BAD_CPU : NOVA_SUCCESS);
                EXPECT_EQ(remote_create_ec(t, NOVA_CPU_MAX), NOVA_BAD_CPU);
        }
        struct child *c;
        struct thread *t = mighty_child(&c);
        EXPECT_EQ(limit(c->pd, NOVA_PRIO_MAX, bit(boot_cpu) << 32), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_ec(t, boot_cpu), NOVA_BAD_CPU);
}

CASE_ON(limit, a_limit_never_rises, "X-LIMIT", needs_limit)
{
        struct child *c;
        struct thread *t = mighty_child(&c);
        EXPECT_EQ(limit(c->pd, PRIO, 0), NOVA_SUCCESS);
        EXPECT_EQ(limit(c->pd, NOVA_PRIO_MAX, ALL_CPUS), NOVA_SUCCESS);
        EXPECT_EQ(remote_limit(t, OWN_PD, NOVA_PRIO_MAX, ALL_CPUS), NOVA_SUCCESS);
        EXPECT_EQ(remote_limit(t, OWN_PD, ~(word_t)0, ALL_CPUS), NOVA_SUCCESS);
        EXPECT_EQ(remote_limit(t, OWN_PD, (word_t)1 << 8 | PRIO, ALL_CPUS), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_ec(t, boot_cpu), NOVA_BAD_CPU);
        EXPECT_EQ(remote_create_sc(t, OWN_EC, PRIO + 1), NOVA_BAD_PAR);
        EXPECT_EQ(remote_create_sc(t, OWN_EC, PRIO), NOVA_BAD_CPU);
}

static void counts(struct thread *t)
{
        while (!t->value[0])
                t->value[1]++;
}

/* The child's limit is one millisecond. The child creates an SC with the longest possible quantum
 * for a thread that runs beside the case's thread, at equal priority. A limit of 0 lowers nothing,
 * and a longer limit does not raise the quantum. */
CASE_ON(limit, a_quantum_is_cut_to_the_limit, "X-LIMIT", needs_limit)
{
        const word_t most = (word_t)-1 >> NOVA_QPD_QUANTUM_SHIFT;
        struct child *c;
        struct thread *t = mighty_child(&c), *s = global(boot_cpu, counts, NULL);
        give(t, obj(s->ec, ALL), OWN_EC + 8);
        EXPECT_EQ(limit(c->pd, nova_qpd(1000, NOVA_PRIO_MAX), ALL_CPUS), NOVA_SUCCESS);
        EXPECT_EQ(limit(c->pd, NOVA_PRIO_MAX, ALL_CPUS), NOVA_SUCCESS);
        EXPECT_EQ(limit(c->pd, nova_qpd(most, NOVA_PRIO_MAX), ALL_CPUS), NOVA_SUCCESS);
        struct args sc = {nova_hypercall_id(NOVA_CREATE_SC, 0, NEW), OWN_PD, OWN_EC + 8,
                          nova_qpd(most, PRIO_CASE), 0};
        EXPECT_EQ(remote_hypercall(t, &sc), NOVA_SUCCESS);
        const uint64_t begin = tsc();
        spin_us(100000);
        EXPECT((tsc() - begin) / tsc_per_ms() < 700);
        EXPECT(s->value[1] > 0);
        s->value[0] = 1;
        EXPECT(wait_for(&s->done, 1));
        drop_new(t, NOVA_SUCCESS);
}

CASE_ON(limit, a_program_can_bind_itself, "X-LIMIT", needs_limit)
{
        struct thread *t = mighty_child(NULL);
        EXPECT_EQ(remote_limit(t, OWN_PD, PRIO, ALL_CPUS), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_sc(t, OWN_EC, PRIO + 1), NOVA_BAD_PAR);
}

CASE_ON(limit, setting_it_needs_a_pd_and_all_permissions, "X-LIMIT", needs_limit)
{
        struct child *c;
        struct thread *t = mighty_child(&c);
        const nova_sel_t weak = sel_alloc(0);
        for (unsigned perm = 0; perm < 5; perm++) {
                EXPECT_EQ(give_self(obj(c->pd, ALL & ~(1u << perm)), weak),
                          obj(weak, ALL & ~(1u << perm)));
                EXPECT_EQ(limit(weak, 0, 0), NOVA_BAD_CAP);
                hc_revoke(obj(weak, ALL), NOVA_REVOKE_SR);
        }
        EXPECT_EQ(limit(sel_alloc(0), 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(limit(self->ec, 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(limit(NOVA_SEL_ROOT_SC, 0, 0), NOVA_BAD_CAP);
        EXPECT_EQ(remote_create_sc(t, OWN_EC, NOVA_PRIO_MAX), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_ec(t, boot_cpu), NOVA_SUCCESS);
}

/* The kernel applies the limit of the PD that makes the call, not of the PD that pays or gets the
 * thread. */
CASE_ON(limit, a_limit_does_not_bind_other_creators_of_objects_for_the_pd, "X-LIMIT", needs_limit)
{
        struct child *c;
        mighty_child(&c);
        EXPECT_EQ(limit(c->pd, 0, 0), NOVA_SUCCESS);
        const nova_sel_t ec = sel_alloc(0);
        EXPECT_EQ(hc_create_ec(ec, c->pd, utcb_alloc() | boot_cpu, 0, 0, NOVA_EC_GLOBAL),
                  NOVA_SUCCESS);
        EXPECT_EQ(hc_create_sc(sel_alloc(0), c->pd, global(boot_cpu, thread_exit_fn, NULL)->ec,
                               nova_qpd(QUANTUM, PRIO)),
                  NOVA_SUCCESS);
}

CASE_ON(limit, threads_that_exist_keep_what_they_have, "X-LIMIT", needs_limit)
{
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_global(c, thread_exit_fn, NULL);
        EXPECT_EQ(limit(c->pd, 0, 0), NOVA_SUCCESS);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT(wait_for(&t->done, 1));
}

/* ---- PDs that a bounded child creates -------------------------------------------------------- */

/* Makes a thread of a PD that t creates. Like t, the new thread holds all permissions for its own
 * PD and for an EC. */
static struct thread *grandchild(struct thread *t, nova_sel_t owner)
{
        static struct child children[4];
        static unsigned next;
        struct child *c = &children[next++ % 4];
        struct thread *s = server(boot_cpu);
        const nova_sel_t pd = sel_alloc(0);

        EXPECT_EQ(remote_create_pd(t, NEW, owner), NOVA_SUCCESS);
        give(t, obj(s->pt, ALL), TO_ROOT);
        windows(s, 0, obj(pd, ALL));
        EXPECT_EQ(send_from(t, TO_ROOT, s, obj(NEW, ALL), NOVA_ITEM_DELEGATE), obj(pd, ALL));
        /* The new PD uses the event portals of t's child. The child's first thread uses the first
         * of them. */
        *c = (struct child){.pd = pd, .portals = t->child->portals, .cpu = boot_cpu, .threads = 1};
        struct thread *g = child_server(c);
        give(g, obj(pd, ALL), OWN_PD);
        give_ec(g, boot_cpu, OWN_EC);
        return g;
}

CASE_ON(limit, a_new_pd_begins_with_its_creators_limit, "X-LIMIT", needs_limit)
{
        struct child *c;
        struct thread *t = mighty_child(&c);
        EXPECT_EQ(limit(c->pd, PRIO, bit(boot_cpu)), NOVA_SUCCESS);
        struct thread *g = grandchild(t, OWN_PD);
        EXPECT_EQ(remote_create_sc(g, OWN_EC, PRIO), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_sc(g, OWN_EC, PRIO + 1), NOVA_BAD_PAR);
        EXPECT_EQ(remote_create_ec(g, boot_cpu), NOVA_SUCCESS);
        for (unsigned i = 1; i < cpu_count; i++)
                EXPECT_EQ(remote_create_ec(g, cpu_numbers[i]), NOVA_BAD_CPU);
        EXPECT_EQ(remote_limit(t, NEW, NOVA_PRIO_MAX, ALL_CPUS), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_sc(g, OWN_EC, PRIO + 1), NOVA_BAD_PAR);
}

CASE_ON(limit, a_child_can_bind_its_own_further, "X-LIMIT", needs_limit)
{
        struct child *c;
        struct thread *t = mighty_child(&c);
        EXPECT_EQ(limit(c->pd, PRIO, ALL_CPUS), NOVA_SUCCESS);
        struct thread *g = grandchild(t, OWN_PD);
        EXPECT_EQ(remote_limit(t, NEW, PRIO - 10, ALL_CPUS), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_sc(g, OWN_EC, PRIO - 10), NOVA_SUCCESS);
        EXPECT_EQ(remote_create_sc(g, OWN_EC, PRIO - 9), NOVA_BAD_PAR);
}

/* The PD named as owner pays, but the limit of the caller's own PD still applies. */
CASE_ON(limit, a_free_owner_does_not_free_the_creator, "X-LIMIT", needs_limit)
{
        struct child *c, *rich = child_new(boot_cpu);
        struct thread *t = mighty_child(&c);
        give(t, obj(rich->pd, ALL), OWN_EC + 8);
        EXPECT_EQ(limit(c->pd, PRIO, 0), NOVA_SUCCESS);
        struct args sc = {nova_hypercall_id(NOVA_CREATE_SC, 0, NEW), OWN_EC + 8, OWN_EC,
                          nova_qpd(QUANTUM, PRIO + 1), 0};
        EXPECT_EQ(drop_new(t, remote_hypercall(t, &sc)), NOVA_BAD_PAR);
        struct args ec = {nova_hypercall_id(NOVA_CREATE_EC, 0, NEW), OWN_EC + 8,
                          utcb_alloc() | boot_cpu, 0, 0};
        EXPECT_EQ(drop_new(t, remote_hypercall(t, &ec)), NOVA_BAD_CPU);
        struct thread *g = grandchild(t, OWN_EC + 8);
        EXPECT_EQ(remote_create_sc(g, OWN_EC, PRIO + 1), NOVA_BAD_PAR);
        EXPECT_EQ(remote_create_ec(g, boot_cpu), NOVA_BAD_CPU);
}
