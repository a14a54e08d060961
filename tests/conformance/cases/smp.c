/* SPDX-License-Identifier: BSD-2-Clause */
/* Several CPUs. */
#include "device.h"

static void notes_apic(struct thread *t)
{
        uint32_t r[4];
        cpuid(1, 0, r);
        t->value[0] = r[1] >> 24;
        for (unsigned i = 0; i < 2000; i++) {
                cpuid(1, 0, r);
                t->value[1] += (r[1] >> 24) != t->value[0];
        }
}

static void counts_until_stopped(struct thread *t)
{
        while (!t->value[0])
                t->value[1]++;
}

CASE_ON(smp, threads_can_be_made_on_every_cpu_and_stay_there, "5.3.2-03 2.3-02 6.2-22 6.2-23 C-01",
        needs_2_cpus)
{
        struct thread *t[8];
        const unsigned n = cpu_count < 8 ? cpu_count : 8;
        for (unsigned i = 0; i < n; i++)
                t[i] = run_thread(cpu_numbers[i], PRIO_HIGH, notes_apic, NULL);
        for (unsigned i = 0; i < n; i++) {
                EXPECT(wait_for(&t[i]->done, 1));
                EXPECT_EQ(t[i]->value[1], 0);
                for (unsigned k = 0; k < i; k++)
                        EXPECT(t[i]->value[0] != t[k]->value[0]);
        }
}

CASE_ON(smp, run_queues_are_independent, "3.1-16", needs_2_cpus)
{
        struct thread *t[8];
        const unsigned n = cpu_count < 8 ? cpu_count : 8;
        for (unsigned i = 1; i < n; i++) {
                t[i] = run_thread(cpu_numbers[i], PRIO_LOW, counts_until_stopped, NULL);
                EXPECT(wait_for(&t[i]->started, 1));
        }
        for (unsigned i = 1; i < n; i++) {
                for (unsigned ms = 0; ms < 2000 && !t[i]->value[1]; ms++)
                        spin_us(1000);
                EXPECT(t[i]->value[1] > 0);
                t[i]->value[0] = 1;
                EXPECT(wait_for(&t[i]->done, 1));
        }
}

static void serves_calls(struct thread *t)
{
        t->utcb->items = 0;
        for (unsigned i = 0; i < 200; i++)
                t->value[1] += hc_call(t->value[0], 0) == NOVA_SUCCESS;
}

CASE_ON(smp, every_cpu_serves_calls_of_its_own_threads, "5.2.1-14 2.4-03", needs_2_cpus)
{
        struct thread *s[8], *t[8];
        const unsigned n = cpu_count < 8 ? cpu_count : 8;
        for (unsigned i = 0; i < n; i++) {
                s[i] = server(cpu_numbers[i]);
                t[i] = global(cpu_numbers[i], serves_calls, NULL);
                t[i]->value[0] = s[i]->pt;
                thread_start(t[i], PRIO_HIGH, QUANTUM);
        }
        for (unsigned i = 0; i < n; i++) {
                EXPECT(wait_for(&t[i]->done, 1));
                EXPECT_EQ(t[i]->value[1], 200);
                EXPECT_EQ(s[i]->calls, 200);
        }
}

static void calls_other_cpu(struct thread *t)
{
        t->utcb->items = 0;
        t->value[1] = hc_call(t->value[0], 0);
}

CASE_ON(smp, a_call_to_the_boot_cpu_gives_BAD_CPU, "5.2.1-14", needs_2_cpus)
{
        struct thread *s = server(boot_cpu), *t = global(cpu_numbers[1], calls_other_cpu, NULL);
        t->value[0] = s->pt;
        thread_start(t, PRIO_CASE, QUANTUM);
        EXPECT(wait_for(&t->done, 1));
        EXPECT_EQ(t->value[1], NOVA_BAD_CPU);
        EXPECT_EQ(s->calls, 0);
}

/* Reads value[0] until it faults; value[1] counts the reads, value[2] reports the end. */
static void reads_until_fault(struct thread *t)
{
        while (!probe_read((const volatile void *)t->value[0]))
                t->value[1]++;
        t->value[2] = 1;
}

CASE_ON(smp, revoked_memory_faults_on_other_cpus_when_revoke_returns, "3.6-15", needs_2_cpus)
{
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        for (unsigned i = 0; i < 20; i++) {
                give_self(mem(src, 0, NOVA_MEM_RWX), dst);
                struct thread *t = global(cpu_numbers[1], reads_until_fault, NULL);
                t->value[0] = dst << NOVA_PAGE_BITS;
                thread_start(t, PRIO_CASE, QUANTUM);
                EXPECT(wait_for(&t->started, 1));
                spin_us(500);
                EXPECT_EQ(t->value[2], 0);
                EXPECT_EQ(hc_revoke(mem(src, 0, NOVA_PERM_ALL), 0), NOVA_SUCCESS);
                const word_t count = t->value[1];
                EXPECT(wait_for(&t->value[2], 1));
                EXPECT(t->value[1] <= count + 1);
        }
}

