/* SPDX-License-Identifier: BSD-2-Clause */
/* An interrupt line that records its states, and a clock that does not advance, for tests of
 * devices. */
#ifndef NOVA_TESTS_VMM_DEVICES_H
#define NOVA_TESTS_VMM_DEVICES_H

#include "novavmm/line.h"

struct probe {
        bool level = false;
        unsigned rises = 0;

        static void set(void *context, unsigned, bool level)
        {
                probe *const self = static_cast<probe *>(context);
                self->rises += level && !self->level;
                self->level = level;
        }

        nova_line line()
        {
                return {set, this, 0};
        }
};

struct fake_clock {
        uint64_t ns = 0;

        static uint64_t now(void *context)
        {
                return static_cast<fake_clock *>(context)->ns;
        }

        nova_clock clock()
        {
                return {now, this};
        }
};

#endif
