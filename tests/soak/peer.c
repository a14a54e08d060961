/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine with which the guest talks over the switch: it serves one page by HTTP, and on a
 * second switch it answers frames. It also provides a service, so the system does not wait for the
 * end of this program. Arguments: the first switch and an address. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nova/hypercall.h"
#include "novanet/http.h"
#include "novanet/ip.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/service.h"
#include "novart/service/net.h"
#include "novart/thread.h"

#include "server.h"

#define POOL 0x10000

static void answer_page(void *context, const struct nova_http_request *request,
                        struct nova_http_answer *answer)
{
        (void)context;
        (void)request;
        answer->text = malloc(PEER_BYTES);
        if (!answer->text) {
                answer->status = 500;
                return;
        }
        for (size_t i = 0; i < PEER_BYTES; i += sizeof(PEER_DIGITS) - 1)
                memcpy(answer->text + i, PEER_DIGITS, sizeof(PEER_DIGITS) - 1);
        answer->bytes = PEER_BYTES;
        answer->type = "text/plain";
        answer->status = 200;
}

/* Sends each frame back to its sender. */
static void *echo(void *opened)
{
        struct nova_net *const net = opened;
        static uint8_t copy[NOVA_NET_FRAME_MAX];
        struct nova_net_frame frame;
        int error = 0;

        while (!error) {
                error = nova_net_receive(net, &frame);
                if (error == EAGAIN) {
                        error = nova_net_flush(net);
                        if (!error)
                                error = nova_net_listen(net, NOVA_FOREVER);
                        continue;
                }
                memcpy(copy, frame.data + NOVA_NET_ADDRESS, NOVA_NET_ADDRESS);
                memcpy(copy + NOVA_NET_ADDRESS, nova_net_get_info(net)->address, NOVA_NET_ADDRESS);
                memcpy(copy + 2 * NOVA_NET_ADDRESS, frame.data + 2 * NOVA_NET_ADDRESS,
                       frame.bytes - 2 * NOVA_NET_ADDRESS);
                error = nova_net_send(net, copy, frame.bytes);
                nova_net_release(net, &frame);
        }
        printf("the peer cannot answer frames: %s\n", strerror(error));
        return NULL;
}

static int echo_begin(void)
{
        struct nova_thread *thread;
        struct nova_net *net;
        const int error = nova_net_open(&net, "lan", NULL, POOL);

        return error ? error : nova_thread_create(&thread, NULL, echo, net);
}

static int add(struct nova_request *request)
{
        nova_request_answer(request, request->word[0] + request->word[1]);
        return 0;
}

static int leak(struct nova_request *request)
{
        (void)request;
        return nova_create_sm(nova_sel_alloc(0), nova_program.pd, 0);
}

int main(int argc, char **argv)
{
        static const struct nova_service_operation operations[] = {
                {.handler = add, .words_min = 2, .words_max = 2},
                {.handler = leak},
        };
        static const struct nova_service_config config = {
                .name = "peer", .operations = operations, .operation_count = 2};
        const struct nova_ip_config ip = {.service = argv[1], .address = argc > 2 ? argv[2] : NULL};
        const struct nova_http_config server = {.port = 80, .answer = answer_page};
        int error = argc < 2;

        if (!error)
                error = nova_ip_start(&ip);
        if (!error)
                error = echo_begin();
        if (!error)
                error = nova_service_start(NULL, &config);
        if (!error)
                error = nova_http_serve(&server);
        printf("the peer cannot serve: %s\n", nova_ip_why(error));
        return 1;
}
