/* SPDX-License-Identifier: BSD-2-Clause */
/* Assignment of PCI devices: the memory that DMA can access, and the time after which it can no
 * longer do so. */
#include "dma.h"

#define RW          (NOVA_MEM_R | NOVA_MEM_W)
#define D           (NOVA_ITEM_DELEGATE | NOVA_ITEM_D)
#define LARGE_ORDER 9

static struct edu edu;
static word_t config; /* address of its configuration space */

/* Returns 2^order new pages, which are mapped, and which devices may access with perms (0: not at
 * all). */
static volatile uint32_t *dma_memory(unsigned order, unsigned perms)
{
        word_t frame;
        struct thread *t = server(boot_cpu);
        const word_t page = page_alloc(order), there = page_alloc(order);

        if (!frame_alloc(order, &frame))
                NOT_RAISED("no unused memory");
        EXPECT(request(mem(frame, order, NOVA_MEM_RWX), there) != 0);
        windows(t, 0, mem(page, order, NOVA_PERM_ALL));
        EXPECT(send(t, mem(there, order, perms ? perms : RW), perms ? D : NOVA_ITEM_DELEGATE) != 0);
        return (volatile uint32_t *)(page << NOVA_PAGE_BITS);
}

static word_t at(const volatile uint32_t *p)
{
        return (word_t)p;
}

static word_t assign(nova_sel_t pd)
{
        return hc_assign_pci(pd, config, edu.function);
}

static void open_for(nova_sel_t pd)
{
        edu = edu_open(0);
        config = pci_page(edu.function) << NOVA_PAGE_BITS;
        EXPECT_EQ(assign(pd), NOVA_SUCCESS);
}

/* Returns whether the device moves a word from one address to another one of its PD. shown:
 * addresses of the words in the root PD. */
static bool moves(word_t from, word_t to, volatile uint32_t *from_shown,
                  volatile uint32_t *to_shown)
{
        static uint32_t value = 0x1000;

        *from_shown = value += 0x11;
        *to_shown = 0;
        edu_load(edu, from);
        edu_store(edu, to);
        return *to_shown == value;
}

static bool moves_here(volatile uint32_t *from, volatile uint32_t *to)
{
        return moves(at(from), at(to), from, to);
}

/* Checks whether a device that may use good can read and write bad. */
static bool reads(volatile uint32_t *good, volatile uint32_t *bad)
{
        return moves_here(bad, good);
}

static bool writes(volatile uint32_t *good, volatile uint32_t *bad)
{
        return moves_here(good, bad);
}

/* Waits until faults are reported again. */
static void calm(void)
{
        rest(1200);
}

CASE(iommu, an_unassigned_device_is_blocked, "D-iommu 5.5.1-01")
{
        word_t frame;
        edu = edu_open(1); /* this device is never assigned */
        EXPECT(frame_alloc(0, &frame));
        const word_t page = page_alloc(0);
        request(mem(frame, 0, RW), page);
        volatile uint32_t *p = (volatile uint32_t *)(page << NOVA_PAGE_BITS);
        p[0] = 0x12345678;
        p[1] = 0;
        edu_load(edu, (uint64_t)frame << NOVA_PAGE_BITS);
        edu_store(edu, ((uint64_t)frame << NOVA_PAGE_BITS) + 4);
        EXPECT_EQ(p[0], 0x12345678);
        EXPECT_EQ(p[1], 0);
}

CASE(iommu, a_stopped_device_is_reported_with_its_address_and_not_too_often, "D-iommu")
{
        open_for(ROOT_PD);
        case_seconds(30);
        calm();
        edu_load(edu, 0x7654000);
        edu_store(edu, 0x4567000);
        calm();
        for (unsigned i = 0; i < 8; i++)
                edu_store(edu, 0x1111000);
        calm();
        edu_store(edu, 0x2222000);
}

CASE(iommu, an_assigned_device_reaches_memory_that_was_given_with_D,
     "5.5.1-01 5.5.1-02 5.5.1-03 5.5.1-04 4.6.2.2-25 5.1-13")
{
        volatile uint32_t *a = dma_memory(0, RW), *b = dma_memory(0, RW);
        open_for(ROOT_PD);
        EXPECT(moves_here(a, b));
        EXPECT(moves_here(b + 5, a + 1023));
}

CASE(iommu, memory_given_after_the_assignment_is_reached, "5.5.1-01 4.6.2.2-25")
{
        open_for(ROOT_PD);
        volatile uint32_t *a = dma_memory(0, RW);
        EXPECT(moves_here(a, a + 1));
}

CASE(iommu, memory_given_without_D_is_not_reached, "4.6.2.2-25")
{
        volatile uint32_t *good = dma_memory(0, RW), *bad = dma_memory(0, 0);
        open_for(ROOT_PD);
        EXPECT(moves_here(good, good + 1));
        EXPECT(!reads(good, bad));
        EXPECT(!writes(good, bad));
}

CASE(iommu, memory_without_W_is_read_and_not_written, "4.6.2.2-25")
{
        word_t frame;
        volatile uint32_t *good = dma_memory(0, RW);
        struct thread *t = server(boot_cpu);
        const word_t page = page_alloc(0), there = page_alloc(0);
        EXPECT(frame_alloc(0, &frame));
        request(mem(frame, 0, RW), there);
        windows(t, 0, mem(page, 0, NOVA_PERM_ALL));
        send(t, mem(there, 0, NOVA_MEM_R), D);
        volatile uint32_t *shown = (volatile uint32_t *)(there << NOVA_PAGE_BITS);
        open_for(ROOT_PD);
        EXPECT(moves(page << NOVA_PAGE_BITS, at(good), shown, good));
        EXPECT(!moves(at(good), page << NOVA_PAGE_BITS, good, shown));
}

