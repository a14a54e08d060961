/* SPDX-License-Identifier: BSD-2-Clause */
/* Joins frames that follow each other in a stream, so that lwIP looks at their headers once. Only
 * frames of TCP over IPv4 without options are joined, with data, no flags but ACK and PSH, and
 * correct check sums. */
#ifndef NOVANET_SEGMENT_H
#define NOVANET_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_HEADERS 54 /* bytes before the data: of Ethernet, IPv4 and TCP */

/* A frame that can be joined with others. */
struct segment {
        uint8_t *frame;    /* it begins with its headers */
        uint32_t sequence; /* number of the first byte of data */
        uint32_t bytes;    /* number of bytes of data */
        uint16_t window;   /* as in its header */
        uint8_t flags;
};

/* Reads the headers of a frame, which still belongs to the caller. @param good the checksum of TCP
 * need not be checked @return false: it cannot be joined with others */
bool novanet_segment_read(struct segment *segment, uint8_t *frame, size_t bytes, bool good);

/* Adds the next frame's data to a segment, if it follows. The caller moves the data.
 * @return false: it does not follow */
bool novanet_segment_join(struct segment *segment, const struct segment *next);

/* Writes the headers of a segment to which others were added, except for the check sums. */
void novanet_segment_write(const struct segment *segment);

#endif
