// SPDX-License-Identifier: BSD-2-Clause
// DMA page tables and the assignment of devices. check_pd(), which all other tests call, too,
// compares the contents of these tables with the database.
#include <gtest/gtest.h>

#include <set>

#include "kernel.h"

extern "C" {
#include "arch/x86/calibrate.h"
#include "arch/x86/pte.h"
#include "device/gsi.h"
#include "device/remap.h"
#include "firmware/acpi.h"
#include "sched/cpu.h"
}

namespace
{

constexpr word_t SOURCE = 0x10000, BASE = 0x40000;
constexpr unsigned RW = NOVA_MEM_R | NOVA_MEM_W;

// Returns the entry that maps a page, and its level.
uint64_t entry_of(const pd *owner, word_t page, unsigned *level)
{
        const uint64_t *table = owner->dma.root;
        for (*level = 3;; --*level) {
                const uint64_t entry = table[page >> 9 * *level & 511];
                if (!entry || !*level || entry & SECOND_LEVEL_LARGE)
                        return entry;
                table = static_cast<uint64_t *>(phys_to_pool(entry & PTE_ADDRESS));
        }
}

unsigned level_of(const pd *owner, word_t page)
{
        unsigned level;
        return entry_of(owner, page, &level) ? level : 9;
}

struct World : Kernel {
        pd *a = make_pd(), *b = make_pd();

        void give(word_t from, word_t to, word_t count, unsigned perms = RW,
                  unsigned attr = MAPPING_DMA)
        {
                delegate(&kernel_pd, from, a, to, count, NOVA_CRD_MEM, perms, attr);
                check_pd(a);
        }

        void take(word_t first, word_t last, unsigned perms = NOVA_PERM_ALL)
        {
                revoke(a, first, last, NOVA_CRD_MEM, perms, true);
                check_pd(a);
        }
};

bool (*release)(pd *);
unsigned releases;

bool count_releases(pd *one)
{
        releases++;
        return release(one);
}

} // namespace

TEST(dma, uses_large_pages_where_range_and_alignment_allow)
{
        World w;
        w.give(SOURCE - 1, BASE - 1, 1026);
        EXPECT_EQ(level_of(w.a, BASE - 1), 0u);
        EXPECT_EQ(level_of(w.a, BASE), 1u);
        EXPECT_EQ(level_of(w.a, BASE + 1023), 1u);
        EXPECT_EQ(level_of(w.a, BASE + 1024), 0u);
        w.give(SOURCE + 1, BASE + 0x1000, 1024);
        EXPECT_EQ(level_of(w.a, BASE + 0x1000), 0u);
}

