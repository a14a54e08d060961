/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of the soak's own services. */
#ifndef TESTS_SOAK_SERVER_H
#define TESTS_SOAK_SERVER_H

#include "novart/protocol.h"

#define SERVER_ADD  (NOVA_OPERATION_FIRST + 0) /* answers the sum of two words */
#define MORTAL_DIE  (NOVA_OPERATION_FIRST + 1) /* has a fault */
#define PEER_LEAK   (NOVA_OPERATION_FIRST + 1) /* makes a semaphore and forgets it */
#define PEER_BYTES  65536                      /* size of the page that the peer serves */
#define PEER_DIGITS "0123456789abcdef"         /* text of the page, again and again */

#endif
