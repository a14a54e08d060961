/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of network services. Arguments: an action, the service, numbers.
 *
 * echo SERVICE FRAMES ENDS: announces itself, and returns each frame of peer.py with its payload
 * inverted, until it has returned FRAMES frames and the service has ended ENDS times.
 * again SERVICE FRAMES SESSIONS: returns FRAMES frames in each of SESSIONS sessions.
 * link SERVICE FRAMES 0: waits until peer.py has cut the link, sends FRAMES frames without it, and
 * announces its end when the link is back.
 * idle SERVICE 0 0: sends a frame, and sleeps.
 * hostile SERVICE FRAMES ENDS: breaks the rules in each way that ends a session's rings, and then
 * continues as `echo`. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../bench/io/io.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/service/net.h"
#include "novart/time.h"

#define POOL_BYTES  0x20000
#define HEADER      14
#define TYPE        0x88b5 /* for experiments on a local network */
#define HELLO_BYTES 60
#define SECOND      1000000000

static uint8_t frame[NOVA_NET_FRAME_MAX];

static _Noreturn void die(const char *what, int error)
{
        printf("%s: %s\n", what, strerror(error));
        exit(1);
}

static struct nova_net *open_or_die(const char *service)
{
        struct nova_net *net;
        const int error = nova_net_open(&net, service, NULL, POOL_BYTES);

        if (error)
                die(service, error);
        return net;
}

/* Makes a broadcast with a word as its payload. */
static void make_announcement(const struct nova_net *net, const char *word)
{
        memset(frame, 0, HELLO_BYTES);
        memset(frame, 0xff, NOVA_NET_ADDRESS);
        memcpy(frame + NOVA_NET_ADDRESS, nova_net_get_info(net)->address, NOVA_NET_ADDRESS);
        frame[12] = TYPE >> 8;
        frame[13] = TYPE & 0xff;
        for (size_t i = 0; word[i]; i++)
                frame[HEADER + i] = (uint8_t)word[i];
}

static int announce(struct nova_net *net, const char *word)
{
        int error;

        make_announcement(net, word);
        error = nova_net_send(net, frame, HELLO_BYTES);
        return error ? error : nova_net_flush(net);
}

/* Sends a frame back to its sender. @return 0 or an errno value; ECONNRESET: the frame was lost */
static int return_frame(struct nova_net *net, const struct nova_net_frame *in)
{
        int error;

        memcpy(frame, in->data + NOVA_NET_ADDRESS, NOVA_NET_ADDRESS);
        memcpy(frame + NOVA_NET_ADDRESS, nova_net_get_info(net)->address, NOVA_NET_ADDRESS);
        memcpy(frame + 12, in->data + 12, 2);
        for (uint32_t i = HEADER; i < in->bytes; i++)
                frame[i] = (uint8_t)~in->data[i];
        error = nova_net_release(net, in);
        while (!error && (error = nova_net_send(net, frame, in->bytes)) == EAGAIN) {
                error = nova_net_flush(net);
                if (!error)
                        error = nova_net_listen(net, NOVA_FOREVER);
        }
        return error;
}

static bool is_ours(const struct nova_net_frame *in)
{
        return in->data[12] == TYPE >> 8 && in->data[13] == (TYPE & 0xff);
}

/* Sends the frames of the peer back. Ignores frames of other types, which come from other clients
 * of a switch.
 * @return number of frames that were sent back, or a negative errno value */
static int return_frames(struct nova_net *net)
{
        struct nova_net_frame in;
        int count = 0, error;

        while ((error = nova_net_receive(net, &in)) == 0) {
                const bool ours = is_ours(&in);

                error = ours ? return_frame(net, &in) : nova_net_release(net, &in);
                if (error)
                        return -error;
                count += ours;
        }
        if (error != EAGAIN)
                return -error;
        error = nova_net_flush(net);
        return error ? -error : count;
}

/* Sends frames back, or waits for some. @return as return_frames() */
static int step(struct nova_net *net, bool greeted)
{
        const int got = return_frames(net);
        int error;

        if (got)
                return got;
        error = nova_net_listen(net, nova_deadline_in(SECOND / 4));
        if (error == ETIMEDOUT) /* the peer may not have seen the word */
                error = greeted ? 0 : announce(net, "hello");
        return -error;
}

static void reopen(struct nova_net *net)
{
        const int error = nova_net_reopen(net);

        if (error)
                die("reopen", error);
}

/* Announces the end. Some of these frames may be lost. */
static void say_goodbye(struct nova_net *net)
{
        for (unsigned i = 0; i < 5; i++) {
                const int error = announce(net, "bye");

                if (error == ECONNRESET)
                        reopen(net);
                else if (error)
                        die("bye", error);
                nova_sleep(SECOND / 20);
        }
}