CASE(iommu, revoked_memory_is_not_reached, "3.6-05 5.5.1-01")
{
        volatile uint32_t *good = dma_memory(0, RW);
        struct thread *t = server(boot_cpu);
        const word_t page = page_alloc(0);
        windows(t, 0, mem(page, 0, NOVA_PERM_ALL));
        send(t, mem(page_of((const void *)good), 0, RW), D);
        open_for(ROOT_PD);
        EXPECT(moves(at(good), (page << NOVA_PAGE_BITS) + 8, good, good + 2));
        EXPECT(moves((page << NOVA_PAGE_BITS) + 12, at(good), good + 3, good));
        hc_revoke(mem(page_of((const void *)good), 0, NOVA_MEM_W), 0);
        EXPECT(!moves(at(good), (page << NOVA_PAGE_BITS) + 8, good, good + 2));
        EXPECT(moves((page << NOVA_PAGE_BITS) + 12, at(good), good + 3, good));
        hc_revoke(mem(page_of((const void *)good), 0, NOVA_PERM_ALL), 0);
        EXPECT(!moves((page << NOVA_PAGE_BITS) + 12, at(good), good + 3, good));
}

CASE(iommu, one_page_of_a_large_range_goes_alone, "3.6-05 5.5.1-01")
{
        volatile uint32_t *large = dma_memory(LARGE_ORDER, RW);
        volatile uint32_t *middle = large + 0x1000 / 4 * 100;
        volatile uint32_t *shown = dma_memory(0, RW);
        struct thread *t = server(boot_cpu);
        const word_t page = page_alloc(LARGE_ORDER);
        windows(t, 0, mem(page, LARGE_ORDER, NOVA_PERM_ALL));
        send(t, mem(page_of((const void *)large), LARGE_ORDER, RW), D);
        const word_t there = page << NOVA_PAGE_BITS, hole = there + 100 * NOVA_PAGE_SIZE;
        open_for(ROOT_PD);
        EXPECT(moves(hole, at(shown), middle, shown));
        hc_revoke(mem(page_of((const void *)middle), 0, NOVA_PERM_ALL), 0);
        EXPECT(!moves(hole, at(shown), middle, shown));
        EXPECT(moves(hole - 4, at(shown), middle - 1, shown));
        EXPECT(moves(at(shown), hole + NOVA_PAGE_SIZE, shown, middle + NOVA_PAGE_SIZE / 4));
        EXPECT(moves(at(shown), there, shown, large));
        EXPECT(moves(at(middle), at(shown), middle, shown));
}

/* Makes a child with a page for DMA, at the address at which the root PD has the page. */
static nova_sel_t child_with(volatile uint32_t *p)
{
        struct child *c = child_new(boot_cpu);
        struct thread *t = child_server(c);
        const nova_crd_t crd = mem(page_of((const void *)p), 0, RW);

        windows(t, 0, crd);
        EXPECT(send(t, crd, D) != 0);
        return c->pd;
}

CASE(iommu, the_last_assignment_wins, "5.5.1-01")
{
        volatile uint32_t *ours = dma_memory(0, RW), *both = dma_memory(0, RW);
        const nova_sel_t child = child_with(both);
        open_for(ROOT_PD);
        EXPECT(moves_here(ours, both));
        EXPECT_EQ(assign(child), NOVA_SUCCESS);
        EXPECT(moves_here(both, both + 1));
        EXPECT(!writes(both, ours));
        EXPECT_EQ(assign(ROOT_PD), NOVA_SUCCESS);
        EXPECT(moves_here(both, ours));
}

CASE_ON(iommu, the_device_of_a_destroyed_pd_is_blocked, "5.5.1-01 D-iommu", needs_pd_destroy)
{
        volatile uint32_t *both = dma_memory(0, RW);
        const nova_sel_t child = child_with(both);
        open_for(ROOT_PD);
        EXPECT_EQ(assign(child), NOVA_SUCCESS);
        EXPECT(moves_here(both, both + 1));
        EXPECT_EQ(hc_pd_destroy(child), NOVA_SUCCESS);
        EXPECT(!moves_here(both, both + 1));
        EXPECT_EQ(assign(ROOT_PD), NOVA_SUCCESS);
        EXPECT(moves_here(both, both + 1));
}

CASE(iommu, assignment_reports_what_is_wrong_in_the_order_of_its_checks,
     "5.5.1-05 5.5.1-06 5.1-23 D-07 D-07.2 D-31")
{
        volatile uint32_t *p = dma_memory(0, RW);
        open_for(ROOT_PD);
        EXPECT_EQ(hc_assign_pci(sel_alloc(0), 0, 0xffff), NOVA_BAD_CAP);
        EXPECT_EQ(hc_assign_pci(semaphore(0), config, edu.function), NOVA_BAD_CAP);
        EXPECT_EQ(hc_assign_pci(ROOT_PD, at(p), edu.function), NOVA_BAD_DEV);
        EXPECT_EQ(hc_assign_pci(ROOT_PD, page_alloc(0) << NOVA_PAGE_BITS, edu.function),
                  NOVA_BAD_DEV);
        EXPECT_EQ(hc_assign_pci(ROOT_PD, config, 0xff00), NOVA_BAD_DEV);
        EXPECT_EQ(hc_assign_pci(ROOT_PD, config, edu.function + 0x10000), NOVA_BAD_DEV);
        EXPECT_EQ(hc_assign_pci(ROOT_PD, config + 4, edu.function), NOVA_SUCCESS);
        EXPECT_EQ(hc_assign_pci(ROOT_PD, config >> NOVA_PAGE_BITS, edu.function), NOVA_SUCCESS);
}
