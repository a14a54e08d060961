/* SPDX-License-Identifier: BSD-2-Clause */
/* A TLS client over a socket (see novatls/tls.h). */
#include "novatls/tls.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "mbedtls/ctr_drbg.h"
#include "mbedtls/entropy.h"
#include "mbedtls/error.h"
#include "mbedtls/ssl.h"
#include "mbedtls/x509_crt.h"
#include "novart/random.h"
#include "novart/time.h"

#define NET_FAILED (-0x004c)            /* error of mbedTLS's own functions for sockets */
#define CLOSE_NS   UINT64_C(1000000000) /* maximum time for the report of a stream's end */

struct nova_tls {
        int socket;
        int error;                   /* errno of the socket */
        uint64_t patience, deadline; /* nanoseconds; 0: no limit */
        mbedtls_ssl_context ssl;
        mbedtls_ssl_config config;
        mbedtls_x509_crt roots;
        mbedtls_entropy_context entropy;
        mbedtls_ctr_drbg_context random;
};

/* Reasons to refuse a certificate. */
static const struct {
        uint32_t flag;
        const char *sentence;
} faults[] = {
        {MBEDTLS_X509_BADCERT_MISSING, "the server has no certificate"},
        {MBEDTLS_X509_BADCERT_NOT_TRUSTED, "the certificate is not signed by a trusted one"},
        {MBEDTLS_X509_BADCERT_CN_MISMATCH, "the certificate is for another name than"},
        {MBEDTLS_X509_BADCERT_EXPIRED, "the certificate has expired"},
        {MBEDTLS_X509_BADCERT_FUTURE,
         "the certificate is not valid yet, or the program does not know the time of day"},
        {UINT32_MAX, "the certificate must not be used for this server"},
};

static int keep(struct nova_tls *tls, ssize_t result)
{
        if (result >= 0)
                return (int)result;
        tls->error = errno == EWOULDBLOCK ? ETIMEDOUT : errno;
        return NET_FAILED;
}

/* Begins a call of the program. */
static void begin(struct nova_tls *tls)
{
        const uint64_t now = nova_time_ns();

        if (tls->patience)
                tls->deadline =
                        now + (tls->patience < UINT64_MAX - now ? tls->patience : UINT64_MAX - now);
}

/* Waits until the socket can send or receive. @return flags of send() and recv(); negative: the
 * deadline has passed, errno is set */
static int wait_for(const struct nova_tls *tls, short event)
{
        struct pollfd one = {.fd = tls->socket, .events = event};
        uint64_t now;

        if (!tls->deadline)
                return 0;
        while ((now = nova_time_ns()) < tls->deadline) {
                const uint64_t ms = (tls->deadline - now + 999999) / 1000000;

                if (poll(&one, 1, ms < INT_MAX ? (int)ms : INT_MAX))
                        return MSG_DONTWAIT;
        }
        errno = ETIMEDOUT;
        return -1;
}

static int send_bytes(void *argument, const unsigned char *data, size_t bytes)
{
        struct nova_tls *tls = argument;
        int flags;
        ssize_t sent;

        do {
                flags = wait_for(tls, POLLOUT);
                sent = flags < 0 ? -1 : send(tls->socket, data, bytes, flags);
        } while (sent < 0 && errno == EWOULDBLOCK && flags);
        return keep(tls, sent);
}

static int receive_bytes(void *argument, unsigned char *data, size_t bytes)
{
        struct nova_tls *tls = argument;
        int flags;
        ssize_t got;

        do {
                flags = wait_for(tls, POLLIN);
                got = flags < 0 ? -1 : recv(tls->socket, data, bytes, flags);
        } while (got < 0 && errno == EWOULDBLOCK && flags);
        return keep(tls, got);
}

static void destroy(struct nova_tls *tls)
{
        mbedtls_ssl_free(&tls->ssl);
        mbedtls_ssl_config_free(&tls->config);
        mbedtls_x509_crt_free(&tls->roots);
        mbedtls_ctr_drbg_free(&tls->random);
        mbedtls_entropy_free(&tls->entropy);
        free(tls);
}

static struct nova_tls *create(int number)
{
        struct nova_tls *tls = calloc(1, sizeof(*tls));

        if (!tls)
                return NULL;
        tls->socket = number;
        mbedtls_ssl_init(&tls->ssl);
        mbedtls_ssl_config_init(&tls->config);
        mbedtls_x509_crt_init(&tls->roots);
        mbedtls_entropy_init(&tls->entropy);
        mbedtls_ctr_drbg_init(&tls->random);
        return tls;
}

/* Translates an error of mbedTLS. */
static int error_of(const struct nova_tls *tls, int result)
{
        switch (result) {
        case NET_FAILED:
                return tls->error;
        case MBEDTLS_ERR_SSL_CONN_EOF:
                return ECONNRESET;
        case MBEDTLS_ERR_SSL_ALLOC_FAILED:
                return ENOMEM;
        case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
                return EACCES;
        default:
                return EPROTO;
        }
}

/* Reads the trusted certificates. mbedTLS requires a zero byte after PEM text, so read_roots()
 * copies the text. */
static bool read_roots(struct nova_tls *tls, const struct nova_tls_config *config)
{
        char *text = malloc(config->roots_bytes + 1);
        int result = -1;

        if (text) {
                memcpy(text, config->roots, config->roots_bytes);
                text[config->roots_bytes] = 0;
                result = mbedtls_x509_crt_parse(&tls->roots, (const unsigned char *)text,
                                                config->roots_bytes + 1);
        }
        free(text);
        return result == 0;
}

