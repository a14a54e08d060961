/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls functions of mbedTLS's handshake. The function that derives keys (tls_prf) finds no
 * memory. */
#include "tls_finished.h"

#include "mbedtls/entropy.h"
#include "ssl_tls.c"

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t len, size_t *olen)
{
        return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
}

static int compute_nothing(const unsigned char *secret, size_t secret_bytes, const char *label,
                           const unsigned char *random, size_t random_bytes, unsigned char *to,
                           size_t bytes)
{
        return MBEDTLS_ERR_MD_ALLOC_FAILED;
}

bool finished_fails(bool write, bool long_hash)
{
        mbedtls_ssl_context ssl;
        mbedtls_ssl_config config;
        int result;

        mbedtls_ssl_init(&ssl);
        mbedtls_ssl_config_init(&config);
        result = mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT,
                                             MBEDTLS_SSL_TRANSPORT_STREAM,
                                             MBEDTLS_SSL_PRESET_DEFAULT);
        if (!result)
                result = mbedtls_ssl_setup(&ssl, &config);
        if (!result) {
                ssl.handshake->tls_prf = compute_nothing;
                ssl.handshake->calc_finished =
                        long_hash ? ssl_calc_finished_tls_sha384 : ssl_calc_finished_tls_sha256;
                result =
                        write ? mbedtls_ssl_write_finished(&ssl) : mbedtls_ssl_parse_finished(&ssl);
        }
        mbedtls_ssl_free(&ssl);
        mbedtls_ssl_config_free(&config);
        return result == MBEDTLS_ERR_MD_ALLOC_FAILED;
}
