/* SPDX-License-Identifier: BSD-2-Clause */
/* Fetches a page over TLS and prints it. Arguments: the name of the network service, the
 * server's address, its port, its name, and the page. The boot module root.pem has the trusted
 * certificates. */
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

static char data[1024];

/* Connects to the server. @return a connected socket, or -1 */
static int call(const char *address, const char *port)
{
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
        struct addrinfo *server;
        const int error = getaddrinfo(address, port, &hints, &server);
        int number;

        if (error) {
                printf("%s: %s\n", address, nova_ip_why(error));
                return -1;
        }
        number = socket(server->ai_family, server->ai_socktype, server->ai_protocol);
        if (number < 0 || connect(number, server->ai_addr, server->ai_addrlen) < 0) {
                perror(address);
                number = -1;
        }
        freeaddrinfo(server);
        return number;
}

/* Sends a request, and prints the answer. @return 0, or -1 with errno */
static int fetch(struct nova_tls *tls, const char *name, const char *page)
{
        const int bytes =
                snprintf(data, sizeof(data), "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", page, name);
        ssize_t got;

        if (bytes >= (int)sizeof(data)) {
                errno = EMSGSIZE;
                return -1;
        }
        if (nova_tls_write(tls, data, (size_t)bytes) < 0)
                return -1;
        while ((got = nova_tls_read(tls, data, sizeof(data))) > 0)
                fwrite(data, 1, (size_t)got, stdout);
        return (int)got;
}

int main(int argc, char **argv)
{
        const struct nova_ip_config ip = {.service = argv[1]};
        struct nova_tls_config config = {0};
        struct nova_tls *tls;
        char why[NOVA_TLS_TEXT];
        int error, number;

        if (argc != 6)
                return 1;
        config.name = argv[4];
        error = nova_time_set_by_rtc();
        if (!error)
                error = nova_parent_module("root.pem", &config.roots, &config.roots_bytes);
        if (error) {
                printf("the time or root.pem: %s\n", strerror(error));
                return 1;
        }
        error = nova_ip_start(&ip);
        if (error) {
                printf("no address: %s.\n", nova_ip_why(error));
                return 1;
        }
        number = call(argv[2], argv[3]);
        if (number < 0)
                return 1;
        if (nova_tls_connect(&tls, number, &config, why)) {
                printf("%s:%s: %s\n", argv[2], argv[3], why);
                return 1;
        }
        if (fetch(tls, argv[4], argv[5]) < 0)
                perror(argv[2]);
        nova_tls_close(tls);
        close(number);
        return 0;
}
