// SPDX-License-Identifier: BSD-2-Clause
// Delegation, revocation, lookup and translation between PDs, compared with the naive model; the
// hardware's tables are compared after each operation.
#include <gtest/gtest.h>

#include <random>

#include "model.h"

extern "C" {
#include "arch/x86/errata.h"
#include "ipc/translation.h"
}

namespace
{

// The ranges for the tests of one type: the PDs' selectors, and the microhypervisor's source.
struct Field {
        unsigned type;
        word_t base, size, source;
        unsigned max_order;
};

constexpr Field MEMORY = {NOVA_CRD_MEM, 0x3ff800, 0x1000, 0x10000, 11};
constexpr Field PORTS = {NOVA_CRD_IO, 0x7c00, 0x800, 0x7c00, 10};
constexpr Field OBJECTS = {NOVA_CRD_OBJ, RADIX_FIRST - 0x200, 0x400, 0, 8};

class Play
{
      public:
        explicit Play(const Field &where, unsigned seed) : field(where), random(seed)
        {
                for (unsigned i = 0; i < 4; i++)
                        kernel.make_pd();
                if (field.type == NOVA_CRD_OBJ)
                        for (unsigned i = 0; i < 300; i++)
                                make_object();
                else
                        model.insert(&kernel_pd, field.type, field.source, field.size, field.source,
                                     field.type == NOVA_CRD_MEM ? NOVA_MEM_RWX : NOVA_IO_A);
        }

        ~Play()
        {
                kernel.revoke(&kernel_pd, 0, space_limit(field.type) - 1, field.type, NOVA_PERM_ALL,
                              false);
        }

        void operate()
        {
                switch (random() % 8) {
                case 0:
                case 1:
                case 2:
                case 3:
                        delegate();
                        break;
                case 4:
                case 5:
                        revoke();
                        break;
                case 6:
                        translate();
                        break;
                default:
                        lookup();
                }
        }

        void check()
        {
                for (pd *one : kernel.pds) {
                        check_pd(one);
                        ASSERT_TRUE(caps_of(one, field.type) == model.caps(one, field.type));
                }
        }

        // Checks that some operations ran at once, and others in steps.
        void expect_both_ways() const
        {
                EXPECT_GT(kernel.delegated_at_once, 5u);
                EXPECT_GT(kernel.revoked_at_once, 0u);
        }

      private:
        void make_object()
        {
                pd *owner = any_pd();
                const word_t sel = field.base + random() % field.size;
                if (object_space_capability(&owner->object_space, sel))
                        return;
                sm *made = kernel.make_sm(owner, sel);
                model.insert(owner, NOVA_CRD_OBJ, sel, 1, reinterpret_cast<word_t>(&made->object),
                             NOVA_PERM_ALL);
        }

        pd *any_pd()
        {
                return kernel.pds[random() % kernel.pds.size()];
        }

        unsigned any_perms()
        {
                return random() % 3 ? unsigned(NOVA_PERM_ALL) : unsigned(random() % 32);
        }

        // Returns a range in the field; mostly aligned, so that large pages fit.
        word_t any_range(word_t base, word_t &count)
        {
                const unsigned order = random() % (field.max_order + 1);
                count = word_t{1} << order;
                word_t first = base + random() % (field.size - count + 1);
                if (random() % 4)
                        first = std::max(base, first & ~(count - 1));
                else
                        count -= random() % count;
                return first;
        }

        void delegate()
        {
                const bool host = field.type != NOVA_CRD_OBJ && random() % 3 == 0;
                word_t count, other;
                pd *from = host ? &kernel_pd : any_pd(), *to = any_pd();
                const word_t first = any_range(host ? field.source : field.base, count);
                const word_t base =
                        field.type == NOVA_CRD_IO ? first : any_range(field.base, other);
                const unsigned perms = any_perms();
                kernel.delegate(from, first, to, base, count, field.type, perms);
                model.delegate(from, first, to, base, count, field.type, perms);
        }

        void revoke()
        {
                word_t count;
                const bool host = field.type != NOVA_CRD_OBJ && random() % 4 == 0;
                pd *from = host ? &kernel_pd : any_pd();
                const word_t first = any_range(host ? field.source : field.base, count);
                const unsigned perms = any_perms();
                const bool self = !host && random() % 2;
                kernel.revoke(from, first, first + count - 1, field.type, perms, self);
                model.revoke(from, first, first + count - 1, field.type, perms, self);
        }

