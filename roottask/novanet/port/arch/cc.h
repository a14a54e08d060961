/* SPDX-License-Identifier: BSD-2-Clause */
/* The compiler and the C library, for lwIP. */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/types.h>

#include "novart/internet_sum.h"

#ifndef SSIZE_MAX
#define SSIZE_MAX LONG_MAX /* the type is in sys/types.h */
#endif

typedef int sys_prot_t;

struct ip6_addr;
struct ip_addr;
struct netconn;
struct netif;
struct pbuf;
struct tcp_hdr;
struct tcp_pcb;

uint16_t novanet_sum_to_send(const struct netif *to, struct pbuf *packet, uint8_t protocol,
                             uint16_t bytes, const struct ip_addr *source,
                             const struct ip_addr *destination);
uint16_t novanet_segment_bytes(const struct ip_addr *destination, uint16_t most);
uint16_t novanet_datagram_bytes(void);
bool novanet_pool_refuses(const struct netconn *conn, const struct pbuf *data);
int8_t novanet_take_segment(struct tcp_pcb *pcb, const struct tcp_hdr *header,
                            const struct pbuf *data);
void novanet_unlock(void);
uint32_t novanet_random(void);
const struct ip6_addr *novanet_find_gateway(const struct ip6_addr *destination);
#define NOVANET_DNS_TRUNCATED 16 /* no error of a server has this number */
extern int novanet_dns_answer;   /* see ../../src/names.c; patches/1-dns-answer.patch sets it */

#define LWIP_RAND() novanet_random()
#define LWIP_PLATFORM_DIAG(text) \
        do {                     \
                printf text;     \
        } while (0)
#define LWIP_PLATFORM_ASSERT(text)          \
        do {                                \
                printf("lwIP: %s\n", text); \
                abort();                    \
        } while (0)

#endif
