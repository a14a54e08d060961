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
  # With gcc -O2, a byte of SHA-256 takes 63 instructions, and a page of AES-256-GCM with the CPU's
  # instructions for AES takes 187,000. With the following options they take 59 and 116,000. gcm.c
  # does not get -funroll-loops: its loop checks for each byte whether it decrypts, and gcc's
  # unrolled loop jumps to its beginning after each decrypted byte, which costs 14 instructions.
  set(gnu "C_COMPILER_ID:GNU")
  set_source_files_properties("${NOVA_MBEDTLS}/library/sha256.c" TARGET_DIRECTORY ${target}
    PROPERTIES COMPILE_OPTIONS "$<$<${gnu}>:-funroll-loops;-fweb;-frename-registers>")
  set_source_files_properties("${NOVA_MBEDTLS}/library/gcm.c" TARGET_DIRECTORY ${target}
    PROPERTIES COMPILE_OPTIONS "$<$<${gnu}>:-O3;-fno-tree-vectorize>")
  set(files aes aesni cipher cipher_wrap)
  list(TRANSFORM files PREPEND "${NOVA_MBEDTLS}/library/")
  list(TRANSFORM files APPEND ".c")
  set_source_files_properties(${files} TARGET_DIRECTORY ${target}
    PROPERTIES COMPILE_OPTIONS "$<$<${gnu}>:-O3;-fno-tree-vectorize;-funroll-loops>")
endfunction()
