/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `memory`, for a program that contains it. */
#ifndef NOVART_MEMORY_SERVER_H
#define NOVART_MEMORY_SERVER_H

#include "novart/service.h"

/* Starts the service; each client may have @p bytes bytes.
 * @return 0 or an errno value */
int memory_service_start(size_t bytes);

#endif
