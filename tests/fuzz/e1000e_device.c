/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile network card of the driver e1000e: registers, capabilities and descriptors that have
 * arbitrary values and change at any time. The driver must return, access only registers that the
 * card has, end each request once, and keep its tails inside of its queues. The fuzzer card-queue
 * tries more descriptors. */
#include <string.h>

#include "device.h"
#include "e1000e/controller.h"

#define BUFFERS 16

#define BAR 0 /* number of the base address register of the registers */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends all requests of a queue as the card, with sizes of its choice. */
static void end_requests(unsigned base, const uint8_t *step)
{
        const uint64_t address = device_reg(BAR, base) | (uint64_t)device_reg(BAR, base + 4) << 32;
        uint8_t *const descriptors = device_dma(address, E1000E_QUEUE_BYTES);
        unsigned head = device_reg(BAR, base + 16) % E1000E_QUEUE_SIZE;

        if (!descriptors)
                return;
        while (head != device_reg(BAR, base + 24) % E1000E_QUEUE_SIZE) {
                memcpy(descriptors + 16 * (size_t)head + 8, step + 4, 2);
                descriptors[16 * (size_t)head + 12] |= step[3] | 1;
                head = (head + 1) % E1000E_QUEUE_SIZE;
        }
        device_set_reg(BAR, base + 16, head);
}

void device_turn(const uint8_t *step)
{
        if (!device_memory(BAR) || (step[0] & 3) == 1) {
                device_change(step);
                return;
        }
        if ((step[0] & 3) == 2)
                memcpy(device_memory(BAR) + (step[1] & 0xfc), step + 4, 4);
        if ((step[0] & 3) != 3) { /* a reset ends, and the card has read its settings */
                device_set_reg(BAR, 0x00, device_reg(BAR, 0x00) & ~(1u << 26));
                device_set_reg(BAR, 0x08, step[2]);
                device_set_reg(BAR, 0x10, 1u << 9);
        }
        if (step[1] & 2) {
                end_requests(0x2800, step);
                end_requests(0x3800, step);
        }
}

/* Takes what the card has ended. Each request must end once, in order. */
static void take(struct e1000e_queue *queue, uint32_t *next)
{
        struct e1000e_end end;

        while (e1000e_queue_take(queue, &end)) {
                require(end.tag == (*next)++ && end.bytes <= E1000E_BUFFER_BYTES);
                require(e1000e_queue_head(queue) < E1000E_QUEUE_SIZE);
        }
}

static void use(struct e1000e *card, const uint8_t *data, size_t size)
{
        uint32_t received = 0, sent = 0, buffers = 0, frames = 0;

        e1000e_start(card);
        for (; size >= 4; data += 4, size -= 4) {
                for (unsigned i = 0; i < data[0] % BUFFERS; i++) {
                        if (!e1000e_queue_is_full(&card->receive))
                                e1000e_queue_add_buffer(&card->receive, 0x1000, buffers++);
                        if (!e1000e_queue_is_full(&card->transmit))
                                e1000e_queue_add_frame(&card->transmit, 0x2000, 60, frames++, 1);
                }
                e1000e_publish(card);
                require(card->receive_tail < E1000E_QUEUE_SIZE);
                require(card->transmit_tail < E1000E_QUEUE_SIZE);
                device_step();
                e1000e_acknowledge(card);
                e1000e_has_link(card);
                take(&card->receive, &received);
                take(&card->transmit, &sent);
                if (data[1] > 0xf0 && e1000e_reset(card))
                        e1000e_start(card);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct e1000e card;

        if (size < 4)
                return 0;
        memset(&card, 0, sizeof(card));
        device_begin(data + 4, size - 4);
        device_slept_max = UINT64_C(400000000000) * size; /* each step may cause a reset */
        device_function.bar[0] =
                (struct nova_pci_bar){.base = 0xfe000000, .size = data[0] & 1 ? 0x4000 : 0x8000};
        device_config[6] = 0x10;
        device_config[0x34] = data[1] & 0xfc;
        device_config[data[1] & 0xfc] = 0x11;
        device_config[(data[1] & 0xfc) + 3] = data[2];
        device_fill = data[3];
        if (!e1000e_open(&card, "card"))
                use(&card, data + 4, size - 4);
        nova_pci_release(card.pci);
        device_end();
        return 0;
}
