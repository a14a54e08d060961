/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaves checksums of frames open (see open_sum.h; RFC 894, 791, 768, 9293). */
#include "open_sum.h"

#include <string.h>

#include "novart/internet_sum.h"
#include "novart/service/net.h"

/* Offsets in a frame. */
#define TYPE      12 /* type of the frame; then IPv4's version and length of the header in words */
#define PARTS     20 /* IPv4's flags and fragment offset: 0 if the packet is not a fragment */
#define PROTOCOL  23
#define ADDRESSES 26
#define PACKET    34

#define TCP        6
#define TCP_BYTES  20 /* size of the header without options */
#define TCP_SUM    16 /* offset of the checksum in the header */
#define UDP        17
#define UDP_BYTES  8
#define UDP_SUM    6
#define KEEP_WHOLE 0x40 /* bit of PARTS: don't fragment; also set in whole packets */

uint32_t novanet_open_sum(uint8_t *frame, size_t bytes)
{
        static const uint8_t head[] = {8, 0, 0x45}; /* IPv4 without options */
        uint8_t words[4] = {0};
        uint32_t at, sum;
        size_t size;
        uint16_t field;

        if (bytes < PACKET || memcmp(frame + TYPE, head, sizeof(head)) != 0 ||
            (frame[PARTS] & ~KEEP_WHOLE) | frame[PARTS + 1] ||
            (frame[PROTOCOL] != TCP && frame[PROTOCOL] != UDP))
                return 0;
        at = frame[PROTOCOL] == TCP ? TCP_SUM : UDP_SUM;
        size = bytes - PACKET;
        if (size < (frame[PROTOCOL] == TCP ? TCP_BYTES : UDP_BYTES))
                return 0;
        words[1] = frame[PROTOCOL];
        words[2] = (uint8_t)(size >> 8);
        words[3] = (uint8_t)size;
        sum = (uint32_t)nova_internet_sum(frame + ADDRESSES, 8) +
              nova_internet_sum(words, sizeof(words));
        field = (uint16_t)((sum & UINT16_MAX) + (sum >> 16));
        memcpy(frame + PACKET + at, &field, sizeof(field));
        return nova_net_sum_open(PACKET, at);
}
