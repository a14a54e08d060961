/* SPDX-License-Identifier: BSD-2-Clause */
/* Joins frames that follow each other in a stream, so that lwIP looks at their headers once. Only
 * frames of TCP over IPv4 without options are joined, with data, no flags but ACK and PSH, and
 * correct checksums. In the other direction, cuts a packet of such a stream into frames, so that
 * lwIP makes its headers once. */
#ifndef NOVANET_SEGMENT_H
#define NOVANET_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_HEADERS 54 /* bytes before the data: of Ethernet, IPv4 and TCP */

/* A frame that can be joined with others. */
struct segment {
        uint8_t *frame;    /* frame, from its headers */
        uint32_t sequence; /* number of the first byte of data */
        uint32_t bytes;    /* number of bytes of data */
        uint16_t window;   /* window field of its header */
        uint8_t flags;
};

/* Reads the headers of a frame, which still belongs to the caller. @param good the checksum of TCP
 * need not be checked @return false: it cannot be joined with others */
bool novanet_segment_read(struct segment *segment, uint8_t *frame, size_t bytes, bool good);

/* Adds the next frame's data to a segment, if it follows. The caller moves the data.
 * @return false: it does not follow */
bool novanet_segment_join(struct segment *segment, const struct segment *next);

/* A packet that is cut into frames. */
struct cut {
        uint8_t headers[SEGMENT_HEADERS]; /* without what differs between the frames */
        uint32_t ip_sum, tcp_sum;         /* of these headers */
        uint32_t sequence;                /* number of the next byte */
        uint32_t left;                    /* number of bytes */
        uint8_t flags;
};

/* Begins to cut a packet into frames.
 * @param headers of its frame
 * @param bytes   number of bytes of its frame
 * @return false: it carries no data, or no TCP over IPv4 without options */
bool novanet_cut_begin(struct cut *cut, const uint8_t headers[SEGMENT_HEADERS], size_t bytes);

/* Writes the headers of the next frame, whose data follows them.
 * @param bytes  number of bytes of data, at most cut->left
 * @param number of the frame's packet; those of one machine differ for some time
 * @param open   leaves the checksum of TCP 0, for novanet_open_sum() */
void novanet_cut_write(struct cut *cut, uint8_t *frame, uint32_t bytes, uint16_t number, bool open);

/* Writes the headers of a segment to which others were added, except for the checksums. */
void novanet_segment_write(const struct segment *segment);

#endif
