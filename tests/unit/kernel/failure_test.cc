// SPDX-License-Identifier: BSD-2-Clause
// Each allocation of each operation fails once: the status reports it, nothing leaks, no operation
// is left half done, and the operation works when there is memory again.
#include <gtest/gtest.h>

#include <functional>

#include "kernel.h"

extern "C" {
#include "nova/abi/hypercall.h"
#include "nova/abi/qpd.h"
#include "sched/cpu.h"
#include "thread.h"
}

namespace
{

constexpr word_t SEL_PD = 1, SEL_LOCAL = 2, SEL_GLOBAL = 3, SEL_NEW = 0x300001;

// A PD with a thread that can create everything.
struct World : Kernel {
        pd *home = make_pd(), *other = make_pd();
        ec *self = make_ec(home, 0x1000);
        ec *local = make_ec(home, 0x1001), *global = make_ec(home, 0x1002, EC_GLOBAL);

        World()
        {
                share(home, SEL_PD, &home->object);
                share(home, SEL_LOCAL, &local->object);
                share(home, SEL_GLOBAL, &global->object);
                make_sm(other, 0x2000000); // creates the PD's top table, which stays
                for (pd *one : pds)
                        EXPECT_TRUE(second_level_create(one, SECOND_LEVEL_DMA));
        }

        nova_status call(nova_hypercall number, word_t flags, word_t p2, word_t p3 = 0,
                         word_t p4 = 0, word_t p5 = 0)
        {
                set_arguments(self, nova_hypercall_id(number, flags, SEL_NEW), p2, p3, p4, p5);
                return fake_hypercall(self);
        }

