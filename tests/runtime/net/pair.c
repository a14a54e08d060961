/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients of a switch. Arguments: an action, the service, a number.
 *
 * ping SERVICE FRAMES: opens a second session, says whether the switch has a cable, queues wrong
 *   frames, reserves buffers, finds pong by a broadcast, and exchanges frames with it. Then it
 *   sends frames with forged sources, and broadcasts its end.
 * pong SERVICE FRAMES: answers ping from the port's own address.
 * several SERVICE FRAMES: answers ping from another address, and sends a frame with ping's source.
 * sleeper SERVICE FRAMES: reads nothing until FRAMES frames to it are lost.
 * flood SERVICE BYTES: until ping ends, sends frames to a machine that does not exist. If BYTES is
 *   not 0, its limit is BYTES per second, every other frame is a broadcast, and it sends for at
 *   least two seconds.
 * beside SERVICE ENDS: exchanges frames with pong until init has restarted virtio-net ENDS times.
 * away SERVICE FRAMES: ends the driver cable.c twice, and exchanges frames with pong each time that
 *   the switch reports that it has no cable. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/parent.h"
#include "novart/service/net.h"
#include "novart/time.h"

#define HEADER     14
#define TYPE_HIGH  0x88
#define TYPE_LOW   0xb6 /* for experiments on a local network; peer.py knows it */
#define SECOND     1000000000
#define POOL_BYTES 0x10000
#define BUFFERS    (POOL_BYTES / 2 / NOVA_NET_BUFFER) /* buffers for frames that a client sends */
#define END        0xffff   /* number of the frames that announce ping's end */
#define CABLE      24       /* bytes that a cable adds to each frame */
#define BURST      200      /* more frames than a card's ring has */
#define KILL       0xb7     /* TYPE_LOW of the frame that ends cable.c */
#define LATE_NS    10000000 /* a longer pause means that the host has stopped the machine */

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

static const uint8_t all[NOVA_NET_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t absent[NOVA_NET_ADDRESS] = {2, 8, 8, 8, 8, 8}; /* an unused address */

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

/* Waits for a frame of the other client, or for a broadcast of ping. @return its number; -1: none
 * within a quarter of a second */
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
        struct nova_net_counts counts = {0};

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
        check("counts", nova_net_ask_counts(net, &counts));
        printf("%u of 2 frames with forged sources were refused, the switch counted %u\n",
               nova_net_refused(net) - before, (unsigned)counts.refused);
}

/* Sends a frame until it comes back. @return number of times that it was sent again */
static unsigned exchange(uint8_t *other, unsigned number)
{
        uint8_t from[NOVA_NET_ADDRESS];
        unsigned again = 0;
        int got;

        for (;; again++) {
                set_header(other, nova_net_get_info(net)->address);
                fill(number);
                send_now(size_of(number));
                do
                        got = wait_for_frame(from);
                while (got >= 0 && got != (int)number);
                if (got >= 0)
                        return again;
        }
}

/* Sends the broadcast with a number ten times, because some of the frames may be lost. */
static void tell_all(unsigned number)
{
        for (unsigned i = 0; i < 10; i++) {
                set_header(all, nova_net_get_info(net)->address);
                fill(number);
                send_now(size_of(number));
                nova_sleep(SECOND / 20);
        }
}

static void find_pong(uint8_t *other)
{
        do {
                set_header(all, nova_net_get_info(net)->address);
                fill(0);
                send_now(size_of(0));
        } while (wait_for_frame(other) < 0);
}

static void wait_for_buffers(unsigned count)
{
        int error;

        while ((error = nova_net_reserve(net, count)) == EAGAIN) {
                check("flush", nova_net_flush(net));
                check("listen", nova_net_listen(net, nova_deadline_in(10ull * SECOND)));
        }
        check("reserve", error);
}

static void expect(const char *what, int error, int wanted)
{
        if (error == wanted)
                return;
        printf("%s: %s instead of %s\n", what, strerror(error), strerror(wanted));
        exit(1);
}

/* Queues frames of wrong sizes, and open checksums outside of their frames. */
static void queue_wrong(void)
{
        expect("a short frame", nova_net_queue(net, NOVA_NET_FRAME_MIN - 1), EMSGSIZE);
        expect("a long frame", nova_net_queue(net, NOVA_NET_FRAME_MAX + 1), EMSGSIZE);
        expect("a checksum at the end", nova_net_queue_sum(net, 60, nova_net_sum_open(34, 25)),
               EINVAL);
        expect("a checksum in the header", nova_net_queue_sum(net, 60, nova_net_sum_open(13, 6)),
               EINVAL);
        expect("a word for receivers", nova_net_queue_sum(net, 60, NOVA_NET_SUM_RIGHT), EINVAL);
}

