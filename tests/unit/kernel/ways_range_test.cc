// SPDX-License-Identifier: BSD-2-Clause
// Ranges and items that are delegated and revoked at once give equal results in steps, whatever
// other work is in progress.
#include <gtest/gtest.h>

#include <random>

#include "ways.h"

extern "C" {
#include "ipc/item.h"
}

namespace
{

constexpr unsigned PDS = 3, OPERATIONS = 40, SELECTORS = 24;
// A chain of delegations, longer than a step of a walk: splits leave marks on it.
constexpr unsigned LINKS = 24, PIECE = 8;
constexpr word_t CHAIN = 0x100;

// A script of random operations; a seed gives one script on both paths.
class Script : public World
{
      public:
        Script(unsigned seed, bool use_fast) : fast(use_fast), random(seed)
        {
                pds_here = {home, away, make_pd()};
                home->is_root = true;
                for (unsigned i = 0; i < 2 * PDS; i++)
                        threads_here.push_back(thread(i < PDS ? "sender" : "receiver",
                                                      pds_here[i % PDS], EC_LOCAL));
                for (word_t sel = 0; sel < 6; sel++)
                        names[make_sm(pds_here[sel % PDS], sel)] = "sm" + std::to_string(sel);
                delegate_range({&kernel_pd, 0x300, home, 0, SELECTORS, NOVA_CRD_MEM, 7});
                delegate_range({&kernel_pd, 0, home, 0, SELECTORS, NOVA_CRD_IO, NOVA_IO_A});
                delegate_range({&kernel_pd, 0x400, home, CHAIN, PIECE, NOVA_CRD_MEM, 7});
                for (unsigned i = 0; i < LINKS; i++)
                        delegate_range({pds_here[i % PDS], link(i), pds_here[(i + 1) % PDS],
                                        link(i + 1), PIECE, NOVA_CRD_MEM, 7});
                walk_on(home, CHAIN, CHAIN + random() % (PIECE - 1), NOVA_CRD_MEM, 7, false);
        }

        ~Script()
        {
                account_root.limit = ~word_t{0};
                abandon(&walk);
        }

        // Returns the whole state after each operation.
        std::vector<std::string> play()
        {
                std::vector<std::string> states;
                for (unsigned i = 0; i < OPERATIONS; i++) {
                        std::string what = step();
                        SCOPED_TRACE(testing::Message() << what << " #" << i << " fast " << fast);
                        states.push_back(what + "\n" + state(!walks && i % 8 == 0));
                }
                return states;
        }

        unsigned at_once = 0;

      private:
        struct Range {
                pd *from;
                word_t first;
                pd *to;
                word_t base, count;
                unsigned type, perms, attr = 0;
        };

        word_t pick(std::vector<word_t> of)
        {
                return of[random() % of.size()];
        }

        static word_t link(unsigned i)
        {
                return CHAIN + i / PDS * PIECE;
        }

        word_t place()
        {
                return random() % 2 ? random() % SELECTORS : CHAIN + random() % (4 * PIECE);
        }

        void delegate_range(const Range &one)
        {
                delegation d = make_delegation(one.from, one.first, one.to, one.base, one.count,
                                               one.type, one.perms, one.attr);
                if (fast && range_delegate(&d)) {
                        at_once++;
                        return;
                }
                while (delegation_step(&d) == STEP_AGAIN)
                        ;
        }

        void revoke_range(pd *from, word_t first, word_t last, unsigned type, unsigned perms)
        {
                revocation r;
                if (fast && range_revoke(pd_space(from, type), first, last, perms)) {
                        at_once++;
                        return;
                }
                revocation_begin(&r, pd_space(from, type), first, last, perms, false);
                while (revocation_step(&r) == STEP_AGAIN)
                        ;
        }

        // Does one step of another revocation between two operations. It leaves marks, pins and
        // splits.
        void walk_on(pd *from, word_t first, word_t last, unsigned type, unsigned perms, bool self)
        {
                if (!walks)
                        revocation_begin(&walk, pd_space(from, type), first, last, perms, self);
                walks = revocation_step(&walk) == STEP_AGAIN;
        }