        void lookup()
        {
                pd *owner = any_pd();
                const word_t sel = field.base + random() % field.size;
                const Caps caps = model.caps(owner, field.type);
                const auto at = caps.find(sel);
                if (field.type == NOVA_CRD_OBJ) { // the word that the hypercall reads
                        const word_t cap = object_space_capability(&owner->object_space, sel);
                        ASSERT_EQ(cap & NOVA_PERM_ALL, at == caps.end() ? 0 : at->second.perms);
                        return;
                }
                const nova_crd_t crd = mapping_lookup(pd_space(owner, field.type), sel);
                ASSERT_EQ(crd != 0, at != caps.end());
                if (!crd)
                        return;
                const word_t base = nova_crd_base(crd), size = word_t{1} << nova_crd_order(crd);
                ASSERT_EQ(nova_crd_type(crd), field.type);
                ASSERT_EQ(nova_crd_perms(crd), at->second.perms);
                ASSERT_EQ(base, sel & ~(size - 1));
                for (word_t i = 0; i < size; i++) {
                        ASSERT_TRUE(caps.count(base + i));
                        ASSERT_EQ(caps.at(base + i).perms, at->second.perms);
                }
        }

        void translate()
        {
                pd *sender = any_pd(), *receiver = any_pd();
                const unsigned order = random() % (field.max_order + 1);
                const unsigned wide = random() % 4 ? 31 : random() % (field.max_order + 1);
                const word_t base = field.base + random() % field.size;
                const word_t wide_base = field.base + random() % field.size;
                const nova_crd_t result = translation_find(
                        pd_space(sender, field.type),
                        nova_crd(field.type, base, order, NOVA_PERM_ALL),
                        pd_space(receiver, field.type), nova_crd(field.type, wide_base, wide, 31));
                check_translation(sender, receiver, base >> order << order, order,
                                  wide_base >> wide, wide, result);
        }

        void check_translation(pd *sender, pd *receiver, word_t base, unsigned order, word_t window,
                               unsigned wide, nova_crd_t result)
        {
                const std::set<word_t> at = model.origins(sender, field.type, base, receiver);
                bool inside = false;
                for (word_t sel : at)
                        inside |= sel >> wide == window;
                if (!result) {
                        ASSERT_FALSE(inside);
                        return;
                }
                ASSERT_FALSE(at.empty());
                const word_t first = nova_crd_base(result),
                             size = word_t{1} << nova_crd_order(result);
                ASSERT_EQ(nova_crd_perms(result), model.caps(sender, field.type).at(base).perms);
                ASSERT_EQ(first & (size - 1), 0u);
                ASSERT_LE(nova_crd_order(result), order);
                ASSERT_EQ(first >> wide, window);
                // Each of its selectors is the origin of the selector at an equal distance from the
                // base.
                bool same = false;
                for (word_t sel : at) {
                        bool all = true;
                        for (word_t i = 0; i < size && all; i++)
                                all = model.origins(sender, field.type, base + (first + i - sel),
                                                    receiver)
                                              .count(first + i);
                        same |= all;
                }
                ASSERT_TRUE(same);
        }

        Kernel kernel;
        Field field;
        Model model;
        std::mt19937_64 random;
};

class mapping_model : public testing::TestWithParam<Field>
{
};

TEST_P(mapping_model, agrees_with_the_model_after_each_operation)
{
        for (unsigned seed = 1; seed <= 3; seed++) {
                Play play(GetParam(), seed);
                for (unsigned i = 0; i < 200 && !HasFailure(); i++) {
                        play.operate();
                        play.check();
                }
                ASSERT_FALSE(HasFailure()) << "seed " << seed;
                if (GetParam().type != NOVA_CRD_OBJ)
                        play.expect_both_ways();
        }
}

std::string name_of(const testing::TestParamInfo<Field> &info)
{
        return info.param.type == NOVA_CRD_MEM  ? "memory"
               : info.param.type == NOVA_CRD_IO ? "ports"
                                                : "objects";
}

INSTANTIATE_TEST_SUITE_P(of, mapping_model, testing::Values(MEMORY, PORTS, OBJECTS), name_of);

TEST(mapping, uses_large_pages_and_splits_them_for_a_part)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        kernel.delegate(&kernel_pd, 0x10000, a, 0x400000, 1024, NOVA_CRD_MEM, NOVA_MEM_RWX, 0);
        const Taken large = taken_now();
        check_pd(a);
        kernel.revoke(a, 0x400010, 0x40001f, NOVA_CRD_MEM, NOVA_MEM_W, true);
        EXPECT_EQ(taken_now().frames, large.frames + 1); // one table for the page that was split
        check_pd(a);
        const Caps caps = caps_of(a, NOVA_CRD_MEM);
        EXPECT_EQ(caps.at(0x40000f).perms, unsigned(NOVA_MEM_RWX));
        EXPECT_EQ(caps.at(0x400010).perms, unsigned(NOVA_MEM_R | NOVA_MEM_X));
        EXPECT_EQ(caps.at(0x40001f).perms, unsigned(NOVA_MEM_R | NOVA_MEM_X));
        EXPECT_EQ(caps.at(0x400020).perms, unsigned(NOVA_MEM_RWX));
        kernel.revoke(a, 0x400000, 0x4003ff, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        check_pd(a);
}

TEST(mapping, writes_no_large_page_where_frames_are_not_aligned)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        kernel.delegate(&kernel_pd, 0x10001, a, 0x400000, 600, NOVA_CRD_MEM, NOVA_MEM_R);
        check_pd(a);
        EXPECT_EQ(caps_of(a, NOVA_CRD_MEM).at(0x400257).source, 0x10258u);
}

