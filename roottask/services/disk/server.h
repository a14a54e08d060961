/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `disk`, for a program that contains it. */
#ifndef NOVART_DISK_SERVER_H
#define NOVART_DISK_SERVER_H

#include "novart/service.h"

/* Starts the service for an archive in memory, which must stay valid.
 * @return 0; EILSEQ: it is not a ustar archive, @p error gives the reason; or another errno value
 */
int disk_service_start(const void *bytes, size_t size, const char **error);

#endif
