/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames from one client of a switch to another, as `nova bench net` counts them. Arguments: `send`
 * or `receive`, and the service. The receiver answers each window of frames with one frame, so that
 * none is dropped. */
#include "net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/service/net.h"
#include "novart/time.h"

#define SMALL     64
#define POOL      (2 * NOVA_NET_ENTRIES * NOVA_NET_BUFFER)
#define TYPE_HIGH 0x88
#define TYPE_LOW  0xb5
#define KIND      14 /* offset of the byte that selects the action */

enum kind { HELLO, DATA, WINDOW, END };

static struct nova_net *net;
static uint8_t frame[NOVA_NET_FRAME_MAX];

static void check(const char *what, int error)
{
        if (!error)
                return;
        printf("%s: %s\n", what, strerror(error));
        exit(1);
}

static void address(const uint8_t *to)
{
        memcpy(frame, to, NOVA_NET_ADDRESS);
        memcpy(frame + NOVA_NET_ADDRESS, nova_net_get_info(net)->address, NOVA_NET_ADDRESS);
        frame[12] = TYPE_HIGH;
        frame[13] = TYPE_LOW;
}

static void queue(enum kind kind, size_t bytes)
{
        int error;

        frame[KIND] = (uint8_t)kind;
        while ((error = nova_net_send(net, frame, bytes)) == EAGAIN) {
                check("flush", nova_net_flush(net));
                check("listen", nova_net_listen(net, NOVA_FOREVER));
        }
        check("send", error);
}

static void send_now(enum kind kind)
{
        queue(kind, SMALL);
        check("flush", nova_net_flush(net));
}

/* Waits for a frame, and writes its source to @p from unless that is NULL.
 * @return its kind, or HELLO if none has come by the deadline */
static enum kind receive(uint8_t *from, uint64_t deadline)
{
        struct nova_net_frame in;
        enum kind kind;
        int error;

        while ((error = nova_net_receive(net, &in)) == EAGAIN) {
                check("flush", nova_net_flush(net));
                error = nova_net_listen(net, deadline);
                if (error == ETIMEDOUT)
                        return HELLO;
                check("listen", error);
        }
        check("receive", error);
        kind = (enum kind)in.data[KIND];
        if (from)
                memcpy(from, in.data + NOVA_NET_ADDRESS, NOVA_NET_ADDRESS);
        check("release", nova_net_release(net, &in));
        return kind;
}

static void send_windows(unsigned frames, size_t bytes)
{
        for (unsigned sent = 0; sent < frames; sent += NET_WINDOW) {
                for (unsigned i = 1; i < NET_WINDOW; i++)
                        queue(DATA, bytes);
                queue(WINDOW, bytes);
                check("flush", nova_net_flush(net));
                if (receive(NULL, NOVA_FOREVER) != WINDOW)
                        check("the answer", EPROTO);
        }
}

/* Finds the receiver by a broadcast. */
static void find(void)
{
        static const uint8_t all[NOVA_NET_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
        uint8_t other[NOVA_NET_ADDRESS];

        address(all);
        do
                send_now(HELLO);
        while (receive(other, nova_deadline_in(100000000)) != WINDOW);
        while (receive(NULL, nova_deadline_in(100000000)) == WINDOW)
                ;
        address(other);
}

static void send_all(void)
{
        find();
        send_windows(NET_WARM * NET_WINDOW, SMALL);
        IO_MARK(NET_OP_SMALL);
        send_windows(NET_FRAMES, SMALL);
        IO_MARK(IO_OP_NONE);
        send_windows(NET_WARM * NET_WINDOW, NOVA_NET_FRAME_MAX);
        IO_MARK(NET_OP_LARGE);
        send_windows(NET_FRAMES, NOVA_NET_FRAME_MAX);
        IO_MARK(IO_OP_NONE);
        send_now(END);
        receive(NULL, NOVA_FOREVER); /* frames of a session that is closed may be lost */
        printf("clients have sent\n");
}

static void receive_all(void)
{
        uint8_t other[NOVA_NET_ADDRESS];
        enum kind kind;

        do {
                kind = receive(other, NOVA_FOREVER);
                if (kind == DATA)
                        continue;
                address(other);
                send_now(WINDOW);
        } while (kind != END);
        nova_net_listen(net, nova_deadline_in(100000000)); /* the last answer is pending */
}

int main(int argc, char **argv)
{
        if (argc < 3)
                return 1;
        check(argv[2], nova_net_open(&net, argv[2], NULL, POOL));
        if (!strcmp(argv[1], "send"))
                send_all();
        else
                receive_all();
        nova_net_close(net);
        return 0;
}
