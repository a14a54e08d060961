# SPDX-License-Identifier: BSD-2-Clause
# The parts of mbedTLS that the ultravisor uses, for the target and for tests on the host.
include("${NOVA_ROOT}/roottask/mbedtls/mbedtls.cmake")

# nova_add_ultravisor_crypto(<target> [LINK <target>]): as nova_add_mbedtls().
function(nova_add_ultravisor_crypto target)
  nova_add_mbedtls(${target} ${ARGN} CONFIG crypto_config.h
    FOLDER "${NOVA_ROOT}/roottask/ultravisor"
    FILES aes aesni bignum cipher cipher_wrap constant_time ctr_drbg ecp ecp_curves gcm hkdf md
          platform_util sha256)
  if(NOT TARGET ${target})
    return()
  endif()
  # gcc -O2 needs 63 instructions for a byte of SHA-256, and 187,000 for a page of AES-256-GCM by
  # the CPU's instructions for AES; with these options it needs 59 and 107,000.
  set(gnu "C_COMPILER_ID:GNU")
  set_source_files_properties("${NOVA_MBEDTLS}/library/sha256.c" TARGET_DIRECTORY ${target}
    PROPERTIES COMPILE_OPTIONS "$<$<${gnu}>:-funroll-loops;-fweb;-frename-registers>")
  set(files gcm aes aesni cipher cipher_wrap)
  list(TRANSFORM files PREPEND "${NOVA_MBEDTLS}/library/")
  list(TRANSFORM files APPEND ".c")
  set_source_files_properties(${files} TARGET_DIRECTORY ${target}
    PROPERTIES COMPILE_OPTIONS "$<$<${gnu}>:-O3;-fno-tree-vectorize;-funroll-loops>")
endfunction()
