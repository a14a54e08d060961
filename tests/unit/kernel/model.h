// SPDX-License-Identifier: BSD-2-Clause
// The meaning of delegation, revocation and translation, one selector at a time.
#ifndef UNIT_KERNEL_MODEL_H
#define UNIT_KERNEL_MODEL_H

#include <functional>
#include <memory>
#include <set>

#include "kernel.h"

class Model
{
        struct Node;

      public:
        // The nodes at which a revocation begins, and the number of nodes at its start.
        struct Walk {
                std::vector<Node *> tops;
                size_t known;
        };

        // Enters capabilities that were derived from nothing.
        void insert(pd *owner, unsigned type, word_t first, word_t count, word_t source,
                    unsigned perms);
        void delegate(pd *from, word_t first, pd *to, word_t base, word_t count, unsigned type,
                      unsigned perms);
        void revoke(pd *from, word_t first, word_t last, unsigned type, unsigned perms, bool self);

        // Begins a revocation in steps: call reach() for each PD, other changes, then finish().
        Walk begin(pd *from, word_t first, word_t last, unsigned type);

        // Sets the permissions of a PD's capabilities to those that the kernel has left after part
        // of an operation. Unlike keep(), it takes no permissions from derived capabilities.
        void reach(pd *owner, unsigned type, const Caps &caps);

        // Does the rest of a revocation. If has_passed returns true for a revoked selector,
        // capabilities that were derived from it since begin() stay, unless self is set. If a
        // revoked selector has no permissions left, all capabilities derived from it are lost.
        // given_up: handles only such selectors.
        void finish(const Walk &walk, unsigned type, unsigned perms, bool self, bool given_up,
                    const std::function<bool(word_t)> &has_passed);

        // Limits a PD to these capabilities, because memory was missing for others, or to split a
        // range. Capabilities derived from lost ones are lost, too.
        void keep(pd *owner, unsigned type, const Caps &caps);

        // Returns the capabilities of a PD.
        Caps caps(pd *owner, unsigned type) const;

        // Returns the selectors of a PD from which the sender's selector was derived.
        std::set<word_t> origins(pd *sender, unsigned type, word_t sel, pd *receiver) const;

      private:
        struct Node {
                pd *owner;
                word_t sel;
                Cap cap;
                Node *parent;
                std::vector<Node *> children;
                size_t number;
        };
        using Space = std::map<word_t, Node *>;

        Node *enter(pd *owner, unsigned type, word_t sel, Cap cap, Node *parent);
        void take(Node *node, unsigned type, unsigned perms);
        void take_below(Node *node, unsigned type, unsigned perms);
        static bool is_empty(const Node *node);
        void forget_empty_children();

        std::map<std::pair<pd *, unsigned>, Space> spaces;
        std::vector<std::unique_ptr<Node>> nodes;
};

#endif
