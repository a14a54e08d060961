/* SPDX-License-Identifier: BSD-2-Clause */
/* Two programs with IPv6 and IPv4 over the switch. Arguments: the service, own addresses of IPv4
 * and IPv6, and for the client those of the server.
 *
 * The server has one socket for both protocols; it returns what it receives from one connection of
 * each, and ends. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "novanet/ip.h"
#include "novart/time.h"

#define PORT     "7"
#define BYTES    100000
#define PAUSE_NS 100000000
#define TRIALS   100

static char sent[BYTES], received[BYTES];

static int check(ssize_t result, const char *what)
{
        if (result < 0) {
                printf("%s: %s\n", what, strerror(errno));
                exit(1);
        }
        return (int)result;
}

static void serve(void)
{
        const struct addrinfo hints = {
                .ai_flags = AI_PASSIVE, .ai_family = AF_INET6, .ai_socktype = SOCK_STREAM};
        struct addrinfo *own;
        struct sockaddr_in6 from;
        int number;

        if (getaddrinfo(NULL, PORT, &hints, &own))
                exit(1);
        number = check(socket(own->ai_family, own->ai_socktype, own->ai_protocol), "socket");
        check(bind(number, own->ai_addr, own->ai_addrlen), "bind");
        check(listen(number, 2), "listen");
        freeaddrinfo(own);
        for (unsigned i = 0; i < 2; i++) {
                socklen_t size = sizeof(from);
                const int one = check(accept(number, (struct sockaddr *)&from, &size), "accept");
                int got;

                printf("a connection over %s\n",
                       IN6_IS_ADDR_V4MAPPED(&from.sin6_addr) ? "IPv4" : "IPv6");
                while ((got = check(read(one, received, sizeof(received)), "read")) > 0)
                        check(send(one, received, (size_t)got, 0), "send");
                check(close(one), "close");
        }
}

/* Connects to the server, which may not run yet. @return the connection */
static int call(const char *address)
{
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
        struct addrinfo *server;
        int number, error = -1;

        if (getaddrinfo(address, PORT, &hints, &server))
                exit(1);
        for (unsigned i = 0; i < TRIALS; i++) {
                number = check(socket(server->ai_family, SOCK_STREAM, 0), "socket");
                error = connect(number, server->ai_addr, server->ai_addrlen);
                if (!error)
                        break;
                close(number);
                nova_sleep(PAUSE_NS);
        }
        check(error, "connect");
        freeaddrinfo(server);
        return number;
}

static void exchange(const char *address)
{
        const int number = call(address);
        unsigned got = 0, out = 0;

        while (got < BYTES) {
                const ssize_t now =
                        out < BYTES ? send(number, sent + out, BYTES - out, MSG_DONTWAIT) : 0;

                if (now > 0)
                        out += (unsigned)now;
                else if (out < BYTES && errno != EWOULDBLOCK)
                        check(-1, "send");
                got += (unsigned)check(read(number, received + got, BYTES - got), "read");
        }
        printf("%u bytes came back from %s, %s\n", got, address,
               memcmp(sent, received, BYTES) ? "changed" : "unchanged");
        check(close(number), "close");
}

int main(int argc, char **argv)
{
        struct nova_ip_config config = {0};
        int error;

        if (argc < 4)
                return 1;
        config.service = argv[1];
        config.address = argv[2];
        config.address6 = argv[3];
        error = nova_ip_start(&config);
        if (error) {
                printf("%s: %s\n", argv[1], strerror(error));
                return 1;
        }
        if (argc == 4) {
                serve();
                return 0;
        }
        for (unsigned i = 0; i < BYTES; i++)
                sent[i] = (char)(i * 7 + i / 251);
        for (int i = 4; i < argc; i++)
                exchange(argv[i]);
        return 0;
}
