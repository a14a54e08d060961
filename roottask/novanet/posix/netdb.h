/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of machines, by lwIP. */
#ifndef NOVANET_POSIX_NETDB_H
#define NOVANET_POSIX_NETDB_H

#include "lwip/netdb.h"

#endif
