/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of the Internet protocols, as lwIP defines them. */
#ifndef NOVANET_POSIX_NETINET_IN_H
#define NOVANET_POSIX_NETINET_IN_H

#include "lwip/sockets.h"

#define IN6_IS_ADDR_UNSPECIFIED(a) \
        (!((a)->un.u32_addr[0] | (a)->un.u32_addr[1] | (a)->un.u32_addr[2] | (a)->un.u32_addr[3]))
#define IN6_IS_ADDR_LOOPBACK(a)                                                \
        (!((a)->un.u32_addr[0] | (a)->un.u32_addr[1] | (a)->un.u32_addr[2]) && \
         (a)->un.u32_addr[3] == PP_HTONL(1))
#define IN6_IS_ADDR_V4MAPPED(a) \
        (!((a)->un.u32_addr[0] | (a)->un.u32_addr[1]) && (a)->un.u32_addr[2] == PP_HTONL(0xffff))
#define IN6_IS_ADDR_LINKLOCAL(a) ((a)->s6_addr[0] == 0xfe && ((a)->s6_addr[1] & 0xc0) == 0x80)
#define IN6_IS_ADDR_MULTICAST(a) ((a)->s6_addr[0] == 0xff)

#endif
