/* SPDX-License-Identifier: BSD-2-Clause */
/* Level-triggered interrupts: shared, served by several CPUs, rerouted; none is lost, none storms.
 */
#include "device.h"

#define ALL NOVA_PERM_ALL

static word_t assign(nova_sel_t sm, unsigned cpu)
{
        word_t address, data;
        return hc_assign_gsi(sm, 0, cpu, &address, &data);
}

/* Functions whose pins are wired together. */
static struct edu edu[2];
static nova_sel_t line;

/* Opens the pin of the first edu at a CPU, with no interrupt pending. */
static void line_open(unsigned cpu)
{
        edu[0] = edu_open(0);
        edu[1].registers = NULL;
        const unsigned gsi = pci_gsi(edu[0].function);
        EXPECT(gsi != 0);
        line = gsi_open(gsi);
        EXPECT_EQ(assign(line, cpu), NOVA_SUCCESS);
        spin_us(1000);
        hc_sm_ctrl(line, NOVA_SM_UP_OP);
        EXPECT_EQ(hc_sm_ctrl(line, NOVA_SM_DN_OP | NOVA_SM_ZC), NOVA_SUCCESS);
}

static void line_open_shared(void)
{
        edu_open(1);
        line_open(boot_cpu);
        edu[1] = edu_open(1);
        EXPECT_EQ(pci_gsi(edu[1].function), pci_gsi(edu[0].function));
}

static void raise(unsigned n)
{
        edu[n].registers[EDU_RAISE] = 1;
}

static void acknowledge(unsigned n)
{
        edu[n].registers[EDU_ACK] = ~0u;
}

/* Serves, as a driver, each function that has raised its interrupt. value[1]: downs, value[2] and
 * [3]: services. */
static void serves(struct thread *t)
{
        while (hc_sm_ctrl(line, NOVA_SM_DN_OP) == NOVA_SUCCESS) {
                t->value[1]++;
                for (unsigned n = 0; n < 2; n++) {
                        if (!edu[n].registers || !edu[n].registers[EDU_STATUS])
                                continue;
                        acknowledge(n);
                        t->value[2 + n]++;
                }
        }
}

static struct thread *driver(unsigned cpu)
{
        struct thread *t = global(cpu, serves, NULL);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT(wait_for(&t->started, 1));
        return t;
}

/* Expects at most one interrupt, which came between the last down and its service. Then checks that
 * new interrupts arrive. */
static void expect_quiet_and_ready(unsigned functions)
{
        struct thread *t = driver(boot_cpu);
        EXPECT(comes_to_rest(&t->value[1]));
        EXPECT(t->value[1] <= 1);
        for (unsigned n = 0; n < functions; n++) {
                EXPECT_EQ(t->value[2 + n], 0);
                raise(n);
                EXPECT(wait_for(&t->value[2 + n], 1));
        }
}

CASE_ON(level, a_pin_of_a_function_interrupts_once_for_each_service, "5.5.2-02 3.4-02 3.4-03",
        needs_edu)
{
        line_open(boot_cpu);
        for (unsigned i = 0; i < 20; i++) {
                raise(0);
                EXPECT_EQ(hc_sm_ctrl(line, NOVA_SM_DN_OP), NOVA_SUCCESS);
                acknowledge(0);
        }
        expect_quiet_and_ready(1);
}

CASE_ON(level, a_pin_that_is_not_served_does_not_storm, "3.4-03 6.1.1-07", needs_edu)
{
        line_open(boot_cpu);
        raise(0);
        const uint64_t begin = tsc();
        for (unsigned i = 0; i < 1000; i++)
                EXPECT(look(NOVA_CRD_OBJ, line) != 0);
        EXPECT(tsc() - begin < tsc_per_ms() * 5000);
        acknowledge(0);
        struct thread *t = driver(boot_cpu);
        EXPECT(comes_to_rest(&t->value[1]));
        EXPECT_EQ(t->value[1], 1);
}

CASE_ON(level, an_interrupt_that_is_being_served_stays_so_when_it_is_assigned_again,
        "5.5.2-02 3.4-03", needs_edu)
{
        line_open(boot_cpu);
        raise(0);
        EXPECT_EQ(hc_sm_ctrl(line, NOVA_SM_DN_OP), NOVA_SUCCESS);
        for (unsigned i = 0; i < 10; i++) {
                EXPECT_EQ(assign(line, cpu_numbers[i % cpu_count]), NOVA_SUCCESS);
                spin_us(500);
        }
        acknowledge(0);
        expect_quiet_and_ready(1);
}

