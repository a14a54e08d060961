/* SPDX-License-Identifier: BSD-2-Clause */
/* Gives a test in C++ access to the cipher in page_ops.c, which encrypts a secure VM's pages. */
#ifndef NOVA_TESTS_UNIT_ULTRAVISOR_CIPHER_H
#define NOVA_TESTS_UNIT_ULTRAVISOR_CIPHER_H

#include <stdbool.h>
#include <stdint.h>

/* Gives the VM a key. @return false: no memory is left */
bool cipher_begin(const uint8_t *key);
void cipher_end(void);

/* Encrypts a page of the VM; cipher_decrypt() decrypts it. @return false: that failed */
bool cipher_encrypt(uint64_t gpa, uint64_t version, const uint8_t *from, uint8_t *to, uint8_t *tag);
bool cipher_decrypt(uint64_t gpa, uint64_t version, const uint8_t *from, const uint8_t *tag,
                    uint8_t *to);

#endif
