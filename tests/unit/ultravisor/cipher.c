/* SPDX-License-Identifier: BSD-2-Clause */
/* A secure VM that has only a key (see cipher.h). */
#include "cipher.h"

#include <string.h>

#include "novart/guard.h"
#include "vm.h"

static struct vm vm;

bool cipher_begin(const uint8_t *key)
{
        vm.pages.ops = &memory_page_ops;
        vm.pages.context = &vm;
        return crypto_gcm_begin(&vm.key, key) == CRYPTO_OK;
}

void cipher_end(void)
{
        crypto_gcm_end(&vm.key);
}

bool cipher_encrypt(uint64_t gpa, uint64_t version, const uint8_t *from, uint8_t *to, uint8_t *tag)
{
        return vm.pages.ops->encrypt(&vm.pages, gpa, version, from, to, tag);
}

bool cipher_decrypt(uint64_t gpa, uint64_t version, const uint8_t *from, const uint8_t *tag,
                    uint8_t *to)
{
        return vm.pages.ops->decrypt(&vm.pages, gpa, version, from, tag, to);
}

/* Used by functions of page_ops.c that this test does not call. */
int nova_copy_guarded(void *to, const void *from, size_t bytes)
{
        memcpy(to, from, bytes);
        return 0;
}