CASE_ON(level, two_functions_share_a_pin, "5.5.2-02 3.4-02 3.4-03", needs_2_edus)
{
        line_open_shared();
        raise(0);
        raise(1);
        EXPECT_EQ(hc_sm_ctrl(line, NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT(edu[0].registers[EDU_STATUS] && edu[1].registers[EDU_STATUS]);
        acknowledge(0);
        EXPECT_EQ(hc_sm_ctrl(line, NOVA_SM_DN_OP), NOVA_SUCCESS); /* for the other function */
        acknowledge(1);
        expect_quiet_and_ready(2);
}

/* ---- A driver on one CPU, devices on another, a third reroutes the pin ----------------------- */

#define ROUNDS     1000
#define FEWER      200   /* rounds where CPUs that contend for a lock are slow under emulation */
#define LEAST      50    /* minimum, also if the host has other work */
#define LONGEST_MS 20000 /* time limit for rounds beyond the minimum */

/* Assigns the pin value[3] to one CPU after the other until value[0] is set. */
static void reroutes(struct thread *t)
{
        for (unsigned i = 0; !t->value[0]; i++) {
                t->value[1] |= assign(t->value[3], cpu_numbers[i % cpu_count]);
                spin_us(t->value[4]);
        }
        t->value[2] = 1;
}

static struct thread *rerouter(unsigned cpu, nova_sel_t pin, unsigned pause_us)
{
        struct thread *t = global(cpu, reroutes, NULL);
        t->value[3] = pin;
        t->value[4] = pause_us;
        thread_start(t, PRIO_LOW, QUANTUM);
        return t;
}

static void rerouter_end(struct thread *t)
{
        t->value[0] = 1;
        EXPECT(wait_for(&t->value[2], 1));
        EXPECT_EQ(t->value[1], NOVA_SUCCESS);
}

/* Raises interrupts one after the other, each as soon as the previous one has been served. */
static void raise_all(struct thread *t, unsigned functions, unsigned rounds)
{
        case_seconds(60);
        const uint64_t end = tsc() + tsc_per_ms() * LONGEST_MS;
        unsigned i;
        for (i = 0; i < LEAST || (i < rounds && tsc() < end); i++) {
                const unsigned n = i % functions;
                const word_t before = t->value[2 + n];
                raise(n);
                EXPECT(wait_for(&t->value[2 + n], before + 1));
        }
        EXPECT(comes_to_rest(&t->value[1]));
        /* An interrupt that comes between an up and its service causes one more down. */
        EXPECT(t->value[1] <= 2 * i + 1);
}

CASE_ON(level, no_interrupt_is_lost_and_none_storms_on_one_cpu, "5.5.2-02 3.4-03", needs_edu)
{
        line_open(boot_cpu);
        raise_all(driver(boot_cpu), 1, ROUNDS);
}

CASE_ON(level, no_interrupt_is_lost_when_driver_pin_and_device_are_on_several_cpus,
        "5.5.2-01 5.5.2-02 3.4-03", needs_2_cpus)
{
        if (needs_2_edus())
                NOT_RAISED("needs two of QEMU's device edu");
        line_open_shared();
        for (unsigned i = 0; i < cpu_count; i++)
                EXPECT_EQ(assign(line, cpu_numbers[i]), NOVA_SUCCESS);
        raise_all(driver(cpu_numbers[1]), 2, ROUNDS);
}

CASE_ON(level, no_interrupt_is_lost_when_the_pin_is_rerouted_all_the_time,
        "5.5.2-01 5.5.2-02 3.4-03", needs_2_cpus)
{
        if (needs_2_edus())
                NOT_RAISED("needs two of QEMU's device edu");
        line_open_shared();
        struct thread *t = driver(cpu_numbers[1]);
        struct thread *r = rerouter(cpu_numbers[cpu_count - 1], line, 50);
        raise_all(t, 2, ROUNDS);
        rerouter_end(r);
        EXPECT_EQ(assign(line, boot_cpu), NOVA_SUCCESS);
}

CASE_ON(level, pins_that_several_cpus_assign_at_once_do_not_get_mixed_up, "5.5.2-01 5.5.2-02",
        needs_2_cpus)
{
        if (needs_2_edus())
                NOT_RAISED("needs two of QEMU's device edu");
        struct thread *r[NOVA_CPU_MAX];
        const unsigned cpus = cpu_count;
        line_open_shared();
        struct thread *t = driver(cpu_numbers[1]);
        /* The other threads reroute pins of PCI lines without interrupts. */
        for (unsigned i = 1; i < cpus; i++)
                r[i] = rerouter(cpu_numbers[i], gsi_open(16 + i % 4), 500);
        raise_all(t, 2, case_rounds(FEWER));
        for (unsigned i = 1; i < cpus; i++)
                rerouter_end(r[i]);
}