static void echo(const char *service, unsigned frames, unsigned ends_wanted)
{
        struct nova_net *net = open_or_die(service);
        struct nova_net_counts counts;
        unsigned done = 0, ends = 0;
        int got = -announce(net, "hello");

        while (done < frames || ends < ends_wanted) {
                if (got == -ECONNRESET) {
                        ends++;
                        reopen(net);
                } else if (got < 0) {
                        die("echo", -got);
                }
                /* step() would wait before its "hello". If the service ended during each wait, no
                 * "hello" would be sent. */
                got = got == -ECONNRESET && !done ? -announce(net, "hello") : step(net, done);
                done += got > 0 ? (unsigned)got : 0;
        }
        printf("%s frames were returned, the service ended %s\n", done < frames ? "few" : "all",
               ends ? "and came back" : "never");
        say_goodbye(net);
        if (!ends_wanted && nova_net_ask_counts(net, &counts) == 0)
                printf("sent %u, received %u, refused %u\n", (unsigned)counts.sent,
                       (unsigned)counts.received, (unsigned)counts.refused);
        nova_net_close(net);
}

/* Waits until the link is up (@p wanted) or down. Until then announces @p word, unless it is
 * NULL. */
static void wait_for_link(struct nova_net *net, bool wanted, const char *word)
{
        struct nova_net_info info;
        int error;

        for (;;) {
                error = nova_net_ask_info(net, &info);
                if (error)
                        die("info", error);
                if (!(info.flags & NOVA_NET_LINK) == !wanted)
                        return;
                if (word)
                        announce(net, word);
                nova_sleep(SECOND / 20);
        }
}

/* Sends frames without a link. The card returns all buffers, so the program can send more frames
 * than its pool has room for. */
static void cut(const char *service, unsigned frames)
{
        struct nova_net *net = open_or_die(service);
        int error;

        wait_for_link(net, false, "hello");
        puts("there is no link");
        for (unsigned i = 0; i < frames; i++) {
                while ((error = announce(net, "lost")) == EAGAIN)
                        nova_sleep(SECOND / 100);
                if (error)
                        die("announce", error);
        }
        printf("%u frames were given to a card without a link\n", frames);
        wait_for_link(net, true, NULL);
        puts("there is a link again");
        say_goodbye(net);
        nova_net_close(net);
}

/* Sleeps after a frame. A plugin of QEMU counts the instructions between the marks. */
static void sleep_marked(const char *service)
{
        struct nova_net *net = open_or_die(service);
        const int error = announce(net, "hello");

        if (error)
                die("announce", error);
        nova_sleep(SECOND * UINT64_C(5)); /* the driver and its watchdog have no work left */
        IO_MARK(IO_OP_IDLE);
        nova_sleep(SECOND * UINT64_C(2));
        IO_MARK(IO_OP_NONE);
        puts("slept");
        nova_net_close(net);
}

/* A session that the test opens with the protocol's messages, so that it can write to the shared
 * memory. */
struct raw {
        struct nova_session *session;
        struct nova_net_rings *rings;
        char *pool;
        nova_sel_t doorbell;
};

static int call(const struct raw *raw, nova_word_t operation, nova_word_t word, unsigned count,
                nova_crd_t window)
{
        struct nova_message message = {
                .operation = operation, .words = &word, .word_count = count, .window = window};

        return nova_session_call(raw->session, &message);
}

static void open_raw(struct raw *raw, const char *service)
{
        const unsigned order = NOVA_NET_POOL_ORDER_MIN;
        const size_t half = (size_t)NOVA_PAGE_SIZE << order;
        int error = nova_session_open(&raw->session, service, NULL);

        raw->rings = nova_region_lazy("raw", 2 * half);
        raw->pool = (char *)raw->rings + half;
        raw->doorbell = nova_sel_alloc(1);
        if (!error)
                error = call(raw, NOVA_NET_ATTACH, order, 1,
                             nova_crd_mem((nova_word_t)raw->rings >> NOVA_PAGE_BITS, order + 1,
                                          NOVA_MEM_R | NOVA_MEM_W));
        if (!error)
                error = call(raw, NOVA_NET_SEMAPHORES, 0, 0,
                             nova_crd_obj(raw->doorbell, 1, NOVA_PERM_ALL));
        if (error)
                die("raw session", error);
}

/* Rings the doorbell until the service has ended the rings. */
static void expect_end(struct raw *raw, const char *what)
{
        for (unsigned i = 0; i < 500 && raw->rings->receive.head.magic; i++) {
                nova_sm_up(raw->doorbell);
                nova_sleep(SECOND / 100);
        }
        printf("%s %s its rings\n", what,
               raw->rings->receive.head.magic || raw->rings->transmit.head.magic ? "keeps"
                                                                                 : "loses");
        nova_session_close(raw->session);
}