TEST(dma, splits_the_largest_page_for_one_page_in_it)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        mapping_insert(&kernel_pd.memory.space, 0x40000000, 0x40000, 0x40000000, RW);
        kernel.delegate(&kernel_pd, 0x40000000, a, BASE, 0x40000, NOVA_CRD_MEM, RW, MAPPING_DMA);
        EXPECT_EQ(level_of(a, BASE + 0x20005), 2u);
        kernel.revoke(a, BASE + 0x20005, BASE + 0x20005, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        check_pd(a);
        EXPECT_EQ(level_of(a, BASE + 0x20004), 0u);
        EXPECT_EQ(level_of(a, BASE + 0x20005), 9u);
        EXPECT_EQ(level_of(a, BASE), 1u);
        kernel.revoke(&kernel_pd, 0x40000000, 0x4003ffff, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        check_pd(a);
}

TEST(dma, leaves_out_pages_that_were_delegated_without_the_D_bit)
{
        World w;
        w.give(SOURCE, BASE, 700, RW, 0);
        EXPECT_EQ(w.a->dma.root, nullptr);
        w.give(SOURCE, BASE + 0x1000, 700, NOVA_MEM_X);
        w.give(SOURCE, BASE + 0x2000, 1);
        EXPECT_EQ(level_of(w.a, BASE), 9u);
}

TEST(dma, follows_when_rights_are_taken)
{
        World w;
        w.give(SOURCE, BASE, 0x1000);
        w.take(BASE + 5, BASE + 0x805, NOVA_MEM_W);
        w.take(BASE + 0x100, BASE + 0xfff, NOVA_MEM_R);
        w.take(BASE, BASE + 0xfff, NOVA_MEM_W);
        w.take(BASE, BASE + 0x7ff);
        w.take(BASE, BASE + 0xfff);
        EXPECT_EQ(frame_info(w.a->dma.root)->used, 0u);
}

TEST(dma, takes_a_whole_large_page_when_no_memory_is_left_to_split_it)
{
        for (long n = 0; n < 20; n++) {
                World w;
                w.give(SOURCE, BASE, 0x400);
                fake_fail_allocations_from(n);
                w.revoke(w.a, BASE + 5, BASE + 5, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
                const bool failed = fake_allocations() > n;
                fake_fail_allocation(-1);
                check_pd(w.a);
                EXPECT_EQ(level_of(w.a, BASE + 5), 9u);
                if (!failed)
                        return;
        }
        FAIL() << "does not end";
}

TEST(dma, unwinds_a_delegation_that_finds_no_memory)
{
        for (long n = 0; n < 50; n++) {
                World w;
                w.give(SOURCE, 1, 1); /* creates the root table, which stays */
                fake_settle();
                const Taken before = taken_now();
                delegation d = make_delegation(&kernel_pd, SOURCE + 1, w.a, BASE + 1, 0x600,
                                               NOVA_CRD_MEM, RW);
                step_result result;
                fake_fail_allocations_from(n);
                while ((result = delegation_step(&d)) == STEP_AGAIN)
                        ;
                fake_fail_allocation(-1);
                check_pd(w.a);
                if (result == STEP_DONE) {
                        EXPECT_GT(n, 5);
                        return;
                }
                fake_settle();
                EXPECT_EQ(taken_now(), before) << n;
        }
        FAIL() << "does not end";
}

TEST(dma, takes_a_delegation_back_that_costs_more_than_the_limit)
{
        for (uint32_t limit = 0;; limit += 1000) {
                World w;
                w.give(SOURCE, 1, 1); /* creates the root table, which stays */
                fake_settle();
                const Taken before = taken_now();
                delegation d = make_delegation(&kernel_pd, SOURCE + 1, w.a, BASE + 1, 0x600,
                                               NOVA_CRD_MEM, RW, MAPPING_DMA);
                d.left = limit + 1;
                step_result result;
                while ((result = delegation_step(&d)) == STEP_AGAIN)
                        ;
                check_pd(w.a);
                if (result == STEP_DONE)
                        return;
                ASSERT_EQ(result, STEP_REFUSED);
                fake_settle();
                EXPECT_EQ(taken_now(), before) << limit;
        }
}

TEST(dma, flushes_only_a_domain_that_has_had_a_device)
{
        World w;
        w.give(SOURCE, BASE, 2);
        w.take(BASE, BASE);
        EXPECT_EQ(fake_flushes, 0u);
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_SUCCESS);
        const unsigned before = fake_flushes;
        w.take(BASE + 1, BASE + 1);
        EXPECT_EQ(fake_flushes, before + 1);
        EXPECT_EQ(fake_flushed_domain, w.a->dma.domain);
}

TEST(dma, goes_to_the_pd_that_was_named_last)
{
        World w;
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_SUCCESS);
        EXPECT_EQ(iommu_assign(w.a, 10), NOVA_SUCCESS);
        const unsigned domain = w.a->dma.domain;
        EXPECT_EQ(iommu_assign(w.b, 8), NOVA_SUCCESS);
        EXPECT_EQ(fake_flushed_domain, domain);
        EXPECT_EQ(fake_attached[8], w.b);
        EXPECT_EQ(fake_attached[10], w.a);
        EXPECT_NE(w.b->dma.domain, domain);
        w.destroy(w.a);
        EXPECT_EQ(fake_attached[8], w.b);
        EXPECT_EQ(fake_attached[10], nullptr);
}

