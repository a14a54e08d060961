/* SPDX-License-Identifier: BSD-2-Clause */
/* Extensions for threads: a thread's own end, names, storage bases. */
#include "harness.h"

#define ALL NOVA_PERM_ALL

static word_t extension(word_t group, nova_sel_t sel, word_t operation, word_t a3, word_t a4)
{
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, group, sel), operation, a3, a4, 0};
        return hypercall(&a);
}

/* ---- A thread ends itself -------------------------------------------------------------------- */

/* Ends itself, although arg is the selector of another thread. */
static void ends(struct thread *t)
{
        t->value[1] = 1;
        extension(NOVA_EXT_THREAD, (nova_sel_t)t->arg, NOVA_EXT_THREAD_EXIT, 0, 0);
        t->value[1] = 2;
}

CASE_ON(thread, a_global_thread_ends_itself, "X-EXIT", needs_exit)
{
        struct thread *t = run_thread(boot_cpu, PRIO_HIGH, ends, (void *)self->ec);
        EXPECT_EQ(t->value[1], 1);
        spin_us(2000);
        EXPECT_EQ(t->value[1], 1);
        EXPECT_EQ(probe_read(t->utcb), 1);
        EXPECT_EQ(hc_ec_ctrl(t->ec), NOVA_BAD_CAP);
        const nova_sel_t next = sel_alloc(0);
        EXPECT_EQ(hc_create_ec(next, ROOT_PD, (word_t)t->utcb | boot_cpu, 0, 0, 0), NOVA_SUCCESS);
}

CASE_ON(thread, a_servers_caller_gets_COM_ABT_when_it_ends_itself, "X-EXIT", needs_exit)
{
        struct thread *t = server(boot_cpu);
        t->fn = ends;
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_COM_ABT);
        EXPECT_EQ(t->value[1], 1);
        EXPECT(hc_call(t->pt, 0) != NOVA_SUCCESS);
}

CASE_ON(thread, a_thread_of_another_pd_ends_itself, "X-EXIT", needs_exit)
{
        struct thread *t = child_server(child_new(boot_cpu));
        EXPECT_EQ(remote_sm(t, 0x5000, 0), NOVA_BAD_CAP);
        t->fn = ends;
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_COM_ABT);
        EXPECT_EQ(t->value[1], 1);
}

CASE_ON(thread, threads_that_end_themselves_leave_no_memory_behind, "X-EXIT", needs_exit)
{
        struct thread *t = global(boot_cpu, ends, NULL);
        const nova_sel_t ec = sel_alloc(0), sc = sel_alloc(0);
        const word_t utcb = utcb_alloc();
        case_seconds(120);
        for (unsigned i = 0; i < 2000; i++) {
                t->value[1] = 0;
                EXPECT_EQ(hc_create_ec(ec, ROOT_PD, utcb | boot_cpu, t->sp, t->own_events,
                                       NOVA_EC_GLOBAL),
                          NOVA_SUCCESS);
                EXPECT_EQ(hc_create_sc(sc, ROOT_PD, ec, nova_qpd(QUANTUM, PRIO_HIGH)),
                          NOVA_SUCCESS);
                EXPECT_EQ(t->value[1], 1);
                hc_revoke(obj(sc, ALL), NOVA_REVOKE_SR);
                hc_revoke(obj(ec, ALL), NOVA_REVOKE_SR);
        }
}

CASE_ON(thread, unknown_operations_on_oneself_are_refused, "X-EXIT", needs_exit)
{
        for (word_t operation = 2; operation; operation <<= 1)
                EXPECT_EQ(extension(NOVA_EXT_THREAD, 0, operation, 0, 0), NOVA_BAD_HYP);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static word_t name_set(nova_sel_t sel, const char name[NOVA_NAME_SIZE])
{
        word_t word[2] = {0, 0};
        for (unsigned i = 0; i < NOVA_NAME_SIZE; i++)
                ((char *)word)[i] = name[i];
        return extension(NOVA_EXT_OBJECT, sel, NOVA_EXT_NAME_SET, word[0], word[1]);
}

static word_t name_get(nova_sel_t sel, char name[NOVA_NAME_SIZE])
{
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, sel), NOVA_EXT_NAME_GET,
                         0, 0, 0};
        const word_t status = hypercall(&a), word[2] = {a.a2, a.a3};
        __builtin_memcpy(name, word, NOVA_NAME_SIZE);
        return status;
}

static bool same(const char *a, const char *b)
{
        for (unsigned i = 0; i < NOVA_NAME_SIZE; i++)
                if (a[i] != b[i])
                        return false;
        return true;
}

