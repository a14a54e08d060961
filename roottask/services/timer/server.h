/* SPDX-License-Identifier: BSD-2-Clause */
/* The service timer as a part of a program. */
#ifndef NOVART_TIMER_SERVER_H
#define NOVART_TIMER_SERVER_H

#include "novart/service.h"

/* Start it for so many sessions of all clients and of each. @return 0 or an errno value */
int timer_service_start(unsigned sessions, unsigned client_sessions);

#endif
