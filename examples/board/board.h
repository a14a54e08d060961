/* SPDX-License-Identifier: BSD-2-Clause */
/* The protocol of the service `board`: a client writes a line into the page that it shares with the
 * service, and calls BOARD_POST. The service then writes all lines of the board into this page. */
#ifndef BOARD_H
#define BOARD_H

#include <novart/protocol.h>

enum {
        BOARD_POST = NOVA_OPERATION_FIRST, /* answer: the number of lines; 0: the board is full */
};

#define BOARD_LINE  32 /* bytes of a line, including the terminating NUL */
#define BOARD_LINES 16 /* capacity of the board in lines; a page has room for more */

#endif
