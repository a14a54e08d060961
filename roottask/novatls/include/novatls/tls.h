/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS over the sockets of novanet: a client that verifies its server. mbedTLS does the work, and
 * programs that need more than this use its functions. */
#ifndef NOVATLS_TLS_H
#define NOVATLS_TLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A connection. One thread at a time may use it. */
struct nova_tls;

/** The server that a client expects, and the certificates that it trusts. */
struct nova_tls_config {
        const char *name;     /**< the server's name, which its certificate must contain */
        const void *roots;    /**< trusted certificates, in PEM */
        size_t roots_bytes;   /**< size of @p roots in bytes, without a terminating 0 */
        uint64_t patience_ns; /**< nanoseconds that nova_tls_connect() and each nova_tls_read() and
                                 nova_tls_write() may take, even if the server sends or reads a byte
                                 now and then; 0: no limit. With a limit, the socket's SO_RCVTIMEO
                                 and SO_SNDTIMEO have no effect */
};

#define NOVA_TLS_TEXT 160 /**< size of a sentence about an error */

/**
 * Makes a connection secure: agrees on keys with the server at the other end of a connected socket,
 * and verifies its certificate. Blocks; @p config's patience_ns bounds the whole call. If it is 0,
 * the socket's SO_RCVTIMEO bounds the wait for each part of an answer. The time of day must be
 * right, because certificates have dates: see nova_time_set_by_rtc().
 * @code
 * extern const char roots[];       // certificates, for example of a boot module
 * extern const size_t roots_bytes; // their size
 * extern int number;               // a connected socket
 * const struct nova_tls_config config = {
 *         .name = "server.test", .roots = roots, .roots_bytes = roots_bytes};
 * struct nova_tls *tls;
 * char why[NOVA_TLS_TEXT];
 *
 * if (nova_tls_connect(&tls, number, &config, why))
 *         puts(why);
 * @endcode
 * @param[out] to  the connection
 * @param number   the socket, which still belongs to the caller
 * @param config   the server
 * @param[out] why a sentence about the error
 * @retval 0          done
 * @retval EACCES     the server's certificate is not accepted
 * @retval ECONNRESET the server has ended the connection
 * @retval EINVAL     the trusted certificates or the name cannot be read
 * @retval ENOMEM     out of memory
 * @retval ENOTSUP    the CPU has no RDRAND, so there are no keys
 * @retval EPROTO     the server does not speak TLS 1.2, or refuses the connection
 * @retval ETIMEDOUT  the server did not answer in time
 */
int nova_tls_connect(struct nova_tls **to, int number, const struct nova_tls_config *config,
                     char why[NOVA_TLS_TEXT]);

/**
 * Sends bytes; blocks until all are sent.
 * @param tls   the connection
 * @param data  first byte
 * @param bytes number of bytes
 * @return 0, or -1 with errno: ECONNRESET the connection has ended, EPROTO the server does not
 *         follow the protocol, ETIMEDOUT, or another value of send()
 */
int nova_tls_write(struct nova_tls *tls, const void *data, size_t bytes);

/**
 * Receives bytes; blocks until there are some.
 * @code
 * extern struct nova_tls *tls;
 * char data[512];
 * ssize_t bytes;
 *
 * while ((bytes = nova_tls_read(tls, data, sizeof(data))) > 0)
 *         fwrite(data, 1, (size_t)bytes, stdout);
 * if (bytes < 0)
 *         perror("The stream is incomplete");
 * @endcode
 * @param tls     the connection
 * @param[out] data first byte to write
 * @param bytes   maximum number of bytes; 0: the function returns 0 at once
 * @return number of bytes; 0 if the server has ended the stream; or -1 with errno: ECONNRESET the
 *         connection ended within the stream, EPROTO the data was changed in transit, ETIMEDOUT the
 *         server sent too little within patience_ns or, if that is 0, nothing within the socket's
 *         SO_RCVTIMEO, or another value of recv()
 */
ssize_t nova_tls_read(struct nova_tls *tls, void *data, size_t bytes);

/** Reports the end of the stream to the server, and destroys the connection, but not the socket.
 * If the socket has no room for the report, waits up to a second, or up to the config's patience_ns
 * if that is shorter. If there is still no room, the server gets no report. */
void nova_tls_close(struct nova_tls *tls);

#ifdef __cplusplus
}
#endif

#endif