// Intel's CPUs with CVE-2018-12207 get no large page of code: another CPU may still have small
// pages of an earlier mapping in its TLB.
TEST(mapping, writes_no_large_page_of_code_for_a_cpu_that_checks_its_size)
{
        for (const uint32_t found : {0u, uint32_t{ERRATUM_CODE}})
                for (const unsigned perms : {7u, unsigned(NOVA_MEM_R | NOVA_MEM_W)}) {
                        Kernel kernel;
                        pd *a = kernel.make_pd();
                        const bool small = found && perms & NOVA_MEM_X;
                        errata = found;
                        const long before = fake_frames_taken();
                        kernel.delegate(&kernel_pd, 0x10000, a, 0x400000, 1024, NOVA_CRD_MEM, perms,
                                        0);
                        // a table of 1 GiB, one above it, and tables of small pages
                        EXPECT_EQ(fake_frames_taken(), before + 2 + (small ? 2 : 0));
                        check_pd(a);
                        kernel.revoke(a, 0x400010, 0x40001f, NOVA_CRD_MEM, NOVA_MEM_W, true);
                        check_pd(a);
                        errata = 0;
                }
}

TEST(mapping, refuses_a_chain_of_delegations_that_is_too_long)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        kernel.delegate(&kernel_pd, 0, a, 0, 1, NOVA_CRD_MEM, NOVA_MEM_R);
        for (word_t i = 1; i < MAPPING_DEPTH_MAX; i++)
                kernel.delegate(a, i - 1, a, i, 1, NOVA_CRD_MEM, NOVA_MEM_R);
        delegation d = make_delegation(a, MAPPING_DEPTH_MAX - 1, a, MAPPING_DEPTH_MAX, 1,
                                       NOVA_CRD_MEM, NOVA_MEM_R);
        EXPECT_EQ(delegation_step(&d), STEP_FAILED);
        check_pd(a);
        kernel.revoke(a, 0, 0, NOVA_CRD_MEM, NOVA_PERM_ALL, true);
        EXPECT_TRUE(caps_of(a, NOVA_CRD_MEM).empty());
}

TEST(mapping, takes_a_utcb_with_any_revocation_of_its_page)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        kernel.make_ec(a, 0x1000);
        check_pd(a);
        EXPECT_FALSE(mapping_is_free(&a->memory.space, 0x1000));
        kernel.revoke(a, 0x1000, 0x1000, NOVA_CRD_MEM, NOVA_MEM_R, true);
        EXPECT_TRUE(mapping_is_free(&a->memory.space, 0x1000));
        check_pd(a);
}

TEST(mapping, keeps_memory_beyond_the_user_half_out_of_page_tables)
{
        Kernel kernel;
        pd *a = kernel.make_pd();
        const word_t end = NOVA_USER_END >> PAGE_BITS;
        kernel.delegate(&kernel_pd, 0x10000, a, end - 8, 16, NOVA_CRD_MEM, NOVA_MEM_RWX);
        kernel.delegate(&kernel_pd, 0x10000, a, end + 0x10000000, 1024, NOVA_CRD_MEM, NOVA_MEM_RWX);
        check_pd(a);
        kernel.revoke(a, end - 4, end + 3, NOVA_CRD_MEM, NOVA_MEM_W, true);
        check_pd(a);
}

} // namespace
