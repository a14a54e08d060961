/* SPDX-License-Identifier: BSD-2-Clause */
/* The time that a PD with one CPU and a small account costs others by each hypercall. The attacker
 * runs on the boot CPU, a thread of the root PD on the second CPU, and a guest on the third. One
 * plugin of the emulator counts the instructions of the kernel on those CPUs, another one the
 * longest stretch with interrupts off. This program reports the memory of another account and the
 * events of the guest. With busy=1 the thread on the second CPU makes hypercalls, and the program
 * reports how many. With server=1 the other CPUs are idle, and a more urgent thread calls the
 * server to which the attacker sends messages. */
#include "interference.h"
#include "device.h"
#include "guest.h"

#define TIMES     64      /* executions: they end enough objects to force a grace period */
#define FEW       8       /* executions of an attack that waits for another CPU */
#define ONCE      1       /* executions of an attack that takes long */
#define PAIRS     128     /* minimum number of the busy thread's pairs during an attack */
#define SOON_US   20      /* microseconds until a deadline */
#define LONG      1000000 /* a quantum that lasts longer than the measurement, in microseconds */
#define SETTLE_MS 15      /* the kernel frees ended objects after at most two waits of 5 ms */
#define ACCOUNT   0x40000
#define BESIDE    0x20000   /* bytes of the other account */
#define BENEATH   0x8000    /* bytes of the account of the attacker's child */
#define RECEIVING 0x4800000 /* bytes of the account of the receiver: no message exhausts it */
#define UTCB      0x70000000

/* The emulator runs the next CPU after a PAUSE. So with a PAUSE after each hypercall all CPUs take
 * turns. The guest's turns are longer: the emulator is slow if all turns are short. */
GUEST(endless, 32, "1: mov $10000, %ecx; 2: loop 2b; pause; jmp 1b");

static struct thread *attacker, *gate;
static struct child *attackers, *receivers;
static bool has_pairs;        /* the thread on the second CPU makes hypercalls during an attack */
static volatile bool busy;    /* the thread makes hypercalls now */
static volatile word_t pairs; /* pairs of hypercalls that the thread has made so far */
static nova_sel_t beside;
static nova_sel_t portals[OWN_SELECTORS]; /* the root's selectors of the receiver's portals */
static struct guest *victim;
static volatile word_t stop;
static char page[NOVA_PAGE_SIZE] __attribute__((aligned(NOVA_PAGE_SIZE)));
struct attack attack = {.shared = page};

void attack_must(word_t status)
{
        __asm__ volatile("pause");
        if (status != NOVA_SUCCESS)
                attacker->value[0] = status;
}

static void drop(nova_sel_t sel)
{
        attack_must(hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR));
}

/* ---- The hypercalls, by the attacker --------------------------------------------------------- */

static void compute(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++)
                attack_must(NOVA_SUCCESS);
}

static void call_and_reply(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++)
                attack_must(hc_call(OWN_PORTAL, 0));
}

static void create_pd(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++) {
                attack_must(hc_create_pd(NEW, OWN_PD, 0));
                drop(NEW);
        }
}

static void destroy_pd(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++) {
                attack_must(hc_create_pd(NEW, OWN_PD, 0));
                attack_must(hc_pd_destroy(NEW));
                drop(NEW);
        }
}

/* Creates threads on a CPU and drops them. bound: each has an SC, which is dropped first. */
static void create_threads(unsigned cpu, bool bound)
{
        for (unsigned i = 0; i < attack.times; i++) {
                attack_must(hc_create_ec(NEW, OWN_PD, UTCB | cpu, 0, 0, NOVA_EC_GLOBAL));
                if (bound) {
                        attack_must(hc_create_sc(NEW_SC, OWN_PD, NEW, nova_qpd(PRIO_LOW, QUANTUM)));
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

static void create_sc_far(struct thread *t)
{
        (void)t;
        create_threads(cpu_numbers[1], true);
}

static void create_pt(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++) {
                attack_must(hc_create_pt(NEW, OWN_PD, OWN_THREAD, 0, 0));
                drop(NEW);
        }
}

static void create_sm(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++) {
                attack_must(hc_create_sm(NEW, OWN_PD, 0));
                drop(NEW);
        }
}

/* Gives the root PD a page, which the gate has agreed to receive, and takes it back. The root PD
 * has a thread on the second CPU, too. */
static void revoke_shared(struct thread *t)
{
        for (unsigned i = 0; i < attack.times; i++) {
                const word_t before = attack_used(ROOT_ACCOUNT);
                attack_put_item(t, 0, mem(page_of(attack.shared), 0, NOVA_MEM_R), 0, 0);
                t->utcb->items = nova_utcb_items(0, 1);
                attack_must(hc_call(CHILD_WAY_SEL, 0));
                attack_note_received(t, ROOT_ACCOUNT, before);
                attack_must(hc_revoke(mem(page_of(attack.shared), 0, NOVA_MEM_R), 0));
        }
}

static void lookup(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++) {
                nova_crd_t found;
                attack_must(hc_lookup(nova_crd(NOVA_CRD_OBJ, OWN_PD, 0, ALL), &found));
        }
}