/* Reserves more buffers than the pool has, and more than are free. */
static void reserve(void)
{
        printf("one buffer too many: %s\n", strerror(nova_net_reserve(net, BUFFERS + 1)));
        wait_for_buffers(BUFFERS);
        set_header(all, nova_net_get_info(net)->address);
        fill(0);
        check("send", nova_net_send(net, frame, size_of(0)));
        printf("one buffer in use: %s\n", strerror(nova_net_reserve(net, BUFFERS)));
        check("the other buffers", nova_net_reserve(net, BUFFERS - 1));
        wait_for_buffers(BUFFERS);
}

/* Queues a frame to this client's own address in each buffer, and tries one frame more. The switch
 * drops these frames. */
static void queue_all(void)
{
        void *buffer;

        set_header(nova_net_get_info(net)->address, nova_net_get_info(net)->address);
        fill(0);
        for (unsigned i = 0; i < BUFFERS; i++) {
                check("prepare", nova_net_prepare(net, &buffer));
                memcpy(buffer, frame, size_of(0));
                check("queue", nova_net_queue(net, size_of(0)));
        }
        expect("a frame without a buffer", nova_net_queue(net, size_of(0)), EAGAIN);
        wait_for_buffers(BUFFERS);
}

static void ping(const char *service, unsigned frames)
{
        uint8_t other[NOVA_NET_ADDRESS];
        struct nova_net_info info;
        struct nova_net *second;
        unsigned again = 0;

        printf("a second port: %s\n", strerror(nova_net_open(&second, service, NULL, POOL_BYTES)));
        check("info", nova_net_ask_info(net, &info));
        printf("the switch has %s cable\n", info.flags & NOVA_NET_LINK ? "a" : "no");
        queue_wrong();
        reserve();
        queue_all();
        find_pong(other);
        for (unsigned number = 1; number <= frames; number++)
                again += exchange(other, number);
        printf("%u frames came back from the other client, %u were sent again\n", frames, again);
        forge(other);
        tell_all(END);
}

static void describe_driver(struct nova_parent_program *program)
{
        for (unsigned i = 0; !nova_parent_program_describe(i, program); i++)
                if (!strcmp(program->name, "virtio-net"))
                        return;
        check("the driver", ENOENT);
}

/* Returns true if the driver did not run from the first description to the second one. */
static bool was_away(const struct nova_parent_program *one, const struct nova_parent_program *two)
{
        return one->state == NOVA_PARENT_PAUSES && two->state == NOVA_PARENT_PAUSES &&
               one->restarts == two->restarts;
}

static void beside(unsigned ends)
{
        struct nova_parent_program before, after;
        uint8_t other[NOVA_NET_ADDRESS];
        unsigned frames = 0, without = 0, again = 0;

        find_pong(other);
        for (describe_driver(&before); before.restarts < ends; before = after) {
                again += exchange(other, 1 + frames % (END - 1));
                frames++;
                describe_driver(&after);
                without += was_away(&before, &after);
                nova_sleep(SECOND / 1000);
        }
        printf("%u frames came back from the other client, %u of them without the driver, %s were "
               "sent again (%u)\n",
               frames, without, again > ends / 10 ? "many" : "few", again);
        tell_all(END);
}

/* Exchanges frames until the switch reports a cable, or none. */
static void wait_for_cable(uint8_t *other, bool wanted)
{
        struct nova_net_info info;

        do {
                exchange(other, 1);
                nova_sleep(SECOND / 100);
                check("info", nova_net_ask_info(net, &info));
        } while (!(info.flags & NOVA_NET_LINK) == wanted);
}

/* Sends frames that fill the driver's ring. The first one makes the driver crash a moment later. */
static void end_driver(void)
{
        for (unsigned i = 0; i < BURST; i++) {
                set_header(absent, nova_net_get_info(net)->address);
                frame[13] = KILL;
                send_now(60);
        }
}