TEST(dma, ends_with_its_pd_and_leaves_the_domain_to_others)
{
        World w;
        for (unsigned i = 0; i < 3 * FAKE_DOMAINS; i++) {
                pd *one = w.make_pd();
                EXPECT_EQ(iommu_assign(one, 8), NOVA_SUCCESS);
                w.delegate(&kernel_pd, SOURCE, one, BASE, 0x300, NOVA_CRD_MEM, RW);
                w.destroy(one);
                EXPECT_EQ(fake_attached[8], nullptr);
        }
}

TEST(dma, is_refused_when_no_domain_or_no_memory_is_left)
{
        World w;
        fake_fail_allocation(0);
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(iommu_assign(w.a, FAKE_FUNCTIONS), NOVA_BAD_DEV);
        EXPECT_EQ(w.a->dma.domain, 0u); // the PD keeps no domain that it does not use
        for (uint16_t i = 1; i < FAKE_DOMAINS; i++)
                EXPECT_EQ(iommu_assign(w.make_pd(), uint16_t(8 * i)), NOVA_SUCCESS);
        EXPECT_EQ(iommu_assign(w.b, 8), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(iommu_assign(w.b, 80), NOVA_OUT_OF_MEMORY);
        w.destroy(w.pds.back());
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_SUCCESS);
        EXPECT_EQ(fake_attached[8], w.a);
}

TEST(dma, of_one_function_takes_one_domain_for_all_its_owners)
{
        World w;
        std::vector<pd *> had;
        for (unsigned i = 0; i < 3 * FAKE_DOMAINS; i++) {
                had.push_back(w.make_pd());
                ASSERT_EQ(iommu_assign(had.back(), 8), NOVA_SUCCESS) << i;
                EXPECT_NE(had.back()->dma.domain, 0u);
                EXPECT_TRUE(!i || !had[i - 1]->dma.domain);
        }
        EXPECT_EQ(iommu_assign(had.back(), 10), NOVA_SUCCESS);
        const unsigned domain = had.back()->dma.domain;
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_SUCCESS);
        EXPECT_EQ(had.back()->dma.domain, domain); // the other function's domain
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_SUCCESS);
        EXPECT_NE(w.a->dma.domain, 0u);
}

TEST(dma, of_many_functions_ends_in_steps)
{
        World w;
        for (uint16_t i = 0; i < 50; i++)
                EXPECT_EQ(iommu_assign(w.a, uint16_t(2 * i)), NOVA_SUCCESS);
        EXPECT_FALSE(dma_format.release(w.a));
        EXPECT_NE(w.a->dma.domain, 0u);
        while (!dma_format.release(w.a))
                ;
        EXPECT_EQ(w.a->dma.domain, 0u);
        for (uint16_t i = 0; i < 50; i++)
                EXPECT_EQ(fake_attached[2 * i], nullptr);
}

TEST(dma, of_many_functions_ends_with_their_pd)
{
        World w;
        for (uint16_t i = 0; i < 50; i++)
                EXPECT_EQ(iommu_assign(w.a, uint16_t(2 * i)), NOVA_SUCCESS);
        w.destroy(w.a);
        for (uint16_t i = 0; i < 50; i++)
                EXPECT_EQ(fake_attached[2 * i], nullptr);
}

// ---- Interrupts of functions that change hands

struct Messages : World {
        cpu target = {};

        Messages()
        {
                remap_is_on = true;
                for (auto &route : fake_routes)
                        route = {};
        }

        ~Messages()
        {
                remap_is_on = false;
                fake_route_status = NOVA_SUCCESS;
        }

        void route(unsigned gsi, unsigned sender)
        {
                EXPECT_EQ(remap_route(gsi, sender, &target, false), NOVA_SUCCESS);
                EXPECT_TRUE(fake_routes[gsi].on);
        }
};

TEST(dma, the_interrupts_of_a_function_go_when_it_changes_hands)
{
        Messages w;
        w.route(100, REMAP_FUNCTION | 8);
        w.route(101, REMAP_FUNCTION | 10);
        w.route(102, REMAP_FUNCTION | 8);
        // The previous owner could raise these interrupts.
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_SUCCESS);
        EXPECT_FALSE(fake_routes[100].on);
        EXPECT_TRUE(fake_routes[101].on);
        EXPECT_FALSE(fake_routes[102].on);
        w.route(100, REMAP_FUNCTION | 8);
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_SUCCESS);
        EXPECT_TRUE(fake_routes[100].on);
        EXPECT_EQ(iommu_assign(w.b, 8), NOVA_SUCCESS);
        EXPECT_FALSE(fake_routes[100].on);
}

