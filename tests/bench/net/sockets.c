/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams and a stream between two programs, as `nova bench net` counts them. Arguments: `ask` or
 * `answer`, the network service, the program's address, and for `ask` the address of the answering
 * program. */
#include "net.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "novanet/ip.h"
#include "novart/thread.h"
#include "novart/time.h"

static char data[64 * NET_STREAM];

static void check(const char *what, bool right)
{
        if (right)
                return;
        perror(what);
        exit(1);
}

static int open_socket(int kind)
{
        const int number = socket(AF_INET, kind, 0);

        check("socket", number >= 0);
        return number;
}

static struct sockaddr_in at(const char *address)
{
        return (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_port = htons(NET_PORT),
                                    .sin_addr.s_addr = address ? inet_addr(address) : 0};
}

/* ---- the answering program ------------------------------------------------------------------- */

static void *answer_datagrams(void *argument)
{
        const int number = open_socket(SOCK_DGRAM);
        struct sockaddr_in here = at(NULL), from;
        static char datagram[NET_BYTES];

        (void)argument;
        check("bind", !bind(number, (struct sockaddr *)&here, sizeof(here)));
        for (;;) {
                socklen_t size = sizeof(from);
                const ssize_t got = recvfrom(number, datagram, sizeof(datagram), 0,
                                             (struct sockaddr *)&from, &size);

                check("recvfrom", got >= 0);
                check("sendto", sendto(number, datagram, (size_t)got, 0, (struct sockaddr *)&from,
                                       size) == got);
        }
        return NULL;
}

/* Reads the whole stream, then answers with one byte. */
static void answer_stream(void)
{
        const int listener = open_socket(SOCK_STREAM);
        struct sockaddr_in here = at(NULL);
        size_t left = (size_t)NET_PACKETS * NET_STREAM;
        int number;

        check("bind", !bind(listener, (struct sockaddr *)&here, sizeof(here)));
        check("listen", !listen(listener, 1));
        number = accept(listener, NULL, NULL);
        check("accept", number >= 0);
        while (left) {
                const ssize_t got =
                        recv(number, data, left < sizeof(data) ? left : sizeof(data), 0);

                check("recv", got > 0);
                left -= (size_t)got;
        }
        check("send", send(number, data, 1, 0) == 1);
        check("the end", recv(number, data, 1, 0) == 0);
}

static void answer(void)
{
        struct nova_thread *thread;

        check("thread", !nova_thread_create(&thread, NULL, answer_datagrams, NULL));
        answer_stream();
}

/* ---- the asking program ---------------------------------------------------------------------- */

static void ask_datagrams(int number, unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                check("send", send(number, data, NET_BYTES, 0) == NET_BYTES);
                check("recv", recv(number, data, NET_BYTES, 0) == NET_BYTES);
        }
}

/* Sends datagrams until one comes back: the first ones may find no receiver. */
static void find(int number)
{
        for (unsigned tries = 0; tries < 100; tries++) {
                send(number, data, NET_BYTES, 0);
                nova_sleep(100000000);
                if (recv(number, data, NET_BYTES, MSG_DONTWAIT) == NET_BYTES)
                        break;
        }
        while (recv(number, data, NET_BYTES, MSG_DONTWAIT) == NET_BYTES)
                nova_sleep(100000000);
}

static void ask_stream(const struct sockaddr_in *there)
{
        const int number = open_socket(SOCK_STREAM);

        check("connect", !connect(number, (const struct sockaddr *)there, sizeof(*there)));
        IO_MARK(NET_OP_TCP);
        for (unsigned i = 0; i < NET_PACKETS; i += sizeof(data) / NET_STREAM)
                check("send", send(number, data, sizeof(data), 0) == sizeof(data));
        check("recv", recv(number, data, 1, 0) == 1);
        IO_MARK(IO_OP_NONE);
        close(number);
}

static void ask(const char *other)
{
        const struct sockaddr_in there = at(other);
        const int number = open_socket(SOCK_DGRAM);

        check("connect", !connect(number, (const struct sockaddr *)&there, sizeof(there)));
        find(number);
        ask_datagrams(number, NET_WARM);
        IO_MARK(NET_OP_ECHO);
        ask_datagrams(number, NET_ECHOES);
        IO_MARK(IO_OP_NONE);
        ask_stream(&there);
        printf("clients have sent\n");
}

int main(int argc, char **argv)
{
        struct nova_ip_config config = {0};
        int error;

        if (argc < 4)
                return 1;
        config.service = argv[2];
        config.address = argv[3];
        error = nova_ip_start(&config);
        if (error) {
                printf("no address: %s\n", strerror(error));
                return 1;
        }
        if (argc > 4)
                ask(argv[4]);
        else
                answer();
        return 0;
}
