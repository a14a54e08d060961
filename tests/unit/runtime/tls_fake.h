/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection of novatls over a socket of the host. mbedTLS only reports the end of the stream,
 * and has received as many bytes as a call asks for. */
#ifndef UNIT_TLS_FAKE_H
#define UNIT_TLS_FAKE_H

#include <stdint.h>
#include <sys/types.h>

#define FAKE_NOTIFICATION "this reports the end of a stream" /* what a close sends */

/* Closes a connection whose calls have a limit of @p patience_ns; 0: none.
 * @return the time that this took, in milliseconds */
uint64_t fake_close(int number, uint64_t patience_ns);

/* Calls nova_tls_read() for a new connection. */
ssize_t fake_read(int number, void *data, size_t bytes);

#endif
