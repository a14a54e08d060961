/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects: lookup, consumed time, creation and destruction. */
#include "bench.h"

#define MAX_OPS 4

static struct timed ops[MAX_OPS];

static struct timed create(const char *key, enum nova_hypercall number, word_t flags,
                           const struct args *args)
{
        struct timed op = {.key = key, .args = *args, .before = move_on, .mean = true};

        op.fn = number == NOVA_CREATE_SM || number == NOVA_CREATE_PD ? timed_trap_3
                : number == NOVA_CREATE_SC                           ? timed_trap_4
                                                                     : timed_trap_5;
        op.args.a1 = nova_hypercall_id(number, flags, args->a1);
        return op;
}

static struct timed destroy(const char *key, nova_sel_t sel)
{
        return (struct timed){.key = key,
                              .fn = timed_trap_2,
                              .args = {.a1 = nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0),
                                       .a2 = obj(sel, NOVA_PERM_ALL)},
                              .mean = true};
}

/* Returns a free selector of the case. Its table stays, because the table holds another object,
 * too. */
static nova_sel_t warm_sel(void)
{
        semaphore(0);
        return sel_alloc(0);
}

/* Creates a new object in each round. */
static void next_object(struct timed *op, unsigned round)
{
        (void)round;
        op->args.a2 = obj(semaphore(0), 0);
}

static void next_page(struct timed *op, unsigned round)
{
        (void)round;
        op->args.a2 = mem(page_of(memory(0)), 0, 0);
}

CASE(object, lookup, "")
{
        const struct timed op = {.fn = timed_trap_2,
                                 .args = {.a1 = nova_hypercall_id(NOVA_LOOKUP, 0, 0)}};

        for (unsigned i = 0; i < 2; i++)
                ops[i] = op;
        ops[0].key = "lookup_object";
        ops[0].before = next_object;
        ops[1].key = "lookup_memory";
        ops[1].before = next_page;
        ops[1].mean = true;
        measure(ops, 2);
}

CASE(object, sc_ctrl, "")
{
        struct timed op = {.key = "sc_ctrl",
                           .fn = timed_trap_1,
                           .args = {.a1 = nova_hypercall_id(NOVA_SC_CTRL, 0, self->sc)}};

        measure(&op, 1);
}

CASE(object, sm, "")
{
        const struct args args = {.a1 = warm_sel(), .a2 = ROOT_PD, .a3 = 1};

        ops[0] = create("create_sm", NOVA_CREATE_SM, 0, &args);
        ops[1] = destroy("destroy_sm", args.a1);
        measure(ops, 2);
        measure_cycle("cycle_sm", ops, 2);
}

CASE(object, pt, "")
{
        const struct args args = {warm_sel(), ROOT_PD, server(boot_cpu)->ec, 0,
                                  (word_t)portal_echo};

        ops[0] = create("create_pt", NOVA_CREATE_PT, 0, &args);
        ops[1] = destroy("destroy_pt", args.a1);
        measure(ops, 2);
        measure_cycle("cycle_pt", ops, 2);
}

/* The thread has a lower priority and never runs. */
CASE(object, sc, "")
{
        struct thread *t = global(boot_cpu, thread_exit_fn, NULL);
        const struct args args = {
                .a1 = warm_sel(), .a2 = ROOT_PD, .a3 = t->ec, .a4 = nova_qpd(QUANTUM, PRIO_LOW)};

        ops[0] = create("create_sc", NOVA_CREATE_SC, 0, &args);
        ops[1] = destroy("destroy_sc", args.a1);
        measure(ops, 2);
        measure_cycle("cycle_sc", ops, 2);
}

static struct args ec_args(nova_sel_t pd)
{
        return (struct args){warm_sel(), pd, utcb_alloc() | boot_cpu, 0, sel_alloc(5)};
}

CASE(object, ec, "")
{
        const struct args args = ec_args(ROOT_PD);

        ops[0] = create("create_ec", NOVA_CREATE_EC, 0, &args);
        ops[1] = destroy("destroy_ec", args.a1);
        measure(ops, 2);
        measure_cycle("cycle_ec", ops, 2);
}

CASE(object, pd, "")
{
        const struct args args = {.a1 = warm_sel(), .a2 = ROOT_PD};

        ops[0] = create("create_pd", NOVA_CREATE_PD, 0, &args);
        ops[1] = destroy("destroy_pd", args.a1);
        measure(ops, 2);
        measure_cycle("cycle_pd", ops, 2);
}

/* The first use of a PD: its first thread, with which it gets its first page. */
CASE(object, pd_with_ec, "")
{
        const struct args pd = {.a1 = warm_sel(), .a2 = ROOT_PD};
        const struct args ec = ec_args(pd.a1);

        ops[0] = create(NULL, NOVA_CREATE_PD, 0, &pd);
        ops[1] = create("create_first_ec", NOVA_CREATE_EC, 0, &ec);
        ops[2] = destroy(NULL, ec.a1);
        ops[3] = destroy("destroy_used_pd", pd.a1);
        measure(ops, 4);
        measure_cycle("cycle_pd_with_ec", ops, 4);
}
