/* SPDX-License-Identifier: BSD-2-Clause */
/* Unpacks blocks of LZ4. */
#include <string.h>

#include "squashfs.h"

/* The rest of the input. */
struct input {
        const uint8_t *at, *end;
};

/* Adds the bytes of a length that follow its token. The length is at most 255 times the size of the
 * input.
 * @return false: the input ends within the length */
static bool lz4_length(struct input *input, size_t *length)
{
        uint8_t byte = 255;

        if (*length != 15)
                return true;
        while (byte == 255) {
                if (input->at == input->end)
                        return false;
                byte = *input->at++;
                *length += byte;
        }
        return true;
}

long lz4_unpack(const uint8_t *from, size_t bytes, uint8_t *to, size_t room)
{
        struct input input = {from, from + bytes};
        size_t done = 0;

        while (input.at < input.end) {
                const unsigned token = *input.at++;
                size_t literals = token >> 4, match = token & 15, distance;

                if (!lz4_length(&input, &literals) || literals > (size_t)(input.end - input.at) ||
                    literals > room - done)
                        return -1;
                if (literals)
                        memcpy(to + done, input.at, literals);
                input.at += literals;
                done += literals;
                if (input.at == input.end)
                        return (long)done; /* the last sequence has no match */
                if (input.end - input.at < 2)
                        return -1;
                distance = squashfs_get16(input.at);
                input.at += 2;
                if (!lz4_length(&input, &match) || !distance || distance > done)
                        return -1;
                match += 4;
                if (match > room - done)
                        return -1;
                /* the match may overlap its own output */
                for (; match; match--, done++)
                        to[done] = to[done - distance];
        }
        return -1;
}
