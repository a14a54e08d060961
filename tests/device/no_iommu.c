/* SPDX-License-Identifier: BSD-2-Clause */
/* The edu device on a machine without an I/O MMU, or with a disabled one. */
#include "dma.h"

CASE(no_iommu, the_D_bit_has_no_effect_and_DMA_uses_frame_numbers, "4.6.2.2-25")
{
        word_t frame;
        const struct edu edu = edu_open(0);
        EXPECT(frame_alloc(0, &frame));
        const word_t page = page_alloc(0);
        struct thread *t = server(boot_cpu);
        const word_t there = page_alloc(0);
        request(mem(frame, 0, NOVA_MEM_RWX), page);
        windows(t, 0, mem(there, 0, NOVA_PERM_ALL));
        EXPECT(send(t, mem(page, 0, NOVA_MEM_RWX), NOVA_ITEM_DELEGATE | NOVA_ITEM_D) != 0);
        volatile uint32_t *p = (volatile uint32_t *)(there << NOVA_PAGE_BITS);
        p[0] = 0x12345678;
        p[1] = 0;
        edu_load(edu, (uint64_t)frame << NOVA_PAGE_BITS);
        edu_store(edu, ((uint64_t)frame << NOVA_PAGE_BITS) + 4);
        EXPECT_EQ(p[1], 0x12345678);
}

CASE(no_iommu, no_device_can_be_assigned, "5.5.1-06")
{
        const struct edu edu = edu_open(0);
        const word_t config = pci_page(edu.function) << NOVA_PAGE_BITS;
        EXPECT_EQ(hc_assign_pci(sel_alloc(0), config, edu.function), NOVA_BAD_CAP);
        EXPECT_EQ(hc_assign_pci(ROOT_PD, config, edu.function), NOVA_BAD_DEV);
}

/* Returns whether a wait with a deadline ends. While the CPU has a higher vector in service, the
 * timer's interrupt does not come. */
static bool timer_works(void)
{
        return hc_sm_until(semaphore(0), NOVA_SM_DN_OP, tsc() + tsc_per_ms()) == NOVA_COM_TIM;
}

CASE(no_iommu, an_unused_vector_that_a_device_sends_does_not_block_interrupts, "D-remap")
{
        static const uint32_t vectors[] = {0xfd, 0xf3, 0xb5, 0x25, 0xfe, 0xff};
        const struct edu edu = edu_open(0);
        word_t frame;

        EXPECT(frame_alloc(0, &frame));
        const word_t page = page_alloc(0);
        request(mem(frame, 0, NOVA_MEM_RWX), page);
        volatile uint32_t *p = (volatile uint32_t *)(page << NOVA_PAGE_BITS);
        for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
                *p = vectors[i];
                edu_load(edu, (uint64_t)frame << NOVA_PAGE_BITS);
                edu_store(edu, 0xfee00000);
                EXPECT(timer_works());
        }
}
