/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts of addresses, by lwIP. */
#ifndef NOVANET_POSIX_ARPA_INET_H
#define NOVANET_POSIX_ARPA_INET_H

#include "lwip/inet.h"

#endif