TEST(dma, the_interrupts_of_a_function_go_with_its_pd)
{
        Messages w;
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_SUCCESS);
        EXPECT_EQ(iommu_assign(w.b, 10), NOVA_SUCCESS);
        w.route(100, REMAP_FUNCTION | 8);
        w.route(101, REMAP_FUNCTION | 10);
        w.destroy(w.a);
        EXPECT_FALSE(fake_routes[100].on);
        EXPECT_TRUE(fake_routes[101].on);
}

TEST(dma, an_io_apic_and_an_hpet_keep_their_interrupts_though_a_function_has_their_number)
{
        Messages w;
        w.route(20, 8);
        w.route(100, 8);
        EXPECT_EQ(iommu_assign(w.a, 8), NOVA_SUCCESS);
        w.destroy(w.a);
        EXPECT_TRUE(fake_routes[20].on);
        EXPECT_TRUE(fake_routes[100].on);
}

// On a unit of AMD, memory for the first table of a function may be missing.
TEST(dma, a_route_that_fails_leaves_the_interrupt_with_the_function_that_had_it)
{
        Messages w;
        w.route(105, REMAP_FUNCTION | 20);
        fake_route_status = NOVA_OUT_OF_MEMORY;
        EXPECT_EQ(remap_route(105, REMAP_FUNCTION | 22, &w.target, false), NOVA_OUT_OF_MEMORY);
        EXPECT_EQ(remap_route(106, REMAP_FUNCTION | 22, &w.target, false), NOVA_OUT_OF_MEMORY);
        for (unsigned i = 0; i < 3000; i++)
                EXPECT_EQ(remap_count(106, cpu_self()), 0u); // nothing to stop
        remap_forget(22);
        EXPECT_EQ(fake_routes[105].rid, 20u);
        EXPECT_TRUE(fake_routes[105].on);
        remap_forget(20);
        EXPECT_FALSE(fake_routes[105].on);
}

// ---- Functions that send too much

struct Flood : Messages {
        static constexpr unsigned GSI = 110, ROUNDS = 1000;
        const uint64_t window = uint64_t{10} * tsc_khz;
        cpu *here = cpu_self();

        Flood()
        {
                // The kernel remembers when it counted last, so time must not restart.
                static uint64_t begin = uint64_t{1} << 41;
                begin += 100 * window;
                fake_tsc = begin;
                route(GSI, REMAP_FUNCTION | 12);
                while (remap_count(GSI, here) || fake_tsc == begin) // a counting interval begins
                        fake_tsc += window / 500;
                for (unsigned i = 0; i < 3 * ROUNDS; i++)
                        step(window / 500);
                EXPECT_TRUE(fake_routes[GSI].on);
        }

        ~Flood()
        {
                remap_forget(12);
                fake_tsc = 0;
        }

        uint64_t step(uint64_t ticks)
        {
                fake_tsc += ticks;
                return remap_count(GSI, here);
        }

        // Returns the number of messages after which the function is stopped; 0: it is not stopped.
        unsigned send(uint64_t ticks)
        {
                for (unsigned i = 1; i <= 3 * ROUNDS; i++)
                        if (step(ticks))
                                return i;
                return 0;
        }
};

TEST(dma, a_function_that_floods_is_stopped_and_resumes_after_a_while)
{
        Flood f;
        uint64_t next = UINT64_MAX;
        const unsigned sent = f.send(1000);
        EXPECT_GT(sent, 0u);
        EXPECT_LE(sent, 2 * Flood::ROUNDS);
        EXPECT_FALSE(fake_routes[Flood::GSI].on);
        EXPECT_EQ(remap_stopped, 1u);
        EXPECT_FALSE(remap_resume(Flood::GSI, f.here, &next));
        EXPECT_EQ(next, fake_tsc + f.window);
        fake_tsc = next;
        EXPECT_FALSE(remap_resume(Flood::GSI, cpu_by_id(1), &next));
        EXPECT_TRUE(remap_resume(Flood::GSI, f.here, &next));
        EXPECT_TRUE(fake_routes[Flood::GSI].on);
        EXPECT_EQ(fake_routes[Flood::GSI].rid, 12u);
        EXPECT_EQ(remap_stopped, 0u);
        EXPECT_FALSE(remap_resume(Flood::GSI, f.here, &next));
}

