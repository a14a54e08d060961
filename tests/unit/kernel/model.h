// SPDX-License-Identifier: BSD-2-Clause
// The meaning of delegation, revocation and translation, one selector at a time.
#ifndef UNIT_KERNEL_MODEL_H
#define UNIT_KERNEL_MODEL_H

#include <memory>
#include <set>

#include "kernel.h"

class Model
{
      public:
        // Enters capabilities that were derived from nothing.
        void insert(pd *owner, unsigned type, word_t first, word_t count, word_t source,
                    unsigned perms);
        void delegate(pd *from, word_t first, pd *to, word_t base, word_t count, unsigned type,
                      unsigned perms);
        void revoke(pd *from, word_t first, word_t last, unsigned type, unsigned perms, bool self);

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
        };
        using Space = std::map<word_t, Node *>;

        Node *enter(pd *owner, unsigned type, word_t sel, Cap cap, Node *parent);
        void take(Node *node, unsigned type, unsigned perms);
        void take_below(Node *node, unsigned type, unsigned perms);
        void forget_empty_children();

        std::map<std::pair<pd *, unsigned>, Space> spaces;
        std::vector<std::unique_ptr<Node>> nodes;
};

#endif
