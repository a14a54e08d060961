/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration of mbedTLS for the ultravisor: only SHA-256, AES-256-GCM, X25519, HKDF and a random
 * generator. */
#ifndef ULTRAVISOR_CRYPTO_CONFIG_H
#define ULTRAVISOR_CRYPTO_CONFIG_H

#define MBEDTLS_HAVE_ASM
#ifdef __x86_64__
#define MBEDTLS_AESNI_C
#endif
#define MBEDTLS_AES_C
#define MBEDTLS_CIPHER_C
#define MBEDTLS_GCM_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_HKDF_C
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED
#define MBEDTLS_ECP_NO_INTERNAL_RNG /* crypto.c always provides a generator */
#define MBEDTLS_CTR_DRBG_C

#include "mbedtls/check_config.h"

#endif
