/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets, by lwIP. */
#ifndef NOVANET_POSIX_SYS_SOCKET_H
#define NOVANET_POSIX_SYS_SOCKET_H

#include "lwip/sockets.h"

#endif