static const char *needs_3_cpus(void)
{
        return cpu_count >= 3 ? NULL : "needs 3 CPUs";
}

#define ROUNDS_OF_TWO 200

/* Waits until value[2] is the number of the round. At the end of a round, a thread stores this
 * number in value[1]. */
static void begin_round(struct thread *t, word_t round)
{
        while (t->value[2] != round)
                __asm__ volatile("pause");
}

static void reads_until_fault_in_rounds(struct thread *t)
{
        for (word_t round = 1; round <= ROUNDS_OF_TWO; round++) {
                begin_round(t, round);
                while (!probe_read((void *)t->value[0]))
                        t->value[3]++;
                t->value[1] = round;
        }
}

static void revokes_in_rounds(struct thread *t)
{
        for (word_t round = 1; round <= ROUNDS_OF_TWO; round++) {
                begin_round(t, round);
                hc_revoke(t->value[0], 0);
                t->value[1] = round;
        }
}

CASE_ON(smp, memory_that_two_cpus_revoke_at_once_faults_when_either_revoke_returns, "3.6-15",
        needs_3_cpus)
{
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        const nova_crd_t crd = mem(src, 0, NOVA_PERM_ALL);
        struct thread *reader = global(cpu_numbers[1], reads_until_fault_in_rounds, NULL);
        struct thread *other = global(cpu_numbers[2], revokes_in_rounds, NULL);

        reader->value[0] = dst << NOVA_PAGE_BITS;
        other->value[0] = crd;
        thread_start(reader, PRIO_CASE, QUANTUM);
        thread_start(other, PRIO_CASE, QUANTUM);
        for (word_t round = 1; round <= ROUNDS_OF_TWO; round++) {
                give_self(mem(src, 0, NOVA_MEM_RWX), dst);
                const word_t before = reader->value[3];
                reader->value[2] = round;
                while (reader->value[3] == before)
                        __asm__ volatile("pause");
                other->value[2] = round;
                spin_us(round % 16);
                EXPECT_EQ(hc_revoke(crd, 0), NOVA_SUCCESS);
                const word_t count = reader->value[3];
                EXPECT(wait_for(&reader->value[1], round) && wait_for(&other->value[1], round));
                EXPECT(reader->value[3] <= count + 1);
        }
}

static void writes_until_fault(struct thread *t)
{
        while (!probe_write((void *)t->value[0], t->value[1]))
                t->value[1]++;
        t->value[2] = 1;
}

CASE_ON(smp, a_revoked_write_permission_ends_stores_on_other_cpus, "3.6-15 3.6-16", needs_2_cpus)
{
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        give_self(mem(src, 0, NOVA_MEM_RWX), dst);
        struct thread *t = global(cpu_numbers[1], writes_until_fault, NULL);
        t->value[0] = dst << NOVA_PAGE_BITS;
        thread_start(t, PRIO_CASE, QUANTUM);
        EXPECT(wait_for(&t->started, 1));
        spin_us(500);
        EXPECT_EQ(hc_revoke(mem(src, 0, NOVA_MEM_W), 0), NOVA_SUCCESS);
        EXPECT(wait_for(&t->value[2], 1));
        EXPECT_EQ(probe_read((void *)(dst << NOVA_PAGE_BITS)), 0);
}

static void reads_port_until_fault(struct thread *t)
{
        while (!probe_in(t->value[0]))
                t->value[1]++;
        t->value[2] = 1;
}

CASE_ON(smp, revoked_ports_close_on_other_cpus, "3.6-17", needs_2_cpus)
{
        request(io(0x2f8, 3), 0x2f8);
        struct thread *t = global(cpu_numbers[1], reads_port_until_fault, NULL);
        t->value[0] = 0x2fd;
        thread_start(t, PRIO_CASE, QUANTUM);
        EXPECT(wait_for(&t->started, 1));
        spin_us(500);
        EXPECT_EQ(hc_revoke(io(0x2f8, 3), NOVA_REVOKE_SR), NOVA_SUCCESS);
        EXPECT(wait_for(&t->value[2], 1));
}

CASE_ON(smp, a_child_pd_runs_on_another_cpu, "5.3.2-03 2.2-02", needs_2_cpus)
{
        struct child *c = child_new(cpu_numbers[1]);
        struct thread *t = child_global(c, counts_until_stopped, NULL);
        thread_start(t, PRIO_CASE, QUANTUM);
        EXPECT(wait_for(&t->started, 1));
        t->value[0] = 1;
        EXPECT(wait_for(&t->done, 1));
}

