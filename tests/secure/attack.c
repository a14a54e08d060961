/* SPDX-License-Identifier: BSD-2-Clause */
/* Wrong answers of virtio devices. The guest requests an attack by a text on its console, so it can
 * first check the effect of the previous attack on its driver. */
#include "attack.h"

#include <stdio.h>
#include <string.h>

/* The used ring: offsets of its index and elements; size of an element; offset of its length. */
#define INDEX_AT  2u
#define RING_AT   4u
#define BYTES     8u
#define LENGTH_AT 4u
#define LENGTH    0xffffffffu /* greater than any buffer */
#define NUMBER    0x1234u     /* greater than any descriptor's number */
#define JUMP      0x8000u
#define TO_DEVICE 1u /* queue of the console's output */

enum attack { ATTACK_NONE, ATTACK_LENGTH, ATTACK_NUMBER, ATTACK_INDEX, ATTACK_KINDS };

static enum attack attack;
static unsigned changed[ATTACK_KINDS];

void attack_hear(uint8_t byte)
{
        static const uint8_t name[] = {'A', 't', 't', 'a', 'c', 'k', ' '};
        static unsigned matched;

        if (matched == sizeof(name) && byte > '0' && byte < '0' + ATTACK_KINDS)
                attack = (enum attack)(byte - '0');
        if (matched == sizeof(name) || byte != name[matched])
                matched = 0;
        matched += byte == name[matched];
}

void attack_change(struct nova_virtio *virtio, unsigned number, uint16_t before)
{
        const struct nova_virtio_queue *const queue = &virtio->queue[number];
        const bool is_disk = virtio->kind->kind == NOVA_VIRTIO_BLOCK;
        const uint32_t length = LENGTH, id = NUMBER;
        const uint16_t index = (uint16_t)(queue->given + JUMP);

        for (uint16_t i = before; i != queue->given; i++) {
                uint8_t *const element = queue->used + RING_AT + (size_t)BYTES * (i % queue->size);

                if (is_disk && attack == ATTACK_LENGTH)
                        memcpy(element + LENGTH_AT, &length, sizeof(length));
                else if (is_disk && attack == ATTACK_NUMBER)
                        memcpy(element, &id, sizeof(id));
                else if (!is_disk && number == TO_DEVICE && attack == ATTACK_INDEX)
                        memcpy(queue->used + INDEX_AT, &index, sizeof(index));
                else
                        continue;
                changed[attack]++;
        }
}

void attack_report(void)
{
        printf("Wrong answers: %u lengths, %u numbers, %u indexes.\n", changed[ATTACK_LENGTH],
               changed[ATTACK_NUMBER], changed[ATTACK_INDEX]);
}
