/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads, compares and writes the headers of frames that are joined, or cut from a packet (see
 * novart/tcp_segment.h; RFC 894, 791, 9293). */
#include "novart/tcp_segment.h"

#include <string.h>

#include "novart/internet_sum.h"

/* Offsets in a frame. */
#define TYPE        12
#define VERSION     14 /* version, and number of words of the header */
#define LENGTH      16
#define NUMBER      18
#define PARTS       20 /* flags and fragment offset */
#define LIFE        22 /* time to live, and protocol */
#define PROTOCOL    23
#define IP_SUM      24
#define ADDRESSES   26 /* addresses, then ports */
#define IP_HEADER   14
#define TCP_HEADER  NOVA_TCP_OFFSET
#define SEQUENCE    38
#define ANSWER      42
#define HEADER_SIZE 46
#define FLAGS       47
#define WINDOW      48
#define TCP_SUM     (TCP_HEADER + NOVA_TCP_SUM_OFFSET)
#define OPTIONS     54

#define IP_BYTES    20
#define TCP_BYTES   20
#define IPV4        0x0800
#define VERSION_4   0x45
#define TCP         6
#define KEEP_WHOLE  0x4000 /* flag DF in PARTS, which does not make the packet a fragment */
#define FLAG_FIN    0x01
#define FLAG_SYN    0x02
#define FLAG_RESET  0x04
#define FLAG_ACK    0x10
#define FLAG_URGENT 0x20
#define PACKET_MAX  0xffff