/* Makes requests outside of the pool, requests of wrong sizes, and a correct one. All complete, and
 * the rings stay. Cards that need a whole buffer also return the third receive buffer, which is too
 * small. */
static void send_malformed(struct raw *raw)
{
        static const struct nova_net_entry entries[] = {
                {0, NOVA_NET_FRAME_MIN - 1, 0, 0},
                {0, NOVA_NET_FRAME_MAX + 1, 1, 0},
                {0x4000 - 59, 60, 2, 0},
                {0xfffffff0, 60, 3, 0},
                {0, 60, 4, 1},
                {0, 60, 5, 0},
        };
        const uint32_t count = sizeof(entries) / sizeof(entries[0]);
        struct nova_net_ring *ring = &raw->rings->transmit;
        unsigned refused = 0, other = 0;

        memcpy(ring->entry, entries, sizeof(entries));
        raw->rings->receive.entry[0] = (struct nova_net_entry){0, NOVA_NET_FRAME_MAX - 1, 7, 0};
        raw->rings->receive.entry[1] = (struct nova_net_entry){0x4000 - 2047, 2048, 8, 0};
        raw->rings->receive.entry[2] = (struct nova_net_entry){0, NOVA_NET_BUFFER - 1, 9, 0};
        __atomic_store_n(&raw->rings->receive.head.submitted, 3, __ATOMIC_RELEASE);
        __atomic_store_n(&ring->head.submitted, count, __ATOMIC_RELEASE);
        for (unsigned i = 0; i < 500; i++) {
                nova_sm_up(raw->doorbell);
                if (__atomic_load_n(&ring->head.completed, __ATOMIC_ACQUIRE) == count)
                        break;
                nova_sleep(SECOND / 100);
        }
        for (uint32_t i = 0; i < count; i++)
                refused += ring->completion[i].tag == i && (ring->completion[i].result == EINVAL ||
                                                            ring->completion[i].result == EMSGSIZE);
        for (uint32_t i = 0; i < 3; i++)
                other += raw->rings->receive.completion[i].tag == 7 + i &&
                         raw->rings->receive.completion[i].result == 0;
        printf("%u of %u malformed frames were refused, %u of 3 buffers came back\n", refused,
               (unsigned)count - 1, other);
}

static void hostile(const char *service)
{
        struct nova_net *net;
        struct raw raw;

        open_raw(&raw, service);
        printf("a second client of a card: %s\n", strerror(nova_net_open(&net, service, NULL, 0)));
        send_malformed(&raw);
        raw.rings->transmit.head.submitted += NOVA_NET_ENTRIES + 1;
        expect_end(&raw, "a client with too many frames");
        open_raw(&raw, service);
        raw.rings->receive.head.submitted = 4;
        raw.rings->receive.head.reaped = 5;
        expect_end(&raw, "a client that reaps absent completions");
        net = open_or_die(service);
        nova_net_close(net);
}

/* Queues a frame with an open checksum, which the card does not take. */
static void queue_open(struct nova_net *net)
{
        const int error = nova_net_queue_sum(net, 60, nova_net_sum_open(34, 6));

        if (error != ENOTSUP)
                die("an open checksum", error);
}

/* Sends frames back in several sessions. The card has empty buffers when a session ends, and frames
 * come until the next session begins. */
static void return_again(const char *service, unsigned frames, unsigned sessions)
{
        struct nova_net *net = NULL;

        for (unsigned i = 0; i < sessions; i++) {
                unsigned returned = 0;

                if (net) {
                        nova_net_close(net);
                        nova_sleep(SECOND / 5);
                }
                net = open_or_die(service);
                while (returned < frames) {
                        const int got = step(net, returned);

                        if (got < 0)
                                die("the session", -got);
                        returned += (unsigned)got;
                }
        }
        queue_open(net);
        say_goodbye(net);
        printf("%u sessions returned %u frames each\n", sessions, frames);
        nova_net_close(net);
}

static unsigned number(char **argv, int index)
{
        return (unsigned)strtoul(argv[index], NULL, 10);
}

int main(int argc, char **argv)
{
        if (argc == 5 && !strcmp(argv[1], "echo")) {
                echo(argv[2], number(argv, 3), number(argv, 4));
                return 0;
        }
        if (argc == 5 && !strcmp(argv[1], "again")) {
                return_again(argv[2], number(argv, 3), number(argv, 4));
                return 0;
        }
        if (argc == 5 && !strcmp(argv[1], "link")) {
                cut(argv[2], number(argv, 3));
                return 0;
        }
        if (argc == 5 && !strcmp(argv[1], "idle")) {
                sleep_marked(argv[2]);
                return 0;
        }
        if (argc == 5 && !strcmp(argv[1], "hostile")) {
                hostile(argv[2]);
                echo(argv[2], number(argv, 3), number(argv, 4));
                return 0;
        }
        puts("the arguments are wrong");
        return 1;
}
