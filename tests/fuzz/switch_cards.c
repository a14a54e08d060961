/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions by which a switch uses cards. The switch under test has no cards, so it must
 * call none of these functions. They ignore their arguments. */
#include <stdlib.h>

#define NEVER(name)      \
        void name(void); \
        void name(void)  \
        {                \
                abort(); \
        }

NEVER(nova_deadline_in)
NEVER(nova_net_accept_sums)
NEVER(nova_net_ask_info)
NEVER(nova_net_flush)
NEVER(nova_net_get_info)
NEVER(nova_net_listen)
NEVER(nova_net_open)
NEVER(nova_net_prepare)
NEVER(nova_net_queue_sum)
NEVER(nova_net_receive)
NEVER(nova_net_release)
NEVER(nova_net_reopen)
NEVER(nova_sleep)
