/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets under their POSIX names. Argument: the network service.
 *
 * Gets an address by DHCP, returns what it receives on port 7 by UDP and TCP (select), connects to
 * the host and checks the answer (poll), and ends when a datagram says so. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "novanet/ip.h"

#define PORT        7
#define HOST        "10.0.2.100" /* inet.py */
#define HOST_PORT   "80"
#define CONNECTIONS 8

#define DATAGRAM_MAX 46328 /* docs/manual/limits.md */

static char buffer[DATAGRAM_MAX];

static _Noreturn void die(const char *what)
{
        printf("%s: %s\n", what, strerror(errno));
        exit(1);
}

static int check(int result, const char *what)
{
        if (result < 0)
                die(what);
        return result;
}

/* Opens a socket on port 7. */
static int open_socket(int type)
{
        const struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(PORT)};
        const int number = check(socket(AF_INET, type, 0), "socket");

        check(bind(number, (const struct sockaddr *)&own, sizeof(own)), "bind");
        return number;
}

/* Sends a datagram back. @return false: the datagram says that the program ends */
static bool return_datagram(int number)
{
        struct sockaddr_in from;
        socklen_t size = sizeof(from);
        const int got = check(
                (int)recvfrom(number, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &size),
                "recvfrom");

        if (got == 3 && !memcmp(buffer, "end", 3))
                return false;
        check((int)sendto(number, buffer, (size_t)got, 0, (struct sockaddr *)&from, size),
              "sendto");
        return true;
}

/* Sends data of a connection back to it. @return false: the connection has ended */
static bool return_bytes(int number)
{
        const ssize_t got = read(number, buffer, sizeof(buffer));

        for (ssize_t sent = 0; sent < got;)
                sent += check((int)write(number, buffer + sent, (size_t)(got - sent)), "write");
        return got > 0;
}

/* Serves until a datagram says "end". */
static void serve(int datagrams, int listener)
{
        int connection[CONNECTIONS] = {0};
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
                check(select(last + 1, &set, NULL, NULL, NULL), "select");
                if (FD_ISSET(datagrams, &set))
                        on = return_datagram(datagrams);
                for (unsigned i = 0; i < CONNECTIONS; i++) {
                        if (connection[i] && FD_ISSET(connection[i], &set)) {
                                if (return_bytes(connection[i]))
                                        continue;
                                check(close(connection[i]), "close");
                                connection[i] = 0;
                        } else if (!connection[i] && FD_ISSET(listener, &set)) {
                                connection[i] = check(accept(listener, NULL, NULL), "accept");
                                FD_CLR(listener, &set);
                        }
                }
        }
}

/* Connects to the host, sends a line, and prints the answer. */
static void call_host(void)
{
        const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
        struct pollfd wait = {.events = POLLIN};
        struct addrinfo *found;
        int error = getaddrinfo(HOST, HOST_PORT, &hints, &found), got;

        if (error) {
                printf("getaddrinfo: %d\n", error);
                exit(1);
        }
        wait.fd = check(socket(found->ai_family, found->ai_socktype, 0), "socket");
        check(connect(wait.fd, found->ai_addr, found->ai_addrlen), "connect");
        freeaddrinfo(found);
        check((int)send(wait.fd, "who", 3, 0), "send");
        if (poll(&wait, 1, 30000) != 1 || !(wait.revents & POLLIN))
                die("poll");
        got = check((int)recv(wait.fd, buffer, sizeof(buffer) - 1, 0), "recv");
        buffer[got] = 0;
        printf("the host says %s\n", buffer);
        check(close(wait.fd), "close");
}

static bool fails(long result, int reason)
{
        return result < 0 && errno == reason;
}

static struct sockaddr_in own_address(unsigned port)
{
        struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        char text[NOVA_IP_TEXT];

        inet_aton(nova_ip_address(text), &own.sin_addr);
        return own;
}

/* The functions below count the calls with the right result. */

/* Asks for sockets that do not exist. */
static int try_kinds(void)
{
        return fails(socket(AF_UNSPEC, SOCK_STREAM, 0), EAFNOSUPPORT) +
               fails(socket(99, SOCK_DGRAM, 0), EAFNOSUPPORT) +
               fails(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPROTOTYPE) +
               fails(socket(AF_INET6, 99, 0), EPROTOTYPE) +
               fails(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT) +
               fails(socket(AF_INET, SOCK_DGRAM, 136), EPROTONOSUPPORT);
}

/* Binds a socket to addresses that the program does not have, and sends a datagram without an
 * address and one that is too large for frames. */
