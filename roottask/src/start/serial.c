/* SPDX-License-Identifier: BSD-2-Clause */
/* A root's own console: the serial line COM1, and the port that ends a run. */
#include "nova/console.h"
#include "nova/crd.h"
#include "novart/region.h"
#include "novart/time.h"
#include "start/start.h"

#define SERIAL_ORDER 3

/* How often a root that waits for input looks for it: the line's interrupt is a driver's. */
#define POLL_NS 10000000

static struct nova_console console;

void serial_init(void)
{
        nova_request(nova_crd_io(NOVA_EXIT_PORT, 0), NOVA_EXIT_PORT);
        if (!nova_request(nova_crd_io(NOVA_CONSOLE_COM1, SERIAL_ORDER), NOVA_CONSOLE_COM1))
                nova_console_use_port(&console, NOVA_CONSOLE_COM1);
}

void serial_write(const char *text, size_t bytes)
{
        for (size_t i = 0; console.port && i < bytes; i++)
                nova_console_put(&console, text[i]);
}

int serial_read(char *text, size_t bytes)
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
