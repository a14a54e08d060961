# SPDX-License-Identifier: BSD-2-Clause
# The parts of mbedTLS that the ultravisor uses, for the target and for tests on the host.
include("${NOVA_ROOT}/roottask/mbedtls/mbedtls.cmake")

# nova_add_ultravisor_crypto(<target> [LINK <target>]): as nova_add_mbedtls().
function(nova_add_ultravisor_crypto target)
  nova_add_mbedtls(${target} ${ARGN} CONFIG crypto_config.h
    FOLDER "${NOVA_ROOT}/roottask/ultravisor"
    FILES aes aesni bignum cipher cipher_wrap constant_time ctr_drbg ecp ecp_curves gcm hkdf md
          platform_util sha256)
endfunction()
