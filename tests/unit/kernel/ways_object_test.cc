// SPDX-License-Identifier: BSD-2-Clause
// Objects that are ended, revoked or created: at once, or in steps.
#include <gtest/gtest.h>

#include <sstream>

#include "ways.h"

extern "C" {
#include "space/object_mapping.h"
}

namespace
{

constexpr word_t SEL_HOME = 0x20, SEL_LOCAL = 0x21, SEL_LESS = 0x22, SEL_FREE = 0x23,
                 BASE = 0x100000, NOTHING_THERE = 0x200000;
// Orders of revocations. The objects that end lie in 2^FEW selectors. After them lie capabilities
// whose revocation ends no object, so that a revocation of 2^MANY selectors takes more than a step.
constexpr unsigned FEW = 2, MANY = 5;
constexpr word_t BEHIND = BASE + 16, MORE = STEP_MAPPINGS + 4;

unsigned windows;

// A thread that makes hypercalls on objects of the region that begins at BASE.
struct Maker : World {
        ec *self = thread("self", home, EC_GLOBAL), *local = thread("local", home, EC_LOCAL);
        ec *waiter = thread("waiter", home, EC_GLOBAL);
        sc *selfs = context("self's", self), *waiters = context("waiter's", waiter, PRIO - 1);

        Maker()
        {
                share(home, SEL_HOME, &home->object);
                share(home, SEL_LOCAL, &local->object);
                Kernel::delegate(home, SEL_HOME, home, SEL_LESS, 1, NOVA_CRD_OBJ,
                                 NOVA_PD_PD | NOVA_PD_SM);
                run(self, selfs);
                windows = 0;
                fake_window = [] { windows++; };
        }

        // Makes a create hypercall with arguments 3 and 4.
        nova_status create(nova_hypercall kind, word_t sel, word_t third = 0, word_t fourth = 0,
                           word_t flags = 0, word_t owner = SEL_HOME)
        {
                REG_P1(self) = nova_hypercall_id(kind, flags, sel);
                REG_P2(self) = owner;
                REG_P3(self) = third;
                REG_P4(self) = fourth;
                REG_P5(self) = 0x5000;
                enter(self, false);
                EXPECT_EQ(cpu_self()->current, self);
                return nova_status(REG_P1(self));
        }

        void must_create(nova_hypercall kind, word_t sel, word_t third = 0, word_t fourth = 0,
                         word_t flags = 0)
        {
                EXPECT_EQ(create(kind, sel, third, fourth, flags), NOVA_SUCCESS);
        }

        void make(unsigned what);

        void sleep_at(word_t sel)
        {
                run(waiter, waiters);
                REG_P1(waiter) = nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, sel);
                enter(waiter, true);
                run(self, selfs);
        }
};

enum Content { NONE, SEMAPHORE, SLEPT_AT, TWO, PORTAL, DOMAIN, THREAD, RUNNING, CONTENTS };

void Maker::make(unsigned what)
{
        switch (what) {
        case TWO:
                must_create(NOVA_CREATE_SM, BASE + 2);
                [[fallthrough]];
        case SEMAPHORE:
        case SLEPT_AT:
                must_create(NOVA_CREATE_SM, BASE);
                if (what == SLEPT_AT)
                        sleep_at(BASE);
                break;
        case PORTAL:
                must_create(NOVA_CREATE_PT, BASE, SEL_LOCAL);
                break;
        case DOMAIN:
                must_create(NOVA_CREATE_PD, BASE,
                            nova_crd(NOVA_CRD_OBJ, SEL_LOCAL, 0, NOVA_PERM_ALL));
                break;
        case RUNNING:
                must_create(NOVA_CREATE_EC, BASE + 1, 0x7000 << PAGE_BITS, 0, NOVA_EC_GLOBAL);
                must_create(NOVA_CREATE_SC, BASE, BASE + 1, nova_qpd(1000, PRIO - 1));
                break;
        case THREAD:
                must_create(NOVA_CREATE_EC, BASE, 0x7000 << PAGE_BITS, 0);
                break;
        default:
                break;
        }
}

struct Ending {
        unsigned what, perms;
        bool other_dies;
};

std::ostream &operator<<(std::ostream &out, const Ending &one)
{
        return out << "what " << one.what << ", permissions " << one.perms << ", another dies "
                   << one.other_dies;
}

