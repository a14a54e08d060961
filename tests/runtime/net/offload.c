/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of virtio-net with a card that computes checksums: offload_card.c returns its frames. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "novart/service/net.h"
#include "novart/time.h"

#define POOL_BYTES 0x4000 /* four buffers for each direction */
#define BYTES      301
#define START      34 /* offset of UDP in a frame over IPv4 */
#define AT         6
#define SECOND     1000000000

static uint8_t sent[BYTES];

/* Numbers of frames that came back in each form. */
static struct {
        unsigned open, checked, complete, wrong;
} came;

/* Returns the ones' complement sum of a word and of all bytes after the first START ones. */
static unsigned sum_of(const uint8_t *frame, unsigned word)
{
        unsigned long sum = word;

        for (unsigned i = START; i < BYTES; i++)
                sum += i % 2 ? frame[i] : frame[i] * 0x100ul;
        while (sum > 0xffff)
                sum = (sum & 0xffff) + (sum >> 16);
        return (unsigned)sum;
}

/* Returns true if only the checksum has changed: the field had the sum of the pseudo header, and
 * now has the complete checksum. */
static bool is_complete(const uint8_t *frame)
{
        uint8_t same[BYTES];

        memcpy(same, frame, BYTES);
        memcpy(same + START + AT, sent + START + AT, 2);
        return memcmp(same, sent, BYTES) == 0 &&
               sum_of(frame, sent[START + AT] * 0x100u + sent[START + AT + 1]) == 0xffff;
}

static void count(const struct nova_net_frame *frame)
{
        const bool same = frame->bytes == BYTES && memcmp(frame->data, sent, BYTES) == 0;

        if (same && frame->sum == nova_net_sum_open(START, AT))
                came.open++;
        else if (same && frame->sum == NOVA_NET_SUM_RIGHT)
                came.checked++;
        else if (!frame->sum && frame->bytes == BYTES && is_complete(frame->data))
                came.complete++;
        else
                came.wrong++;
}

/* Sends a frame, and waits until it comes back. @return 0 or an errno value */
static int exchange(struct nova_net *net, uint32_t sum, unsigned seed)
{
        struct nova_net_frame in;
        void *buffer;
        int error = nova_net_prepare(net, &buffer);

        for (unsigned i = 0; i < BYTES; i++)
                sent[i] = (uint8_t)(i * 7 + seed);
        if (error)
                return error;
        memcpy(buffer, sent, BYTES);
        error = nova_net_queue_sum(net, BYTES, sum);
        if (!error)
                error = nova_net_flush(net);
        while (!error && (error = nova_net_receive(net, &in)) != 0)
                if (error == EAGAIN)
                        error = nova_net_listen(net, nova_deadline_in(10ull * SECOND));
        if (error)
                return error;
        count(&in);
        error = nova_net_release(net, &in);
        return error ? error : nova_net_flush(net);
}

/* Exchanges frames, and prints how they came back. */
static bool exchange_all(struct nova_net *net, const char *what, uint32_t sum, unsigned frames)
{
        int error = 0;

        memset(&came, 0, sizeof(came));
        for (unsigned i = 0; i < frames && !error; i++)
                error = exchange(net, sum, i);
        printf("%s: %u open, %u checked, %u complete, %u wrong\n", what, came.open, came.checked,
               came.complete, came.wrong);
        if (error)
                printf("%s: %s\n", what, strerror(error));
        return !error;
}

/* After nova_net_accept_sums(), the first frames still come in buffers that the driver got before
 * the call. */
int main(void)
{
        const uint32_t open = nova_net_sum_open(START, AT);
        struct nova_net *net;
        const int error = nova_net_open(&net, "virtio-net", NULL, POOL_BYTES);
        bool good;

        if (error) {
                printf("virtio-net: %s\n", strerror(error));
                return 1;
        }
        good = exchange_all(net, "before", open, 8);
        nova_net_accept_sums(net);
        good = good && exchange_all(net, "old buffers", open, 4);
        good = good && exchange_all(net, "new buffers", open, 20);
        good = good && exchange_all(net, "with checksums", 0, 8);
        nova_net_close(net);
        return !good;
}
