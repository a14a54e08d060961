/* SPDX-License-Identifier: BSD-2-Clause */
/* A TCP server for several clients at once: it returns each line in capital letters. Arguments:
 * the network service, and the program's address; without an address, the program gets one by DHCP.
 *
 * A client can be slow, silent or hostile. There are places for CLIENTS clients. A client loses its
 * place IDLE_NS after its last line, or if a line has more than LINE_BYTES bytes. No function waits
 * for one client alone. */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "novanet/ip.h"
#include "novart/time.h"

#define PORT       7777
#define CLIENTS    8
#define LINE_BYTES 200
#define IDLE_NS    UINT64_C(60000000000)
#define TICK_MS    1000

struct client {
        int socket; /* -1: the place is free */
        uint64_t until;
        size_t got;
        char line[LINE_BYTES];
};

static struct client clients[CLIENTS];

static void end(struct client *client)
{
        close(client->socket);
        client->socket = -1;
}

/* Answers a line, whose last byte is the line feed. @return false: the client does not read its
 * answers */
static bool answer(struct client *client, size_t bytes)
{
        for (size_t i = 0; i < bytes; i++)
                client->line[i] = (char)toupper((unsigned char)client->line[i]);
        client->until = nova_time_ns() + IDLE_NS;
        return send(client->socket, client->line, bytes, MSG_DONTWAIT) == (ssize_t)bytes;
}

/* Reads and answers the lines that have arrived. @return false: the connection ends */
static bool read_lines(struct client *client)
{
        const ssize_t got = recv(client->socket, client->line + client->got,
                                 sizeof(client->line) - client->got, MSG_DONTWAIT);
        const char *feed;

        if (got <= 0)
                return got < 0 && errno == EAGAIN;
        client->got += (size_t)got;
        while ((feed = memchr(client->line, '\n', client->got))) {
                const size_t bytes = (size_t)(feed - client->line) + 1;

                if (!answer(client, bytes))
                        return false;
                client->got -= bytes;
                memmove(client->line, client->line + bytes, client->got);
        }
        return client->got < sizeof(client->line);
}

static struct client *find_place(void)
{
        for (unsigned i = 0; i < CLIENTS; i++)
                if (clients[i].socket < 0)
                        return &clients[i];
        return NULL;
}

/* Serves the clients until something fails. */
static void serve(int listener)
{
        struct pollfd wait[CLIENTS + 1];

        for (;;) {
                struct client *place = find_place();

                /* poll() ignores negative numbers: without a place, new clients wait */
                wait[CLIENTS] = (struct pollfd){.fd = place ? listener : -1, .events = POLLIN};
                for (unsigned i = 0; i < CLIENTS; i++)
                        wait[i] = (struct pollfd){.fd = clients[i].socket, .events = POLLIN};
                if (poll(wait, CLIENTS + 1, TICK_MS) < 0)
                        return;
                for (unsigned i = 0; i < CLIENTS; i++)
                        if (clients[i].socket >= 0 &&
                            ((wait[i].revents && !read_lines(&clients[i])) ||
                             nova_time_ns() > clients[i].until))
                                end(&clients[i]);
                if (wait[CLIENTS].revents)
                        *place = (struct client){.socket = accept(listener, NULL, NULL),
                                                 .until = nova_time_ns() + IDLE_NS};
        }
}

/* Opens the socket that listens. @return the socket, or -1 */
static int open_listener(void)
{
        const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT)};
        const int number = socket(AF_INET, SOCK_STREAM, 0);

        if (number >= 0 && !bind(number, (const struct sockaddr *)&here, sizeof(here)) &&
            !listen(number, CLIENTS))
                return number;
        return -1;
}

int main(int argc, char **argv)
{
        const struct nova_ip_config config = {.service = argv[1],
                                              .address = argc > 2 ? argv[2] : NULL};
        char text[NOVA_IP_TEXT];
        int error = argc < 2 ? EINVAL : nova_ip_start(&config), listener;

        if (error) {
                printf("no address: %s.\n", nova_ip_why(error));
                return 1;
        }
        for (unsigned i = 0; i < CLIENTS; i++)
                clients[i].socket = -1;
        listener = open_listener();
        if (listener >= 0) {
                printf("%s waits at port %d\n", nova_ip_address(text), PORT);
                serve(listener);
        }
        perror("port");
        return 1;
}
