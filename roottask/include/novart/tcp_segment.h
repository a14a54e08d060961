/* SPDX-License-Identifier: BSD-2-Clause */
/* Joins frames that follow each other in a TCP stream over IPv4 into one packet, and cuts packets
 * into frames. */
#ifndef NOVART_TCP_SEGMENT_H
#define NOVART_TCP_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Number of bytes before the data, without options: of Ethernet, IPv4 and TCP. */
#define NOVA_TCP_HEADERS_MIN 54

/** Number of bytes before the data, with the longest options of TCP. */
#define NOVA_TCP_HEADERS_MAX 94

/** Offset of the header of TCP in a frame, the first argument of nova_net_sum_open(). */
#define NOVA_TCP_OFFSET 34

/** Offset of the checksum in the header of TCP, the second argument of nova_net_sum_open(). */
#define NOVA_TCP_SUM_OFFSET 16

/** Flag of TCP: the receiver's program should get the data soon. */
#define NOVA_TCP_PUSH 0x08

/** A frame that can be joined with others. */
struct nova_tcp_segment {
        uint8_t *frame;    /**< first byte of the frame */
        uint32_t headers;  /**< number of bytes before the data */
        uint32_t sequence; /**< number of the first byte of data */
        uint32_t bytes;    /**< number of bytes of data */
        uint16_t window;   /**< window field of its header */
        uint8_t flags;     /**< flags of its header */
};

/**
 * Reads the headers of a frame. A frame can be joined if it is TCP over IPv4, has data, has no IPv4
 * options and no flags but ACK and PSH, and its checksums are correct. Does not block.
 * @code
 * extern uint8_t first[1514], second[1514]; // frames with correct checksums
 * struct nova_tcp_segment segment, next;
 *
 * if (nova_tcp_segment_read(&segment, first, sizeof(first), true) &&
 *     nova_tcp_segment_read(&next, second, sizeof(second), true) &&
 *     nova_tcp_segment_join(&segment, &next))
 *         nova_tcp_segment_write(&segment, false); // the caller moves the data of `second`
 * @endcode
 * @param[out] segment values of the headers
 * @param frame still belongs to the caller
 * @param bytes number of bytes of the frame. Only the headers are read if @p good is true
 * @param good  true: the checksum of TCP need not be checked
 * @return false: it cannot be joined with others
 */
bool nova_tcp_segment_read(struct nova_tcp_segment *segment, uint8_t *frame, size_t bytes,
                           bool good);

/** Adds the next frame's data to a segment, if the data follows the segment in the stream and the
 * options are the same. The caller moves the data. Does not block. @return false: it does not
 * follow */
bool nova_tcp_segment_join(struct nova_tcp_segment *segment, const struct nova_tcp_segment *next);

/** Writes the headers of a segment to which others were added. Does not block. @param open true:
 * writes the checksum of IPv4, and leaves that of TCP open (novart/service/net.h). false: both stay
 * unchanged */
void nova_tcp_segment_write(const struct nova_tcp_segment *segment, bool open);

/** A packet that is cut into frames. */
struct nova_tcp_cut {
        uint8_t headers[NOVA_TCP_HEADERS_MAX]; /**< without fields that differ between frames */
        uint32_t header_bytes;                 /**< number of bytes of the headers */
        uint32_t ip_sum;                       /**< sum of the header of IPv4 */
        uint32_t tcp_sum;  /**< sum of the header of TCP, and of the addresses */
        uint32_t sequence; /**< number of the next byte */
        uint32_t left;     /**< number of bytes of data that are not in a frame
                                yet */
        uint8_t flags;     /**< flags of TCP */
};

/**
 * Begins to cut a packet into frames. Does not block.
 * @code
 * extern const uint8_t packet[3000]; // a frame that is too large
 * extern uint8_t *next_frame(void);  // returns room for 1,514 bytes
 * struct nova_tcp_cut cut;
 * uint16_t number = 0;
 *
 * if (nova_tcp_cut_begin(&cut, packet, sizeof(packet)))
 *         while (cut.left) {
 *                 const uint32_t bytes = cut.left < 1400 ? cut.left : 1400;
 *                 uint8_t *const frame = next_frame();
 *
 *                 memcpy(frame + cut.header_bytes, packet + sizeof(packet) - cut.left, bytes);
 *                 nova_tcp_cut_write(&cut, frame, bytes, number++, false);
 *         }
 * @endcode
 * @param[out] cut the packet
 * @param headers  first byte of its frame; at most NOVA_TCP_HEADERS_MAX bytes are read
 * @param bytes    number of bytes of its frame
 * @return false: it is not a whole packet of TCP over IPv4 with data, has IPv4 options or urgent
 *                data, opens or breaks a connection, or its size differs from that in its header
 */
bool nova_tcp_cut_begin(struct nova_tcp_cut *cut, const uint8_t *headers, size_t bytes);

/**
 * Writes the headers of the next frame, whose data follows them. Does not block.
 * @param cut    the packet
 * @param frame  the frame, with its data after nova_tcp_cut::header_bytes bytes unless @p open is
 *               true
 * @param bytes  number of bytes of data, at most nova_tcp_cut::left
 * @param number identification of the frame's packet; no recent packet of the machine has this one
 * @param open   true: leaves the checksum of TCP open (novart/service/net.h)
 */
void nova_tcp_cut_write(struct nova_tcp_cut *cut, uint8_t *frame, uint32_t bytes, uint16_t number,
                        bool open);

#ifdef __cplusplus
}
#endif

#endif
