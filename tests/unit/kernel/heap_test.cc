// SPDX-License-Identifier: BSD-2-Clause
// Compares heaps with a multimap.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

extern "C" {
#include "fake.h"
#include "lib/heap.h"
}

namespace
{

unsigned depth_of(const heap_node *node)
{
        return node ? 1 + std::max(depth_of(node->left), depth_of(node->right)) : 0;
}

// Checks that every node's key is at least its parent's, and that the links agree.
void check(const heap_node *node, const heap_node *parent, size_t &count)
{
        if (!node)
                return;
        count++;
        EXPECT_EQ(node->parent, parent);
        EXPECT_GE(node->key, parent ? parent->key : 0);
        check(node->left, node, count);
        check(node->right, node, count);
}

TEST(heap, gives_the_lowest_key_after_any_changes)
{
        for (const uint32_t seed : {0u, 1u, 0x80000000u, ~0u}) {
                heap h;
                heap_init(&h, seed);
                std::vector<heap_node> nodes(200);
                std::multiset<uint64_t> model;
                std::map<heap_node *, bool> queued;
                std::mt19937 random(seed);
                for (unsigned i = 0; i < 20000; i++) {
                        heap_node *one = &nodes[random() % nodes.size()];
                        if (queued[one]) {
                                heap_remove(&h, one);
                                model.erase(model.find(one->key));
                        } else {
                                one->key = random() % 50 * (random() % 2 ? 1 : 1ull << 40);
                                heap_insert(&h, one);
                                model.insert(one->key);
                        }
                        queued[one] = !queued[one];
                        ASSERT_EQ(h.first == nullptr, model.empty());
                        if (h.first) {
                                ASSERT_EQ(h.first->key, *model.begin());
                        }
                        if (i % 500 == 0) {
                                size_t count = 0;
                                check(h.first, nullptr, count);
                                ASSERT_EQ(count, model.size());
                        }
                }
        }
}

std::string shape_of(const heap_node *node)
{
        return node ? "(" + shape_of(node->left) + shape_of(node->right) + ")" : ".";
}

// A program can guess the seed, so each change adds its own time.
TEST(heap, depends_on_the_time_of_each_change)
{
        std::set<std::string> shapes;
        for (unsigned i = 0; i < 64; i++) {
                heap h;
                heap_init(&h, 1);
                std::vector<heap_node> nodes(32);
                for (auto &node : nodes) {
                        fake_tsc = 1000 + i;
                        node.key = 7;
                        heap_insert(&h, &node);
                }
                shapes.insert(shape_of(h.first));
        }
        fake_tsc = 0;
        EXPECT_GT(shapes.size(), 16U);
}

// Keys in the worst order for a heap without balance.
TEST(heap, stays_shallow_whatever_the_order)
{
        constexpr unsigned COUNT = 1 << 14;
        const std::vector<std::function<uint64_t(unsigned)>> orders = {
                [](unsigned i) { return i; },
                [](unsigned i) { return COUNT - i; },
                [](unsigned) { return 7; },
                [](unsigned i) { return i % 2 ? i : COUNT * 2 - i; },
        };
        for (const auto &order : orders) {
                heap h;
                heap_init(&h, 42);
                std::vector<heap_node> nodes(COUNT);
                for (unsigned i = 0; i < COUNT; i++) {
                        nodes[i].key = order(i);
                        heap_insert(&h, &nodes[i]);
                }
                for (unsigned i = 0; i < COUNT / 2; i++)
                        heap_remove(&h, h.first);
                uint64_t last = 0;
                while (h.first) {
                        EXPECT_GE(h.first->key, last);
                        last = h.first->key;
                        heap_remove(&h, h.first);
                }
        }
        heap h;
        heap_init(&h, 42);
        std::vector<heap_node> nodes(COUNT);
        for (auto &node : nodes) {
                node.key = 7;
                heap_insert(&h, &node);
        }
        EXPECT_LT(depth_of(h.first), 64u);
}

} // namespace
