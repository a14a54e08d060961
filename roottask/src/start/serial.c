/* SPDX-License-Identifier: BSD-2-Clause */
/* A root's own console: the serial line COM1, and the port that ends a run. */
#include <errno.h>

#include "nova/console.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/time.h"
#include "start/start.h"

#define SERIAL_ORDER 3

/* Interval in ns at which a root that waits for input polls the serial line, whose interrupt may
 * belong to a driver. */
#define POLL_NS 10000000

/* Maximum time in ns to wait for the serial line. Writing a line of text takes less, so a program
 * that holds the serial line for longer is stuck or has ended. After the timeout, lines of text may
 * be mixed, but no program waits for ever. */
#define TURN_NS 1000000000

static struct nova_console console;
static nova_sel_t turn = NOVA_SEL_NONE; /* semaphore; its counter is 1 while no program writes */

void novart_serial_init(void)
{
        nova_request(nova_crd_io(NOVA_EXIT_PORT, 0), NOVA_EXIT_PORT);
        if (!nova_request(nova_crd_io(NOVA_CONSOLE_COM1, SERIAL_ORDER), NOVA_CONSOLE_COM1))
                nova_console_use_port(&console, NOVA_CONSOLE_COM1);
}

bool novart_serial_present(void)
{
        return console.port;
}

int novart_serial_turn(nova_sel_t *sel)
{
        if (!nova_program_is_root())
                return ENOSYS;
        if (turn == NOVA_SEL_NONE) {
                const nova_sel_t sm = nova_sel_alloc(0);

                if (sm == NOVA_SEL_NONE)
                        return ENOMEM;
                if (nova_create_sm(sm, nova_program.pd, 1) != NOVA_SUCCESS) {
                        nova_sel_free(sm, 0);
                        return ENOMEM;
                }
                __atomic_store_n(&turn, sm, __ATOMIC_RELEASE);
        }
        *sel = turn;
        return 0;
}

/* Waits for the serial line. Its holder may be a program or a CPU that stops or dies now, so the
 * wait has a deadline, and no lock of this program is held. */
static void take_turn(nova_sel_t sm)
{
        static bool stuck; /* the last wait timed out, so the next one does not wait */
        const uint64_t deadline =
                __atomic_load_n(&stuck, __ATOMIC_RELAXED) ? 0 : nova_deadline_in(TURN_NS);

        __atomic_store_n(&stuck, nova_sm_down_until(sm, NOVA_SM_ZC, deadline) != NOVA_SUCCESS,
                         __ATOMIC_RELAXED);
}

void novart_serial_write(const char *text, size_t bytes)
{
        const nova_sel_t sm = __atomic_load_n(&turn, __ATOMIC_ACQUIRE);

        if (!console.port)
                return;
        if (sm != NOVA_SEL_NONE)
                take_turn(sm);
        for (size_t i = 0; i < bytes; i++)
                nova_console_put(&console, text[i]);
        if (sm != NOVA_SEL_NONE)
                nova_sm_up(sm);
}

int novart_serial_read(char *text, size_t bytes)
{
        size_t got = 0;

        while (console.port && got < bytes) {
                const int c = nova_console_get(&console);

                if (c < 0) {
                        nova_sleep(POLL_NS);
                        continue;
                }
                text[got++] = c == '\r' ? '\n' : (char)c;
                if (text[got - 1] == '\n')
                        break;
        }
        return (int)got;
}
