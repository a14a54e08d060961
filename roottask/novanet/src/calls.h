/* SPDX-License-Identifier: BSD-2-Clause */
/* Connects the C library's read(), write(), close() and fcntl() with sockets. */
#ifndef NOVANET_CALLS_H
#define NOVANET_CALLS_H

void novanet_use_calls(void);

#endif
