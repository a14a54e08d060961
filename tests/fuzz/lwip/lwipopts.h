/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration of novanet, without threads and sockets. */
#ifndef TESTS_FUZZ_LWIP_LWIPOPTS_H
#define TESTS_FUZZ_LWIP_LWIPOPTS_H

#include "../../../roottask/novanet/port/lwipopts.h"

#undef NO_SYS
#define NO_SYS 1
#undef SYS_LIGHTWEIGHT_PROT
#define SYS_LIGHTWEIGHT_PROT 0
#undef LWIP_TCPIP_CORE_LOCKING
#define LWIP_TCPIP_CORE_LOCKING 0
#undef LOCK_TCPIP_CORE
#define LOCK_TCPIP_CORE()
#undef UNLOCK_TCPIP_CORE
#define UNLOCK_TCPIP_CORE()
#undef LWIP_SOCKET
#define LWIP_SOCKET 0
#undef LWIP_NETCONN
#define LWIP_NETCONN 0
#undef LWIP_HOOK_ND6_GET_GW
#undef LWIP_HOOK_TCP_INPACKET_PCB
#undef LWIP_CHKSUM_SEND
#define LWIP_CHKSUM_SEND(netif, packet, protocol, bytes, from, to) \
        ip_chksum_pseudo(packet, protocol, bytes, from, to)

#endif
