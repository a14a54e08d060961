// SPDX-License-Identifier: BSD-2-Clause
// A translation climbs a chain of mappings while its receiver revokes the part with the source, and
// a barren mapping keeps the chain alive.
#include <gtest/gtest.h>

#include <memory>

#include "kernel.h"
#include "stepwise.h"

extern "C" {
#include "ipc/translation.h"
#include "nova/abi/hypercall.h"
#include "space/mapping_tree.h"
}

namespace
{

constexpr word_t BASE = 0x400001, LINKS = 65, STRIDE = 16, SIZE = 8, BRANCH = BASE + 4096;
// The receiver revokes page CUT and all pages above it. The sent page is page SENT.
constexpr word_t CUT = 3, SENT = 4;

// The receiver's pages, a mapping under a limit in PD `sender`, and a chain of copies below it.
struct Climb : Kernel {
        pd *sender = make_pd(), *receiver = make_pd();
        std::unique_ptr<Step> stopped;

        // stops: a thread of the sender stops in a revocation below the first copy.
        explicit Climb(bool stops)
        {
                delegate(&kernel_pd, 0x10001, receiver, BASE, SIZE, NOVA_CRD_MEM, NOVA_MEM_RWX, 0);
                delegate(receiver, BASE, sender, BASE, SIZE, NOVA_CRD_MEM, NOVA_MEM_RWX,
                         MAPPING_WHOLE);
                for (word_t i = 0; i < LINKS; i++)
                        copy(i * STRIDE, (i + 1) * STRIDE, SIZE);
                copy(STRIDE, BRANCH - BASE, SIZE);
                for (word_t i = 0; i < SIZE; i++)
                        for (word_t k = 0; k < 3; k++)
                                copy(BRANCH - BASE + i, BRANCH - BASE + 1000 + 2 * (3 * i + k), 1);
                if (!stops)
                        return;
                stopped = std::make_unique<Step>(sender, BRANCH, BRANCH + SIZE - 1, NOVA_MEM_RWX,
                                                 false);
                EXPECT_EQ(stopped->once(), STEP_AGAIN);
        }

        // Delegates pages of the sender to itself.
        void copy(word_t from, word_t to, word_t pages)
        {
                delegate(sender, BASE + from, sender, BASE + to, pages, NOVA_CRD_MEM, NOVA_MEM_RWX,
                         0);
        }

        nova_crd_t translate()
        {
                const nova_crd_t sent =
                        nova_crd(NOVA_CRD_MEM, BASE + LINKS * STRIDE + SENT, 0, NOVA_PERM_ALL);

                return translation_find(&sender->memory.space, sent, &receiver->memory.space,
                                        nova_crd(NOVA_CRD_MEM, 0, 31, NOVA_PERM_ALL));
        }
};

Climb *climb;

TEST(climb, finds_no_selector_that_the_receiver_has_revoked_meanwhile)
{
        for (const bool stops : {false, true}) {
                Climb c(stops);

                climb = &c;
                fake_window = [] {
                        fake_window = nullptr;
                        climb->revoke(climb->receiver, BASE + CUT, BASE + SIZE - 1, NOVA_CRD_MEM,
                                      NOVA_MEM_RWX, true);
                };
                EXPECT_EQ(c.translate(), 0u) << stops;
                EXPECT_EQ(fake_window, nullptr) << "the climb opened no window";
                EXPECT_EQ(caps_of(c.receiver, NOVA_CRD_MEM).size(), CUT);
                EXPECT_TRUE(caps_of(c.sender, NOVA_CRD_MEM).empty());
                fake_window = nullptr;
                if (c.stopped)
                        c.stopped->finish();
        }
}

} // namespace
