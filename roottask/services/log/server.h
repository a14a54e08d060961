/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `log`, for a program that contains it. */
#ifndef NOVART_LOG_SERVER_H
#define NOVART_LOG_SERVER_H

#include "lines.h"
#include "novart/service.h"

/* Starts the service; it writes clients' text to @p sink, one line per call.
 * @return 0 or an errno value */
int log_service_start(log_sink *sink, void *sink_argument);

/* Passes a pressed key to the service. May be called by any thread of the program that is not a
 * handler of the service. */
void log_service_key(char key);

#endif