/* Prepares mbedTLS for a connection. @return 0, or an error of mbedTLS */
static int set_up(struct nova_tls *tls, const struct nova_tls_config *config)
{
        int result =
                mbedtls_ctr_drbg_seed(&tls->random, mbedtls_entropy_func, &tls->entropy, NULL, 0);

        if (!result)
                result = mbedtls_ssl_config_defaults(&tls->config, MBEDTLS_SSL_IS_CLIENT,
                                                     MBEDTLS_SSL_TRANSPORT_STREAM,
                                                     MBEDTLS_SSL_PRESET_DEFAULT);
        mbedtls_ssl_conf_rng(&tls->config, mbedtls_ctr_drbg_random, &tls->random);
        mbedtls_ssl_conf_ca_chain(&tls->config, &tls->roots, NULL);
        mbedtls_ssl_conf_authmode(&tls->config, MBEDTLS_SSL_VERIFY_REQUIRED);
        if (!result)
                result = mbedtls_ssl_setup(&tls->ssl, &tls->config);
        if (!result)
                result = mbedtls_ssl_set_hostname(&tls->ssl, config->name);
        mbedtls_ssl_set_bio(&tls->ssl, tls, send_bytes, receive_bytes, NULL);
        return result;
}

/* Writes a sentence about an error of the connection. */
static void explain(const struct nova_tls *tls, int result, const char *name,
                    char why[NOVA_TLS_TEXT])
{
        const uint32_t flags = mbedtls_ssl_get_verify_result(&tls->ssl);
        char text[NOVA_TLS_TEXT / 2] = "";
        unsigned i = 0;

        if (result == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
                while (!(faults[i].flag & flags))
                        i++;
                snprintf(why, NOVA_TLS_TEXT, "%s%s%.60s.", faults[i].sentence,
                         faults[i].flag == MBEDTLS_X509_BADCERT_CN_MISMATCH ? " " : "",
                         faults[i].flag == MBEDTLS_X509_BADCERT_CN_MISMATCH ? name : "");
        } else if (error_of(tls, result) == EPROTO) {
                mbedtls_strerror(result, text, sizeof(text));
                snprintf(why, NOVA_TLS_TEXT, "the server does not agree on TLS 1.2: %s.", text);
        } else {
                snprintf(why, NOVA_TLS_TEXT, "the server does not answer: %s.",
                         strerror(error_of(tls, result)));
        }
}

/* Reads the trusted certificates and prepares the connection. A connection without the server's
 * name would accept a certificate for any name. @return 0, or an errno value with a sentence */
static int prepare(struct nova_tls *tls, const struct nova_tls_config *config,
                   char why[NOVA_TLS_TEXT])
{
        const bool has_name = config->name && *config->name;
        const bool reads = has_name && read_roots(tls, config);
        const int result = reads ? set_up(tls, config) : 0;

        if (result == MBEDTLS_ERR_SSL_ALLOC_FAILED) {
                snprintf(why, NOVA_TLS_TEXT, "out of memory.");
                return ENOMEM;
        }
        if (!has_name || result)
                snprintf(why, NOVA_TLS_TEXT, "the server's name is missing or too long.");
        else if (!reads)
                snprintf(why, NOVA_TLS_TEXT, "the trusted certificates cannot be read.");
        return reads && !result ? 0 : EINVAL;
}

int nova_tls_connect(struct nova_tls **to, int number, const struct nova_tls_config *config,
                     char why[NOVA_TLS_TEXT])
{
        struct nova_tls *tls;
        int error, result;

        *to = NULL;
        if (!nova_random_available()) {
                snprintf(why, NOVA_TLS_TEXT, "the CPU has no RDRAND, so TLS has no keys.");
                return ENOTSUP;
        }
        tls = create(number);
        if (!tls) {
                snprintf(why, NOVA_TLS_TEXT, "out of memory.");
                return ENOMEM;
        }
        tls->patience = config->patience_ns;
        begin(tls);
        error = prepare(tls, config, why);
        if (!error) {
                result = mbedtls_ssl_handshake(&tls->ssl);
                if (result) {
                        explain(tls, result, config->name, why);
                        error = error_of(tls, result);
                }
        }
        if (error)
                destroy(tls);
        else
                *to = tls;
        return error;
}

static int fail(struct nova_tls *tls, int result)
{
        errno = error_of(tls, result);
        return -1;
}

int nova_tls_write(struct nova_tls *tls, const void *data, size_t bytes)
{
        const unsigned char *from = data;

        begin(tls);
        for (size_t done = 0; done < bytes;) {
                const int result = mbedtls_ssl_write(&tls->ssl, from + done, bytes - done);

                if (result < 0)
                        return fail(tls, result);
                done += (size_t)result;
        }
        return 0;
}

ssize_t nova_tls_read(struct nova_tls *tls, void *data, size_t bytes)
{
        int result;

        if (!bytes)
                return 0; /* for mbedTLS, 0 bytes are the end of the stream */
        begin(tls);
        result = mbedtls_ssl_read(&tls->ssl, data, bytes);
        if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
                return 0;
        if (result == 0)
                return fail(tls, MBEDTLS_ERR_SSL_CONN_EOF);
        return result < 0 ? fail(tls, result) : result;
}

/* If the socket has no room, waits: the server may read soon. A server that gets no report assumes
 * that the stream was cut off. */
void nova_tls_close(struct nova_tls *tls)
{
        if (!tls->patience || tls->patience > CLOSE_NS)
                tls->patience = CLOSE_NS;
        begin(tls);
        mbedtls_ssl_close_notify(&tls->ssl);
        destroy(tls);
}
