/* SPDX-License-Identifier: BSD-2-Clause */
/* The pauses of a client that repeats a call. */
#include "client.h"
#include "novart/time.h"

#define PAUSE_MIN 1000000  /* time in ns between the first two attempts */
#define PAUSE_MAX 50000000 /* maximum of this time, which doubles */

/* Number of pauses after which the service counts as stuck, five seconds in all. The client
 * counts pauses, not time: if the machine stops for a while, the service still gets the remaining
 * pauses afterwards. */
#define PAUSES 105

struct client_patience novart_client_patience(uint64_t deadline)
{
        return (struct client_patience){PAUSES, deadline, PAUSE_MIN};
}

bool novart_client_pause(struct client_patience *patience)
{
        const uint64_t next = nova_deadline_in(patience->pause);

        if (!patience->left)
                return false;
        patience->left--;
        nova_sleep_until(next < patience->deadline ? next : patience->deadline);
        patience->pause = !patience->pause                  ? PAUSE_MIN
                          : patience->pause < PAUSE_MAX / 2 ? 2 * patience->pause
                                                            : PAUSE_MAX;
        return true;
}