static void ec_ctrl(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++)
                attack_must(hc_ec_ctrl(OWN_THREAD));
}

static void sm_ctrl(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++) {
                attack_must(hc_sm_ctrl(OWN_SM, NOVA_SM_UP_OP));
                attack_must(hc_sm_ctrl(OWN_SM, NOVA_SM_DN_OP));
        }
}

/* Fills the account; then each attempt finds no memory. */
static void out_of_memory(struct thread *t)
{
        word_t filled = t->value[2]; /* semaphores of the first run */

        while (hc_create_sm(FAR + filled, OWN_PD, 0) == NOVA_SUCCESS)
                filled++;
        for (unsigned i = 0; i < attack.times; i++)
                t->value[1] |= hc_create_sm(FAR + filled, OWN_PD, 0) != NOVA_OUT_OF_MEMORY;
        t->value[2] = filled;
}

static void refused(struct thread *t)
{
        (void)t;
        for (unsigned i = 0; i < attack.times; i++)
                if (hc_create_sm(NEW, NEW, 0) == NOVA_BAD_CAP)
                        attack_must(NOVA_SUCCESS);
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
        const nova_sel_t sel = (nova_sel_t)t->arg;

        while (!stop) {
                if (busy) {
                        t->value[0] |= hc_create_sm(sel, ROOT_PD, 0);
                        t->value[0] |= hc_revoke(obj(sel, ALL), NOVA_REVOKE_SR);
                        pairs++;
                }
                __asm__ volatile("pause");
        }
}

/* Accepts pages, at addresses with no other use. */
static void receive(struct thread *t)
{
        windows(t, 0, mem(WINDOW, WINDOW_ORDER, NOVA_MEM_RWX));
}

/* Makes objects that the attacker needs, with its own hypercalls. */
static void prepare(struct thread *t)
{
        struct args pd = {nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, OWN_CHILD), OWN_PD, 0,
                          BENEATH, 0};

        (void)t;
        attack_must(hypercall(&pd));
        attack_must(hc_create_ec(FAR_THREAD, OWN_PD, (UTCB + NOVA_PAGE_SIZE) | cpu_numbers[1], 0, 0,
                                 NOVA_EC_GLOBAL));
        attack_must(hc_create_sc(FAR_SC, OWN_PD, FAR_THREAD, nova_qpd(PRIO_LOW, QUANTUM)));
}

/* Gives the attacker a portal of a new thread of the receiver, which agrees to receive and to
 * recognise a range. */
static struct thread *give_receiver(nova_crd_t window, nova_sel_t sel)
{
        struct thread *t = child_server(receivers);

        windows(t, window, window);
        portals[sel] = portal_at(t, 0, portal_empty);
        EXPECT(give(attacker, obj(portals[sel], ALL), sel) != 0);
        return t;
}

static void make_receiver(void)
{
        struct thread *limited;

        receivers = child_with_account(boot_cpu, RECEIVING, gate);
        give_receiver(mem(0, SPACE_ORDER, NOVA_MEM_RWX), RECEIVER_MEM);
        give_receiver(nova_crd(NOVA_CRD_OBJ, 0, NOVA_SEL_ORDER, ALL), RECEIVER_OBJ);
        give_receiver(io(0, 16), RECEIVER_IO);
        limited = give_receiver(mem(0, SPACE_ORDER, NOVA_MEM_RWX), RECEIVER_LIMITED);
        struct args limit = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, limited->ec),
                             NOVA_EXT_EC_RECEIVE, LIMIT, 0, 0};
        EXPECT_EQ(hypercall(&limit), NOVA_SUCCESS);
        EXPECT(give(attacker, obj(receivers->pd, NOVA_PD_PT), RECEIVER_ACCOUNT) != 0);
        EXPECT(give(attacker, obj(ROOT_PD, NOVA_PD_PT), ROOT_ACCOUNT) != 0);
}

/* Gives the attacker a portal on another CPU, a semaphore for its threads, and ports. */
static void give_others(void)
{
        EXPECT(give(attacker, obj(server(cpu_numbers[1])->pt, ALL), FAR_PORTAL) != 0);
        EXPECT(give(attacker, obj(semaphore(0), ALL), OWN_END) != 0);
        request(io(PORTS, PORTS_ORDER), PORTS);
        EXPECT(give(attacker, io(PORTS, PORTS_ORDER), PORTS) != 0);
}

