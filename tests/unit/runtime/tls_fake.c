/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of mbedTLS and of the runtime that novatls uses. */
#include "tls_fake.h"

#include <time.h>

#include "novatls/src/tls.c"

bool nova_random_available(void)
{
        return true;
}

uint64_t nova_time_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Sends all bytes, like mbedTLS, or gives up at the first error. */
int mbedtls_ssl_close_notify(mbedtls_ssl_context *ssl)
{
        struct nova_tls *const tls =
                (struct nova_tls *)((char *)ssl - offsetof(struct nova_tls, ssl));
        const unsigned char text[] = FAKE_NOTIFICATION;
        size_t done = 0;

        while (done < sizeof(text) - 1) {
                const int sent = send_bytes(tls, text + done, sizeof(text) - 1 - done);

                if (sent < 0)
                        return sent;
                done += (size_t)sent;
        }
        return 0;
}

/* Returns as many bytes as fit, and 0 if none fits, like mbedTLS. */
int mbedtls_ssl_read(mbedtls_ssl_context *ssl, unsigned char *data, size_t bytes)
{
        (void)ssl;
        memset(data, 'x', bytes);
        return (int)bytes;
}

/* These functions have no effect. */
#define NOTHING(name, type) \
        void name(type *of) \
        {                   \
                (void)of;   \
        }
NOTHING(mbedtls_ssl_init, mbedtls_ssl_context)
NOTHING(mbedtls_ssl_free, mbedtls_ssl_context)
NOTHING(mbedtls_ssl_config_init, mbedtls_ssl_config)
NOTHING(mbedtls_ssl_config_free, mbedtls_ssl_config)
NOTHING(mbedtls_x509_crt_init, mbedtls_x509_crt)
NOTHING(mbedtls_x509_crt_free, mbedtls_x509_crt)
NOTHING(mbedtls_entropy_init, mbedtls_entropy_context)
NOTHING(mbedtls_entropy_free, mbedtls_entropy_context)
NOTHING(mbedtls_ctr_drbg_init, mbedtls_ctr_drbg_context)
NOTHING(mbedtls_ctr_drbg_free, mbedtls_ctr_drbg_context)

/* The test does not call these functions. */
#define UNUSED(type, name, ...) \
        type name(__VA_ARGS__)  \
        {                       \
                abort();        \
        }
UNUSED(int, mbedtls_x509_crt_parse, mbedtls_x509_crt *a, const unsigned char *b, size_t c)
UNUSED(int, mbedtls_ctr_drbg_seed, mbedtls_ctr_drbg_context *a,
       int (*b)(void *, unsigned char *, size_t), void *c, const unsigned char *d, size_t e)
UNUSED(int, mbedtls_ctr_drbg_random, void *a, unsigned char *b, size_t c)
UNUSED(int, mbedtls_entropy_func, void *a, unsigned char *b, size_t c)
UNUSED(int, mbedtls_ssl_config_defaults, mbedtls_ssl_config *a, int b, int c, int d)
UNUSED(void, mbedtls_ssl_conf_rng, mbedtls_ssl_config *a, int (*b)(void *, unsigned char *, size_t),
       void *c)
UNUSED(void, mbedtls_ssl_conf_ca_chain, mbedtls_ssl_config *a, mbedtls_x509_crt *b,
       mbedtls_x509_crl *c)
UNUSED(void, mbedtls_ssl_conf_authmode, mbedtls_ssl_config *a, int b)
UNUSED(int, mbedtls_ssl_setup, mbedtls_ssl_context *a, const mbedtls_ssl_config *b)
UNUSED(int, mbedtls_ssl_set_hostname, mbedtls_ssl_context *a, const char *b)
UNUSED(void, mbedtls_ssl_set_bio, mbedtls_ssl_context *a, void *b, mbedtls_ssl_send_t *c,
       mbedtls_ssl_recv_t *d, mbedtls_ssl_recv_timeout_t *e)
UNUSED(uint32_t, mbedtls_ssl_get_verify_result, const mbedtls_ssl_context *a)
UNUSED(void, mbedtls_strerror, int a, char *b, size_t c)
UNUSED(int, mbedtls_ssl_handshake, mbedtls_ssl_context *a)
UNUSED(int, mbedtls_ssl_write, mbedtls_ssl_context *a, const unsigned char *b, size_t c)

ssize_t fake_read(int number, void *data, size_t bytes)
{
        struct nova_tls *const tls = create(number);
        ssize_t got;

        if (!tls)
                abort();
        got = nova_tls_read(tls, data, bytes);
        destroy(tls);
        return got;
}

uint64_t fake_close(int number, uint64_t patience_ns)
{
        struct nova_tls *const tls = create(number);
        const uint64_t start = nova_time_ns();

        if (!tls)
                abort();
        tls->patience = patience_ns;
        nova_tls_close(tls);
        return (nova_time_ns() - start) / 1000000;
}
