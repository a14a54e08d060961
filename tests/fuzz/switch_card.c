/* SPDX-License-Identifier: BSD-2-Clause */
/* The card of a switch with a hostile driver: the thread that receives and opens the session again,
 * and frames that the switch sends. The thread sleeps, and calls the driver, only without the
 * service's lock. It takes a limited number of frames while it has the lock, and leaves the lock at
 * its end. The driver's log lines grow only as fast as the logarithm of forged frames. A frame that
 * is sent has the sender's header and data, and lies in a buffer of the pool. */
#include <errno.h>
#include <string.h>

#include "client_rings.h"
#include "net/server.h"
#include "printed.h"
#include "service/client/net.c"
#include "switch/card.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct nova_program nova_program;

static struct card card;
static bool locked;
static unsigned drained;
static uint64_t forged, reported; /* numbers of frames with forged sources */

/* Substitutes for the service, which ends with the input. */
bool serve_lock(void)
{
        require(!locked);
        if (!rings_has_input() && card.up) /* not during a reopening */
                return false;
        drained = 0;
        return locked = true;
}

void serve_unlock(void)
{
        require(locked);
        locked = false;
}

/* Lets the switch send a frame whose header it has copied before the frame's owner changed it. */
static void send_frame(void)
{
        uint8_t data[NOVA_NET_FRAME_MAX];
        const uint32_t bytes = NOVA_NET_FRAME_MIN + rings_take() * 6u % 1501u;
        const uint32_t at = rings_take() % 64u, covered = NOVA_NET_FRAME_MIN + rings_take() % 64u;
        struct frame frame = {.data = data, .bytes = bytes};
        const uint32_t before = card.net->transmit.submitted;

        memset(frame.header, 0x11, sizeof(frame.header));
        memset(data, 0x22, sizeof(data));
        if (rings_take() & 1 && nova_net_sum_is_valid(nova_net_sum_open(covered, at), bytes))
                frame.sum = nova_net_sum_open(covered, at);
        require(card_send(&card, &frame) == !card.full || !card.up);
        if (card.up && card.net->transmit.submitted != before) {
                const struct nova_net_entry *const entry =
                        &card.net->rings->transmit.entry[before % NOVA_NET_ENTRIES];
                const char *const sent = card.net->of.pool + entry->offset;
                const bool computed = frame.sum && !entry->sum;

                require(entry->bytes == bytes && entry->offset + bytes <= card.net->of.pool_bytes);
                require(!entry->sum || entry->sum == frame.sum);
                require(!memcmp(sent, frame.header, FRAME_HEADER));
                for (uint32_t i = FRAME_HEADER; i < bytes; i++)
                        require(sent[i] == 0x22 || (computed && i - covered - at < 2));
        }
}

void net_serve(void)
{
        require(locked);
        if (rings_take() & 1)
                send_frame();
        card_flush(&card);
}

/* Receives a frame as the switch does. */
static int receive_frame(struct card *of, const struct nova_net_frame *in)
{
        const uint8_t *const first = (const uint8_t *)of->net->of.pool;
        const uint8_t what = rings_take();

        require(locked && of == &card && card.up && ++drained <= NOVA_NET_ENTRIES);
        require(in->bytes >= NOVA_NET_FRAME_MIN && in->bytes <= NOVA_NET_FRAME_MAX);
        require((const uint8_t *)in->data >= first &&
                (const uint8_t *)in->data + in->bytes <= first + of->net->of.pool_bytes / 2);
        if (what & 1) {
                card.forged += (uint64_t)1 << (what >> 1 & 31);
                forged = card.forged;
        }
        return nova_net_release(of->net, in);
}

static void line(const char *text, size_t bytes)
{
        (void)text;
        require(bytes && !locked);
        if (strncmp(text, "card: frames with forged", 24) != 0)
                return;
        require(card.forged && card.forged >= 2 * reported);
        reported = card.forged;
}

/* Substitutes for the rest of the runtime. */
uint64_t nova_deadline_in(uint64_t ns)
{
        return rings_has_input() ? ns : NOVA_FOREVER;
}

int nova_thread_create(struct nova_thread **thread, const struct nova_thread_attr *attr,
                       void *(*function)(void *argument), void *argument)
{
        (void)thread;
        require(!strcmp(attr->name, card.service) && function == run && argument == &card);
        return function(argument) ? EIO : 0;
}

/* Substitutes for the driver. */
static void answer(unsigned long operation, void *words, size_t bytes)
{
        struct nova_net_info *const about = words;

        require(!locked);
        memset(words, rings_take(), bytes);
        if (operation == NOVA_NET_INFO)
                about->flags = rings_take();
}

static void act(void)
{
        struct nova_net_rings *const rings = card.net->rings;
        const uint8_t kind = rings_take();

        require(!locked);
        if (kind & 0x40)
                rings->receive.sum[rings->receive.head.completed % NOVA_NET_ENTRIES] =
                        kind & 0x20 ? NOVA_NET_SUM_RIGHT : rings_take_word() << 8 | (kind & 7);
        rings_write(kind & 0x80 ? &rings->transmit.head : &rings->receive.head, NOVA_NET_ENTRIES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct rings_service service = {.magic = NOVA_NET_MAGIC,
                                                     .second = sizeof(struct nova_net_ring),
                                                     .answer = answer,
                                                     .act = act};

        rings_begin(&service, data, size);
        card = (struct card){.service = "card", .receive = receive_frame};
        locked = false;
        forged = reported = 0;
        printed = line;
        if (card_open(&card)) {
                rings_end();
                return 0;
        }
        require(card.up);
        require(card_start(&card) == 0);
        require(!locked && card.forged == forged);
        nova_net_close(card.net);
        rings_end();
        return 0;
}
