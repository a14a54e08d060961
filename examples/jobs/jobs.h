/* SPDX-License-Identifier: BSD-2-Clause */
/* The protocol of the service that hands out jobs. */
#ifndef JOBS_H
#define JOBS_H

#include <novart/protocol.h>

#define JOBS_TAKE (NOVA_OPERATION_FIRST + 0) /* answer: number of the next job; 0: none */

#endif
