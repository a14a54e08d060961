/* SPDX-License-Identifier: BSD-2-Clause */
/* Two programs send each other a million bytes at the same time over one TCP connection, and close
 * it in an orderly way. Then one program resets a second connection, and the other program detects
 * that. Arguments: the name of the network service, the program's own address and, for the
 * program that connects, the address of the other program. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "novanet/ip.h"
#include "novart/time.h"

#define PORT     1000
#define BYTES    1000000
#define PAUSE_NS 50000000
#define TRIES    100

static _Noreturn void die(const char *what)
{
        perror(what);
        exit(1);
}

/* Connects with the other program, which may start later. */
static int connect_to(const char *address)
{
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};

        inet_aton(address, &to.sin_addr);
        for (int i = 0; i < TRIES; i++) {
                const int number = socket(AF_INET, SOCK_STREAM, 0);

                if (!connect(number, (const struct sockaddr *)&to, sizeof(to)))
                        return number;
                close(number);
                nova_sleep(PAUSE_NS);
        }
        die("connect");
}

/* Returns byte number `i` of the data that each program sends. */
static char byte_at(size_t i)
{
        return (char)(i * 7 + i / 1000);
}

/* Sends as much as the connection accepts. After the last byte, it closes this direction only, so
 * the other program may still send. */
static size_t send_some(int number, size_t sent)
{
        static char data[4096];
        const size_t bytes = BYTES - sent < sizeof(data) ? BYTES - sent : sizeof(data);
        ssize_t taken;

        for (size_t i = 0; i < bytes; i++)
                data[i] = byte_at(sent + i);
        taken = send(number, data, bytes, MSG_DONTWAIT);
        if (taken < 0)
                return errno == EAGAIN ? sent : (die("send"), 0);
        sent += (size_t)taken;
        if (sent == BYTES)
                shutdown(number, SHUT_WR);
        return sent;
}

/* Receives the data that has arrived. @return false: the other program has ended its direction */
static bool receive_some(int number, size_t *received, size_t *wrong)
{
        static char data[4096];
        const ssize_t got = recv(number, data, sizeof(data), MSG_DONTWAIT);

        if (got < 0)
                return errno == EAGAIN || (die("recv"), false);
        for (ssize_t i = 0; i < got; i++)
                *wrong += data[i] != byte_at((*received)++);
        return got;
}

/* Sends and receives at the same time, whenever poll() reports that this is possible. */
static void talk(int number)
{
        size_t sent = 0, received = 0, wrong = 0;
        bool more = true;

        while (more || sent < BYTES) {
                struct pollfd wait = {.fd = number};

                wait.events = (short)((more ? POLLIN : 0) | (sent < BYTES ? POLLOUT : 0));
                if (poll(&wait, 1, -1) < 0)
                        die("poll");
                if (wait.revents & POLLOUT)
                        sent = send_some(number, sent);
                if (more && wait.revents & ~POLLOUT)
                        more = receive_some(number, &received, &wrong);
        }
        puts("the other program has ended its direction");
        printf("sent %u bytes, received %u, %u of them wrong\n", (unsigned)sent, (unsigned)received,
               (unsigned)wrong);
        close(number);
}

/* Waits until the other program resets the connection. */
static void see_reset(int number)
{
        char byte;

        if (recv(number, &byte, 1, 0) < 0)
                printf("bert has reset the connection: %s\n", strerror(errno));
        close(number);
}

/* Resets the connection: close() does this if received data was not read. So the other program
 * learns that its data is lost. */
static void reset(int number)
{
        struct pollfd wait = {.fd = number, .events = POLLIN};

        poll(&wait, 1, -1);
        close(number);
}

static void call(const char *address)
{
        int number = connect_to(address);

        talk(number);
        number = connect_to(address);
        send(number, "lost", 4, 0);
        see_reset(number);
}

static void answer(void)
{
        const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT)};
        const int listener = socket(AF_INET, SOCK_STREAM, 0);

        if (bind(listener, (const struct sockaddr *)&here, sizeof(here)) || listen(listener, 2))
                die("port");
        talk(accept(listener, NULL, NULL));
        reset(accept(listener, NULL, NULL));
}

int main(int argc, char **argv)
{
        const struct nova_ip_config config = {.service = argv[1],
                                              .address = argc > 2 ? argv[2] : NULL};
        const int error = argc < 3 ? EINVAL : nova_ip_start(&config);

        if (error) {
                printf("no address: %s.\n", nova_ip_why(error));
                return 1;
        }
        if (argc > 3)
                call(argv[3]);
        else
                answer();
        return 0;
}
