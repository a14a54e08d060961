/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection of novatls over a socket of the host. mbedTLS only reports the end of the stream. */
#ifndef UNIT_TLS_FAKE_H
#define UNIT_TLS_FAKE_H

#include <stdint.h>

#define FAKE_NOTIFICATION "this reports the end of a stream" /* what a close sends */

/* Closes a connection whose calls have a limit of @p patience_ns; 0: none.
 * @return the time that this took, in milliseconds */
uint64_t fake_close(int number, uint64_t patience_ns);

#endif
