// SPDX-License-Identifier: BSD-2-Clause
// Compares interval trees with a list of ranges.
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <memory>
#include <random>
#include <set>
#include <vector>

extern "C" {
#include "fake.h"
#include "lib/tree.h"
}

namespace
{

using Node = tree_node;
using Nodes = std::list<Node *>; // in the order that the tree must have

struct Trees {
        std::vector<std::unique_ptr<Node>> memory;
        std::mt19937_64 random{1};

        Node *make(word_t start, word_t last)
        {
                memory.push_back(std::make_unique<Node>());
                Node *node = memory.back().get();
                node->start = start;
                node->last = last;
                node->parent = 0;
                return node;
        }

        Node *make_random(word_t limit, word_t length)
        {
                const word_t start = random() % limit;
                return make(start, start + random() % length);
        }
};

void model_insert(Nodes &model, Node *node)
{
        auto at = std::find_if(model.begin(), model.end(),
                               [&](const Node *other) { return other->start >= node->start; });
        model.insert(at, node);
}

enum class Kind { overlapping, disjoint };

// Checks a subtree, appends its nodes in order; returns its depth.
unsigned collect(const Node *node, Nodes &out, Kind kind)
{
        if (!node)
                return 0;
        for (const Node *child : {node->left, node->right})
                EXPECT_TRUE(!child || (child->parent == reinterpret_cast<word_t>(node) &&
                                       child->priority <= node->priority));
        const unsigned left = collect(node->left, out, kind);
        out.push_back(const_cast<Node *>(node));
        const unsigned right = collect(node->right, out, kind);
        word_t max = node->last;
        for (const Node *child : {node->left, node->right})
                if (child)
                        max = std::max(max, child->max);
        if (kind == Kind::overlapping) {
                EXPECT_EQ(node->max, max);
        }
        return 1 + std::max(left, right);
}

unsigned check(tree &tree, const Nodes &model, Kind kind = Kind::overlapping)
{
        Nodes found;
        EXPECT_TRUE(!tree.root || tree.root->parent == (reinterpret_cast<word_t>(&tree) | 1));
        const unsigned depth = collect(tree.root, found, kind);
        EXPECT_EQ(found, model);
        EXPECT_EQ(tree_is_empty(&tree), model.empty());
        return depth;
}

Nodes overlapping(const Nodes &model, word_t first, word_t last)
{
        Nodes found;
        for (Node *node : model)
                if (node->start <= last && node->last >= first)
                        found.push_back(node);
        return found;
}

Nodes found_by_tree(const tree &tree, word_t first, word_t last)
{
        Nodes found;
        for (Node *node = tree_find(&tree, first, last); node;
             node = tree_find_next(node, first, last))
                found.push_back(node);
        return found;
}

TEST(tree, finds_the_nodes_that_a_list_finds_after_random_operations)
{
        Trees t;
        tree tree = {};
        Nodes model;
        for (unsigned i = 0; i < 20000; i++) {
                const unsigned what = t.random() % 8;
                if (what < 4 && model.size() < 200) {
                        Node *node = t.make_random(500, 40);
                        tree_insert(&tree, node);
                        model_insert(model, node);
                } else if (!model.empty()) {
                        auto at = std::next(model.begin(), long(t.random() % model.size()));
                        Node *node = *at;
                        EXPECT_EQ(tree_of(node), &tree);
                        if (what < 6) {
                                tree_remove(node);
                                EXPECT_EQ(node->parent, 0u);
                                model.erase(at);
                        } else {
                                tree_set_last(node, node->start + t.random() % 60);
                        }
                }
                if (i % 16 == 0)
                        check(tree, model);
                const word_t first = t.random() % 560, last = first + t.random() % 30;
                ASSERT_EQ(found_by_tree(tree, first, last), overlapping(model, first, last));
                ASSERT_EQ(found_by_tree(tree, first + 1, first),
                          overlapping(model, first + 1, first));
        }
}

TEST(tree, finds_the_next_overlapping_node_after_any_node)
{
        Trees t;
        tree tree = {};
        Nodes model;
        for (unsigned i = 0; i < 100; i++) {
                Node *node = t.make_random(300, 50);
                tree_insert(&tree, node);
                model_insert(model, node);
        }
        for (auto at = model.begin(); at != model.end(); ++at) {
                const word_t first = t.random() % 300, last = first + t.random() % 60;
                auto next = std::find_if(std::next(at), model.end(), [&](const Node *node) {
                        return node->start <= last && node->last >= first;
                });
                EXPECT_EQ(tree_find_next(*at, first, last), next == model.end() ? nullptr : *next);
        }
}

TEST(tree, splits_at_any_place)
{
        Trees t;
        for (unsigned round = 0; round < 300; round++) {
                tree tree = {}, later = {};
                Nodes model, model_later;
                for (unsigned i = t.random() % 60; i; i--) {
                        Node *node = t.make_random(100, 20);
                        tree_insert(&tree, node);
                        model_insert(model, node);
                }
                const word_t x = t.random() % 110;
                tree_split(&tree, x, &later);
                auto at = std::find_if(model.begin(), model.end(),
                                       [&](const Node *node) { return node->start >= x; });
                model_later.splice(model_later.end(), model, at, model.end());
                check(tree, model);
                check(later, model_later);
                for (Node *node : model_later) {
                        ASSERT_EQ(tree_of(node), &later);
                        tree_remove(node);
                }
                check(later, {});
        }
}

TEST(tree, puts_the_newest_of_equal_starts_first)
{
        Trees t;
        tree tree = {};
        Nodes model;
        for (unsigned i = 0; i < 50; i++) {
                Node *node = t.make(7, 7 + i % 5);
                tree_insert(&tree, node);
                model.push_front(node);
        }
        check(tree, model);
        EXPECT_EQ(found_by_tree(tree, 0, 100), model);
}

TEST(tree, holds_ranges_that_end_with_the_last_word)
{
        Trees t;
        tree tree = {};
        const word_t end = ~word_t{0};
        Node *all = t.make(0, end), *tail = t.make(end, end), *head = t.make(0, 0);
        for (Node *node : {all, tail, head})
                tree_insert(&tree, node);
        EXPECT_EQ(found_by_tree(tree, end, end), (Nodes{all, tail}));
        EXPECT_EQ(found_by_tree(tree, 0, 0), (Nodes{head, all}));
        EXPECT_EQ(found_by_tree(tree, 1, end - 1), (Nodes{all}));
        EXPECT_EQ(found_by_tree(tree, 1, 0), (Nodes{all})); // crosses the boundary
}

// Searches in a tree of ranges with holes: the results, and whether a node that is inserted at the
// returned place keeps the order.
TEST(tree, of_disjoint_ranges_finds_the_first_and_a_place_before_it)
{
        Trees t;
        tree tree = {};
        Nodes model;
        unsigned clipped = 0, entered = 0;
        for (unsigned i = 0; i < 20000; i++) {
                const word_t first = t.random() % 2000, last = first + t.random() % 40;
                const Nodes overlaps = overlapping(model, first, last);
                tree_place place;
                Node *found = tree_search(&tree, first, last, &place);
                ASSERT_EQ(found, overlaps.empty() ? nullptr : overlaps.front());
                ASSERT_EQ(tree_search(&tree, first, last, nullptr), found);
                if (!found || found->start > first) {
                        Node *node = t.make(first, found ? found->start - 1 : last);
                        clipped += found != nullptr;
                        entered++;
                        tree_insert_at(&tree, place, node);
                        model_insert(model, node);
                } else if (t.random() % 2) {
                        auto at = std::next(model.begin(), long(t.random() % model.size()));
                        tree_remove_disjoint(*at);
                        EXPECT_EQ((*at)->parent, 0u);
                        model.erase(at);
                } else if (found->last > found->start) { // its last number becomes a range
                        Node *later = t.make(found->last, found->last);
                        found->last--;
                        ASSERT_EQ(tree_search(&tree, later->start, later->last, &place), nullptr);
                        tree_insert_at(&tree, place, later);
                        model_insert(model, later);
                }
                if (i % 16 == 0)
                        check(tree, model, Kind::disjoint);
        }
        EXPECT_GT(clipped, 100u);
        EXPECT_GT(entered, 1000u);
}

// A program can guess the seed, so each insertion adds its own time.
TEST(tree, priorities_depend_on_the_time_of_each_insertion)
{
        std::set<word_t> priorities;
        for (unsigned i = 0; i < 64; i++) {
                Trees trees;
                tree tree = {};
                tree_seed(1);
                for (word_t start = 0; start < 2; start++) {
                        fake_tsc = 1000 + i;
                        tree_insert(&tree, trees.make(start, start));
                }
                priorities.insert(trees.memory.back()->priority);
        }
        fake_tsc = 0;
        EXPECT_EQ(priorities.size(), 64u);
}

TEST(tree, stays_shallow_with_10000_nodes_in_order)
{
        Trees t;
        tree tree = {};
        Nodes model;
        for (word_t i = 0; i < 10000; i++) {
                Node *node = t.make(i, i);
                tree_insert(&tree, node);
                model.push_back(node);
        }
        EXPECT_LT(check(tree, model), 64u);
        for (word_t i = 0; i < 10000; i += 997)
                EXPECT_EQ(tree_find(&tree, i, i)->start, i);
        while (!model.empty()) {
                const bool first = model.size() % 2;
                Node *node = first ? model.front() : model.back();
                first ? model.pop_front() : model.pop_back();
                tree_remove(node);
                if (model.size() % 2000 == 0)
                        check(tree, model);
        }
}

} // namespace
