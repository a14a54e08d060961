/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv6 and names. Argument: the network service. The other machines are those of machines.py.
 *
 * Waits for an address from a router, resolves names, then sends back each UDP datagram that it
 * receives on port 7 over IPv4 or IPv6, until a datagram is "end". */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "novanet/ip.h"
#include "novart/time.h"

#define PORT     7
#define PAUSE_NS 50000000
#define PAUSES   200

static _Noreturn void die(const char *what)
{
        printf("%s: %s\n", what, strerror(errno));
        exit(1);
}

/* Prints the addresses of a name, or the error. */
static void ask(const char *name, const char *service, const struct addrinfo *hints)
{
        struct addrinfo *list;
        char text[INET6_ADDRSTRLEN];
        int error = getaddrinfo(name, service, hints, &list);

        printf("%s is", name ? name : "(none)");
        if (error)
                printf(" unknown: %s", nova_ip_why(error));
        for (struct addrinfo *one = error ? NULL : list; one; one = one->ai_next) {
                const struct sockaddr_in *v4 = (const struct sockaddr_in *)one->ai_addr;
                const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)one->ai_addr;
                const void *address = &v4->sin_addr;

                if (one->ai_family == AF_INET6)
                        address = &v6->sin6_addr;
                printf(" %s/%d/%s", inet_ntop(one->ai_family, address, text, sizeof(text)),
                       ntohs(v4->sin_port),
                       one->ai_socktype == SOCK_STREAM ? "stream" : "datagram");
        }
        puts("");
        if (!error)
                freeaddrinfo(list);
}

static void ask_names(void)
{
        static const char *names[] = {"both.test",   "four.test",   "six.test",
                                      "absent.test", "broken.test", "refused.test",
                                      "cut.test",    "silent.test", "fe80::1"};
        const struct addrinfo stream = {.ai_socktype = SOCK_STREAM};
        const struct addrinfo four = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
        const struct addrinfo six = {.ai_family = AF_INET6, .ai_socktype = SOCK_STREAM};
        const struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST};
        const struct addrinfo here = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_DGRAM};
        const struct addrinfo odd = {.ai_family = 77};

        for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
                ask(names[i], "80", &stream);
        ask("10.0.0.9", NULL, NULL);
        ask("10.0.0.9", NULL, &six);
        ask("six.test", NULL, &four);
        ask("four.test", NULL, &numeric);
        ask(NULL, "7", &here);
        ask(NULL, "7", &stream);
        ask("four.test", "http", NULL);
        ask("four.test", NULL, &odd);
}

/* Converts texts to addresses and back. */
static void check_texts(void)
{
        static const char *texts[] = {"fd00:1::9", "::", "::ffff:10.0.0.1", "1:2:3:4:5:6:7:8"};
        struct in6_addr address = IN6ADDR_LOOPBACK_INIT;
        char text[INET6_ADDRSTRLEN];
        unsigned good = 0;

        for (unsigned i = 0; i < 4; i++)
                good += inet_pton(AF_INET6, texts[i], &address) == 1 &&
                        strcmp(inet_ntop(AF_INET6, &address, text, sizeof(text)), texts[i]) == 0;
        good += inet_pton(AF_INET6, "fd00:1", &address) == 0;
        good += !inet_ntop(AF_INET6, &in6addr_any, text, 2) && errno == ENOSPC;
        good += IN6_IS_ADDR_UNSPECIFIED(&in6addr_any);
        printf("%u of 7 texts of addresses are right\n", good);
}

/* Sends datagrams back until one is "end". */
static void serve(void)
{
        const struct sockaddr_in6 own = {
                .sin6_family = AF_INET6, .sin6_port = htons(PORT), .sin6_addr = in6addr_any};
        const int number = socket(AF_INET6, SOCK_DGRAM, 0);
        struct sockaddr_in6 from;
        char data[64], text[INET6_ADDRSTRLEN];

        if (number < 0 || bind(number, (const struct sockaddr *)&own, sizeof(own)) < 0)
                die("bind");
        for (;;) {
                socklen_t size = sizeof(from);
                const ssize_t got =
                        recvfrom(number, data, sizeof(data), 0, (struct sockaddr *)&from, &size);

                if (got < 0)
                        die("recvfrom");
                if (got == 3 && !memcmp(data, "end", 3))
                        return;
                printf("a datagram from %s\n",
                       inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof(text)));
                if (sendto(number, data, (size_t)got, 0, (struct sockaddr *)&from, size) != got)
                        die("sendto");
        }
}

int main(int argc, char **argv)
{
        const struct nova_ip_config config = {
                .service = argv[1], .address = "10.0.0.2", .name_server = "10.0.0.1"};
        char text[NOVA_IP6_TEXT] = "";
        int error = argc == 2 ? nova_ip_start(&config) : EINVAL;

        if (error) {
                printf("%s: %s\n", argv[1], strerror(error));
                return 1;
        }
        for (unsigned i = 0; i < PAUSES && strncmp(nova_ip_address6(text), "fd", 2) != 0; i++)
                nova_sleep(PAUSE_NS);
        printf("the router's network has %s\n", text);
        check_texts();
        ask_names();
        serve();
        puts("the other machine has ended it");
        return 0;
}
