/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers a guest's accesses to the ports of its phrase and its secrets (see secrets.h). */
#include "secrets.h"

#include <string.h>

#include "novart/service/ultravisor_calls.h"

#define NAME_PORTS 32u
#define BYTE_BITS  8u
#define ONES       0xffu

_Static_assert(NAME_PORTS == SEAL_NAME_MAX + 1, "a port for each byte of a name, and for its end");
_Static_assert(SEAL_VALUE_MAX <= NOVA_UV_SECRET_PORTS && SEAL_PHRASE_MAX <= NOVA_UV_SECRET_PORTS,
               "a port for each byte of a value");

struct value {
        const uint8_t *data; /* NULL: there is no such secret */
        size_t bytes;
};

static struct value find(const struct secrets *secrets, const struct seal *seal)
{
        const size_t bytes = strnlen(secrets->name, sizeof(secrets->name));
        const struct seal_secret *secret;

        if (!bytes)
                return (struct value){seal->phrase_bytes ? seal->phrase : NULL, seal->phrase_bytes};
        secret = seal_find_secret(seal, secrets->name, bytes);
        return secret ? (struct value){secret->value, secret->value_bytes}
                      : (struct value){NULL, 0};
}

static unsigned read_byte(const struct value *value, uint64_t port)
{
        if (!value->data)
                return ONES;
        if (port - NOVA_UV_SECRET_VALUE < value->bytes)
                return value->data[port - NOVA_UV_SECRET_VALUE];
        if (port - NOVA_UV_SECRET_LENGTH < 2)
                return value->bytes >> BYTE_BITS * (port - NOVA_UV_SECRET_LENGTH) & ONES;
        return ONES;
}

uint64_t secrets_read(const struct secrets *secrets, const struct seal *seal, uint64_t port,
                      unsigned bytes)
{
        const struct value value = find(secrets, seal);
        uint64_t result = 0;

        for (unsigned i = 0; i < bytes; i++)
                result |= (uint64_t)read_byte(&value, port + i) << BYTE_BITS * i;
        return result;
}

void secrets_write(struct secrets *secrets, uint64_t port, unsigned bytes, uint64_t value)
{
        for (unsigned i = 0; i < bytes; i++) {
                const uint64_t at = port + i - NOVA_UV_SECRET_NAME;

                if (at >= NAME_PORTS)
                        continue;
                secrets->name[at] = (char)(value >> BYTE_BITS * i);
                memset(secrets->name + at + 1, 0, sizeof(secrets->name) - at - 1);
        }
}
