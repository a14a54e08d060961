/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of machines: getaddrinfo() by novanet, the older functions by lwIP. */
#ifndef NOVANET_POSIX_NETDB_H
#define NOVANET_POSIX_NETDB_H

#include "lwip/netdb.h"

#undef getaddrinfo
#undef freeaddrinfo

/* The other errors are in lwip/netdb.h. */
#define EAI_AGAIN    220 /* no server answered, or one has a fault: ask again later */
#define EAI_BADFLAGS 221
#define EAI_SOCKTYPE 222

#ifdef __cplusplus
extern "C" {
#endif

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **result);
void freeaddrinfo(struct addrinfo *list);
const char *gai_strerror(int error);

#ifdef __cplusplus
}
#endif

#endif
