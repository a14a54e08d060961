/* SPDX-License-Identifier: BSD-2-Clause */
/* Wrappers of the fast paths for which a general path exists. A test may disable these fast
 * paths. */
#include "ipc/item.h"
#include "space/mapping.h"

#include "fake.h"

bool fake_general;
void (*fake_answered)(void);

bool try_item_at_once(struct ec *self, const struct ec *to);
bool try_item_answers_at_once(struct ec *self, const struct ec *to);

bool try_item_at_once(struct ec *self, const struct ec *to)
{
        return !fake_general && item_at_once(self, to);
}

bool try_item_answers_at_once(struct ec *self, const struct ec *to)
{
        if (fake_general || !item_answers_at_once(self, to))
                return false;
        if (fake_answered)
                fake_answered();
        return true;
}