CASE_ON(thread, a_name_can_be_read_back, "X-NAME", needs_names)
{
        struct thread *t = server(boot_cpu);
        const nova_sel_t pd = sel_alloc(0);
        EXPECT_EQ(hc_create_pd(pd, ROOT_PD, 0), NOVA_SUCCESS);
        const nova_sel_t objects[] = {pd, t->ec, t->pt, semaphore(0)};
        char name[NOVA_NAME_SIZE] = {0};
        for (unsigned i = 0; i < 4; i++) {
                EXPECT_EQ(name_get(objects[i], name), NOVA_SUCCESS);
                EXPECT(same(name, "\0\0\0\0\0\0\0"));
                if (i)
                        EXPECT_EQ(name_set(objects[i], "a name\0"), NOVA_SUCCESS);
                EXPECT_EQ(name_set(objects[i], "12345678"), NOVA_SUCCESS);
                EXPECT_EQ(name_get(objects[i], name), NOVA_SUCCESS);
                EXPECT(same(name, "12345678"));
        }
        EXPECT_EQ(name_get(ROOT_PD, name), NOVA_SUCCESS);
        EXPECT(!same(name, "12345678"));
}

/* One byte that is not 0, at any place, is a name. */
CASE_ON(thread, a_pd_is_named_once, "X-NAME", needs_names)
{
        for (unsigned i = 0; i < NOVA_NAME_SIZE; i++) {
                const nova_sel_t pd = sel_alloc(0);
                char first[NOVA_NAME_SIZE] = {0}, name[NOVA_NAME_SIZE];
                EXPECT_EQ(hc_create_pd(pd, ROOT_PD, 0), NOVA_SUCCESS);
                EXPECT_EQ(name_set(pd, first), NOVA_SUCCESS);
                first[i] = 'x';
                EXPECT_EQ(name_set(pd, first), NOVA_SUCCESS);
                EXPECT_EQ(name_set(pd, "12345678"), NOVA_BAD_PAR);
                EXPECT_EQ(name_set(pd, first), NOVA_BAD_PAR);
                EXPECT_EQ(name_get(pd, name), NOVA_SUCCESS);
                EXPECT(same(name, first));
        }
}

static struct args name_args(nova_sel_t sel, const char name[NOVA_NAME_SIZE])
{
        word_t word[2] = {0, 0};
        __builtin_memcpy(word, name, NOVA_NAME_SIZE);
        return (struct args){nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, sel),
                             NOVA_EXT_NAME_SET, word[0], word[1], 0};
}

/* A program that may create PDs cannot use a PD to pose as another program. */
CASE_ON(thread, a_pd_has_the_name_of_its_creator, "X-NAME", needs_names)
{
        enum { OWN_PD = CHILD_FREE_SEL, NEW, PAYER };
        struct child *c = child_new(boot_cpu), *other = child_new(boot_cpu);
        struct thread *t = child_server(c);
        char name[NOVA_NAME_SIZE];
        give(t, obj(c->pd, ALL), OWN_PD);
        give(t, obj(other->pd, ALL), PAYER);
        EXPECT_EQ(name_set(other->pd, "theother"), NOVA_SUCCESS);
        for (unsigned named = 0; named < 2; named++) {
                if (named)
                        EXPECT_EQ(name_set(c->pd, "thechild"), NOVA_SUCCESS);
                for (unsigned i = 0; i < 2; i++) {
                        struct args create = {nova_hypercall_id(NOVA_CREATE_PD, 0, NEW),
                                              i ? PAYER : OWN_PD, 0, 0, 0};
                        struct args drop = {nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0),
                                            obj(NEW, ALL), 0, 0, 0};
                        struct args rename = name_args(NEW, "12345678");
                        struct args get = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, NEW),
                                           NOVA_EXT_NAME_GET, 0, 0, 0};
                        EXPECT_EQ(remote_hypercall(t, &create), NOVA_SUCCESS);
                        EXPECT_EQ(remote_hypercall(t, &rename),
                                  named ? NOVA_BAD_PAR : NOVA_SUCCESS);
                        EXPECT_EQ(remote_hypercall(t, &get), NOVA_SUCCESS);
                        const word_t word[2] = {get.a2, get.a3};
                        __builtin_memcpy(name, word, NOVA_NAME_SIZE);
                        EXPECT(same(name, named ? "thechild" : "12345678"));
                        EXPECT_EQ(remote_hypercall(t, &drop), NOVA_SUCCESS);
                }
        }
        struct args rename = name_args(OWN_PD, "12345678");
        EXPECT_EQ(remote_hypercall(t, &rename), NOVA_BAD_PAR);
}

