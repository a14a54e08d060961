/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `screen`: a terminal that several programs have in turn. */
#ifndef EXAMPLES_TWO_VMS_SCREEN_H
#define EXAMPLES_TWO_VMS_SCREEN_H

#include <novart/session.h>

enum {
        SCREEN_WRITE = NOVA_OPERATION_FIRST, /* bytes; the text */
        SCREEN_READ, /* answer: a key; EAGAIN: none yet, a notification will come */
        SCREEN_DATE, /* answer: seconds since 1970, in UTC; ENOENT: it does not know */
        SCREEN_END   /* nothing more is written: what nobody saw is shown */
};

/* Ctrl-T: the next program has the terminal. */
#define SCREEN_SWITCH_KEY 0x14

/* Bytes of one WRITE, at most. */
#define SCREEN_WRITE_BYTES 256

#endif