std::string after_revoke(const Ending &one, unsigned order)
{
        Maker maker;
        maker.make(one.what);
        if (one.other_dies) { // ended by another thread
                kobject *other = &maker.make_sm(maker.home, 0x30)->object;
                object_get(other);
                maker.revoke(maker.home, 0x30, 0x30, NOVA_CRD_OBJ, NOVA_PERM_ALL, true);
                object_put(other);
        }
        for (word_t i = 0; i < MORE; i++)
                maker.Kernel::delegate(maker.home, SEL_HOME, maker.home, BEHIND + i, 1,
                                       NOVA_CRD_OBJ, NOVA_PERM_ALL);
        if (order == FEW)
                maker.Kernel::revoke(maker.home, BEHIND, BEHIND + MORE - 1, NOVA_CRD_OBJ, one.perms,
                                     true);
        windows = 0;
        REG_P1(maker.self) = nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0);
        REG_P2(maker.self) = nova_crd(NOVA_CRD_OBJ, BASE, order, one.perms);
        maker.enter(maker.self, false);
        EXPECT_TRUE(order != MANY || windows);
        EXPECT_EQ(maker.self->reap_floor, EC_REAPS_NOTHING);
        REG_P2(maker.self) = 0;
        return maker.state();
}

TEST(ways, of_a_short_and_a_long_revocation_end_in_the_same_state)
{
        for (unsigned i = 0; i < CONTENTS * 4; i++) {
                const Ending one = {i / 4, i % 2 ? NOVA_PERM_ALL : 1u, i / 2 % 2 != 0};
                SCOPED_TRACE(testing::Message() << one);
                ASSERT_EQ(after_revoke(one, FEW), after_revoke(one, MANY));
        }
}

struct Creation {
        word_t owner, sel, bytes, limit;
        bool account;
};

std::ostream &operator<<(std::ostream &out, const Creation &one)
{
        return out << std::hex << "owner " << one.owner << ", selector " << one.sel << ", bytes "
                   << one.bytes << ", limit " << one.limit << ", account " << one.account;
}

// Creates a PD without capabilities, or with those of an empty range.
std::string after_create_pd(const Creation &one, bool in_steps)
{
        Maker maker;
        fake_settle();
        account_root.limit = one.limit ? account_root.used + one.limit : ~word_t{0};
        windows = 0;
        const nova_crd_t none = nova_crd(NOVA_CRD_OBJ, NOTHING_THERE, 12, NOVA_PERM_ALL);
        const nova_status status =
                maker.create(NOVA_CREATE_PD, one.sel, in_steps ? none : 0, one.bytes,
                             one.account ? NOVA_PD_ACCOUNT : 0, one.owner);
        account_root.limit = ~word_t{0};
        REG_P3(maker.self) = 0;
        fake_settle(); // a PD that got no selector may still be dying
        return std::to_string(status) + "\n" + maker.state();
}

TEST(ways, of_making_a_pd_are_the_same)
{
        unsigned made = 0, refused = 0;
        for (unsigned i = 0; i < 2 * 2 * 3 * 4 * 60; i++) {
                const word_t sels[] = {SEL_HOME, SEL_FREE, BASE, NOTHING_THERE - 1};
                const word_t bytes[] = {100, 1 << 12, 1 << 20};
                const Creation one = {i % 2 ? SEL_HOME : SEL_LESS, sels[i / 4 % 4],
                                      bytes[i / 16 % 3], i / 48 * 600, i / 2 % 2 != 0};
                SCOPED_TRACE(testing::Message() << one);
                const std::string at_once = after_create_pd(one, false);
                ASSERT_EQ(at_once, after_create_pd(one, true));
                made += at_once[0] == '0' + NOVA_SUCCESS;
                refused += at_once[0] == '0' + NOVA_OUT_OF_MEMORY;
        }
        EXPECT_GT(made, 0u);
        EXPECT_GT(refused, 0u);
}

// Two levels of capabilities below a semaphore of home: the branches in the middle, and the leaves.
// A revocation walks over all of them. While it is in progress, a leaf loses permissions.
constexpr word_t BRANCHES = 16, MIDDLE = 0x400, LEAVES = 0x800;

struct Leaf {
        word_t branch, steps, alone; // alone: branches without leaves; they shift the walk's steps
        unsigned perms, walks_perms;
        bool given_up; // the walk was given up before the leaf loses permissions
};