CASE_ON(thread, a_name_needs_an_object_and_all_permissions, "X-NAME", needs_names)
{
        const nova_sel_t sm = semaphore(0), weak = sel_alloc(0);
        char name[NOVA_NAME_SIZE];
        EXPECT_EQ(name_set(sel_alloc(0), "12345678"), NOVA_BAD_CAP);
        EXPECT_EQ(name_get(sel_alloc(0), name), NOVA_BAD_CAP);
        give_self(obj(sm, NOVA_SM_UP | NOVA_SM_DN), weak);
        EXPECT_EQ(name_set(weak, "12345678"), NOVA_BAD_CAP);
        EXPECT_EQ(name_get(weak, name), NOVA_SUCCESS);
        EXPECT_EQ(name_set(NOVA_SEL_ROOT_SC, "12345678"), NOVA_BAD_CAP);
}

/* ---- Storage bases --------------------------------------------------------------------------- */

static word_t set_base(word_t base)
{
        return extension(NOVA_EXT_THREAD, 0, NOVA_EXT_THREAD_TLS, base, 0);
}

/* Reads at an address through the segment that has the base. */
static word_t read_by_base(const void *address)
{
        word_t value;
#if __SIZEOF_POINTER__ == 8
        __asm__ volatile("mov %%fs:(%1), %0" : "=r"(value) : "r"(address));
#else
        __asm__ volatile("mov %%gs:(%1), %0" : "=r"(value) : "r"(address));
#endif
        return value;
}

static word_t blocks[8];
static const word_t flat = 0x1234;

/* Sets its own base, then checks that it stays. value[0]: the number of its block, value[1]: the
 * number of checks, value[2]: the number of failures. */
static void has_base(struct thread *t)
{
        blocks[t->value[0]] = 0x100 + t->value[0];
        t->value[2] += set_base((word_t)&blocks[t->value[0]]);
        while (!t->value[3]) {
                t->value[2] += read_by_base(NULL) != 0x100 + t->value[0];
                t->value[1]++;
        }
}

/* Checks that a thread without a base gets none. value[1] and value[2]: as in has_base(). */
static void has_no_base(struct thread *t)
{
        while (!t->value[3]) {
                t->value[2] += read_by_base(&flat) != flat;
                t->value[1]++;
        }
}

CASE_ON(thread, a_base_belongs_to_its_thread_alone, "X-TLS D-37 D-37.2", needs_tls)
{
        struct thread *t[12];
        unsigned n = 0;
        for (unsigned cpu = 0; cpu < cpu_count && cpu < 4; cpu++)
                for (unsigned i = 0; i < 3; i++) {
                        t[n] = global(cpu_numbers[cpu], i ? has_base : has_no_base, NULL);
                        t[n]->value[0] = n % 8;
                        thread_start(t[n], PRIO_CASE, 500);
                        n++;
                }
        for (unsigned i = 0; i < n; i++)
                for (unsigned ms = 0; ms < 5000 && t[i]->value[1] < 2000; ms++)
                        spin_us(1000);
        for (unsigned i = 0; i < n; i++)
                t[i]->value[3] = 1;
        EXPECT_EQ(read_by_base(&flat), flat);
        for (unsigned i = 0; i < n; i++) {
                EXPECT(wait_for(&t[i]->done, 1));
                EXPECT(t[i]->value[1] > 0);
                EXPECT_EQ(t[i]->value[2], 0);
        }
}

static void looks_flat(struct thread *t)
{
        t->value[1] = read_by_base(&flat);
}

static void looks_at_block(struct thread *t)
{
        t->value[1] = read_by_base(NULL);
}

static void sets_block(struct thread *t)
{
        t->value[2] = set_base((word_t)&blocks[2]);
        t->value[1] = read_by_base(NULL);
}

CASE_ON(thread, bases_switch_with_calls_and_replies, "X-TLS", needs_tls)
{
        struct thread *plain = server(boot_cpu), *own = server(boot_cpu);
        blocks[1] = 0x111;
        blocks[2] = 0x222;
        EXPECT_EQ(set_base((word_t)&blocks[1]), NOVA_SUCCESS);
        remote(own, sets_block, NULL);
        const word_t seen = own->value[1], status = own->value[2], mine = read_by_base(NULL);
        remote(plain, looks_flat, NULL);
        remote(own, looks_at_block, NULL);
        EXPECT_EQ(read_by_base(NULL), 0x111);
        EXPECT_EQ(set_base(0), NOVA_SUCCESS);
        EXPECT_EQ(read_by_base(&flat), flat);
        EXPECT_EQ(status, NOVA_SUCCESS);
        EXPECT_EQ(seen, 0x222);
        EXPECT_EQ(mine, 0x111);
        EXPECT_EQ(plain->value[1], flat);
        EXPECT_EQ(own->value[1], 0x222);
        remote(own, looks_at_block, NULL);
        EXPECT_EQ(own->value[1], 0x222);
}

/* A caller calls a server in another PD. The server has a base; the caller has one in every second
 * call. */