// Without the timer an idle CPU would never let the function send again.
TEST(dma, a_function_that_is_stopped_sets_the_timer_to_the_end_of_the_stop)
{
        Flood f;
        gsi_boot();
        f.here->timer_end = CPU_TIMER_OFF;
        for (unsigned i = 0; i < 3 * Flood::ROUNDS && !remap_stopped; i++) {
                EXPECT_EQ(f.here->timer_end, CPU_TIMER_OFF);
                fake_tsc += 1000;
                gsi_fire(Flood::GSI);
        }
        EXPECT_EQ(remap_stopped, 1u);
        EXPECT_EQ(f.here->timer_end, fake_tsc + f.window);
        fake_tsc += f.window;
        gsi_resume(f.here);
        EXPECT_EQ(remap_stopped, 0u);
        f.revoke(&kernel_pd, NOVA_SEL_GSI_SM, NOVA_SEL_GSI_SM + NOVA_HIP_GSI - 1, NOVA_CRD_OBJ,
                 NOVA_PERM_ALL, true);
}

// remap_resume() relies on the unit to accept again any route that it has accepted before.
TEST(dma, a_refusal_to_resume_after_a_flood_stops_the_debug_kernel)
{
        Flood f;
        uint64_t next = UINT64_MAX;
        ASSERT_GT(f.send(1000), 0u);
        fake_tsc += f.window;
        for (const auto status : {NOVA_OUT_OF_MEMORY, NOVA_BAD_DEV}) {
                fake_route_status = status;
                EXPECT_DEATH(remap_resume(Flood::GSI, f.here, &next),
                             "assertion 'status == NOVA_SUCCESS' failed");
        }
        fake_route_status = NOVA_SUCCESS;
        EXPECT_TRUE(remap_resume(Flood::GSI, f.here, &next));
}

// Each GSI of the function arrives at a rate that alone would not stop this GSI.
TEST(dma, a_function_that_floods_with_several_interrupts_loses_all_of_them_for_a_while)
{
        Flood f;
        constexpr unsigned COUNT = 8, FIRST = Flood::GSI + 1, OTHER = FIRST + COUNT;
        for (unsigned i = 0; i < COUNT; i++)
                f.route(FIRST + i, REMAP_FUNCTION | 40);
        f.route(OTHER, REMAP_FUNCTION | 42);
        fake_tsc += 2 * f.window;
        fake_forgotten_routes = 0;
        uint64_t resume = 0;
        unsigned sent = 0;
        while (!resume && sent++ < 10000) {
                fake_tsc += f.window / 10000;
                resume = remap_count(FIRST + sent % COUNT, f.here);
        }
        EXPECT_LE(sent, 8000u);               // a count may have begun before
        EXPECT_EQ(fake_forgotten_routes, 1u); // one command for all routes
        EXPECT_EQ(resume, fake_tsc + f.window);
        EXPECT_EQ(remap_stopped, COUNT);
        for (unsigned i = 0; i < COUNT; i++)
                EXPECT_FALSE(fake_routes[FIRST + i].on);
        EXPECT_TRUE(fake_routes[OTHER].on); // the route of another function
        EXPECT_TRUE(fake_routes[Flood::GSI].on);
        uint64_t next = UINT64_MAX;
        fake_tsc = resume;
        for (unsigned i = 0; i < COUNT; i++)
                EXPECT_TRUE(remap_resume(FIRST + i, f.here, &next));
        EXPECT_EQ(remap_stopped, 0u);
        for (unsigned i = 0; i < COUNT; i++)
                EXPECT_TRUE(fake_routes[FIRST + i].on);
        fake_forgotten_routes = 0;
        remap_forget(40);
        remap_forget(42);
        EXPECT_EQ(fake_forgotten_routes, 2u); // one command for each function
}

