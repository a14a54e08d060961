/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `names`, for a program that contains it. */
#ifndef NOVART_NAMES_SERVER_H
#define NOVART_NAMES_SERVER_H

#include "novart/service.h"

/* Starts the service `names`.
 * @return 0 or an errno value */
int names_service_start(void);

#endif
