/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of a service under test (see service.h) that it gives to clients. Pages that a client got
 * may become free only after the service has revoked them twice: an answer may be in flight the
 * first time. */
#ifndef FUZZ_SERVICE_PAGES_H
#define FUZZ_SERVICE_PAGES_H

#include "nova/crd.h"
#include "service.h"

/* One bit for each of the next requests for pages, beginning with bit 0. If the bit is 1, the
 * request fails. */
extern unsigned pages_fail;

/* Ends the test if pages may not become free yet. NULL: they may always become free. */
extern void (*pages_check)(const void *page);

/* Takes the next bit of pages_fail. Returns true if the request must fail. */
bool pages_must_fail(void);

/* Records that a client has got 2^ORDER pages, and returns their address. They must be pages of the
 * service that no client has. */
uint8_t *pages_take(nova_crd_t crd, unsigned order);

/* Records that the service has revoked pages. The crd may also name capabilities of another type,
 * which have no effect. */
void pages_revoke(nova_crd_t crd);

/* Returns the number of blocks of pages that the service has. */
unsigned pages_count(void);

#endif
