/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients of a switch. Arguments: an action, the service, a number.
 *
 * ping SERVICE FRAMES: finds pong by a frame to all, and exchanges frames with it; then sends
 * frames with the sources of others. pong SERVICE FRAMES: answers. sleeper SERVICE FRAMES: reads
 * nothing, until it has lost that many frames. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/service/net.h"
#include "novart/time.h"

#define HEADER     14
#define TYPE_HIGH  0x88
#define TYPE_LOW   0xb6 /* for experiments on a local network; peer.py knows it */
#define SECOND     1000000000
#define POOL_BYTES 0x10000

static struct nova_net *net;
static uint8_t frame[NOVA_NET_FRAME_MAX];

static void check(const char *what, int error)
{
        if (!error)
                return;
        printf("%s: %s\n", what, strerror(error));
        exit(1);
}

static void set_header(const uint8_t *to, const uint8_t *from)
{
        memcpy(frame, to, NOVA_NET_ADDRESS);
        memcpy(frame + NOVA_NET_ADDRESS, from, NOVA_NET_ADDRESS);
        frame[12] = TYPE_HIGH;
        frame[13] = TYPE_LOW;
}

static void send_now(size_t bytes)
{
        int error;

        while ((error = nova_net_send(net, frame, bytes)) == EAGAIN) {
                check("flush", nova_net_flush(net));
                nova_sleep(SECOND / 1000);
        }
        check("send", error);
        check("flush", nova_net_flush(net));
}

static size_t size_of(unsigned number)
{
        return HEADER + 4 + number * 53 % 1497;
}

static uint8_t byte_of(unsigned number, size_t at)
{
        return (uint8_t)(number * 7 + at);
}

static void fill(unsigned number)
{
        memcpy(frame + HEADER, &number, sizeof(number));
        for (size_t i = HEADER + sizeof(number); i < size_of(number); i++)
                frame[i] = byte_of(number, i);
}

/* Waits for a frame of the other one. @return its number; -1: none within a quarter of a second */
static int wait_for_frame(uint8_t *from)
{
        const uint64_t deadline = nova_deadline_in(SECOND / 4);
        struct nova_net_frame in;
        unsigned number;
        int error;

        for (;;) {
                error = nova_net_receive(net, &in);
                if (error == EAGAIN) {
                        check("flush", nova_net_flush(net));
                        error = nova_net_listen(net, deadline);
                        if (error == ETIMEDOUT)
                                return -1;
                        check("listen", error);
                        continue;
                }
                check("receive", error);
                memcpy(&number, in.data + HEADER, sizeof(number));

                const bool ours = in.data[12] == TYPE_HIGH && in.data[13] == TYPE_LOW;
                bool good = in.bytes == size_of(number);

                memcpy(from, in.data + NOVA_NET_ADDRESS, NOVA_NET_ADDRESS);
                for (size_t i = HEADER + sizeof(number); ours && good && i < in.bytes; i++)
                        good = in.data[i] == byte_of(number, i);
                check("release", nova_net_release(net, &in));
                if (ours && !good)
                        check("a frame is not what was sent", EILSEQ);
                if (ours)
                        return (int)number;
        }
}

/* Sends frames with sources that are not the client's. All are refused. */
static void forge(const uint8_t *other)
{
        static const uint8_t unknown[NOVA_NET_ADDRESS] = {2, 1, 2, 3, 4, 5};
        const unsigned before = nova_net_refused(net);

        set_header(other, other);
        send_now(60);
        set_header(other, unknown);
        send_now(60);
        for (unsigned i = 0; i < 100 && nova_net_refused(net) < before + 2; i++) {
                set_header(other, nova_net_get_info(net)->address);
                fill(0);
                send_now(size_of(0));
                nova_sleep(SECOND / 100);
        }
        printf("%u of 2 frames with forged sources were refused\n", nova_net_refused(net) - before);
}

static void ping(unsigned frames)
{
        static const uint8_t all[NOVA_NET_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
        const uint8_t *own = nova_net_get_info(net)->address;
        uint8_t other[NOVA_NET_ADDRESS];

        do {
                set_header(all, own);
                fill(0);
                send_now(size_of(0));
        } while (wait_for_frame(other) < 0);
        for (unsigned number = 1; number <= frames; number++) {
                set_header(other, own);
                fill(number);
                send_now(size_of(number));
                while (wait_for_frame(other) != (int)number)
                        continue;
        }
        printf("%u frames came back from the other client\n", frames);
        forge(other);
}

static void pong(unsigned frames)
{
        uint8_t other[NOVA_NET_ADDRESS];
        int number = -1;

        while (number != (int)frames) {
                number = wait_for_frame(other);
                if (number < 0)
                        continue;
                set_header(other, nova_net_get_info(net)->address);
                fill((unsigned)number);
                send_now(size_of((unsigned)number));
        }
        nova_sleep(SECOND / 2);
}

static void sleeper(unsigned frames)
{
        struct nova_net_counts counts = {0};

        while (counts.dropped < frames) {
                nova_sleep(SECOND / 20);
                check("counts", nova_net_ask_counts(net, &counts));
        }
        printf("%u frames came, and none was read\n", (unsigned)counts.received);
}

int main(int argc, char **argv)
{
        const unsigned count = argc == 4 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;

        if (!count) {
                puts("the arguments are wrong");
                return 1;
        }
        check(argv[2],
              nova_net_open(&net, argv[2], NULL, strcmp(argv[1], "sleeper") ? POOL_BYTES : 0));
        if (!strcmp(argv[1], "ping"))
                ping(count);
        else if (!strcmp(argv[1], "pong"))
                pong(count);
        else
                sleeper(count);
        nova_net_close(net);
        return 0;
}
