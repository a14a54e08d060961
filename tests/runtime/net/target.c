/* SPDX-License-Identifier: BSD-2-Clause */
/* A server that hostile.py attacks. Argument: the network service.
 *
 * The server echoes datagrams, up to 1000 bytes of each, and TCP streams at port 7, and looks up
 * names all the time. When all connections are in use, it closes the oldest one. It answers the
 * datagram "state" with the numbers of lwIP's objects and of the restarts of all programs. For the
 * restarts it has the grant `status`. The datagram "end" ends it. The server never reads from
 * connections of port 9, or datagrams of port 9. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lwip/memp.h"
#include "lwip/stats.h"
#include "novanet/ip.h"
#include "novart/parent.h"
#include "novart/thread.h"
#include "novart/time.h"

#define PORT        7
#define UNREAD      9
#define CONNECTIONS 8
#define PAUSE_NS    10000000
#define ANSWER_MAX  1000 /* bytes of an answer to a datagram, which has one frame */

static char buffer[2048];
static int connection[CONNECTIONS]; /* 0: none */
static unsigned oldest;

static void *ask(void *argument)
{
        struct addrinfo *list;

        while (!argument) {
                if (!getaddrinfo("victim.test", "7", NULL, &list))
                        freeaddrinfo(list);
                nova_sleep(PAUSE_NS);
        }
        return NULL;
}

static int open_socket(int type, uint16_t port)
{
        const struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        const int number = socket(AF_INET6, type, 0);

        if (number >= 0 && bind(number, (const struct sockaddr *)&own, sizeof(own)) == 0)
                return number;
        perror("socket");
        return -1;
}

static unsigned count_restarts(void)
{
        struct nova_parent_program program;
        unsigned count = 0;

        for (unsigned i = 0; nova_parent_program_describe(i, &program) == 0; i++)
                count += program.restarts;
        return count;
}

/* Writes the answer to "state" to the buffer. @return its size */
static int report_state(void)
{
        return snprintf(buffer, sizeof(buffer), "%u %u %u %u %u", (unsigned)lwip_stats.mem.used,
                        (unsigned)lwip_stats.memp[MEMP_PBUF_POOL]->used,
                        (unsigned)lwip_stats.memp[MEMP_NETCONN]->used,
                        (unsigned)lwip_stats.memp[MEMP_TCP_SEG]->used, count_restarts());
}

/* Sends a datagram or the answer to it back. @return false: the program ends */
static bool return_datagram(int number)
{
        struct sockaddr_in6 from;
        socklen_t size = sizeof(from);
        int got = (int)recvfrom(number, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &size);

        if (got == 3 && !memcmp(buffer, "end", 3))
                return false;
        if (got == 5 && !memcmp(buffer, "state", 5))
                got = report_state();
        if (got > ANSWER_MAX)
                got = ANSWER_MAX;
        if (got >= 0)
                sendto(number, buffer, (size_t)got, 0, (struct sockaddr *)&from, size);
        return true;
}

static void take_connection(int listener)
{
        const int number = accept(listener, NULL, NULL);

        if (number < 0)
                return; /* the client has closed the connection already */
        fcntl(number, F_SETFL, O_NONBLOCK);
        if (connection[oldest])
                close(connection[oldest]);
        connection[oldest] = number;
        oldest = (oldest + 1) % CONNECTIONS;
}

static void return_bytes(unsigned i)
{
        const int got = (int)read(connection[i], buffer, sizeof(buffer));

        if (got > 0 && write(connection[i], buffer, (size_t)got) == got)
                return;
        if (got > 0 || got == 0 || errno != EWOULDBLOCK) {
                close(connection[i]);
                connection[i] = 0;
        }
}

static void serve(int datagrams, int listener)
{
        bool on = true;

        while (on) {
                fd_set set;
                int last = datagrams > listener ? datagrams : listener;

                FD_ZERO(&set);
                FD_SET(datagrams, &set);
                FD_SET(listener, &set);
                for (unsigned i = 0; i < CONNECTIONS; i++) {
                        if (connection[i])
                                FD_SET(connection[i], &set);
                        if (connection[i] > last)
                                last = connection[i];
                }
                if (select(last + 1, &set, NULL, NULL, NULL) < 0) {
                        perror("select");
                        return;
                }
                if (FD_ISSET(datagrams, &set))
                        on = return_datagram(datagrams);
                for (unsigned i = 0; i < CONNECTIONS; i++)
                        if (connection[i] && FD_ISSET(connection[i], &set))
                                return_bytes(i);
                if (FD_ISSET(listener, &set))
                        take_connection(listener);
        }
}

int main(int argc, char **argv)
{
        const struct nova_ip_config config = {.service = argv[1],
                                              .address = "10.0.0.2",
                                              .address6 = "fd00::2",
                                              .gateway = "10.0.0.1",
                                              .name_server = "10.0.0.1"};
        const struct nova_thread_attr attr = {.name = "names", .cpu = NOVA_CPU_SELF};
        const int error = argc == 2 ? nova_ip_start(&config) : EINVAL;
        struct nova_thread *thread;
        int datagrams, listener;

        if (error) {
                puts(strerror(error));
                return 1;
        }
        datagrams = open_socket(SOCK_DGRAM, PORT);
        listener = open_socket(SOCK_STREAM, PORT);
        if (open_socket(SOCK_DGRAM, UNREAD) < 0 ||
            listen(open_socket(SOCK_STREAM, UNREAD), CONNECTIONS) < 0)
                return 1;
        if (listener < 0 || listen(listener, CONNECTIONS) < 0 ||
            nova_thread_create(&thread, &attr, ask, NULL))
                return 1;
        serve(datagrams, listener);
        puts("the attacker has ended it");
        return 0;
}
