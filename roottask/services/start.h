/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences of a service that cannot start. */
#ifndef SERVICES_START_H
#define SERVICES_START_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Remedy for ENOMEM. */
#define START_ENLARGE "enlarge 'memory' or 'kernel-memory' of this program."

/* Reports the error with which the service's start failed. */
static inline void start_failed(int error)
{
        printf("the service cannot start: %s%s\n", strerror(error),
               error == ENOMEM ? "; " START_ENLARGE : ".");
}

#endif
