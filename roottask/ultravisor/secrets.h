/* SPDX-License-Identifier: BSD-2-Clause */
/* The ports at which a secure guest reads its phrase and its secrets (novauv/guest.h). The opened
 * blob contains the phrase and the secrets. */
#ifndef ULTRAVISOR_SECRETS_H
#define ULTRAVISOR_SECRETS_H

#include "seal.h"

/* The guest's selection: the name of a secret. The empty name selects the phrase. */
struct secrets {
        char name[SEAL_NAME_MAX + 1]; /* ends with 0, unless all bytes are used */
};

/* Reads @p bytes (1 to 8) at a port of the two windows, or between them.
 * @return the bytes, of which the lowest is that of @p port; a byte without a value is 0xff */
uint64_t secrets_read(const struct secrets *secrets, const struct seal *seal, uint64_t port,
                      unsigned bytes);

/* Writes @p bytes (1 to 8) at a port. Only the window of the name accepts them. */
void secrets_write(struct secrets *secrets, uint64_t port, unsigned bytes, uint64_t value);

#endif
