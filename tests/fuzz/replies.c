/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes lwIP with the answers of other machines to a machine that joins a network: DHCP, DNS, ARP
 * and neighbour discovery of IPv6. lwIP must return all memory, and must ignore an answer that has
 * a wrong identifier, comes from a wrong server, or has passed a router. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/inet_chksum.h"
#include "lwip/init.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/prot/dhcp.h"
#include "lwip/prot/dns.h"
#include "lwip/prot/icmp6.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/udp.h"
#include "lwip/snmp.h"
#include "lwip/stats.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

#define ETHERNET    14
#define FRAME_MAX   1514
#define TICK_MS     100
#define TICKS_MAX   50
#define DNS_TRIES   40 /* seconds until lwIP gives up a name */
#define NAME_BYTES  16
#define DHCP_MAGIC  240 /* bytes before the options */
#define PORT_DNS    53
#define PORT_CLIENT 68

/* Steps of the input. Each has a byte that selects one of these, the number of bytes that follow,
 * and these bytes. */
enum { WAIT, ASK, DHCP_ANSWER, DNS_ANSWER, ARP_FRAME, NEIGHBOUR, FRAME, STEPS };

/* lwIP's state that answers may change: addresses, servers, neighbours. */
struct state {
        ip4_addr_t own, mask, gateway;
        ip_addr_t own6[LWIP_IPV6_NUM_ADDRESSES];
        uint8_t states[LWIP_IPV6_NUM_ADDRESSES];
        ip_addr_t servers[DNS_MAX_SERVERS];
        struct nd6_router_list_entry routers[LWIP_ND6_NUM_ROUTERS];
        struct nd6_prefix_list_entry prefixes[LWIP_ND6_NUM_PREFIXES];
        unsigned answered;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int novanet_dns_answer;

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1}, their_mac[6] = {2, 0, 0, 0, 0, 2};
static struct netif card;
static uint32_t now_ms, random_state, dhcp_number;
static uint16_t dns_number, dns_port;
static unsigned asked, answered, names;
static char name[NAME_BYTES];
static bool name_is_6;
static uint8_t frame[FRAME_MAX];
static mem_size_t memory_before, before[MEMP_MAX];

static _Noreturn void fail(const char *what)
{
        fprintf(stderr, "replies: %s\n", what);
        abort();
}

u32_t sys_now(void)
{
        return now_ms;
}

/* Returns the maximum size of a segment unchanged: no card divides segments here. */
uint16_t novanet_segment_bytes(const struct ip_addr *destination, uint16_t most)
{
        (void)destination;
        return most;
}

uint32_t novanet_random(void)
{
        random_state = random_state * 1664525 + 1013904223;
        return random_state;
}

uint16_t nova_internet_sum(const void *data, size_t bytes)
{
        const uint8_t *at = data;
        uint32_t sum = 0;

        for (size_t i = 0; i < bytes; i++)
                sum += (uint32_t)at[i] << (i % 2 ? 8 : 0);
        while (sum > UINT16_MAX)
                sum = (sum & UINT16_MAX) + (sum >> 16);
        return (uint16_t)sum;
}

static unsigned get16(const uint8_t *at)
{
        return (unsigned)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, unsigned value)
{
        at[0] = (uint8_t)(value >> 8);
        at[1] = (uint8_t)value;
}

/* Notes the number of a question that lwIP sends, because answers repeat it. */
static err_t output(struct netif *of, struct pbuf *packet)
{
        static uint8_t sent[FRAME_MAX];
        const unsigned bytes = pbuf_copy_partial(packet, sent, sizeof(sent), 0);
        const uint8_t *udp = sent + ETHERNET + IP_HLEN;

        (void)of;
        if (packet->tot_len > FRAME_MAX)
                abort();
        if (bytes < ETHERNET + IP_HLEN + UDP_HLEN + DHCP_MAGIC || get16(sent + 12) != ETHTYPE_IP) {
                if (bytes < ETHERNET + IP_HLEN + UDP_HLEN + 2 || get16(sent + 12) != ETHTYPE_IP)
                        return ERR_OK;
        } else if (get16(udp) == PORT_CLIENT) {
                memcpy(&dhcp_number, udp + UDP_HLEN + 4, sizeof(dhcp_number));
        }
        if (get16(udp + 2) == PORT_DNS) {
                dns_port = (uint16_t)get16(udp);
                dns_number = (uint16_t)get16(udp + UDP_HLEN);
        }
        return ERR_OK;
}

