/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial line when a program drives it, too: init and that program take turns, line by line. */
#include "nova/console.h"

#include <errno.h>

#include "init.h"
#include "nova/hypercall.h"
#include "novart/console.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/time.h"

/* More than a line takes. Whoever holds the turn for longer is stuck or has died: then lines may
 * be torn, but nobody waits for a child. */
#define TURN_NS 1000000000

static struct nova_console serial = {.port = NOVA_CONSOLE_COM1};
static nova_sel_t turn = NOVA_SEL_NONE; /* a semaphore with the counter 1 while nobody writes */

/* Called by one thread at a time. */
static int write_line(void *context, const char *text, size_t bytes)
{
        static bool stuck; /* the last wait was in vain: the next one would be, too */
        const uint64_t deadline = stuck ? 0 : nova_deadline_in(TURN_NS);

        (void)context;
        stuck = nova_sm_down_until(turn, NOVA_SM_ZC, deadline) != NOVA_SUCCESS;
        for (size_t i = 0; i < bytes; i++)
                nova_console_put(&serial, text[i]);
        nova_sm_up(turn);
        return 0;
}

int console_share(nova_sel_t *sel)
{
        static const struct nova_console_output shared = {.write = write_line};

        if (turn == NOVA_SEL_NONE) {
                const nova_sel_t sm = nova_sel_alloc(0);

                if (sm == NOVA_SEL_NONE)
                        return ENOMEM;
                if (nova_create_sm(sm, nova_program.pd, 1) != NOVA_SUCCESS) {
                        nova_sel_free(sm, 0);
                        return ENOMEM;
                }
                turn = sm;
                nova_console_use(&shared);
        }
        *sel = turn;
        return 0;
}