static int try_datagrams(void)
{
        static char large[DATAGRAM_MAX + 1];
        const struct sockaddr_in own = own_address(PORT), other = {.sin_family = 77};
        const int one = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
        struct sockaddr_in theirs = own, closed = own_address(PORT + 1);
        struct iovec part = {.iov_base = large, .iov_len = sizeof(large)};
        const struct msghdr message = {.msg_name = &closed,
                                       .msg_namelen = sizeof(closed),
                                       .msg_iov = &part,
                                       .msg_iovlen = 1};
        int right;

        theirs.sin_addr.s_addr ^= htonl(1);
        right = fails(bind(one, (const struct sockaddr *)&own, 3), EINVAL) +
                fails(bind(one, (const struct sockaddr *)&other, sizeof(other)), EINVAL) +
                fails(bind(one, (const struct sockaddr *)&theirs, sizeof(theirs)), EADDRNOTAVAIL) +
                fails(send(one, large, 1, 0), EDESTADDRREQ) +
                fails(sendto(one, large, sizeof(large), 0, (const struct sockaddr *)&own,
                             sizeof(own)),
                      EMSGSIZE) +
                fails(sendmsg(one, &message, 0), EMSGSIZE);
        check(close(one), "close");
        return right;
}

/* Returns the size of the largest datagram that sendto() takes. */
static int find_largest(void)
{
        const struct sockaddr_in closed = own_address(PORT + 1);
        const int one = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
        int good = 0, bad = DATAGRAM_MAX + 1;

        while (bad - good > 1) {
                const int size = (good + bad) / 2;

                if (sendto(one, buffer, (size_t)size, 0, (const struct sockaddr *)&closed,
                           sizeof(closed)) == size)
                        good = size;
                else if (errno == EMSGSIZE)
                        bad = size;
                else
                        die("sendto");
        }
        check(close(one), "close");
        return good;
}

/* Uses a socket before it has a connection, connects it to a closed port of the program, and uses
 * it after its close(). */
static int try_unconnected(void)
{
        const struct sockaddr_in closed = own_address(PORT + 1);
        const int one = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
        struct pollfd wait = {.fd = one, .events = POLLIN};
        struct timeval soon = {.tv_sec = 1};
        fd_set set;
        int right = fails(recv(one, buffer, sizeof(buffer), 0), ENOTCONN);

        right += fails(send(one, buffer, 1, 0), ENOTCONN);
        right += fails(shutdown(one, SHUT_RDWR), ENOTCONN);
        right +=
                fails(connect(one, (const struct sockaddr *)&closed, sizeof(closed)), ECONNREFUSED);
        check(close(one), "close");
        FD_ZERO(&set);
        FD_SET(one, &set);
        return right + (poll(&wait, 1, 1000) == 1 && wait.revents == POLLNVAL) +
               (poll(&wait, 0, 0) == 0) + fails(select(one + 1, &set, NULL, NULL, &soon), EBADF);
}

/* Connects the program with itself, and uses both ends of the connection after one end has ended
 * its stream. */
static int try_ended(int listener)
{
        const struct sockaddr_in own = own_address(PORT);
        const int one = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
        int other, right;

        check(connect(one, (const struct sockaddr *)&own, sizeof(own)), "connect");
        other = check(accept(listener, NULL, NULL), "accept");
        right = recv(one, buffer, 0, 0) == 0;
        right += send(other, "a", 1, 0) == 1;
        check(shutdown(other, SHUT_WR), "shutdown");
        right += fails(send(other, "b", 1, 0), EPIPE);
        right += recv(one, buffer, sizeof(buffer), 0) == 1;
        right += recv(one, buffer, sizeof(buffer), 0) == 0;
        right += recv(one, buffer, sizeof(buffer), 0) == 0;
        check(close(one), "close");
        check(close(other), "close");
        return right;
}

/* Uses sockets in ways that fail. */
static void make_mistakes(int datagrams, int listener)
{
        const struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(PORT)};
        const int other = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");

        if (bind(other, (const struct sockaddr *)&own, sizeof(own)) == 0)
                errno = 0;
        printf("a port in use: %s\n", strerror(errno));
        check(fcntl(other, F_SETFL, O_NONBLOCK), "fcntl");
        if (recv(other, buffer, sizeof(buffer), 0) >= 0)
                errno = 0;
        printf("nothing to read: %s\n", strerror(errno));
        if (lseek(other, 0, SEEK_SET) == 0)
                errno = 0;
        printf("a socket has no offset: %s\n", strerror(errno));
        check(close(other), "close");
        if (close(other) == 0)
                errno = 0;
        printf("a closed socket: %s\n", strerror(errno));
        if (recv(datagrams, buffer, sizeof(buffer), MSG_DONTWAIT) >= 0)
                errno = 0;
        printf("the first socket: %s\n", strerror(errno));
        printf("the largest datagram has %d bytes\n", find_largest());
        printf("%d of 25 odd calls have the right result\n",
               try_kinds() + try_datagrams() + try_unconnected() + try_ended(listener));
}

int main(int argc, char **argv)
{
        const struct nova_ip_config config = {.service = argv[1]};
        char text[NOVA_IP_TEXT];
        int error, datagrams, listener;

        if (argc != 2)
                return 1;
        error = nova_ip_start(&config);
        if (error) {
                printf("%s: %s\n", argv[1], strerror(error));
                return 1;
        }
        printf("the address is %s\n", nova_ip_address(text));
        datagrams = open_socket(SOCK_DGRAM);
        listener = open_socket(SOCK_STREAM);
        check(listen(listener, CONNECTIONS), "listen");
        make_mistakes(datagrams, listener);
        call_host();
        serve(datagrams, listener);
        puts("the host has ended it");
        return 0;
}
