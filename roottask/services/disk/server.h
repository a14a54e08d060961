/* SPDX-License-Identifier: BSD-2-Clause */
/* The service disk as a part of a program. */
#ifndef NOVART_DISK_SERVER_H
#define NOVART_DISK_SERVER_H

#include "novart/service.h"

/* Start it for an archive in memory, which stays there. @return 0, EILSEQ: it is not a ustar
 * archive, @p error says why; or another errno value */
int disk_service_start(const void *bytes, size_t size, const char **error);

#endif