std::ostream &operator<<(std::ostream &out, const Leaf &one)
{
        return out << "branch " << one.branch << ", steps " << one.steps << ", alone " << one.alone
                   << ", permissions " << one.perms << " and " << one.walks_perms;
}

std::string caps_text(Kernel &kernel)
{
        std::ostringstream out;
        for (pd *one : kernel.pds) {
                for (const auto &[sel, cap] : caps_of(one, NOVA_CRD_OBJ))
                        out << " " << sel << "/" << cap.perms;
                out << "\n";
                check_pd(one, false);
        }
        return out.str();
}

// Returns the state after the leaf's own space has dropped the permissions, which needs no walk, or
// after the parent has revoked them.
std::string after_leaf(const Leaf &one, bool own)
{
        Kernel kernel(2048);
        pd *home = kernel.make_pd(), *away = kernel.make_pd();
        revocation all, leaf;
        kernel.make_sm(home, 1);
        for (word_t i = 0; i < BRANCHES; i++) {
                kernel.delegate(home, 1, away, MIDDLE + i, 1, NOVA_CRD_OBJ, NOVA_PERM_ALL);
                kernel.delegate(away, MIDDLE + i, home, LEAVES + i, 1, NOVA_CRD_OBJ, NOVA_PERM_ALL);
        }
        for (word_t i = 0; i < one.alone; i++)
                kernel.delegate(home, 1, away, LEAVES + i, 1, NOVA_CRD_OBJ, NOVA_PERM_ALL);
        bool walks = true;
        revocation_begin(&all, &home->object_space.space, 1, 1, one.walks_perms, false);
        for (word_t i = 0; i < one.steps && walks; i++)
                walks = revocation_step(&all) == STEP_AGAIN;
        if (walks && one.given_up) {
                abandon(&all);
                walks = false;
        }

        const word_t sel = (own ? LEAVES : MIDDLE) + one.branch;
        const object_mapping *here = object_space_mapping(&home->object_space, LEAVES + one.branch);
        const object_mapping *parent =
                object_space_mapping(&away->object_space, MIDDLE + one.branch);
        // The walk may have taken permissions from the parent, but not yet from the leaf. Then a
        // revocation of the parent would take these permissions from the leaf, too.
        const bool same = here && parent && !(here->perms & ~parent->perms);
        const long freed = !here ? 0 : parent ? 1 : 2;
        fake_settle();
        const long objects = taken_now().objects;
        if (same || one.given_up) {
                revocation_begin(&leaf, pd_space(own ? home : away, NOVA_CRD_OBJ), sel, sel,
                                 one.perms, own);
                while (revocation_step(&leaf) == STEP_AGAIN)
                        ;
        }
        fake_settle();
        EXPECT_TRUE(!one.given_up || objects - taken_now().objects == freed);
        const std::string text = caps_text(kernel);
        while (walks)
                walks = revocation_step(&all) == STEP_AGAIN;
        fake_settle();
        std::ostringstream out;
        out << text << caps_text(kernel) << taken_now();
        return out.str();
}

TEST(ways, of_a_capability_without_children_are_the_same)
{
        for (unsigned i = 0; i < BRANCHES * 6 * 3 * 3 * 2; i++) {
                const unsigned perms[] = {1, 30, NOVA_PERM_ALL};
                const Leaf one = {i % BRANCHES,
                                  i / BRANCHES % 6,
                                  i / BRANCHES / 6 % 3,
                                  perms[i / BRANCHES / 18 % 3],
                                  i / BRANCHES / 54 ? 1u : NOVA_PERM_ALL,
                                  false};
                SCOPED_TRACE(testing::Message() << one);
                ASSERT_EQ(after_leaf(one, true), after_leaf(one, false));
        }
}

// An abandoned walk may leave a capability whose parent is no longer in its space. The removal of
// the capability must then free both mappings.
TEST(ways, of_a_capability_whose_parent_is_gone_free_the_capability_and_the_parent)
{
        for (unsigned i = 0; i < BRANCHES * 6 * 3; i++) {
                const Leaf one = {i % BRANCHES,  i / BRANCHES % 6, i / BRANCHES / 6,
                                  NOVA_PERM_ALL, NOVA_PERM_ALL,    true};
                SCOPED_TRACE(testing::Message() << one);
                after_leaf(one, true);
        }
}

} // namespace