static err_t init(struct netif *of)
{
        of->mtu = 1500;
        of->hwaddr_len = sizeof(mac);
        memcpy(of->hwaddr, mac, sizeof(mac));
        of->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
                    NETIF_FLAG_LINK_UP | NETIF_FLAG_MLD6;
        of->output = etharp_output;
        of->output_ip6 = ethip6_output;
        of->linkoutput = output;
        return ERR_OK;
}

static void found(const char *of, const ip_addr_t *address, void *context)
{
        (void)of, (void)address, (void)context;
        answered++;
}

static struct state read_state(void)
{
        struct state state;

        memset(&state, 0, sizeof(state));
        state.own = *netif_ip4_addr(&card);
        state.mask = *netif_ip4_netmask(&card);
        state.gateway = *netif_ip4_gw(&card);
        for (size_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
                state.own6[i] = card.ip6_addr[i];
                state.states[i] = netif_ip6_addr_state(&card, i);
        }
        for (uint8_t i = 0; i < DNS_MAX_SERVERS; i++)
                state.servers[i] = *dns_getserver(i);
        memcpy(state.routers, default_router_list, sizeof(state.routers));
        memcpy(state.prefixes, prefix_list, sizeof(state.prefixes));
        state.answered = answered;
        return state;
}

/* Receives a frame as the card does. @param believable whether the frame may change the state */
static void receive(size_t bytes, bool believable)
{
        struct pbuf *packet = pbuf_alloc(PBUF_RAW, (u16_t)bytes, PBUF_POOL);
        const struct state old = read_state();
        struct state new;

        if (!packet)
                abort();
        pbuf_take(packet, frame, (u16_t)bytes);
        if (ethernet_input(packet, &card) != ERR_OK)
                pbuf_free(packet);
        new = read_state();
        if (!believable && memcmp(&old, &new, sizeof(old)) != 0)
                fail("lwIP has accepted a wrong answer");
}

static void begin_frame(unsigned type)
{
        memset(frame, 0, sizeof(frame));
        memcpy(frame, mac, sizeof(mac));
        memcpy(frame + 6, their_mac, sizeof(their_mac));
        put16(frame + 12, type);
}

/* Receives a datagram whose data is in the frame. */
static void receive_udp(unsigned from, unsigned to, const uint8_t source[4], size_t bytes,
                        bool believable)
{
        static const uint8_t all[4] = {255, 255, 255, 255};
        uint8_t *const ip = frame + ETHERNET, *const udp = ip + IP_HLEN;
        const ip4_addr_t *own = netif_ip4_addr(&card);

        ip[0] = 0x45;
        put16(ip + 2, (unsigned)(IP_HLEN + UDP_HLEN + bytes));
        ip[8] = 64;
        ip[9] = IP_PROTO_UDP;
        memcpy(ip + 12, source, 4);
        memcpy(ip + 16, to == PORT_CLIENT ? (const void *)all : own, 4);
        put16(udp, from);
        put16(udp + 2, to);
        put16(udp + 4, (unsigned)(UDP_HLEN + bytes)); /* the sum is 0: there is none */
        const uint16_t sum = (uint16_t)~nova_internet_sum(ip, IP_HLEN);
        memcpy(ip + 10, &sum, sizeof(sum));
        receive(ETHERNET + IP_HLEN + UDP_HLEN + bytes, believable);
}

/* Sends an answer of DHCP. Byte 0: bit 0 another number, bit 1 another machine's address; byte 1:
 * type of the message. */