        void check()
        {
                for (pd *one : pds)
                        check_pd(one);
        }
};

using Operation = std::function<nova_status(World &)>;

// Checks that an operation that could not finish has undone its own work.
void check_nothing_is_dying()
{
        EXPECT_EQ(cpu_self()->dying, nullptr);
        EXPECT_EQ(cpu_self()->dying_count, 0u);
}

// Runs the operation again and again. Each time a later allocation fails, until the operation
// succeeds at once. rest: all allocations after the failed one fail, too. clean: memory must be as
// before after each failure. Otherwise it must be as before only after the end of the PDs.
void fail_each(const Operation &operation, bool rest, bool clean = true)
{
        for (long n = 0; n < 200; n++) {
                World world;
                fake_settle();
                const Taken before = taken_now();
                rest ? fake_fail_allocations_from(n) : fake_fail_allocation(n);
                const nova_status status = operation(world);
                const long allocations = fake_allocations();
                check_nothing_is_dying();
                fake_settle();
                if (allocations <= n) {
                        EXPECT_EQ(status, NOVA_SUCCESS);
                        EXPECT_GT(n, 0);
                        world.check();
                        return;
                }
                EXPECT_TRUE(!rest || status == NOVA_OUT_OF_MEMORY);
                if (status != NOVA_SUCCESS) {
                        EXPECT_EQ(status, NOVA_OUT_OF_MEMORY);
                        EXPECT_TRUE(!clean || taken_now() == before)
                                << "allocation " << n << ": " << taken_now() << ", not " << before;
                        world.check();
                        EXPECT_EQ(operation(world), NOVA_SUCCESS);
                }
                world.check();
                ASSERT_FALSE(testing::Test::HasFailure()) << "allocation " << n;
        }
        FAIL() << "does not end";
}

void refuse_each_charge(const Operation &operation)
{
        unsigned refused = 0;
        for (word_t bytes = 0;; bytes += 64) {
                World world;
                fake_settle();
                const Taken before = taken_now();
                account_root.limit = account_root.used + bytes;
                const nova_status status = operation(world);
                check_nothing_is_dying();
                fake_settle();
                account_root.limit = ~word_t{0};
                world.check();
                if (status == NOVA_SUCCESS)
                        break;
                refused++;
                EXPECT_EQ(status, NOVA_OUT_OF_MEMORY);
                EXPECT_EQ(taken_now(), before) << "with " << bytes << " bytes";
                ASSERT_FALSE(testing::Test::HasFailure()) << "with " << bytes << " bytes";
        }
        EXPECT_GT(refused, 0u);
}

void fail_in_every_way(const Operation &operation)
{
        fail_each(operation, false);
        fail_each(operation, true);
        refuse_each_charge(operation);
}

// Checks that an operation succeeds although one allocation fails: the kernel frees the memory of
// an object that has no reference any more, and repeats the operation. reaped: the end of this
// object has begun already, and waits for all CPUs.
void make_each_good(const Operation &operation, bool reaped = true)
{
        for (long n = 0, allocations = 1; n < allocations; n++) {
                World world;
                sm *ended = nullptr;
                fake_settle();
                EXPECT_EQ(sm_create(&account_root, 0, &ended), NOVA_SUCCESS);
                object_put(&ended->object);
                EXPECT_NE(cpu_self()->dying, nullptr);
                if (reaped)
                        object_reap();
                fake_fail_allocation(n);
                EXPECT_EQ(operation(world), NOVA_SUCCESS) << "allocation " << n;
                allocations = fake_allocations();
                EXPECT_GT(allocations, 1);
                fake_fail_allocation(-1);
                world.check();
        }
}

void fail_create(const Operation &operation)
{
        fail_in_every_way(operation);
        make_each_good(operation);
        make_each_good(operation, false);
}

TEST(failure, of_create_pd_leaves_nothing)
{
        fail_create([](World &world) { return world.call(NOVA_CREATE_PD, 0, SEL_PD, 0); });
}

TEST(failure, of_create_pd_with_capabilities_leaves_nothing)
{
        fail_create([](World &world) {
                return world.call(NOVA_CREATE_PD, 0, SEL_PD,
                                  nova_crd(NOVA_CRD_OBJ, 0, 3, NOVA_PERM_ALL));
        });
}

TEST(failure, of_create_pd_with_an_account_leaves_nothing)
{
        fail_create([](World &world) {
                return world.call(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, SEL_PD, 0, account_size());
        });
}

TEST(failure, of_create_ec_leaves_nothing)
{
        for (word_t page : {word_t{0x1003}, word_t{0x300000}, word_t{0x7000000}})
                fail_create([=](World &world) {
                        return world.call(NOVA_CREATE_EC, NOVA_EC_GLOBAL, SEL_PD,
                                          page << PAGE_BITS);
                });
}

TEST(failure, of_create_sc_leaves_nothing)
{
        fail_create([](World &world) {
                return world.call(NOVA_CREATE_SC, 0, SEL_PD, SEL_GLOBAL, nova_qpd(1000, 1));
        });
}

TEST(failure, of_create_pt_leaves_nothing)
{
        fail_create([](World &world) {
                return world.call(NOVA_CREATE_PT, 0, SEL_PD, SEL_LOCAL, 0, 0x400000);
        });
}

TEST(failure, of_create_sm_leaves_nothing)
{
        fail_create([](World &world) { return world.call(NOVA_CREATE_SM, 0, SEL_PD, 7); });
}

// An object whose end another CPU began after this CPU had found its capability.
struct Ending {
        kobject *object;
        explicit Ending(kobject *which) : object(which)
        {
                object->dead = true;
        }
        ~Ending()
        {
                object->dead = false;
        }
};

TEST(failure, of_a_create_for_an_ending_ec_leaves_nothing)
{
        World world;
        fake_settle();
        const Taken before = taken_now();
        {
                const Ending local(&world.local->object), global(&world.global->object);
                pt *portal = nullptr;
                EXPECT_EQ(pt_create(&account_root, world.local, SEL_NEW, 0, 0x400000, &portal),
                          NOVA_BAD_CAP);
                sc *context = nullptr;
                EXPECT_EQ(sc_create(&account_root, world.global, 1, 1000, &context), NOVA_BAD_CAP);
                EXPECT_EQ(portal, nullptr);
                EXPECT_EQ(context, nullptr);
        }
        fake_settle();
        EXPECT_EQ(taken_now(), before);
        world.check();
}

TEST(failure, of_a_wait_for_an_ending_semaphore_is_a_status)
{
        World world;
        sm *one = world.make_sm(world.home, SEL_NEW);
        const Ending ending(&one->object);
        sm_lock(one);
        EXPECT_FALSE(sm_wait(one, world.self, true)); // drops the lock
        EXPECT_EQ(world.self->wait_status, NOVA_BAD_CAP);
        EXPECT_EQ(world.self->wait_sm, nullptr);
}

Operation delegates(unsigned type, word_t first, word_t base, word_t count)
{
        return [=](World &world) {
                pd *from = type == NOVA_CRD_OBJ ? world.home : &kernel_pd;
                delegation d = make_delegation(from, first, world.other, base, count, type, 31);
                step_result result;
                while ((result = delegation_step(&d)) == STEP_AGAIN)
                        ;
                return result == STEP_DONE ? NOVA_SUCCESS : NOVA_OUT_OF_MEMORY;
        };
}

TEST(failure, of_a_delegation_of_memory_leaves_nothing)
{
        fail_in_every_way(delegates(NOVA_CRD_MEM, 0x10000, 0x400000, 1));
        fail_in_every_way(delegates(NOVA_CRD_MEM, 0x10000, 0x400000, 512)); // large
        fail_in_every_way(delegates(NOVA_CRD_MEM, 0x10000, 0x400001, 1024));
        fail_in_every_way(delegates(NOVA_CRD_MEM, 0x10000, 0x3ffffff, 3)); // over a GiB boundary
}

TEST(failure, of_a_delegation_of_an_object_leaves_nothing)
{
        fail_in_every_way(delegates(NOVA_CRD_OBJ, SEL_PD, 0x12345, 1));
}

TEST(failure, of_a_delegation_of_ports_leaves_nothing)
{
        fail_in_every_way(delegates(NOVA_CRD_IO, 0x3f8, 0x3f8, 8));
        // The page of the first half stays with its PD if there is no page for the second half.
        fail_each(delegates(NOVA_CRD_IO, 0x7fff, 0x7fff, 2), false, false);
        fail_each(delegates(NOVA_CRD_IO, 0x7fff, 0x7fff, 2), true, false);
}

TEST(failure, of_a_delegation_can_be_made_good_by_its_next_step)
{
        for (long n = 0;; n++) {
                World world;
                delegation d = make_delegation(&kernel_pd, 0x10001, world.other, 0x400000, 2000,
                                               NOVA_CRD_MEM, 7);
                fake_fail_allocation(n);
                unsigned failed = 0;
                step_result result;
                while ((result = delegation_step(&d)) != STEP_DONE)
                        failed += result == STEP_FAILED;
                const bool all = fake_allocations() <= n;
                fake_fail_allocation(-1);
                EXPECT_EQ(caps_of(world.other, NOVA_CRD_MEM).size(), 2000u);
                EXPECT_EQ(failed, all ? 0u : 1u);
                world.check();
                if (all)
                        break;
        }
}

TEST(failure, of_a_cut_takes_more_rights_never_fewer)
{
        for (bool self : {false, true})
                for (long n = 0;; n++) {
                        World world;
                        pd *third = world.make_pd();
                        world.delegate(&kernel_pd, 0x10000, world.other, 0x400000, 1024,
                                       NOVA_CRD_MEM, 7);
                        world.delegate(world.other, 0x400000, third, 0x600000, 1024, NOVA_CRD_MEM,
                                       7);
                        fake_fail_allocations_from(n);
                        world.revoke(world.other, 0x400105, 0x400305, NOVA_CRD_MEM, NOVA_MEM_W,
                                     self);
                        const bool all = fake_allocations() <= n;
                        fake_fail_allocation(-1);
                        world.check();
                        for (pd *one : {world.other, third}) {
                                const word_t base = one == third ? 0x600000 : 0x400000;
                                for (const auto &[sel, cap] : caps_of(one, NOVA_CRD_MEM)) {
                                        const bool inside =
                                                sel >= base + 0x105 && sel <= base + 0x305;
                                        const bool taken = inside && (one == third || self);
                                        const bool may_be = one == third || self;
                                        ASSERT_TRUE(cap.perms == 7 ? !taken
                                                                   : taken || (may_be && !all));
                                        ASSERT_EQ(cap.perms | 2, 7u);
                                }
                        }
                        if (all)
                                break;
                }
}

TEST(failure, of_all_memory_ends_with_a_status_and_gives_all_back)
{
        Kernel kernel(400);
        pd *home = kernel.make_pd();
        word_t made = 0;
        sm *one;
        while (sm_create(&account_root, 0, &one) == NOVA_SUCCESS) {
                const nova_status status = object_space_insert(&home->object_space, made * 600,
                                                               &one->object, NOVA_PERM_ALL);
                if (status != NOVA_SUCCESS) {
                        object_put(&one->object);
                        EXPECT_EQ(status, NOVA_OUT_OF_MEMORY);
                        break;
                }
                made++;
        }
        EXPECT_GT(made, 200u);
        check_pd(home);
}

} // namespace