/* Gives the attacker a device with its configuration space and its interrupt. */
static void give_device(void)
{
        const struct edu edu = edu_open(0);
        const word_t at = pci_page(edu.function);

        attack.function = edu.function;
        attack.config = at << NOVA_PAGE_BITS;
        EXPECT(give(attacker, mem(at, 0, NOVA_MEM_R), at) != 0);
        EXPECT(give(attacker, obj(gsi_open(pci_gsi(attack.function)), ALL), OWN_GSI) != 0);
}

static void make_attacker(void)
{
        gate = server(boot_cpu);
        receive(gate);
        gate->fn = receive;
        attackers = child_with_account(boot_cpu, ACCOUNT, gate);
        attacker = child_server(attackers);
        attack.taker = child_server(attackers);
        EXPECT(give(attacker, obj(attackers->pd, ALL), OWN_PD) != 0);
        EXPECT(give(attacker, obj(portal_at(attack.taker, 0, portal_echo), ALL), OWN_PORTAL) != 0);
        EXPECT(give(attacker, obj(portal_at(attack.taker, 0, portal_empty), ALL), OWN_TAKER) != 0);
        EXPECT(give(attacker, obj(attack.taker->ec, ALL), OWN_THREAD) != 0);
        EXPECT(give(attacker, obj(semaphore(0), ALL), OWN_SM) != 0);
        give_device();
        make_receiver();
        give_others();
}

/* Makes the victims, and the objects that the attacker needs only for attacks on them. */
static void make_victims(void)
{
        stop = 0;
        struct thread *thread = global(cpu_numbers[1], spin, (void *)sel_alloc(0));
        thread_start(thread, PRIO_CASE, LONG);
        EXPECT(wait_for(&thread->started, 1));
        remote(attacker, prepare, NULL); /* FAR_THREAD never runs, because its CPU is busy */
        EXPECT_EQ(attacker->value[0], NOVA_SUCCESS);
        victim = guest_new(cpu_numbers[2], endless, endless_end);
        victim->quantum_us = LONG;
        guest_answer(victim, guest_flat(victim));
        rest(5);
}

static void begin(void)
{
        const nova_sel_t account = sel_alloc(0);
        struct args pd = {nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, account), ROOT_PD, 0,
                          BESIDE, 0};

        EXPECT(cpu_count >= 3);
        EXPECT_EQ(hypercall(&pd), NOVA_SUCCESS);
        beside = account;

        has_pairs = case_argument("busy=", 0) != 0;
        attack.soon = tsc_per_ms() * SOON_US / 1000;
        make_attacker();
}

void attack_tell(const char *what, const char *key, word_t number)
{
        console_string(what);
        console_string(" ");
        console_string(key);
        console_string(" ");
        console_dec(number);
        console_string("\n");
}

static word_t bytes_before, events_before, pairs_before;
static unsigned rounds;

/* Runs the attack once, so that the attacker has its pages, tables and slabs. Then lets the kernel
 * free the objects that have ended, because a batch of them would count for the next attack. */
static void begin_attack(unsigned mark, const char *key, thread_fn *fn, unsigned number)
{
        bytes_before = used(beside);
        events_before = victim->count;
        console_string("mark ");
        console_dec(mark);
        console_string(" ");
        console_string(key);
        console_string("\n");
        attack.times = 1;
        attacker->value[VALUE_RECEIVED] = 0;
        remote(attacker, fn, NULL);
        rest(SETTLE_MS);
        attack.times = number;
        rounds = 0;
        pairs_before = pairs;
        trace_begin(key);
}

/* Repeats the attack until it lasts for many pairs of the busy thread. Then the thread pauses until
 * the kernel has freed all its objects, so the count includes the freeing of each semaphore. */
static void repeat(thread_fn *fn)
{
        busy = has_pairs;
        do {
                remote(attacker, fn, NULL);
                rounds++;
        } while (has_pairs && pairs - pairs_before < PAIRS);
        busy = false;
        if (has_pairs)
                rest(SETTLE_MS);
}

static void end_attack(const char *key)
{
        const word_t made = pairs - pairs_before;

        trace_end();
        EXPECT_EQ(attacker->value[0], NOVA_SUCCESS);
        attack_tell("times", key, attack.times * rounds);
        attack_tell("pairs", key, made);
        attack_tell("receiver", key, attacker->value[VALUE_RECEIVED]);
        attack_tell("bytes", key, used(beside) - bytes_before);
        attack_tell("events", key, victim->count - events_before);
}