static void makes_semaphores(struct thread *t)
{
        for (unsigned i = 0; i < 500; i++) {
                const nova_sel_t sel = t->value[0];
                if (hc_create_sm(sel, ROOT_PD, 0) != NOVA_SUCCESS)
                        t->value[1]++;
                hc_revoke(obj(sel, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        }
}

CASE_ON(smp, all_cpus_create_and_revoke_at_once, "3.6-11 5.3.5-06", needs_2_cpus)
{
        case_seconds(60);
        struct thread *t[4];
        const unsigned n = cpu_count < 4 ? cpu_count : 4;
        for (unsigned i = 1; i < n; i++) {
                t[i] = global(cpu_numbers[i], makes_semaphores, NULL);
                t[i]->value[0] = sel_alloc(0);
                thread_start(t[i], PRIO_CASE, QUANTUM);
        }
        for (unsigned i = 1; i < n; i++) {
                EXPECT(wait_for(&t[i]->done, 1));
                EXPECT_EQ(t[i]->value[1], 0);
        }
}

static void takes_selector(struct thread *t)
{
        while (!*(volatile word_t *)t->arg)
                __asm__ volatile("pause");
        t->value[1] = hc_create_sm(t->value[0], ROOT_PD, 0);
}

CASE_ON(smp, of_several_creators_of_one_selector_exactly_one_succeeds, "5.3.5-07", needs_2_cpus)
{
        static volatile word_t start;
        const unsigned n = cpu_count < 4 ? cpu_count : 4;
        for (unsigned round = 0; round < 20; round++) {
                struct thread *t[4];
                const nova_sel_t sel = sel_alloc(0);
                start = 0;
                for (unsigned i = 1; i < n; i++) {
                        t[i] = global(cpu_numbers[i], takes_selector, (void *)&start);
                        t[i]->value[0] = sel;
                        thread_start(t[i], PRIO_CASE, QUANTUM);
                }
                start = 1;
                unsigned won = hc_create_sm(sel, ROOT_PD, 0) == NOVA_SUCCESS;
                for (unsigned i = 1; i < n; i++) {
                        EXPECT(wait_for(&t[i]->done, 1));
                        won += t[i]->value[1] == NOVA_SUCCESS;
                }
                EXPECT_EQ(won, 1);
        }
}

/* ---- Interrupts ------------------------------------------------------------------------------ */

static void counts_downs(struct thread *t)
{
        while (hc_sm_ctrl(t->value[0], NOVA_SM_DN_OP) == NOVA_SUCCESS)
                t->value[1]++;
}

CASE_ON(smp, an_interrupt_wakes_a_thread_of_another_cpu, "3.4-03 3.1-17", needs_2_cpus)
{
        const nova_sel_t sm = timer_open();
        struct thread *t = global(cpu_numbers[1], counts_downs, NULL);
        t->value[0] = sm;
        thread_start(t, PRIO_CASE, QUANTUM);
        EXPECT(wait_for(&t->started, 1));
        for (unsigned i = 1; i <= 5; i++) {
                spin_us(5000);
                timer_shot(1000);
                EXPECT(wait_for(&t->value[1], i));
        }
}

/* Wakes a thread of another CPU through value[0] and sleeps until it answers through value[1].
 * value[2] counts the rounds; value[3] ends them. */
static void wakes_another_cpu(struct thread *t)
{
        while (!t->value[3]) {
                hc_sm_ctrl(t->value[0], NOVA_SM_UP_OP);
                hc_sm_ctrl(t->value[1], NOVA_SM_DN_OP);
                t->value[2]++;
        }
        hc_sm_ctrl(t->value[0], NOVA_SM_UP_OP);
}

static void answers_until_told(struct thread *t)
{
        struct thread *other = t->arg;
        do {
                hc_sm_ctrl(other->value[0], NOVA_SM_DN_OP);
                hc_sm_ctrl(other->value[1], NOVA_SM_UP_OP);
        } while (!other->value[3]);
}

static const char *needs_2_cpus_and_edu(void)
{
        const char *lacks = needs_2_cpus();
        return lacks ? lacks : needs_edu();
}

/* Turns the memory of a PCI function off and on while CPUs send each other interrupts. QEMU changes
 * its map of addresses each time (see separate_accesses() of the kernel). */
CASE_ON(smp, cpus_wake_each_other_while_the_memory_of_a_device_comes_and_goes, "5.4.3-09 3.1-17",
        needs_2_cpus_and_edu)
{
        const unsigned function = edu_open(0).function;
        const uint32_t on = pci_read(function, PCI_COMMAND);
        struct thread *t = global(cpu_numbers[1], wakes_another_cpu, NULL);
        t->value[0] = semaphore(0);
        t->value[1] = semaphore(0);
        struct thread *u = run_thread(boot_cpu, PRIO_HIGH, answers_until_told, t);
        thread_start(t, PRIO_CASE, QUANTUM);
        for (unsigned i = 0; i < 500; i++) {
                const word_t count = t->value[2];
                pci_write(function, PCI_COMMAND, on & ~(uint32_t)PCI_MEMORY);
                pci_write(function, PCI_COMMAND, on);
                for (unsigned ms = 0; ms < 2000 && t->value[2] == count; ms++)
                        spin_us(1000);
                EXPECT(t->value[2] != count);
        }
        t->value[3] = 1;
        EXPECT(wait_for(&t->done, 1) && wait_for(&u->done, 1));
}
