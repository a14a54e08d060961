/* SPDX-License-Identifier: BSD-2-Clause */
/* The datagrams and the stream of sockets.c on Linux, without a library. Numbers are those of Linux
 * on x86-64. Arguments:
 *
 * `ask` sends, from eth0.
 *
 * `answer` answers on the same machine, at eth1. This card is in a network namespace of its own, so
 * frames go over the cable. A child, in the new namespace, waits until the shell has moved the card
 * there.
 *
 * `serve` answers on another machine, at eth0.
 *
 * `count` does the same as `serve`, and marks the stream, so that the plugin counts it separately.
 *
 * With a further argument, Linux uses the card's offloads. */
#include "net.h"

#include "../linux_calls.h"

#include <stdbool.h>
#include <stdint.h>

enum {
        SYS_READ = 0,
        SYS_CLOSE = 3,
        SYS_IOCTL = 16,
        SYS_SOCKET = 41,
        SYS_CONNECT = 42,
        SYS_ACCEPT = 43,
        SYS_SENDTO = 44,
        SYS_RECVFROM = 45,
        SYS_BIND = 49,
        SYS_LISTEN = 50,
        SYS_UNSHARE = 272,
};

#define AF_INET     2
#define STREAM      1
#define DATAGRAM    2
#define DONTWAIT    0x40
#define NEW_NET     0x40000000
#define SET_ADDRESS 0x8916
#define SET_MASK    0x891c
#define SET_FLAGS   0x8914
#define FLAG_UP     1
#define ASK_CARD    0x8946 /* about its offloads (linux/ethtool.h) */
#define GET_SUMS    0x16
#define SET_SUMS    0x17
#define GET_CUTS    0x1e
#define ADDRESS(n)  (10 | 1 << 8 | (uint32_t)(n) << 24) /* 10.1.0.n */
#define MASK        0x00ffffffu

struct address {
        uint16_t family, port;
        uint32_t address;
        uint8_t zero[8];
};

struct interface {
        char name[16];
        union {
                struct address address;
                uint16_t flags;
                uint32_t *value; /* a command of ASK_CARD, and its argument */
                uint8_t fill[24];
        };
};

static char data[64 * NET_STREAM];

static void check(bool right, const char *text)
{
        if (!right)
                end(text);
}

static struct address at(unsigned n)
{
        return (struct address){AF_INET, NET_PORT << 8, n ? ADDRESS(n) : 0, {0}};
}

static long open_socket(long kind)
{
        const long number = call6(SYS_SOCKET, AF_INET, kind, 0, 0, 0, 0);

        check(number >= 0, "socket failed\n");
        return number;
}

static long send(long number, long bytes)
{
        return call6(SYS_SENDTO, number, (long)data, bytes, 0, 0, 0);
}

static long receive(long number, long bytes, long flags)
{
        return call6(SYS_RECVFROM, number, (long)data, bytes, flags, 0, 0);
}

static bool configure(long number, long what, uint32_t address)
{
        struct interface eth = {"eth1", {.address = {AF_INET, 0, address, {0}}}};

        return !call6(SYS_IOCTL, number, what, (long)&eth, 0, 0, 0);
}

/* Waits for eth1, and gives it an address. */
static void start_card(void)
{
        struct interface eth = {"eth1", {.flags = FLAG_UP}};
        long number;

        check(!call6(SYS_UNSHARE, NEW_NET, 0, 0, 0, 0, 0), "unshare failed\n");
        number = open_socket(DATAGRAM);
        while (!configure(number, SET_ADDRESS, ADDRESS(2)))
                pause_ms(10);
        check(configure(number, SET_MASK, MASK), "the mask failed\n");
        check(!call6(SYS_IOCTL, number, SET_FLAGS, (long)&eth, 0, 0, 0), "up failed\n");
}

/* Executes a command about the offloads of eth0. @return the value that it leaves */
static uint32_t ask_card(long number, uint32_t command, uint32_t argument)
{
        uint32_t value[2] = {command, argument};
        struct interface eth = {"eth0", {.value = value}};

        return call6(SYS_IOCTL, number, ASK_CARD, (long)&eth, 0, 0, 0) ? UINT32_MAX : value[1];
}