TEST(dma, no_function_is_assigned_if_acpi_may_name_more_units)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        EXPECT_EQ(iommu_assign(a, 2), NOVA_SUCCESS);
        acpi.iommus_lost = true;
        fake_iommu_boot();
        EXPECT_EQ(iommu_assign(a, 4), NOVA_BAD_DEV);
        acpi.iommus_lost = false;
        fake_iommu_boot();
}

TEST(dma, a_function_that_sends_often_is_not_stopped)
{
        Flood f;
        EXPECT_EQ(f.send(f.window / (Flood::ROUNDS - 1)), 0u);
        EXPECT_EQ(remap_stopped, 0u);
}

TEST(dma, routing_a_stopped_function_again_does_not_resume_it)
{
        Flood f;
        cpu other = {};
        other.arch.apic_id = 7;
        uint64_t next = UINT64_MAX;
        ASSERT_GT(f.send(1000), 0u);
        EXPECT_EQ(remap_route(Flood::GSI, REMAP_FUNCTION | 12, &other, false), NOVA_SUCCESS);
        EXPECT_FALSE(fake_routes[Flood::GSI].on);
        fake_tsc += f.window;
        EXPECT_TRUE(remap_resume(Flood::GSI, f.here, &next));
        EXPECT_EQ(fake_routes[Flood::GSI].apic_id, 7u);
}

TEST(dma, a_stopped_gsi_resumes_with_another_function_and_ends_with_its_own)
{
        Flood f;
        ASSERT_GT(f.send(1000), 0u);
        f.route(Flood::GSI, REMAP_FUNCTION | 14);
        EXPECT_EQ(remap_stopped, 0u);
        ASSERT_GT(f.send(1000), 0u);
        EXPECT_EQ(remap_stopped, 1u);
        remap_forget(14);
        EXPECT_EQ(remap_stopped, 0u);
        EXPECT_FALSE(fake_routes[Flood::GSI].on);
        f.route(Flood::GSI, 14); // a pin of an I/O APIC is masked by itself
        EXPECT_EQ(f.send(1000), 0u);
}

std::set<uintptr_t> written_back; // cache lines of 64 bytes

// An I/O MMU that does not see the caches reads old entries in a line that was not written back.
TEST(dma, each_cache_line_of_changed_entries_is_written_back)
{
        dma_format.incoherent = true;
        fake_clflush = [](const volatile void *address) {
                written_back.insert(reinterpret_cast<uintptr_t>(address) / 64);
        };
        for (uintptr_t from = 0x1000; from < 0x1080; from += 8)
                for (uintptr_t bytes = 8; bytes <= 128; bytes += 8) {
                        written_back.clear();
                        dma_sync(reinterpret_cast<const void *>(from), bytes);
                        for (uintptr_t at = from; at < from + bytes; at += 8)
                                EXPECT_EQ(written_back.count(at / 64), 1u) << from << ", " << bytes;
                }
        fake_clflush = nullptr;
        dma_format.incoherent = false;
}

// The end of a PD gives back its domain. Only a PD that has taken a domain after its end goes
// through the stages of the end again when it is freed.
TEST(dma, a_pd_without_a_device_is_released_once)
{
        World w;
        release = dma_format.release;
        dma_format.release = count_releases;
        for (const bool late : {false, true}) {
                pd *one = nullptr;
                releases = 0;
                EXPECT_EQ(pd_create(&kernel_pd, &account_root, 0, &one), NOVA_SUCCESS);
                EXPECT_TRUE(pd_destroy_begin(one));
                while (cpu_self()->dying)
                        object_reap();
                EXPECT_EQ(releases, 1u);
                if (late) {
                        one->object.dead = false;
                        EXPECT_EQ(iommu_assign(one, 0), NOVA_SUCCESS);
                        one->object.dead = true;
                        EXPECT_NE(one->dma.domain, 0);
                }
                object_put(&one->object);
                fake_settle();
                EXPECT_EQ(releases > 1, late);
                EXPECT_EQ(fake_attached[0], nullptr);
        }
        dma_format.release = release;
}
