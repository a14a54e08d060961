/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration of novanet, changed where lwIP's tests would not compile or expect other
 * values. */
#ifndef TESTS_RUNTIME_LWIP_LWIPOPTS_H
#define TESTS_RUNTIME_LWIP_LWIPOPTS_H

#include "../../../roottask/novanet/port/lwipopts.h"

/* One thread runs the tests. Where lwIP would wait for its own thread, it runs that thread's
 * functions itself. Semaphores and clock are those of the tests (unit/arch/sys_arch.c). */
#define LWIP_TESTMODE 1
#define TCPIP_THREAD_TEST
#define LWIP_NETCONN_FULLDUPLEX     1
#define LWIP_NETCONN_SEM_PER_THREAD 1
#undef SYS_LIGHTWEIGHT_PROT
#define SYS_LIGHTWEIGHT_PROT 0
#undef UNLOCK_TCPIP_CORE
#define UNLOCK_TCPIP_CORE() sys_mutex_unlock(&lock_tcpip_core)

/* The tests have interfaces of their own, which need all checksums. */
#undef LWIP_CHKSUM_SEND
#define LWIP_CHKSUM_SEND(netif, packet, protocol, bytes, from, to) \
        ip_chksum_pseudo(packet, protocol, bytes, from, to)

/* The tests count segments. Nothing cuts large ones here, so none is larger than the MSS. */
#undef LWIP_SEGMENT_BYTES
#define LWIP_SEGMENT_BYTES(pcb) ((pcb)->mss)

/* The tests' interfaces have no session, whose buffers limit the size of a datagram in novanet. */
#undef LWIP_DATAGRAM_BYTES
#define LWIP_DATAGRAM_BYTES() LWIP_DATAGRAM_MAX

/* The tests' sockets receive all data that arrives. */
#undef LWIP_POOL_REFUSES
#define LWIP_POOL_REFUSES(conn, data) 0
#undef LWIP_HOOK_TCP_INPACKET_PCB

/* The tests read these counts. */
#define MIB2_STATS 1
#undef ETHARP_STATS
#undef IPFRAG_STATS
#undef TCP_STATS
#undef UDP_STATS

/* Without novanet's hooks: the tests compare a connection's first number with lwIP's own, and they
 * have no configured gateway. */
#undef LWIP_HOOK_TCP_ISN
#undef LWIP_HOOK_ND6_GET_GW

/* DNS allocates memory at the start, which the tests would count. */
#undef LWIP_DNS
#define LWIP_DNS 0

/* A test expects an error of the second read at the end of a stream. */
#undef LWIP_END_STAYS
#define LWIP_END_STAYS 0

/* The tests are written for these sizes, and for chains of small buffers. */
#define MEMP_NUM_SYS_TIMEOUT (LWIP_NUM_SYS_TIMEOUT_INTERNAL + 8)
#undef PBUF_POOL_BUFSIZE
#define PBUF_POOL_BUFSIZE 600
#undef PBUF_POOL_SIZE
#define PBUF_POOL_SIZE 400
#undef TCP_WND
#define TCP_WND (10 * TCP_MSS)
#undef TCP_SND_BUF
#define TCP_SND_BUF (12 * TCP_MSS)

/* Features of lwIP that novanet does not use, or uses differently. */
#undef DHCP_DOES_ARP_CHECK
#define ETHARP_SUPPORT_STATIC_ENTRIES  1
#define LWIP_IGMP                      1
#define LWIP_MDNS_RESPONDER            1
#define LWIP_NETBUF_RECVINFO           1
#define LWIP_NETIF_EXT_STATUS_CALLBACK 1
#define LWIP_NUM_NETIF_CLIENT_DATA     1
#define LWIP_WND_SCALE                 1
#define TCP_RCV_SCALE                  0
#undef LWIP_COMPAT_SOCKETS
#define LWIP_COMPAT_SOCKETS 1
#undef LWIP_POSIX_SOCKETS_IO_NAMES
#define LWIP_POSIX_SOCKETS_IO_NAMES 1

#endif
