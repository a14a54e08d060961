/* SPDX-License-Identifier: BSD-2-Clause */
/* A client that must refuse servers of TLS. tls.py runs the servers: 10.0.2.100 has one at each
 * port. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "novanet/ip.h"
#include "novart/parent.h"
#include "novart/time.h"
#include "novatls/tls.h"

#define SECOND 1000000000ULL

static void try_port(unsigned port, const struct nova_tls_config *config)
{
        const struct timeval limit = {.tv_sec = 5};
        const int number = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        struct nova_tls *tls = NULL;
        char why[NOVA_TLS_TEXT] = "it was accepted";
        int error;

        inet_pton(AF_INET, "10.0.2.100", &server.sin_addr);
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        if (connect(number, (struct sockaddr *)&server, sizeof(server)) < 0) {
                perror("connect");
                return;
        }
        error = nova_tls_connect(&tls, number, config, why);
        printf("%u: %s: %s\n", port, strerror(error), why);
        if (tls)
                nova_tls_close(tls);
        close(number);
}

int main(int argc, char **argv)
{
        const struct nova_ip_config ip = {.service = argv[1]};
        static const char damaged[] = "-----BEGIN CERTIFICATE-----\nMIIB\n"
                                      "-----END CERTIFICATE-----\n";
        static char text[8192];
        struct nova_tls_config config = {.name = "server.test"}, bad;
        uint64_t start;
        int error = argc == 2 ? nova_ip_start(&ip) : EINVAL;

        if (!error)
                error = nova_parent_module("root.pem", &config.roots, &config.roots_bytes);
        if (error) {
                puts(strerror(error));
                return 1;
        }
        bad = config;
        bad.roots_bytes /= 2;
        try_port(446, &bad);
        bad = config;
        bad.roots = text;
        bad.roots_bytes = (size_t)snprintf(text, sizeof(text), "%.*s%s", (int)config.roots_bytes,
                                           (const char *)config.roots, damaged);
        try_port(446, &bad);
        bad = config;
        bad.name = NULL;
        try_port(446, &bad);
        try_port(444, &config);
        if (nova_time_set_by_rtc())
                return 1;
        for (unsigned port = 445; port <= 448; port++)
                try_port(port, &config);
        config.patience_ns = 3 * SECOND;
        start = nova_time_ns();
        try_port(449, &config);
        printf("449: the wait was %s\n",
               nova_time_ns() - start < 20 * SECOND ? "bounded" : "too long");
        return 0;
}
