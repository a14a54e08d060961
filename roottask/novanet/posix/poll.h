/* SPDX-License-Identifier: BSD-2-Clause */
/* poll(), by lwIP. */
#ifndef NOVANET_POSIX_POLL_H
#define NOVANET_POSIX_POLL_H

#include "lwip/sockets.h"

#endif