static uint32_t read16(const uint8_t *at)
{
        return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t read32(const uint8_t *at)
{
        return read16(at) << 16 | read16(at + 2);
}

static void write16(uint8_t *at, uint32_t value)
{
        at[0] = (uint8_t)(value >> 8);
        at[1] = (uint8_t)value;
}

/* Returns the word that nova_internet_sum() adds for a 16-bit number in a header. */
static uint32_t as_word(uint32_t value)
{
        return (value & 0xff) << 8 | (value >> 8 & 0xff);
}

/* Adds the carries of a sum of words of 16 bits. */
static uint32_t fold(uint32_t sum)
{
        sum = (sum & 0xffff) + (sum >> 16);
        return (sum & 0xffff) + (sum >> 16);
}

/* Returns the sum of a few 32-bit words, like nova_internet_sum(), whose loops would cost more. */
static uint32_t sum_few(const uint8_t *at, unsigned words)
{
        uint64_t sum = 0;
        uint32_t word;

        for (unsigned i = 0; i < words; i++) {
                memcpy(&word, at + 4 * (size_t)i, sizeof(word));
                sum += word;
        }
        sum = (uint32_t)sum + (sum >> 32);
        return fold((uint32_t)((sum & 0xffff) + (sum >> 16)));
}

/* Returns the sum of the addresses, the protocol and the size, which the checksum of TCP covers.
 */
static uint32_t sum_of_rest(const uint8_t *frame, uint32_t bytes)
{
        return sum_few(frame + ADDRESSES, 2) + as_word(TCP) + as_word(bytes);
}

static bool sum_is_right(const uint8_t *frame, uint32_t packet)
{
        const uint32_t bytes = packet - IP_BYTES;
        const uint32_t sum =
                fold(sum_of_rest(frame, bytes) + nova_internet_sum(frame + TCP_HEADER, bytes));

        return sum == 0xffff;
}

/* Returns the number of bytes before the data. 0: the header of TCP is too short. */
static uint32_t header_bytes(const uint8_t *headers)
{
        const uint32_t tcp = (uint32_t)headers[HEADER_SIZE] >> 4 << 2;

        return tcp < TCP_BYTES ? 0 : TCP_HEADER + tcp;
}

/* Returns true if a frame carries a whole packet of TCP over IPv4 without options. */
static bool carries_tcp(const uint8_t *headers)
{
        return read16(headers + TYPE) == IPV4 && headers[VERSION] == VERSION_4 &&
               !(read16(headers + PARTS) & ~(uint32_t)KEEP_WHOLE) && headers[PROTOCOL] == TCP;
}

bool nova_tcp_segment_read(struct nova_tcp_segment *segment, uint8_t *frame, size_t bytes,
                           bool good)
{
        uint32_t packet, headers;

        if (bytes <= NOVA_TCP_HEADERS_MIN || !carries_tcp(frame) || frame[HEADER_SIZE] & 0xf ||
            (frame[FLAGS] | NOVA_TCP_PUSH) != (FLAG_ACK | NOVA_TCP_PUSH))
                return false;
        packet = read16(frame + LENGTH);
        headers = header_bytes(frame);
        if (!headers || packet <= headers - IP_HEADER || packet > bytes - IP_HEADER ||
            sum_few(frame + IP_HEADER, IP_BYTES / 4) != 0xffff ||
            (!good && !sum_is_right(frame, packet)))
                return false;
        *segment = (struct nova_tcp_segment){.frame = frame,
                                             .headers = headers,
                                             .sequence = read32(frame + SEQUENCE),
                                             .bytes = packet + IP_HEADER - headers,
                                             .window = (uint16_t)read16(frame + WINDOW),
                                             .flags = frame[FLAGS]};
        return true;
}

static bool same(const struct nova_tcp_segment *one, const struct nova_tcp_segment *other,
                 size_t from, size_t end)
{
        return memcmp(one->frame + from, other->frame + from, end - from) == 0;
}

bool nova_tcp_segment_join(struct nova_tcp_segment *segment, const struct nova_tcp_segment *next)
{
        if (next->sequence != segment->sequence + segment->bytes ||
            segment->headers + segment->bytes + next->bytes > IP_HEADER + PACKET_MAX ||
            !same(segment, next, 0, LENGTH) || !same(segment, next, PARTS, IP_SUM) ||
            !same(segment, next, ADDRESSES, SEQUENCE) || !same(segment, next, ANSWER, FLAGS) ||
            !same(segment, next, OPTIONS, segment->headers))
                return false;
        segment->bytes += next->bytes;
        segment->window = next->window;
        segment->flags |= next->flags;
        return true;
}

/* Writes a checksum: the inverse of the sum. */
static void write_sum(uint8_t *at, uint32_t sum)
{
        const uint16_t word = (uint16_t)~fold(sum);

        memcpy(at, &word, sizeof(word));
}

/* Leaves the checksum of TCP open: writes the sum of the pseudo header to its field. */
static void open_sum(uint8_t *frame, uint32_t bytes)
{
        const uint16_t word = (uint16_t)fold(sum_of_rest(frame, bytes));

        memcpy(frame + TCP_SUM, &word, sizeof(word));
}

void nova_tcp_segment_write(const struct nova_tcp_segment *segment, bool open)
{
        const uint32_t packet = segment->headers - IP_HEADER + segment->bytes;
        uint8_t *const frame = segment->frame;

        write16(frame + LENGTH, packet);
        write16(frame + WINDOW, segment->window);
        frame[FLAGS] = segment->flags;
        if (!open)
                return;
        memset(frame + IP_SUM, 0, 2);
        write_sum(frame + IP_SUM, sum_few(frame + IP_HEADER, IP_BYTES / 4));
        open_sum(frame, packet - IP_BYTES);
}

bool nova_tcp_cut_begin(struct nova_tcp_cut *cut, const uint8_t *headers, size_t bytes)
{
        uint8_t *const own = cut->headers;

        if (bytes <= NOVA_TCP_HEADERS_MIN || !carries_tcp(headers) ||
            headers[FLAGS] & (FLAG_SYN | FLAG_RESET | FLAG_URGENT) ||
            read16(headers + LENGTH) != bytes - IP_HEADER)
                return false;
        cut->header_bytes = header_bytes(headers);
        if (!cut->header_bytes || bytes <= cut->header_bytes)
                return false;
        memcpy(own, headers, cut->header_bytes);
        cut->sequence = read32(own + SEQUENCE);
        cut->left = (uint32_t)(bytes - cut->header_bytes);
        cut->flags = own[FLAGS];
        memset(own + LENGTH, 0, 4); /* the size and the identification */
        memset(own + IP_SUM, 0, 2);
        memset(own + SEQUENCE, 0, 4);
        own[FLAGS] = 0;
        memset(own + TCP_SUM, 0, 2);
        cut->ip_sum = nova_internet_sum(own + IP_HEADER, IP_BYTES);
        cut->tcp_sum = sum_of_rest(own, 0) +
                       nova_internet_sum(own + TCP_HEADER, cut->header_bytes - TCP_HEADER);
        return true;
}

void nova_tcp_cut_write(struct nova_tcp_cut *cut, uint8_t *frame, uint32_t bytes, uint16_t number,
                        bool open)
{
        const uint8_t flags = bytes == cut->left
                                      ? cut->flags
                                      : (uint8_t)(cut->flags & ~(NOVA_TCP_PUSH | FLAG_FIN));
        const uint32_t length = cut->header_bytes - IP_HEADER + bytes;

        memcpy(frame, cut->headers, cut->header_bytes);
        write16(frame + LENGTH, length);
        write16(frame + NUMBER, number);
        write_sum(frame + IP_SUM, cut->ip_sum + as_word(length) + as_word(number));
        write16(frame + SEQUENCE, cut->sequence >> 16);
        write16(frame + SEQUENCE + 2, cut->sequence);
        frame[FLAGS] = flags;
        if (open)
                open_sum(frame, length - IP_BYTES);
        else
                write_sum(frame + TCP_SUM,
                          cut->tcp_sum + as_word(length - IP_BYTES) + as_word(cut->sequence >> 16) +
                                  as_word(cut->sequence) + as_word(flags) +
                                  nova_internet_sum(frame + cut->header_bytes, bytes));
        cut->sequence += bytes;
        cut->left -= bytes;
}