CASE_ON(thread, bases_switch_between_protection_domains, "X-TLS", needs_tls)
{
        struct thread *other = child_server(child_new(boot_cpu));
        word_t seen[4], mine[4];
        blocks[1] = 0x111;
        blocks[2] = 0x222;
        remote(other, sets_block, NULL);
        for (unsigned i = 0; i < 4; i++) {
                EXPECT_EQ(set_base(i & 1 ? 0 : (word_t)&blocks[1]), NOVA_SUCCESS);
                other->value[1] = 0;
                remote(other, looks_at_block, NULL);
                seen[i] = other->value[1];
                mine[i] = read_by_base(i & 1 ? &flat : NULL);
        }
        EXPECT_EQ(set_base(0), NOVA_SUCCESS);
        for (unsigned i = 0; i < 4; i++) {
                EXPECT_EQ(seen[i], 0x222);
                EXPECT_EQ(mine[i], i & 1 ? flat : 0x111);
        }
}

/* Waits again and again. value[1]: the number of waits, value[2]: the number of failures. */
static void waits_with_base(struct thread *t)
{
        const nova_sel_t sm = (nova_sel_t)t->value[0];

        if (t->arg)
                t->value[2] += set_base((word_t)&blocks[2]);
        while (!t->value[3]) {
                t->value[2] += hc_sm_ctrl(sm, NOVA_SM_DN_OP);
                t->value[2] += t->arg ? read_by_base(NULL) != 0x222 : read_by_base(&flat) != flat;
                t->value[1]++;
        }
}

/* The thread that waits has a base, the thread that wakes it has one, both have one, or neither. */
CASE_ON(thread, bases_switch_when_a_thread_wakes, "X-TLS", needs_tls)
{
        blocks[1] = 0x111;
        blocks[2] = 0x222;
        for (unsigned i = 0; i < 4; i++) {
                struct thread *t = global(boot_cpu, waits_with_base, i & 1 ? blocks : NULL);
                const nova_sel_t sm = semaphore(0);
                unsigned wrong = 0;

                t->value[0] = sm;
                thread_start(t, PRIO_HIGH, QUANTUM);
                EXPECT_EQ(set_base(i & 2 ? (word_t)&blocks[1] : 0), NOVA_SUCCESS);
                for (unsigned round = 0; round < 10; round++) {
                        t->value[3] = round == 9;
                        wrong += hc_sm_ctrl(sm, NOVA_SM_UP_OP) != NOVA_SUCCESS;
                        wrong += i & 2 ? read_by_base(NULL) != 0x111 : read_by_base(&flat) != flat;
                }
                EXPECT_EQ(set_base(0), NOVA_SUCCESS);
                EXPECT(wait_for(&t->done, 1));
                EXPECT_EQ(wrong, 0);
                EXPECT_EQ(t->value[1], 10);
                EXPECT_EQ(t->value[2], 0);
        }
}

CASE_ON(thread, a_base_ends_with_its_thread, "X-TLS X-EXIT", needs_tls)
{
        for (unsigned i = 0; i < 4; i++) {
                struct thread *t = server(boot_cpu);
                remote(t, sets_block, NULL);
                t->fn = ends;
                self->utcb->items = 0;
                EXPECT_EQ(hc_call(t->pt, 0), NOVA_COM_ABT);
                EXPECT_EQ(read_by_base(&flat), flat);
        }
}

CASE_ON(thread, bases_outside_of_user_addresses_are_refused, "X-TLS", needs_tls)
{
        if (NOVA_WORD_BITS == 64) {
                static const uint64_t bad[] = {NOVA_USER_END, 1ull << 47, 1ull << 63,
                                               0x7fffffffffffffff, ~0ull};
                for (unsigned i = 0; i < 5; i++)
                        EXPECT_EQ(set_base((word_t)bad[i]), NOVA_BAD_PAR);
        } else {
                EXPECT_EQ(set_base(~(word_t)0), NOVA_SUCCESS); /* paging protects the kernel */
                EXPECT_EQ(set_base(0), NOVA_SUCCESS);
        }
        EXPECT_EQ(read_by_base(&flat), flat);
}

/* ---- The machine ----------------------------------------------------------------------------- */

CASE_ON(thread, only_the_root_pd_can_switch_the_machine_off, "X-MACHINE", needs_machine)
{
        struct thread *t = child_server(child_new(boot_cpu));
        for (word_t operation = 0; operation < 2; operation++) {
                struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_MACHINE, 0), operation,
                                 0, 0, 0};
                EXPECT_EQ(remote_hypercall(t, &a), NOVA_BAD_CAP);
        }
        EXPECT_EQ(extension(NOVA_EXT_MACHINE, 0, 2, 0, 0), NOVA_BAD_HYP);
        EXPECT_EQ(extension(NOVA_EXT_MACHINE, 0, ~(word_t)0, 0, 0), NOVA_BAD_HYP);
}
