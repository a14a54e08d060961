/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts that pass the I/O MMU: messages of the assigned device arrive, those of other devices
 * do not. */
#include "dma.h"
#include "sent.h"

#define D (NOVA_ITEM_DELEGATE | NOVA_ITEM_D)

/* Lets the device send a message, and checks that @p expected interrupts have come. The last of
 * them may come late, because the host may be busy. */
static void expect_after_sending(struct edu edu, struct message m, const struct thread *t,
                                 word_t expected)
{
        msi_set(edu.function, m.address, m.data);
        edu.registers[EDU_RAISE] = 1;
        spin_us(20000);
        wait_for(&t->value[1], expected);
        edu.registers[EDU_ACK] = ~0u;
        msi_off(edu.function);
        EXPECT_EQ(t->value[1], expected);
}

CASE(remap, a_message_arrives_at_each_cpu_it_is_assigned_to, "5.5.2-01 5.5.2-03 5.5.2-05")
{
        const struct edu edu = edu_open(0);
        const nova_sel_t sm = gsi_open(GSI);
        const struct thread *t = counter(sm);

        for (unsigned i = 0; i < cpu_count; i++)
                expect_after_sending(edu, assign(sm, edu, cpu_numbers[i]), t, i + 1);
}

CASE(remap, a_message_of_another_function_is_stopped, "D-remap")
{
        const struct edu edu = edu_open(0), other = edu_open(1);
        const nova_sel_t sm = gsi_open(GSI);
        const struct thread *t = counter(sm);
        const struct message m = assign(sm, edu, boot_cpu);

        expect_after_sending(other, m, t, 0);
        expect_after_sending(edu, m, t, 1);
        assign(sm, other, boot_cpu);
        expect_after_sending(edu, m, t, 1);
        expect_after_sending(other, m, t, 2);
}

CASE(remap, a_message_that_was_not_assigned_is_stopped, "D-remap")
{
        const struct edu edu = edu_open(0);
        const nova_sel_t sm = gsi_open(GSI), other = gsi_open(OTHER_GSI);
        const struct message m = assign(sm, edu, boot_cpu);
        const struct thread *t = counter(other);

        expect_after_sending(edu, (struct message){m.address, m.data + 1}, t, 0);
}

static void hand_to(struct edu edu, nova_sel_t pd)
{
        const word_t config = pci_page(edu.function) << NOVA_PAGE_BITS;

        EXPECT_EQ(hc_assign_pci(pd, config, edu.function), NOVA_SUCCESS);
}

static nova_sel_t new_pd(void)
{
        const nova_sel_t pd = sel_alloc(0);

        EXPECT_EQ(hc_create_pd(pd, ROOT_PD, 0), NOVA_SUCCESS);
        return pd;
}

CASE(remap, a_function_that_changes_hands_loses_its_interrupts, "D-remap 5.5.1-01")
{
        const struct edu edu = edu_open(0), other = edu_open(1);
        const nova_sel_t sm = gsi_open(GSI), other_sm = gsi_open(OTHER_GSI), pd = new_pd();
        const struct thread *t = counter(sm), *u = counter(other_sm);

        hand_to(edu, ROOT_PD);
        const struct message m = assign(sm, edu, boot_cpu), n = assign(other_sm, other, boot_cpu);
        expect_after_sending(edu, m, t, 1);
        hand_to(edu, ROOT_PD); /* the root PD has the device already */
        expect_after_sending(edu, m, t, 2);
        hand_to(edu, pd);
        expect_after_sending(edu, m, t, 2);
        expect_after_sending(other, n, u, 1);
        assign(sm, edu, boot_cpu);
        expect_after_sending(edu, m, t, 3);
        hand_to(edu, ROOT_PD);
        expect_after_sending(edu, m, t, 3);
}

CASE(remap, an_unassigned_function_loses_its_earlier_interrupts_when_assigned, "D-remap 5.5.1-01")
{
        const struct edu edu = edu_open(0);
        const nova_sel_t sm = gsi_open(GSI), first = new_pd(), second = new_pd();
        const struct thread *t = counter(sm);

        hand_to(edu, first);
        EXPECT_EQ(hc_revoke(obj(first, NOVA_PERM_ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
        const struct message m = assign(sm, edu, boot_cpu);
        expect_after_sending(edu, m, t, 1);
        hand_to(edu, second);
        expect_after_sending(edu, m, t, 1);
}

CASE_ON(remap, the_interrupts_of_a_function_end_with_its_pd, "D-remap 5.5.1-01", needs_pd_destroy)
{
        const struct edu edu = edu_open(0);
        const nova_sel_t sm = gsi_open(GSI), pd = new_pd();
        const struct thread *t = counter(sm);

        hand_to(edu, pd);
        const struct message m = assign(sm, edu, boot_cpu);
        expect_after_sending(edu, m, t, 1);
        EXPECT_EQ(hc_pd_destroy(pd), NOVA_SUCCESS);
        expect_after_sending(edu, m, t, 1);
}

#define MORE_THAN_DOMAINS 300

CASE(remap, one_function_goes_to_more_pds_than_there_are_domains, "5.5.1-01 D-iommu")
{
        const struct edu edu = edu_open(0);
        const nova_sel_t first = sel_alloc(9);
        unsigned given = 0;

        case_seconds(60);
        for (unsigned i = 0; i < MORE_THAN_DOMAINS; i++) {
                EXPECT_EQ(hc_create_pd(first + i, ROOT_PD, 0), NOVA_SUCCESS);
                given += hc_assign_pci(first + i, pci_page(edu.function) << NOVA_PAGE_BITS,
                                       edu.function) == NOVA_SUCCESS;
        }
        EXPECT_EQ(given, MORE_THAN_DOMAINS);
}

/* Lets the device write the data of a message by DMA to the message's address. The data lies in
 * memory that the device may use. */
static word_t after_writing(struct edu edu, struct message m, const struct thread *t)
{
        volatile uint32_t *here = (volatile uint32_t *)memory(0);
        struct thread *receiver = server(boot_cpu);
        const word_t page = page_alloc(0), config = pci_page(edu.function) << NOVA_PAGE_BITS;

        *here = (uint32_t)m.data;
        windows(receiver, 0, mem(page, 0, NOVA_PERM_ALL));
        EXPECT(send(receiver, mem(page_of((const void *)here), 0, NOVA_MEM_R), D) != 0);
        EXPECT_EQ(hc_assign_pci(ROOT_PD, config, edu.function), NOVA_SUCCESS);
        edu_load(edu, page << NOVA_PAGE_BITS);
        edu_store(edu, m.address);
        spin_us(20000);
        return t->value[1];
}

/* Unlike hardware, QEMU's I/O MMU does not know which device has written a message, and lets
 * messages of the old form through. So neither check can be shown here. */
CASE(remap, a_message_that_a_device_forges_by_DMA_is_stopped, "D-remap")
{
        const struct edu edu = edu_open(0);
        const nova_sel_t sm = gsi_open(GSI), other = gsi_open(OTHER_GSI);
        const struct thread *t = counter(other);
        hand_to(edu, ROOT_PD);
        const struct message m = assign(sm, edu, boot_cpu);

        EXPECT_EQ(after_writing(edu, (struct message){m.address, m.data + 1}, t), 0);
}
