/* SPDX-License-Identifier: BSD-2-Clause */
/* A function that sends more messages than a CPU should have to handle. In the test, time advances
 * with instructions, so that no host is too slow to send the messages. */
#include "sent.h"

#define FLOOD      1000 /* messages in less than STOP_MS are a flood */
#define STOP_MS    10
#define FEW        20
#define SLOW_TICKS (tsc_per_ms() * STOP_MS / FLOOD * 2) /* between harmless messages */

struct flood {
        nova_sel_t sm;
        struct edu edu;
        struct message m;
        const struct thread *t;
};

static struct flood flood_open(unsigned device, nova_sel_t gsi)
{
        struct flood f;

        f.sm = gsi_open(gsi);
        f.edu = edu_open(device);
        f.t = counter(f.sm);
        f.m = assign(f.sm, f.edu, boot_cpu);
        msi_set(f.edu.function, f.m.address, f.m.data);
        return f;
}

static void flood_close(const struct flood *f)
{
        f->edu.registers[EDU_ACK] = ~0u;
        msi_off(f->edu.function);
}

/* Sends a message every `ticks` ticks, or as fast as the CPU can if ticks is 0. Returns the number
 * that arrived. */
static word_t send_messages(const struct flood *f, unsigned count, uint64_t ticks)
{
        const word_t before = f->t->value[1];

        for (unsigned i = 0; i < count; i++) {
                const uint64_t next = tsc() + ticks;
                f->edu.registers[EDU_RAISE] = 1;
                while (tsc() < next)
                        __asm__ volatile("pause");
        }
        return f->t->value[1] - before;
}

static void pass_ms(unsigned ms)
{
        spin_us(ms * 1000);
}

CASE(flood, a_function_that_floods_is_stopped_for_a_while, "D-remap")
{
        const struct flood f = flood_open(0, GSI), other = flood_open(1, OTHER_GSI);

        /* Frequent messages, but not a flood: each one arrives. */
        EXPECT_EQ(send_messages(&f, 3 * FLOOD, SLOW_TICKS), 3 * FLOOD);
        for (unsigned round = 0; round < 3; round++) {
                pass_ms(2 * STOP_MS); /* earlier messages do not count as part of the flood */
                const uint64_t begin = tsc();
                const word_t arrived = send_messages(&f, 4 * FLOOD, 0);
                const uint64_t took = tsc() - begin;

                EXPECT(took < STOP_MS * tsc_per_ms()); /* all these messages were a flood */
                EXPECT(arrived >= FLOOD);
                EXPECT(arrived <= 2 * FLOOD);
                EXPECT_EQ(send_messages(&f, FEW, 0), 0);
                EXPECT_EQ(send_messages(&other, FEW, 0), FEW); /* another function is not stopped */

                const word_t before = f.t->value[1];
                pass_ms(2 * STOP_MS);
                EXPECT_EQ(f.t->value[1], before + 1); /* the driver checks its device */
                EXPECT_EQ(send_messages(&f, FEW, 0), FEW);
        }
        flood_close(&f);
        flood_close(&other);
}

CASE(flood, a_stop_does_not_end_by_another_assignment_of_the_function, "D-remap")
{
        const struct flood f = flood_open(0, GSI);

        EXPECT(send_messages(&f, 4 * FLOOD, 0) <= 2 * FLOOD);
        const word_t before = f.t->value[1];
        assign(f.sm, f.edu, boot_cpu);
        EXPECT_EQ(send_messages(&f, FEW, 0), 0);
        EXPECT_EQ(f.t->value[1], before);
        pass_ms(2 * STOP_MS);
        EXPECT_EQ(f.t->value[1], before + 1);
        EXPECT_EQ(send_messages(&f, FEW, 0), FEW);
        flood_close(&f);
}

CASE(flood, a_stopped_interrupt_resumes_at_once_with_another_function, "D-remap")
{
        const struct flood f = flood_open(0, GSI);
        struct flood other = {f.sm, edu_open(1), {0, 0}, f.t};

        EXPECT(send_messages(&f, 4 * FLOOD, 0) <= 2 * FLOOD);
        other.m = assign(f.sm, other.edu, boot_cpu);
        msi_set(other.edu.function, other.m.address, other.m.data);
        EXPECT_EQ(send_messages(&other, FEW, 0), FEW);
        EXPECT_EQ(send_messages(&f, FEW, 0), 0);
        flood_close(&f);
        flood_close(&other);
}

#define GSIS 8 /* interrupts that begin at GSI */
#define MSI_DATA_64 \
        12 /* in the capability of a function that names 64-bit addresses, as edu does */

/* The function names another of its interrupts before each message. No single interrupt arrives too
 often. */
CASE(flood, a_function_that_spreads_a_flood_over_its_interrupts_is_stopped, "D-remap")
{
        const struct flood other = flood_open(1, GSI + GSIS);
        const struct edu edu = edu_open(0);
        struct message m[GSIS];
        const struct thread *t[GSIS];
        word_t before = 0, after = 0;

        for (unsigned i = 0; i < GSIS; i++) {
                const nova_sel_t sm = gsi_open(GSI + i);
                t[i] = counter(sm);
                m[i] = assign(sm, edu, boot_cpu);
        }
        msi_set(edu.function, m[0].address, m[0].data);
        const unsigned at = pci_capability(edu.function, PCI_CAP_MSI);
        pass_ms(2 * STOP_MS); /* earlier messages do not belong to the flood */
        const uint64_t begin = tsc();
        for (unsigned n = 0; n < 9 * FLOOD; n++) {
                pci_write(edu.function, at + 4, (uint32_t)m[n % GSIS].address);
                pci_write(edu.function, at + MSI_DATA_64, (uint32_t)m[n % GSIS].data);
                edu.registers[EDU_RAISE] = 1;
        }
        const uint64_t took = tsc() - begin;
        EXPECT(took < 2 * STOP_MS * tsc_per_ms()); /* all these messages were a flood */
        for (unsigned i = 0; i < GSIS; i++)
                before += t[i]->value[1];
        EXPECT(before >= 4 * FLOOD);
        EXPECT(before <= 8 * FLOOD);
        EXPECT_EQ(send_messages(&other, FEW, 0), FEW);
        pass_ms(2 * STOP_MS);
        for (unsigned i = 0; i < GSIS; i++)
                after += t[i]->value[1];
        EXPECT_EQ(after, before + GSIS);
        msi_off(edu.function);
        flood_close(&other);
}
