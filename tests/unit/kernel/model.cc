// SPDX-License-Identifier: BSD-2-Clause
// The naive mapping database (see model.h).
#include "model.h"

#include <algorithm>

Model::Node *Model::enter(pd *owner, unsigned type, word_t sel, Cap cap, Node *parent)
{
        nodes.push_back(std::make_unique<Node>(Node{owner, sel, cap, parent, {}, nodes.size()}));
        spaces[{owner, type}][sel] = nodes.back().get();
        return nodes.back().get();
}

void Model::insert(pd *owner, unsigned type, word_t first, word_t count, word_t source,
                   unsigned perms)
{
        for (word_t i = 0; i < count; i++)
                enter(owner, type, first + i, {source + i, perms}, nullptr);
}

void Model::delegate(pd *from, word_t first, pd *to, word_t base, word_t count, unsigned type,
                     unsigned perms)
{
        Space &source = spaces[{from, type}], &target = spaces[{to, type}];

        for (word_t i = 0; i < count; i++) {
                auto at = source.find(first + i);
                if (at == source.end() || target.count(base + i))
                        continue;
                Node *parent = at->second;
                if (parent->cap.perms & perms)
                        parent->children.push_back(
                                enter(to, type, base + i,
                                      {parent->cap.source, parent->cap.perms & perms}, parent));
        }
}

void Model::take(Node *node, unsigned type, unsigned perms)
{
        const bool had = node->cap.perms;
        node->cap.perms &= ~perms;
        if (had && !node->cap.perms)
                spaces[{node->owner, type}].erase(node->sel);
        take_below(node, type, perms);
}

void Model::take_below(Node *node, unsigned type, unsigned perms)
{
        std::vector<Node *> left;
        for (Node *child : node->children) {
                take(child, type, perms);
                if (!is_empty(child))
                        left.push_back(child);
        }
        node->children = left;
}

// A node without permissions is a link to the nodes below it, which a revocation has not reached.
bool Model::is_empty(const Node *node)
{
        return !node->cap.perms &&
               std::all_of(node->children.begin(), node->children.end(), is_empty);
}

void Model::forget_empty_children()
{
        for (auto &[key, space] : spaces)
                for (auto &[sel, node] : space)
                        for (size_t i = node->children.size(); i--;)
                                if (is_empty(node->children[i]))
                                        node->children.erase(node->children.begin() + long(i));
}

void Model::revoke(pd *from, word_t first, word_t last, unsigned type, unsigned perms, bool self)
{
        Space &source = spaces[{from, type}];
        std::vector<Node *> tops;
        for (auto at = source.lower_bound(first); at != source.end() && at->first <= last; ++at)
                tops.push_back(at->second);
        for (Node *node : tops) {
                if (self && node->cap.perms)
                        take(node, type, perms);
                else if (!self)
                        take_below(node, type, perms);
        }
        forget_empty_children();
}

Model::Walk Model::begin(pd *from, word_t first, word_t last, unsigned type)
{
        Space &source = spaces[{from, type}];
        Walk walk = {{}, nodes.size()};
        for (auto at = source.lower_bound(first); at != source.end() && at->first <= last; ++at)
                walk.tops.push_back(at->second);
        return walk;
}

void Model::reach(pd *owner, unsigned type, const Caps &caps)
{
        Space &space = spaces[{owner, type}];
        for (auto at = space.begin(); at != space.end();) {
                const auto have = caps.find(at->first);
                at->second->cap.perms = have == caps.end() ? 0 : have->second.perms;
                at = at->second->cap.perms ? std::next(at) : space.erase(at);
        }
}

void Model::finish(const Walk &walk, unsigned type, unsigned perms, bool self, bool given_up,
                   const std::function<bool(word_t)> &has_passed)
{
        for (Node *top : walk.tops) {
                if (!top->cap.perms)
                        take_below(top, type, NOVA_PERM_ALL);
                else if (given_up)
                        continue;
                else if (self)
                        take(top, type, perms);
                else
                        for (Node *child : top->children)
                                if (child->number < walk.known || !has_passed(top->sel))
                                        take(child, type, perms);
        }
        forget_empty_children();
}

void Model::keep(pd *owner, unsigned type, const Caps &caps)
{
        std::vector<Node *> all;
        for (auto &[sel, node] : spaces[{owner, type}])
                all.push_back(node);
        for (Node *node : all) {
                const auto have = caps.find(node->sel);
                take(node, type, node->cap.perms & ~(have == caps.end() ? 0 : have->second.perms));
        }
        forget_empty_children();
}

Caps Model::caps(pd *owner, unsigned type) const
{
        Caps found;
        auto at = spaces.find({owner, type});
        if (at != spaces.end())
                for (const auto &[sel, node] : at->second)
                        found[sel] = node->cap;
        return found;
}

std::set<word_t> Model::origins(pd *sender, unsigned type, word_t sel, pd *receiver) const
{
        std::set<word_t> found;
        auto space = spaces.find({sender, type});
        if (space == spaces.end() || !space->second.count(sel))
                return found;
        for (const Node *node = space->second.at(sel)->parent; node; node = node->parent)
                if (node->owner == receiver)
                        found.insert(node->sel);
        return found;
}
