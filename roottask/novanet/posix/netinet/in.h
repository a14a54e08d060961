/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of the Internet protocols, by lwIP. */
#ifndef NOVANET_POSIX_NETINET_IN_H
#define NOVANET_POSIX_NETINET_IN_H

#include "lwip/sockets.h"

#endif
