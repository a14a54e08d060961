// SPDX-License-Identifier: BSD-2-Clause
// The part of the pool that a program with a quota can occupy. An account is charged for slots, but
// the pool gives frames. So a program that keeps one object in each frame occupies more than its
// quota: nearly its whole quota for each kind of object that it can create in any number.
#include <gtest/gtest.h>

#include <iostream>

#include "kernel.h"

extern "C" {
#include "space/mapping_tree.h"
#include "space/object_mapping.h"
}

namespace
{

constexpr word_t QUOTA = 4 << 20;
constexpr word_t SOURCE = 0, KEPT = 0x1000, OTHERS = RADIX_FIRST; // selectors
constexpr word_t PORTS = 0x8000;                                  // every second port

unsigned slots_of(size_t size)
{
        slab_cache cache;
        slab_init(&cache, size);
        return cache.slots;
}

// A program with one account: it pays for objects, mappings and tables.
struct Program : Kernel {
        pd *domain = nullptr, *helper = make_pd();
        ec *thread = make_ec(helper, 0x1000);
        account *purse = nullptr;
        word_t kept = KEPT, at_start = 0;

        Program() : Kernel(32768)
        {
                make_sm(helper, SOURCE);
                fake_settle();
                at_start = frame_count_free();
                EXPECT_EQ(pd_create(&kernel_pd, &account_root, QUOTA, &domain), NOVA_SUCCESS);
                pds.push_back(domain);
                purse = domain->account;
        }

        word_t bytes()
        {
                return (at_start - frame_count_free()) << PAGE_BITS;
        }

        // Creates objects until the account refuses one. Then drops all except one in each frame of
        // `slots` objects.
        template <class Create> void fill_objects(const char *kind, size_t size, Create create)
        {
                const unsigned slots = slots_of(size);
                for (word_t i = 0; create(i % slots ? OTHERS + i : kept); i++)
                        kept += i % slots == 0;
                revoke(domain, OTHERS, (word_t{1} << NOVA_SEL_ORDER) - 1, NOVA_CRD_OBJ,
                       NOVA_PERM_ALL, true);
                fake_settle();
                report(kind, size);
        }

        // Enters a new object, or drops it.
        bool enter(word_t sel, kobject *object)
        {
                if (object_space_insert(&domain->object_space, sel, object, NOVA_PERM_ALL) ==
                    NOVA_SUCCESS)
                        return true;
                object_put(object);
                return false;
        }

        bool delegates(pd *from, word_t sel, word_t to, unsigned type)
        {
                delegation d = make_delegation(from, sel, domain, to, 1, type, NOVA_PERM_ALL);
                return delegation_step(&d) != STEP_FAILED;
        }

        void fill_ports()
        {
                const unsigned slots = slots_of(sizeof(mapping));
                word_t i = 0;
                for (; i < PORTS && delegates(&kernel_pd, 2 * i, 2 * i, NOVA_CRD_IO); i++)
                        ;
                EXPECT_LT(i, PORTS);
                for (word_t first = 1; first < 2 * i; first += 2 * slots)
                        revoke(domain, first, first + 2 * slots - 2, NOVA_CRD_IO, NOVA_PERM_ALL,
                               true);
                fake_settle();
                report("mapping of a range", sizeof(mapping));
        }

        void report(const char *kind, size_t size)
        {
                std::cout << kind << ", " << size << " bytes: " << purse->used << " bytes charged, "
                          << bytes() << " in frames\n";
        }
};

TEST(share, of_the_pool_that_one_account_takes_is_less_than_six_times_its_limit)
{
        Program p;
        word_t page = 0x2000;
        p.fill_objects("mapping of an object", sizeof(object_mapping), [&](word_t sel) {
                return p.delegates(p.helper, SOURCE, sel, NOVA_CRD_OBJ);
        });
        p.fill_objects("semaphore", object_bytes(OBJECT_SM), [&](word_t sel) {
                sm *made;
                return sm_create(p.purse, 0, &made) == NOVA_SUCCESS && p.enter(sel, &made->object);
        });
        p.fill_objects("portal", object_bytes(OBJECT_PT), [&](word_t sel) {
                pt *made;
                return pt_create(p.purse, p.thread, 0, 0, 0, &made) == NOVA_SUCCESS &&
                       p.enter(sel, &made->object);
        });
        p.fill_objects("SC", object_bytes(OBJECT_SC), [&](word_t sel) {
                sc *made;
                return sc_create(p.purse, p.thread, 1, 1000, &made) == NOVA_SUCCESS &&
                       p.enter(sel, &made->object);
        });
        p.fill_ports();
        p.fill_objects("EC", object_bytes(OBJECT_EC), [&](word_t sel) {
                ec_config config = {};
                config.pd = p.domain;
                config.account = p.purse;
                config.kind = EC_LOCAL;
                config.cpu = cpu_self();
                config.utcb_page = page++;
                ec *made;
                return ec_create(&config, &made) == NOVA_SUCCESS && p.enter(sel, &made->object);
        });
        p.fill_objects("PD", object_bytes(OBJECT_PD), [&](word_t sel) {
                pd *made;
                return pd_create(p.domain, p.purse, 0, &made) == NOVA_SUCCESS &&
                       p.enter(sel, &made->object);
        });
        EXPECT_LE(p.purse->used, p.purse->limit);
        const word_t most = p.bytes() + (p.purse->limit - p.purse->used); // the rest: tables
        std::cout << "at most " << double(most) / double(QUOTA) << " times the quota\n";
        EXPECT_GT(most, 2 * QUOTA);
        EXPECT_LT(most, 6 * QUOTA);
}

} // namespace
