/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs at a switch, and the checksums of the frames that they exchange. Arguments: an action,
 * the service, the program's address.
 *
 * speak SERVICE ADDRESS OTHER...: uses novanet to send datagrams, which the programs at the
 * addresses OTHER return. Then connects with itself.
 *
 * open SERVICE ADDRESS, complete SERVICE ADDRESS: returns datagrams without novanet. `open` accepts
 * open checksums, and must get them; `complete` must get complete checksums. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "novanet/ip.h"
#include "novart/service/net.h"
#include "novart/time.h"

#define PORT      7
#define TRIES     50
#define PIECES    3000 /* bytes of a datagram that does not fit into a frame */
#define PIECE_SUM 40   /* offset of a datagram's checksum */
#define PACKET    34
#define UDP       17

static const unsigned sizes[] = {1, 2, 3, 512, 1471, 1472};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void check(const char *what, bool right)
{
        if (right)
                return;
        perror(what);
        exit(1);
}

/* ---- the program with sockets ---------------------------------------------------------------- */

static char data[PIECES], back[PIECES];

static struct sockaddr_in at(const char *address)
{
        return (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_port = htons(PORT),
                                    .sin_addr.s_addr = inet_addr(address)};
}

/* Sends a datagram until it comes back. */
static bool exchange(int number, unsigned bytes)
{
        for (unsigned i = 0; i < bytes; i++)
                data[i] = (char)(i * 7 + bytes);
        for (unsigned tries = 0; tries < TRIES; tries++) {
                ssize_t got;

                send(number, data, bytes, 0);
                got = recv(number, back, sizeof(back), 0);
                if (got == (ssize_t)bytes && memcmp(data, back, bytes) == 0)
                        return true;
        }
        return false;
}

static void speak_with(const char *address)
{
        const struct sockaddr_in there = at(address);
        const struct timeval patience = {.tv_usec = 200000};
        const int number = socket(AF_INET, SOCK_DGRAM, 0);
        unsigned good = 0;

        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        check("connect", !connect(number, (const struct sockaddr *)&there, sizeof(there)));
        for (unsigned i = 0; i < SIZES; i++)
                good += exchange(number, sizes[i]);
        send(number, data, PIECES, 0);
        for (unsigned i = 0; i < 3; i++) /* a datagram may be lost */
                send(number, "end", 3, 0);
        printf("%u of %u datagrams came back from %s\n", good, (unsigned)SIZES, address);
        close(number);
}

static void speak_with_itself(const char *address)
{
        const struct sockaddr_in here = at(address);
        const int listener = socket(AF_INET, SOCK_STREAM, 0);
        const int number = socket(AF_INET, SOCK_STREAM, 0);

        check("bind", !bind(listener, (const struct sockaddr *)&here, sizeof(here)));
        check("listen", !listen(listener, 1));
        check("connect", !connect(number, (const struct sockaddr *)&here, sizeof(here)));
        printf("a connection with itself\n");
        close(number);
        close(listener);
}

static void speak(int argc, char **argv)
{
        const struct nova_ip_config config = {.service = argv[2], .address = argv[3]};

        errno = nova_ip_start(&config);
        check("address", !errno);
        for (int i = 4; i < argc; i++)
                speak_with(argv[i]);
        speak_with_itself(argv[3]);
}

/* ---- programs without ------------------------------------------------------------------------ */

static struct nova_net *net;
static uint8_t own[4], frame[NOVA_NET_FRAME_MAX];
static unsigned open_count, complete_count, wrong_count;

/* Returns the ones' complement sum of words. */
static uint32_t sum_of(const uint8_t *from, unsigned bytes, uint32_t sum)
{
        for (unsigned i = 0; i < bytes; i++)
                sum += i % 2 ? from[i] : from[i] * 0x100u;
        while (sum > 0xffff)
                sum = (sum & 0xffff) + (sum >> 16);
        return sum;
}