/* Runs an attack between the markers of both plugins; n: number of the second plugin's marker. */
#define ATTACK(n, key, fn, number)                \
        do {                                      \
                begin_attack(n, key, fn, number); \
                MARKER(n);                        \
                repeat(fn);                       \
                MARKER(0);                        \
                end_attack(key);                  \
        } while (0)

static void attacks_create(void)
{
        ATTACK(1, "compute", compute, TIMES);
        ATTACK(2, "call", call_and_reply, TIMES);
        ATTACK(3, "call_words", attack_call_words, TIMES);
        ATTACK(4, "create_pd", create_pd, TIMES);
        ATTACK(5, "destroy_pd", destroy_pd, TIMES);
        ATTACK(6, "create_ec", create_ec, TIMES);
        ATTACK(7, "create_ec_far", create_ec_far, FEW);
        ATTACK(8, "create_vcpu", attack_create_vcpu, TIMES);
        ATTACK(9, "create_vcpu_far", attack_create_vcpu_far, FEW);
        ATTACK(10, "create_sc", create_sc, TIMES);
        ATTACK(11, "create_sc_far", create_sc_far, FEW);
        ATTACK(12, "create_pt", create_pt, TIMES);
        ATTACK(13, "create_sm", create_sm, TIMES);
}

static void attacks_revoke(void)
{
        ATTACK(14, "revoke_shared", revoke_shared, FEW);
        ATTACK(15, "revoke_many", attack_revoke_many, FEW);
        ATTACK(16, "revoke_tables", attack_revoke_tables, FEW);
        ATTACK(17, "revoke_chain", attack_revoke_chain, FEW);
        ATTACK(18, "revoke_all", attack_revoke_all, FEW);
}

static void attacks_control(void)
{
        ATTACK(19, "lookup", lookup, TIMES);
        ATTACK(20, "ec_ctrl", ec_ctrl, TIMES);
        ATTACK(21, "ec_ctrl_far", attack_ec_ctrl_far, TIMES);
        ATTACK(22, "sc_ctrl", attack_sc_ctrl, TIMES);
        ATTACK(23, "sm_ctrl", sm_ctrl, TIMES);
        ATTACK(24, "sm_until", attack_sm_until, TIMES);
        ATTACK(25, "assign_pci", attack_assign_pci, TIMES);
        ATTACK(26, "assign_gsi", attack_assign_gsi, TIMES);
        ATTACK(27, "pd_limit", attack_pd_limit, TIMES);
        ATTACK(28, "quota", attack_quota, TIMES);
        ATTACK(29, "tls", attack_tls, TIMES);
        ATTACK(30, "names", attack_names, TIMES);
        ATTACK(31, "ec_receive", attack_ec_receive, TIMES);
        ATTACK(32, "call_far", attack_call_far, TIMES);
        ATTACK(33, "refused", refused, TIMES);
}

static void attacks_receive(void)
{
        ATTACK(34, "ports", attack_ports, FEW);
        ATTACK(35, "port_range", attack_port_range, FEW);
        ATTACK(36, "port_pieces", attack_port_pieces, ONCE);
        ATTACK(37, "receive_objects", attack_receive_objects, ONCE);
        ATTACK(38, "receive_pages", attack_receive_pages, ONCE);
        ATTACK(39, "receive_ranges", attack_receive_ranges, ONCE);
        ATTACK(40, "receive_limited", attack_receive_limited, ONCE);
        ATTACK(49, "receive_undone", attack_receive_undone, ONCE);
        ATTACK(41, "translate", attack_translate, ONCE);
        ATTACK(42, "translate_page", attack_translate_page, ONCE);
}

static void attacks_fill(void)
{
        ATTACK(50, "thread_exit", attack_thread_exit, FEW);
        ATTACK(43, "chain", attack_chain, ONCE);
        ATTACK(44, "helpers", attack_helpers, ONCE);
        ATTACK(45, "contexts", attack_contexts, ONCE);
        ATTACK(46, "contexts_far", attack_contexts_far, ONCE);
        ATTACK(47, "revoke_range", attack_revoke_range, ONCE);
        ATTACK(48, "out_of_memory", out_of_memory, TIMES);
}

CASE_ON(interference, of_each_hypercall, "", needs_virtualization)
{
        case_seconds(250);
        begin();
        if (case_argument("server=", 0)) {
                server_waits(attacker, portals);
                return;
        }
        make_victims();
        attacks_create();
        attacks_revoke();
        attacks_control();
        attacks_receive();
        attacks_fill();
        EXPECT_EQ(attacker->value[1], 0);
        remark("delegations in the longest chain:", attack.depth);
        remark("threads in the longest chain of calls:", attack.links);
        remark("threads that wait for one thread:", attack.helpers);
        remark("scheduling contexts of one thread:", attack.contexts);
        remark("semaphores that filled the account:", attack.filled);
        stop = 1;
}
