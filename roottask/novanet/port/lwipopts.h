/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration of lwIP for novanet. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS                  0
#define SYS_LIGHTWEIGHT_PROT    1
#define LWIP_TCPIP_CORE_LOCKING 1
#define LWIP_IPV4               1
#define LWIP_IPV6               1
#define LWIP_NETIF_LOOPBACK     1
#define LWIP_HAVE_LOOPIF        1
#define LWIP_LOOPBACK_MAX_PBUFS 64
#define LWIP_ARP                1
#define LWIP_ICMP               1
#define LWIP_DHCP               1
#define LWIP_DNS                1
#define LWIP_SOCKET             1
#define LWIP_NETCONN            1
#define LWIP_SO_RCVTIMEO        1
#define LWIP_SO_SNDTIMEO        1
#define LWIP_SO_RCVBUF          1
#define SO_REUSE                1
#define LWIP_TCP_KEEPALIVE      1
#define LWIP_STATS              1 /* the numbers of objects, for tests */
#define LWIP_STATS_LARGE        1
#define MEM_STATS               1
#define LINK_STATS              0
#define ETHARP_STATS            0
#define IP_STATS                0
#define IPFRAG_STATS            0
#define ICMP_STATS              0
#define UDP_STATS               0
#define TCP_STATS               0
#define SYS_STATS               0
#define IP6_STATS               0
#define IP6_FRAG_STATS          0
#define ICMP6_STATS             0
#define MLD6_STATS              0
#define ND6_STATS               0
#define LWIP_ERRNO_STDINCLUDE   1
#define LWIP_TIMEVAL_PRIVATE    0
#define DHCP_DOES_ARP_CHECK     0 /* a check would delay each start by a second */
#define DNS_MAX_RETRIES         3 /* so each server gets four seconds */
#define IPV6_FRAG_COPYHEADER    1 /* a pointer of 64 bits does not fit into a header */

/* When a thread releases the lock, ../src/interface.c submits the thread's queued frames. */
#define LOCK_TCPIP_CORE()   sys_mutex_lock(&lock_tcpip_core)
#define UNLOCK_TCPIP_CORE() novanet_unlock()

/* ../src/interface.c checks the checksums of frames that it joins. */
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1

/* novart/internet_sum.h */
#define LWIP_CHKSUM(data, bytes) nova_internet_sum(data, (size_t)(bytes))

/* ../src/interface.c leaves out checksums that the service or the receiver fills in. */
#define LWIP_CHKSUM_SEND(netif, packet, protocol, bytes, from, to) \
        novanet_sum_to_send(netif, packet, protocol, bytes, from, to)

/* ../src/interface.c cuts segments into frames (../patches/8-large-segments.patch). */
#define LWIP_SEGMENT_BYTES(pcb) novanet_segment_bytes(&(pcb)->remote_ip, (pcb)->mss)

/* Size of the largest datagram that a session can send (../patches/9-socket-errors.patch). */
#define LWIP_DATAGRAM_BYTES() novanet_datagram_bytes()

/* A socket with unread data gets no more buffers than are free beyond a reserve (../src/pool.c,
 * ../patches/12-unread.patch). */
#define LWIP_POOL_REFUSES(conn, data) novanet_pool_refuses(conn, data)
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, header, options, first, second, data) \
        novanet_take_segment(pcb, header, data)

/* The initial sequence number of a connection, and the configured gateway (../src/ip.c). */
#define LWIP_HOOK_TCP_ISN(here, port, there, their_port) novanet_random()
#define LWIP_HOOK_ND6_GET_GW(netif, address)             novanet_find_gateway(address)

/* The functions for sockets have their POSIX names. read(), write() and close() are the runtime's.
 * For a socket they call the function of lwIP. The numbers of sockets begin at LWIP_SOCKET_OFFSET,
 * after those of files. */
#define LWIP_COMPAT_SOCKETS         2
#define LWIP_POSIX_SOCKETS_IO_NAMES 0
#define LWIP_SOCKET_OFFSET          35

#define LWIP_END_STAYS 1 /* each recv() at the end of a stream returns 0 */

/* Sizes. The number of objects of each kind is fixed, so that other machines cannot use up the
 * program's memory. Data that the program sends lies in memory from malloc(). */
#define MEM_LIBC_MALLOC           1
#define MEMP_MEM_MALLOC           0
#define MEM_ALIGNMENT             16
#define NUM_SOCKETS               24
#define MEMP_NUM_NETCONN          64 /* sockets, and connections that wait for accept() */
#define MEMP_NUM_NETBUF           256
#define MEMP_NUM_TCP_PCB          64 /* see ../patches/4-half-open.patch */
#define MEMP_NUM_TCP_PCB_LISTEN   16
#define MEMP_NUM_UDP_PCB          32
#define MEMP_NUM_TCPIP_MSG_INPKT  128
#define MEMP_NUM_PBUF             64
#define MEMP_NUM_NETDB            4
#define PBUF_POOL_SIZE            304
#define IPV6_REASS_MAXAGE         15 /* seconds, as for IPv4 */
#define PBUF_POOL_BUFSIZE         1600
#define IP_REASS_MAX_PBUFS        48    /* fragments that wait, for each of IPv4 and IPv6 */
#define LWIP_DATAGRAM_MAX         46328 /* bytes; ../src/interface.c checks the value */
#define TCP_MSS                   1460
#define TCP_WND                   (28 * TCP_MSS) /* ../src/interface.c has 32 buffers */
#define TCP_SND_BUF               (28 * TCP_MSS)
#define TCP_SND_QUEUELEN          128
#define MEMP_NUM_TCP_SEG          1024
#define TCPIP_MBOX_SIZE           128
#define DEFAULT_TCP_RECVMBOX_SIZE 64
#define DEFAULT_UDP_RECVMBOX_SIZE 64
#define DEFAULT_ACCEPTMBOX_SIZE   16
#define TCPIP_THREAD_NAME         "tcpip"
#define TCPIP_THREAD_STACKSIZE    32768
#define TCPIP_THREAD_PRIO         0

#endif