static void swap(unsigned one, unsigned other, unsigned bytes)
{
        uint8_t kept[NOVA_NET_ADDRESS];

        memcpy(kept, frame + one, bytes);
        memcpy(frame + one, frame + other, bytes);
        memcpy(frame + other, kept, bytes);
}

static void send_frame(unsigned bytes, uint32_t sum)
{
        void *buffer;

        if (nova_net_prepare(net, &buffer))
                return;
        memcpy(buffer, frame, bytes);
        errno = nova_net_queue_sum(net, bytes, sum);
        check("queue", !errno);
}

/* Answers a question for the program's address. */
static void answer_arp(unsigned bytes)
{
        if (bytes < 42 || frame[21] != 1 || memcmp(frame + 38, own, sizeof(own)) != 0)
                return;
        memcpy(frame, frame + 6, 6);
        memcpy(frame + 6, nova_net_get_info(net)->address, 6);
        frame[21] = 2;
        memcpy(frame + 32, frame + 22, 10);
        memcpy(frame + 22, nova_net_get_info(net)->address, 6);
        memcpy(frame + 28, own, sizeof(own));
        send_frame(42, 0);
}

/* Counts a datagram, whose checksum is open, complete or wrong. A part of a datagram never has an
 * open checksum. */
static void count(unsigned bytes, uint32_t sum)
{
        const bool is_part = frame[20] & 0x20;
        const uint32_t pseudo = sum_of(frame + 26, 8, UDP + (bytes - PACKET));
        const uint32_t field = frame[PIECE_SUM] * 0x100u + frame[PIECE_SUM + 1];

        if (is_part)
                wrong_count += sum || !field || field == 0xffff; /* lwIP's 0 */
        else if (sum == nova_net_sum_open(PACKET, PIECE_SUM - PACKET) && field == pseudo)
                open_count++;
        else if (!sum && field && sum_of(frame + PACKET, bytes - PACKET, pseudo) == 0xffff)
                complete_count++;
        else
                wrong_count++;
}

/* Handles a received frame. @return false if its datagram ends the program */
static bool handle(unsigned bytes, uint32_t sum)
{
        if (frame[12] == 8 && frame[13] == 6)
                answer_arp(bytes);
        if (bytes < 43 || frame[12] != 8 || frame[13] != 0 || frame[23] != UDP ||
            memcmp(frame + 30, own, sizeof(own)) != 0 || frame[21])
                return true;
        count(bytes, sum);
        if (frame[20] & 0x20)
                return true;
        if (bytes == 45 && memcmp(frame + 42, "end", 3) == 0)
                return false;
        swap(0, 6, 6);
        swap(26, 30, 4);
        swap(34, 36, 2);
        send_frame(bytes, sum);
        return true;
}

static bool step(void)
{
        struct nova_net_frame in;
        uint32_t sum;
        int error = nova_net_receive(net, &in);

        if (error == EAGAIN) {
                errno = nova_net_flush(net);
                check("flush", !errno);
                return !nova_net_listen(net, NOVA_FOREVER);
        }
        check("receive", !error);
        memcpy(frame, in.data, in.bytes);
        error = (int)in.bytes;
        sum = in.sum;
        check("release", !nova_net_release(net, &in));
        return handle((unsigned)error, sum);
}

static void reflect(const char *service, const char *address, bool accepts)
{
        const uint32_t number = inet_addr(address);

        memcpy(own, &number, sizeof(own));
        errno = nova_net_open(&net, service, NULL, 0x10000);
        check("open", !errno);
        if (accepts) {
                nova_net_accept_sums(net);
                errno = nova_net_reopen(net); /* gives all buffers again, now for open checksums */
                check("reopen", !errno);
        }
        while (step())
                ;
        printf("%u checksums were open, %u complete, %u wrong\n", open_count, complete_count,
               wrong_count);
        nova_net_flush(net);
}

int main(int argc, char **argv)
{
        if (argc < 4)
                return 1;
        if (strcmp(argv[1], "speak") == 0)
                speak(argc, argv);
        else
                reflect(argv[2], argv[3], strcmp(argv[1], "open") == 0);
        return 0;
}