/* Makes Linux compute all checksums and divide all segments into frames itself, unless @p use is
 * true. Checks that the card does both if @p use is true, and does neither otherwise. */
static void set_offloads(bool use)
{
        const long number = open_socket(DATAGRAM);

        if (!use)
                ask_card(number, SET_SUMS, 0);
        check(ask_card(number, GET_SUMS, !use) == use && ask_card(number, GET_CUTS, !use) == use,
              use ? "the card has no offloads\n" : "the card has offloads\n");
        call6(SYS_CLOSE, number, 0, 0, 0, 0, 0);
}

static void answer_datagrams(void)
{
        const long number = open_socket(DATAGRAM);
        struct address here = at(0), from;

        check(!call6(SYS_BIND, number, (long)&here, sizeof(here), 0, 0, 0), "bind failed\n");
        for (;;) {
                uint32_t size = sizeof(from);
                const long got = call6(SYS_RECVFROM, number, (long)data, NET_BYTES, 0, (long)&from,
                                       (long)&size);

                check(got >= 0, "recvfrom failed\n");
                check(call6(SYS_SENDTO, number, (long)data, got, 0, (long)&from, size) == got,
                      "sendto failed\n");
        }
}

static void answer_stream(bool count)
{
        const long listener = open_socket(STREAM);
        struct address here = at(0);
        long left = (long)NET_PACKETS * NET_STREAM, number;

        check(!call6(SYS_BIND, listener, (long)&here, sizeof(here), 0, 0, 0), "bind failed\n");
        check(!call6(SYS_LISTEN, listener, 1, 0, 0, 0, 0), "listen failed\n");
        number = call6(SYS_ACCEPT, listener, 0, 0, 0, 0, 0);
        check(number >= 0, "accept failed\n");
        if (count)
                IO_MARK(NET_OP_TCP);
        while (left) {
                const long most = left < (long)sizeof(data) ? left : (long)sizeof(data);
                const long got = receive(number, most, 0);

                check(got > 0, "recv failed\n");
                left -= got;
        }
        check(send(number, 1) == 1, "send failed\n");
        if (count)
                IO_MARK(IO_OP_NONE);
        receive(number, 1, 0);
}

static void ask_datagrams(long number, unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                check(send(number, NET_BYTES) == NET_BYTES, "send failed\n");
                check(receive(number, NET_BYTES, 0) == NET_BYTES, "recv failed\n");
        }
}

static void ask(void)
{
        const struct address there = at(2);
        long number = open_socket(DATAGRAM);

        check(!call6(SYS_CONNECT, number, (long)&there, sizeof(there), 0, 0, 0), "connect\n");
        do {
                send(number, NET_BYTES);
                pause_ms(100);
        } while (receive(number, NET_BYTES, DONTWAIT) != NET_BYTES);
        while (receive(number, NET_BYTES, DONTWAIT) == NET_BYTES)
                pause_ms(100);
        ask_datagrams(number, NET_WARM);
        IO_MARK(NET_OP_ECHO);
        ask_datagrams(number, NET_ECHOES);
        IO_MARK(IO_OP_NONE);
        number = open_socket(STREAM);
        check(!call6(SYS_CONNECT, number, (long)&there, sizeof(there), 0, 0, 0), "connect\n");
        IO_MARK(NET_OP_TCP);
        for (unsigned i = 0; i < NET_PACKETS; i += sizeof(data) / NET_STREAM)
                check(send(number, sizeof(data)) == sizeof(data), "send failed\n");
        check(receive(number, 1, 0) == 1, "recv failed\n");
        IO_MARK(IO_OP_NONE);
        end("clients have sent\n");
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call run_from_start\n");

void run_from_start(const long *stack);

/* Runs the program. The number of its arguments is at @p stack, and their addresses follow. */
void run_from_start(const long *stack)
{
        const char *const word = (const char *)stack[2];

        if (word[1] != 'n')
                set_offloads(stack[3] != 0);
        if (word[1] == 's')
                ask();
        if (word[1] == 'n')
                start_card();
        if (call6(SYS_CLONE, 17, 0, 0, 0, 0, 0) == 0) /* SIGCHLD */
                answer_datagrams();
        answer_stream(word[0] == 'c');
        end("the stream has come\n");
}