        void walk_on()
        {
                const word_t first = place(), last = first + random() % SELECTORS;
                const bool self = random() % 2;
                const unsigned type = unsigned(pick({NOVA_CRD_MEM, NOVA_CRD_MEM, NOVA_CRD_IO}));
                const unsigned perms = unsigned(pick({7, 7, 3, 1}));
                walk_on(pds_here[random() % PDS], first, last, type, perms, self);
        }

        nova_crd_t crd(unsigned type)
        {
                return nova_crd(random() % 8 ? type : unsigned(random() % 4), random() % 6,
                                unsigned(pick({0, 0, 0, 1, 2, 3, 31})),
                                unsigned(pick({31, 31, 7, 3, random() % 32})));
        }

        void send_item(unsigned from, unsigned to)
        {
                ec *sender = threads_here[from], *receiver = threads_here[PDS + to];
                const unsigned type = unsigned(random() % 3 + 1), at = nova_utcb_item_index(0);
                sender->state = EC_READY;
                sender->utcb->word[at] = crd(type);
                sender->utcb->word[at + 1] = (random() % 0x40) << NOVA_ITEM_HOTSPOT_SHIFT |
                                             pick({0, 1, 1, 1, NOVA_ITEM_H | 1, NOVA_ITEM_G | 1,
                                                   NOVA_ITEM_D | 1, 0xfff});
                receiver->utcb->delegate_window = receiver->utcb->translate_window = crd(type);
                receiver->event_qual[1] = 0x5000;
                const bool is_answer = random() % 4 == 0;
                if (fast && (is_answer ? item_answers_at_once(sender, receiver)
                                       : item_at_once(sender, receiver))) {
                        at_once++;
                        return;
                }
                item_transfer_begin(sender, receiver, is_answer, 1);
                item_transfer(sender, nullptr);
        }

        std::string step()
        {
                const unsigned from = random() % PDS, to = random() % PDS, what = random() % 16;
                const word_t first = place(), base = place();
                const word_t count = pick({1, 1, 1, 2, 3, 5, 8});
                const unsigned type = unsigned(pick({NOVA_CRD_MEM, NOVA_CRD_MEM, NOVA_CRD_IO}));
                const unsigned perms = unsigned(pick({7, 7, 7, 5, 3, 1}));
                const unsigned attr = unsigned(pick({0, MAPPING_DMA, MAPPING_GUEST}));
                const word_t far = type == NOVA_CRD_IO ? 0 : pick({0, 0, 0, word_t(to + 1) << 20});
                if (random() % 4 == 0)
                        account_root.limit = account_root.used + pick({0, 100, 200, 4200, 8400});
                if (what < 6)
                        delegate_range({pds_here[from], first, pds_here[to], base + far, count,
                                        type, perms, attr});
                else if (what < 9)
                        revoke_range(pds_here[from], first, first + count - 1, type, perms);
                else if (what < 13)
                        send_item(from, to);
                else
                        walk_on();
                account_root.limit = ~word_t{0};
                return "operation " + std::to_string(what) + " type " + std::to_string(type);
        }

        const bool fast;
        std::mt19937 random;
        std::vector<pd *> pds_here;
        std::vector<ec *> threads_here;
        revocation walk = {};
        bool walks = false;
};

TEST(ways, of_delegations_and_revocations_are_the_same)
{
        unsigned at_once = 0;
        for (unsigned seed = 0; seed < 150; seed++) {
                std::vector<std::string> fast, general;
                {
                        Script one(seed, true);
                        fast = one.play();
                        at_once += one.at_once;
                }
                {
                        general = Script(seed, false).play();
                }
                for (unsigned i = 0; i < OPERATIONS; i++)
                        ASSERT_EQ(fast[i], general[i]) << "seed " << seed << ", operation " << i;
        }
        EXPECT_GT(at_once, 500u);
}

} // namespace