static void answer_dhcp(const uint8_t *data, size_t size)
{
        static const uint8_t server[4] = {10, 0, 0, 1}, offered[4] = {10, 0, 0, 5};
        static const uint8_t magic[4] = {0x63, 0x82, 0x53, 0x63};
        const uint8_t kind = data[0];
        uint8_t *at = frame + ETHERNET + IP_HLEN + UDP_HLEN;

        begin_frame(ETHTYPE_IP);
        memset(frame, 0xff, sizeof(mac));
        at[0] = DHCP_BOOTREPLY;
        at[1] = 1;
        at[2] = 6;
        memcpy(at + 4, &dhcp_number, sizeof(dhcp_number));
        at[7] ^= kind & 1;
        memcpy(at + 16, offered, sizeof(offered));
        memcpy(at + 28, mac, sizeof(mac));
        at[33] ^= kind >> 1 & 1;
        memcpy(at + 236, magic, sizeof(magic));
        at += DHCP_MAGIC;
        *at++ = DHCP_OPTION_MESSAGE_TYPE;
        *at++ = 1;
        *at++ = data[1];
        *at++ = DHCP_OPTION_SERVER_ID;
        *at++ = 4;
        memcpy(at, server, sizeof(server));
        at += sizeof(server);
        memcpy(at, data + 2, size - 2);
        at += size - 2;
        receive_udp(67, PORT_CLIENT, server, (size_t)(at - frame) - ETHERNET - IP_HLEN - UDP_HLEN,
                    !(kind & 3));
}

/* Sends an answer of DNS. Byte 0: bit 0 another number, bit 1 another server, bit 2 another port,
 * bit 3 no question. */
static void answer_dns(const uint8_t *data, size_t size)
{
        const uint8_t kind = data[0], wrong = kind & 7;
        const uint8_t source[4] = {10, 0, 0, kind & 2 ? 9 : 1};
        uint8_t *at = frame + ETHERNET + IP_HLEN + UDP_HLEN, *const begin = at;

        begin_frame(ETHTYPE_IP);
        put16(at, dns_number ^ (kind & 1));
        put16(at + 2, 0x8180 | (data[1] & 0x0f));
        put16(at + 4, 1);
        put16(at + 6, data[1] >> 4);
        at += SIZEOF_DNS_HDR;
        if (!(kind & 8)) {
                *at++ = (uint8_t)strcspn(name, ".");
                memcpy(at, name, at[-1]);
                at += at[-1];
                memcpy(at, "\4test\0\0", 7); /* and the first byte of the type */
                at += 7;
                *at++ = name_is_6 ? DNS_RRTYPE_AAAA : DNS_RRTYPE_A;
                put16(at, DNS_RRCLASS_IN);
                at += 2;
        }
        memcpy(at, data + 2, size - 2);
        at += size - 2;
        receive_udp(PORT_DNS, dns_port ^ (kind >> 2 & 1), source, (size_t)(at - begin), !wrong);
}

static void send_arp(const uint8_t *data, size_t size)
{
        static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0};

        begin_frame(ETHTYPE_ARP);
        if (data[0] & 1)
                memset(frame, 0xff, sizeof(mac));
        memcpy(frame + ETHERNET, data + 1, size - 1);
        if (data[0] & 2)
                memcpy(frame + ETHERNET, head, sizeof(head));
        receive(ETHERNET + (data[0] & 4 ? size - 1 : 28 + 18), true);
}

/* Sends a message of neighbour discovery. Byte 0: bit 0 it has passed a router, bit 1 to all, bit 2
 * from the unspecified address; byte 1: kind of the message. */
static void send_neighbour(const uint8_t *data, size_t size)
{
        const uint8_t kind = data[0];
        const size_t bytes = 2 + size - 2 + 2;
        uint8_t *const ip = frame + ETHERNET, *const message = ip + IP6_HLEN;
        struct pbuf *packet;
        ip6_addr_t source, to;
        uint16_t sum;

        begin_frame(ETHTYPE_IPV6);
        ip6addr_aton(kind & 4 ? "::" : "fe80::2", &source);
        ip6addr_aton("ff02::1", &to);
        if (!(kind & 2))
                to = *netif_ip6_addr(&card, 0);
        ip[0] = 0x60;
        put16(ip + 4, (unsigned)bytes);
        ip[6] = IP6_NEXTH_ICMP6;
        ip[7] = kind & 1 ? 64 : 255;
        memcpy(ip + 8, source.addr, 16);
        memcpy(ip + 24, to.addr, 16);
        message[0] = (uint8_t)(ICMP6_TYPE_RS + data[1] % 5);
        memcpy(message + 4, data + 2, size - 2);
        ip6_addr_clear_zone(&to);
        packet = pbuf_alloc(PBUF_RAW, (u16_t)bytes, PBUF_RAM);
        if (!packet)
                abort();
        pbuf_take(packet, message, (u16_t)bytes);
        sum = ip6_chksum_pseudo(packet, IP6_NEXTH_ICMP6, (u16_t)bytes, &source, &to);
        pbuf_free(packet);
        memcpy(message + 2, &sum, sizeof(sum));
        receive(ETHERNET + IP6_HLEN + bytes, !(kind & 1));
}

