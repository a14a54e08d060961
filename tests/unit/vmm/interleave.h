/* SPDX-License-Identifier: BSD-2-Clause */
/* Explores all orders of the steps of two actors: a run asks for each choice, and the next run
 * takes the first path that no run has taken. */
#ifndef NOVA_TESTS_UNIT_VMM_INTERLEAVE_H
#define NOVA_TESTS_UNIT_VMM_INTERLEAVE_H

#include <cstddef>
#include <cstdint>
#include <vector>

class explorer
{
        std::vector<unsigned> path, bounds;
        size_t at = 0;

      public:
        uint64_t runs = 0;

        /* Returns a choice from 0 to @p count - 1. */
        unsigned choose(unsigned count)
        {
                if (count < 2)
                        return 0;
                if (at == path.size()) {
                        path.push_back(0);
                        bounds.push_back(count);
                }
                return path[at++];
        }

        /* Prepares the next run. @return false if there was a run for each path */
        bool next()
        {
                runs++;
                at = 0;
                while (!path.empty() && path.back() + 1 == bounds.back()) {
                        path.pop_back();
                        bounds.pop_back();
                }
                if (path.empty())
                        return false;
                path.back()++;
                return true;
        }
};

#endif
