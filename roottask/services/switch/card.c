/* SPDX-License-Identifier: BSD-2-Clause */
/* Receives from a card, and sends to it. While a driver restarts, the card's thread waits for it
 * without the service's lock, and frames for the card are lost. */
#include "card.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/server.h"
#include "net/sum.h"
#include "novart/program.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define POOL_BYTES 0x80000    /* 128 buffers for each direction */
#define LOOK_NS    1000000000 /* time between looks at the cable */
#define AGAIN_NS   1000000000 /* time between attempts to reach a driver that does not come back */

/* Passes received frames to the ports. Called with the lock held.
 * @return 0 or an errno value */
static int drain(struct card *card)
{
        struct nova_net_frame in;
        int error;

        for (unsigned n = 0; n < NOVA_NET_ENTRIES; n++) {
                error = nova_net_receive(card->net, &in);
                if (error)
                        return error == EAGAIN ? nova_net_flush(card->net) : error;
                error = card->receive(card, &in);
                if (error)
                        return error;
        }
        return nova_net_flush(card->net);
}

/* Keeps the properties of the card that clients may ask for. */
static void note(struct card *card, const struct nova_net_info *info)
{
        __atomic_store_n(&card->frame_max, info->frame_max, __ATOMIC_RELAXED);
        __atomic_store_n(&card->cable, (info->flags & NOVA_NET_LINK) != 0, __ATOMIC_RELAXED);
}

bool card_has_cable(const struct card *card)
{
        return __atomic_load_n(&card->cable, __ATOMIC_RELAXED);
}

uint32_t card_frame_max(const struct card *card)
{
        return __atomic_load_n(&card->frame_max, __ATOMIC_RELAXED);
}

/* Asks the driver, without the lock. The next nova_net_listen() notices the driver's end. */
static void look(struct card *card)
{
        struct nova_net_info info;

        if (nova_net_ask_info(card->net, &info) == 0)
                note(card, &info);
}

/* Reports frames with forged sources each time that their number has doubled, so that a machine
 * outside cannot fill the log. */
static void report(struct card *card)
{
        if (card->forged < card->report_at)
                return;
        printf("%s: frames with forged sources that were dropped: %llu\n", card->service,
               (unsigned long long)card->forged);
        card->report_at = 2 * card->forged;
}

/* Opens the session again, without the lock. If that does not succeed at once, clients see no cable
 * until it does. */
static void reach(struct card *card)
{
        int error = nova_net_reopen(card->net);

        if (!error)
                return;
        __atomic_store_n(&card->cable, false, __ATOMIC_RELAXED);
        printf("%s does not come back: %s. Frames for it are lost; the switch tries again every "
               "second.\n",
               card->service, strerror(error));
        do
                nova_sleep(AGAIN_NS);
        while (nova_net_reopen(card->net));
        printf("%s is back.\n", card->service);
}

/* Reopens the card's session. Meanwhile no client waits for the card. Called with the lock held;
 * releases the lock meanwhile. */
static void reopen(struct card *card)
{
        card->up = false;
        card->full = false;
        net_serve();
        serve_unlock();
        reach(card);
        if (!serve_lock())
                exit(1);
        note(card, nova_net_get_info(card->net));
        card->up = true;
}

static void *run(void *argument)
{
        struct card *card = argument;
        uint64_t next_look = nova_deadline_in(LOOK_NS);

        for (;;) {
                int error = nova_net_listen(card->net, next_look);

                if (error == ETIMEDOUT) {
                        look(card);
                        next_look = nova_deadline_in(LOOK_NS);
                        continue;
                }
                if (!serve_lock())
                        return NULL;
                if (!error)
                        error = drain(card);
                if (error)
                        reopen(card);
                card->full = false;
                net_serve();
                serve_unlock();
                report(card);
        }
}

int card_open(struct card *card)
{
        const int error = nova_net_open(&card->net, card->service, NULL, POOL_BYTES);

        card->up = !error;
        card->report_at = 1;
        if (error)
                return error;
        nova_net_accept_sums(card->net);
        note(card, nova_net_get_info(card->net));
        return 0;
}

int card_start(struct card *card)
{
        const struct nova_thread_attr attr = {.name = card->service, .cpu = nova_program.cpu};
        struct nova_thread *thread;

        return nova_thread_create(&thread, &attr, run, card);
}

void frame_copy(void *to, const struct frame *frame)
{
        memcpy(to, frame->data, frame->bytes);
        memcpy(to, frame->header, FRAME_HEADER);
}

/* Copies a frame to the buffer, and queues it. */
static void queue(struct card *card, void *buffer, const struct frame *frame)
{
        const bool takes = nova_net_get_info(card->net)->flags & NOVA_NET_SUMS;
        uint32_t sum;

        frame_copy(buffer, frame);
        sum = net_sum_pass(buffer, frame->bytes, frame->sum, takes);
        nova_net_queue_sum(card->net, frame->bytes, sum & NOVA_NET_SUM_OPEN ? sum : 0);
}

bool card_send(struct card *card, const struct frame *frame)
{
        void *buffer;
        int error;

        if (!card->up)
                return true;
        error = nova_net_prepare(card->net, &buffer);
        if (!error)
                queue(card, buffer, frame);
        card->full = error == EAGAIN;
        return !card->full;
}

void card_flush(struct card *card)
{
        if (card->up)
                nova_net_flush(card->net);
}