static void away(unsigned frames)
{
        uint8_t other[NOVA_NET_ADDRESS];

        find_pong(other);
        for (unsigned i = 0; i < 2; i++) {
                unsigned again = 0;

                wait_for_cable(other, true);
                end_driver();
                wait_for_cable(other, false);
                for (unsigned number = 1; number <= frames; number++)
                        again += exchange(other, number);
                printf("without the driver, %u frames came back, %s were sent again (%u)\n", frames,
                       again > frames / 10 ? "many" : "few", again);
        }
        tell_all(END);
}

/* Answers ping's frames with the source address @p own. @return ping's address in @p other */
static void answer(const uint8_t *own, uint8_t *other)
{
        int number = wait_for_frame(other);

        for (; number != END; number = wait_for_frame(other)) {
                if (number < 0)
                        continue;
                set_header(other, own);
                fill((unsigned)number);
                send_now(size_of((unsigned)number));
        }
}

static void pong(void)
{
        uint8_t other[NOVA_NET_ADDRESS];

        answer(nova_net_get_info(net)->address, other);
}

static void several(void)
{
        static const uint8_t second[NOVA_NET_ADDRESS] = {2, 9, 9, 9, 9, 9};
        uint8_t other[NOVA_NET_ADDRESS];

        answer(second, other);
        set_header(all, other);
        send_now(60);
        for (unsigned i = 0; i < 100 && !nova_net_refused(net); i++) {
                set_header(second, second);
                send_now(60);
                nova_sleep(SECOND / 100);
        }
        printf("%u of 1 frame with ping's source was refused\n", nova_net_refused(net));
}

/* Compares what a client has sent with its rate. While the host stops the machine, a client saves
 * at most 20 ms of its rate. @param ran_ms part of @p ms in which the machine ran */
static void judge(uint64_t bytes, unsigned rate, uint64_t ms, uint64_t ran_ms)
{
        printf("%s than the rate allows, %s than half of the rate\n",
               bytes > (ms + 20) * rate / 1000 + sizeof(frame) + CABLE ? "more" : "not more",
               bytes < ran_ms * rate / 2000 ? "less" : "not less");
}

/* Sends without a pause. */
static void flood(unsigned rate)
{
        const uint64_t begin = nova_time_ns();
        uint64_t before = begin, ran = 0;
        struct nova_net_counts counts = {0};
        struct nova_net_frame in;
        unsigned number;
        bool on = true;

        while (on || (rate && before - begin < 2 * (uint64_t)SECOND)) {
                const uint64_t now = nova_time_ns();

                if (now - before < LATE_NS)
                        ran += now - before;
                before = now;
                for (unsigned i = 0; i < NOVA_NET_ENTRIES; i++) {
                        set_header(rate && i % 2 ? all : absent, nova_net_get_info(net)->address);
                        frame[13]++; /* a type that the other clients do not read */
                        if (nova_net_send(net, frame, sizeof(frame)))
                                break;
                }
                check("flush", nova_net_flush(net));
                nova_net_listen(net, nova_deadline_in(SECOND / 1000));
                while (nova_net_receive(net, &in) == 0) {
                        memcpy(&number, in.data + HEADER, sizeof(number));
                        on &= in.data[13] != TYPE_LOW || number != END;
                        check("release", nova_net_release(net, &in));
                }
        }
        check("counts", nova_net_ask_counts(net, &counts));

        /* Rounded up: the switch may allow a frame in the last part of a millisecond. */
        const uint64_t ms = (nova_time_ns() - begin + 999999) / 1000000;
        const uint64_t bytes = counts.sent * (sizeof(frame) + CABLE);

        printf("sent %u frames of %u bytes in %u ms, of which the machine ran %u\n",
               (unsigned)counts.sent, (unsigned)sizeof(frame), (unsigned)ms,
               (unsigned)(ran / 1000000));
        if (rate)
                judge(bytes, rate, ms, ran / 1000000);
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

        if (argc != 4) {
                puts("the arguments are wrong");
                return 1;
        }
        check(argv[2],
              nova_net_open(&net, argv[2], NULL, strcmp(argv[1], "sleeper") ? POOL_BYTES : 0));
        if (!strcmp(argv[1], "ping"))
                ping(argv[2], count);
        else if (!strcmp(argv[1], "pong"))
                pong();
        else if (!strcmp(argv[1], "several"))
                several();
        else if (!strcmp(argv[1], "flood"))
                flood(count);
        else if (!strcmp(argv[1], "beside"))
                beside(count);
        else if (!strcmp(argv[1], "away"))
                away(count);
        else
                sleeper(count);
        nova_net_close(net);
        return 0;
}
