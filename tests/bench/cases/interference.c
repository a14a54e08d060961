/* SPDX-License-Identifier: BSD-2-Clause */
/* The time that a PD with one CPU and a small account costs others by each hypercall. The attacker
 * runs on the boot CPU, a thread of the root PD on the second CPU, and a guest on the third. One
 * plugin of the emulator counts the instructions of the kernel on those CPUs, another one the
 * longest stretch with interrupts off. This program reports the memory of another account and the
 * events of the guest. */
#include "bench.h"
#include "guest.h"

#define ALL       NOVA_PERM_ALL
#define TIMES     64 /* as many ended objects force a grace period */
#define FEW       8  /* if each one waits for another CPU, which takes long under the emulator */
#define LONG      1000000 /* a quantum that lasts longer than the measurement, in microseconds */
#define SETTLE_MS 15      /* the kernel frees ended objects after at most two waits of 5 ms */
#define ACCOUNT   0x40000
#define BESIDE    0x20000 /* the other account */
#define UTCB      0x70000000

/* Selectors of the attacker. */
enum {
        OWN_PD = CHILD_FREE_SEL, /* its own PD */
        OWN_PORTAL,              /* a portal of its own, which replies at once */
        OWN_THREAD,              /* that portal's thread */
        OWN_SM,
        NEW, /* what it creates */
        NEW_SC,
        FAR = CHILD_FREE_SEL + 0x1000 /* the semaphores that fill its account */
};

GUEST(endless, 32, "1: jmp 1b");

static struct thread *attacker, *gate;
static struct child *attackers;
static nova_sel_t beside;
static struct guest *victim;
static volatile word_t stop;
static volatile unsigned times; /* of a hypercall in an attack */
static char shared[NOVA_PAGE_SIZE] __attribute__((aligned(NOVA_PAGE_SIZE)));

/* Reports a status other than success to the case. */
static void must(word_t status)
{
        if (status != NOVA_SUCCESS)
                attacker->value[0] = status;
}

static void drop(nova_sel_t sel)
{
        must(hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR));
}

/* ---- The hypercalls, by the attacker --------------------------------------------------------- */

static void call_and_reply(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < times; i++)
                must(hc_call(OWN_PORTAL, 0));
}

static void create_pd(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < times; i++) {
                must(hc_create_pd(NEW, OWN_PD, 0));
                drop(NEW);
        }
}

static void destroy_pd(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < times; i++) {
                must(hc_create_pd(NEW, OWN_PD, 0));
                must(hc_pd_destroy(NEW));
                drop(NEW);
        }
}

/* Threads on a CPU, with an SC if it is the attacker's own one. */
static void create_threads(unsigned cpu, bool bound)
{
        for (unsigned i = 0; i < times; i++) {
                must(hc_create_ec(NEW, OWN_PD, UTCB | cpu, 0, 0, NOVA_EC_GLOBAL));
                if (bound) {
                        must(hc_create_sc(NEW_SC, OWN_PD, NEW, nova_qpd(PRIO_LOW, QUANTUM)));
                        drop(NEW_SC);
                }
                drop(NEW);
        }
}

static void create_ec(struct thread *t)
{
        create_threads(t->cpu, false);
}

static void create_ec_far(struct thread *t)
{
        (void)t;
        create_threads(cpu_numbers[1], false);
}

static void create_sc(struct thread *t)
{
        create_threads(t->cpu, true);
}

static void create_pt(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < times; i++) {
                must(hc_create_pt(NEW, OWN_PD, OWN_THREAD, 0, 0));
                drop(NEW);
        }
}

static void create_sm(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < times; i++) {
                must(hc_create_sm(NEW, OWN_PD, 0));
                drop(NEW);
        }
}

/* Gives the thread on the second CPU a page, which it has agreed to receive, and takes it back. */
static void revoke_shared(struct thread *t)
{
        for (unsigned i = 0; i < times; i++) {
                t->utcb->word[nova_utcb_item_index(0)] = mem(page_of(shared), 0, NOVA_MEM_R);
                t->utcb->word[nova_utcb_item_index(0) + 1] = item_upper(NOVA_ITEM_DELEGATE, 0);
                t->utcb->items = nova_utcb_items(0, 1);
                must(hc_call(CHILD_WAY_SEL, 0));
                must(hc_revoke(mem(page_of(shared), 0, NOVA_MEM_R), 0));
        }
}

static void lookup(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < times; i++) {
                nova_crd_t found;
                must(hc_lookup(nova_crd(NOVA_CRD_OBJ, OWN_PD, 0, ALL), &found));
        }
}

static void ec_ctrl(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < times; i++)
                must(hc_ec_ctrl(OWN_THREAD));
}

static void sm_ctrl(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < times; i++) {
                must(hc_sm_ctrl(OWN_SM, NOVA_SM_UP_OP));
                must(hc_sm_ctrl(OWN_SM, NOVA_SM_DN_OP));
        }
}

