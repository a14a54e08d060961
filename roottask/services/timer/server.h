/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `timer`, for a program that contains it. */
#ifndef NOVART_TIMER_SERVER_H
#define NOVART_TIMER_SERVER_H

#include "novart/service.h"

/* Starts the service with the maximum numbers of sessions in total and per client. @return 0 or an
 * errno value */
int timer_service_start(unsigned sessions, unsigned client_sessions);

#endif
