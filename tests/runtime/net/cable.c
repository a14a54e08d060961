/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `cable`: a network card that loses all frames, as if no machine were at the other
 * end. A frame of pair.c's type KILL makes the program crash a moment later. After a restart, the
 * program starts its service only when init's log says that the service does not come back. */
#include <errno.h>
#include <string.h>

#include "net/server.h"
#include "novart/parent.h"
#include "novart/parent_status.h"
#include "novart/time.h"

#define TYPE_HIGH 0x88
#define KILL      0xb7
#define MOMENT_NS 300000000 /* the client fills the ring meanwhile */
#define PAUSE_NS  10000000

static const char sentence[] = "cable does not come back";

/* Completes all frames without sending them. */
static bool serve(struct net_port *port)
{
        struct nova_net_entry entry;
        int error;

        while ((error = net_take_transmit(port, &entry)) != EAGAIN) {
                const uint8_t *frame = (const uint8_t *)port->share.pool.memory + entry.offset;

                if (error)
                        continue;
                if (frame[12] == TYPE_HIGH && frame[13] == KILL) {
                        nova_sleep(MOMENT_NS);
                        __builtin_trap();
                }
                net_complete_transmit(port, entry.tag, 0);
        }
        return false;
}

static bool pending(const struct net_port *port)
{
        return ring_pending(&port->transmit);
}

static void describe(const struct net_port *port, struct nova_net_info *info)
{
        (void)port;
        info->flags |= NOVA_NET_LINK;
        info->address[0] = 2;
}

static bool was_started_again(void)
{
        struct nova_parent_program program;

        for (unsigned i = 0; !nova_parent_program_describe(i, &program); i++)
                if (program.restarts)
                        return true;
        return false;
}

static bool log_has_sentence(void)
{
        static struct nova_parent_log piece;
        static char line[sizeof(sentence)];
        uint64_t position = 0;

        while (!nova_parent_log_read(position, &piece) && piece.bytes) {
                for (uint32_t i = 0; i < piece.bytes; i++) {
                        memmove(line, line + 1, sizeof(line) - 2);
                        line[sizeof(line) - 2] = piece.text[i];
                        if (!strcmp(line, sentence))
                                return true;
                }
                position = piece.next;
        }
        return false;
}

int main(void)
{
        static const struct net_service service = {
                .name = "cable",
                .ports = 1,
                .frame_max = NOVA_NET_FRAME_MAX,
                .describe = describe,
                .serve = serve,
                .pending = pending,
        };

        if (was_started_again())
                while (!log_has_sentence())
                        nova_sleep(PAUSE_NS);
        if (net_service_start(&service))
                return 1;
        nova_service_sleep();
}