/* Fills the account; then each attempt finds no memory. */
static void out_of_memory(struct thread *t)
{
        word_t filled = t->value[2]; /* by the first run */

        while (hc_create_sm(FAR + filled, OWN_PD, 0) == NOVA_SUCCESS)
                filled++;
        for (unsigned i = 0; i < times; i++)
                t->value[1] |= hc_create_sm(FAR + filled, OWN_PD, 0) != NOVA_OUT_OF_MEMORY;
        t->value[2] = filled;
}

static void refused(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < times; i++)
                hc_create_sm(NEW, NEW, 0);
}

/* ---- Victims --------------------------------------------------------------------------------- */

static word_t used(nova_sel_t pd)
{
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, pd),
                         NOVA_EXT_QUOTA_QUERY, 0, 0, 0};

        EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        return a.a2;
}

static void spin(struct thread *t)
{
        (void)t;
        while (!stop)
                __asm__ volatile("pause");
}

/* The page is received at an address with no other use. */
static void receive(struct thread *t)
{
        windows(t, 0, mem(0x70000, 0, NOVA_MEM_RWX));
}

static void begin(void)
{
        const nova_sel_t account = sel_alloc(0);
        struct args pd = {nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, account), ROOT_PD, 0,
                          BESIDE, 0};

        EXPECT(cpu_count >= 3);
        EXPECT_EQ(hypercall(&pd), NOVA_SUCCESS);
        beside = account;

        gate = server(boot_cpu);
        windows(gate, 0, mem(0x70000, 0, NOVA_MEM_RWX));
        gate->fn = receive;
        attackers = child_with_account(boot_cpu, ACCOUNT, gate);
        attacker = child_server(attackers);

        struct thread *echo = child_server(attackers);
        EXPECT(give(attacker, obj(attackers->pd, ALL), OWN_PD) != 0);
        EXPECT(give(attacker, obj(portal_at(echo, 0, portal_echo), ALL), OWN_PORTAL) != 0);
        EXPECT(give(attacker, obj(echo->ec, ALL), OWN_THREAD) != 0);
        EXPECT(give(attacker, obj(semaphore(0), ALL), OWN_SM) != 0);

        stop = 0;
        struct thread *thread = global(cpu_numbers[1], spin, NULL);
        thread_start(thread, PRIO_CASE, LONG);
        EXPECT(wait_for(&thread->started, 1));
        victim = guest_new(cpu_numbers[2], endless, endless_end);
        victim->quantum_us = LONG;
        guest_answer(victim, guest_flat(victim));
        rest(5);
}

static void tell(const char *what, const char *key, word_t number)
{
        console_string(what);
        console_string(" ");
        console_string(key);
        console_string(" ");
        console_dec(number);
        console_string("\n");
}

static word_t bytes_before, events_before;

/* Lets the attacker get its pages, tables and slabs first, and the kernel free the objects that
 * have ended: a batch of them would count for the next attack. */
static void begin_attack(unsigned mark, const char *key, thread_fn *fn, unsigned number)
{
        bytes_before = used(beside);
        events_before = victim->count;
        console_string("mark ");
        console_dec(mark);
        console_string(" ");
        console_string(key);
        console_string("\n");
        times = 1;
        remote(attacker, fn, NULL);
        rest(SETTLE_MS);
        times = number;
        trace_begin(key);
}

static void end_attack(const char *key)
{
        trace_end();
        EXPECT_EQ(attacker->value[0], NOVA_SUCCESS);
        tell("times", key, times);
        tell("bytes", key, used(beside) - bytes_before);
        tell("events", key, victim->count - events_before);
}

/* Runs an attack between the markers of both plugins; n: number of the second one's. */
#define ATTACK(n, key, fn, number)                \
        do {                                      \
                begin_attack(n, key, fn, number); \
                MARKER(n);                        \
                remote(attacker, fn, NULL);       \
                MARKER(0);                        \
                end_attack(key);                  \
        } while (0)

CASE_ON(interference, of_each_hypercall, "", needs_virtualization)
{
        begin();
        ATTACK(1, "call", call_and_reply, TIMES);
        ATTACK(2, "create_pd", create_pd, TIMES);
        ATTACK(3, "destroy_pd", destroy_pd, TIMES);
        ATTACK(4, "create_ec", create_ec, TIMES);
        ATTACK(5, "create_ec_far", create_ec_far, FEW);
        ATTACK(6, "create_sc", create_sc, TIMES);
        ATTACK(7, "create_pt", create_pt, TIMES);
        ATTACK(8, "create_sm", create_sm, TIMES);
        ATTACK(9, "revoke_shared", revoke_shared, FEW);
        ATTACK(10, "lookup", lookup, TIMES);
        ATTACK(11, "ec_ctrl", ec_ctrl, TIMES);
        ATTACK(12, "sm_ctrl", sm_ctrl, TIMES);
        ATTACK(13, "refused", refused, TIMES);
        ATTACK(14, "out_of_memory", out_of_memory, TIMES);
        EXPECT_EQ(attacker->value[1], 0);
        stop = 1;
}
