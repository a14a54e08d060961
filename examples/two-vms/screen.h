/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `screen`: a terminal that several programs share. */
#ifndef EXAMPLES_TWO_VMS_SCREEN_H
#define EXAMPLES_TWO_VMS_SCREEN_H

#include <novart/session.h>

enum {
        SCREEN_WRITE = NOVA_OPERATION_FIRST, /* bytes; the text */
        SCREEN_READ, /* answer: a key; EAGAIN: none yet, a notification will come */
        SCREEN_DATE, /* answer: seconds since 1970, in UTC; ENOENT: the date is unknown */
        SCREEN_END   /* the output ends: shows stored output */
};

/* Ctrl-T: gives the terminal to the next program. */
#define SCREEN_SWITCH_KEY 0x14

/* Maximum number of bytes in one WRITE. */
#define SCREEN_WRITE_BYTES 256

#endif