static void ask(bool v6)
{
        ip_addr_t address;

        name_is_6 = v6;
        snprintf(name, sizeof(name), "n%u.test", names++ % 100000);
        asked += dns_gethostbyname_addrtype(name, &address, found, NULL,
                                            v6 ? LWIP_DNS_ADDRTYPE_IPV6 : LWIP_DNS_ADDRTYPE_IPV4) ==
                 ERR_INPROGRESS;
}

static void wait(unsigned ticks)
{
        for (unsigned i = 0; i < ticks; i++) {
                now_ms += TICK_MS;
                sys_check_timeouts();
                netif_poll_all();
        }
}

static void step(unsigned kind, const uint8_t *data, size_t size)
{
        if (kind == WAIT)
                wait(1 + (size ? data[0] % TICKS_MAX : 0));
        else if (kind == ASK)
                ask(size % 2);
        else if (size < 2)
                return;
        else if (kind == DHCP_ANSWER)
                answer_dhcp(data, size);
        else if (kind == DNS_ANSWER)
                answer_dns(data, size);
        else if (kind == ARP_FRAME)
                send_arp(data, size);
        else if (kind == NEIGHBOUR)
                send_neighbour(data, size);
        else {
                begin_frame(get16(data));
                memcpy(frame + 12, data, size);
                receive(12 + size, true);
        }
}

/* Lets lwIP begin to use the network. */
static void begin(void)
{
        ip_addr_t server = IPADDR4_INIT_BYTES(10, 0, 0, 1);

        random_state = 1;
        asked = answered = 0;
        netif_add(&card, NULL, NULL, NULL, NULL, init, ethernet_input);
        netif_set_default(&card);
        netif_create_ip6_linklocal_address(&card, 1);
        netif_set_ip6_autoconfig_enabled(&card, 1);
        netif_set_up(&card);
        dns_setserver(0, &server);
        dns_setserver(1, NULL);
        dhcp_start(&card);
}

/* Ends everything. Questions and fragments end when their time is over, packets to the machine
 * itself when they are polled, and all other objects with the interface. */
static void end(void)
{
        for (unsigned i = 0; i < DNS_TRIES && answered < asked; i++)
                dns_tmr();
        for (unsigned i = 0; i <= IP_REASS_MAXAGE; i++)
                ip_reass_tmr();
        for (unsigned i = 0; i <= IPV6_REASS_MAXAGE; i++)
                ip6_reass_tmr();
        dhcp_release_and_stop(&card);
        netif_poll_all();
        dhcp_cleanup(&card);
        netif_remove(&card);
}

static void check_memory(void)
{
        if (answered != asked)
                fail("a question for a name does not end");
        if (lwip_stats.mem.used != memory_before)
                fail("memory is missing");
        for (unsigned i = 0; i < MEMP_MAX; i++)
                if (lwip_stats.memp[i]->used != before[i])
                        fail("an object is missing");
}

static void start(void)
{
        lwip_init();
        begin();
        end();
        memory_before = lwip_stats.mem.used;
        for (unsigned i = 0; i < MEMP_MAX; i++)
                before[i] = lwip_stats.memp[i]->used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static bool started;

        if (!started)
                start();
        started = true;
        begin();
        while (size >= 2) {
                const size_t bytes = data[1] < size - 2 ? data[1] : size - 2;

                step(data[0] % STEPS, data + 2, bytes);
                data += 2 + bytes;
                size -= 2 + bytes;
        }
        end();
        check_memory();
        return 0;
}
