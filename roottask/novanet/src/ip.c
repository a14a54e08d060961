/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts lwIP with the addresses of a configuration, or with addresses from the network. */
#include "novanet/ip.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>

#include "calls.h"
#include "interface.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/tcpip.h"
#include "novart/time.h"

#define WAIT_NS   10000000000
#define PAUSE_NS  10000000
#define PROBES    3
#define PROBE_NS  100000000
#define STATIC_IP 1 /* index of the configuration's IPv6 address; 0 is the link-local one */

/* The addresses of a configuration. */
struct addresses {
        ip4_addr_t own, mask, gateway;
        ip6_addr_t own6, gateway6;
        ip_addr_t name_server;
};

static bool started;
static ip6_addr_t gateway6; /* unspecified: uses a router that announces itself */

static bool read4(const char *text, const char *otherwise, ip4_addr_t *address)
{
        return ip4addr_aton(text ? text : otherwise, address);
}

static bool read6(const char *text, ip6_addr_t *address)
{
        return ip6addr_aton(text ? text : "::", address);
}

/* Returns true if the IPv4 address can belong to a single machine. */
static bool is_own4(const struct addresses *addresses)
{
        const uint32_t own = lwip_ntohl(addresses->own.addr), mask = addresses->mask.addr;
        const uint32_t rest = ~lwip_ntohl(mask), host = own & rest;

        return own >> 24 && own >> 24 != IP_LOOPBACKNET && !IP_MULTICAST(own) &&
               !IP_BADCLASS(own) && ip4_addr_netmask_valid(mask) &&
               (rest < 2 || (host && host != rest)); /* RFC 3021 */
}

static bool is_own6(const ip6_addr_t *address)
{
        return !ip6_addr_isany(address) && !ip6_addr_isloopback(address) &&
               !ip6_addr_ismulticast(address);
}

static int read_addresses(const struct nova_ip_config *config, struct addresses *addresses)
{
        const char *server = config->name_server ? config->name_server : "0.0.0.0";
        const bool good = config->service && read4(config->address, "0.0.0.0", &addresses->own) &&
                          read4(config->mask, "255.255.255.0", &addresses->mask) &&
                          read4(config->gateway, "0.0.0.0", &addresses->gateway) &&
                          read6(config->address6, &addresses->own6) &&
                          read6(config->gateway6, &addresses->gateway6) &&
                          ipaddr_aton(server, &addresses->name_server) &&
                          (!config->address || is_own4(addresses)) &&
                          (!config->address6 || is_own6(&addresses->own6));

        return good ? 0 : EINVAL;
}

const struct ip6_addr *novanet_find_gateway(const struct ip6_addr *destination)
{
        (void)destination;
        return ip6_addr_isany(&gateway6) ? NULL : &gateway6;
}

/* Asks for a limited time whether another machine has the IPv4 address. Takes the address if no
 * machine answers. */
static int take_address(const struct addresses *addresses)
{
        novanet_watch(&addresses->own);
        for (unsigned i = 0; i < PROBES; i++) {
                LOCK_TCPIP_CORE();
                etharp_request(&novanet_interface, &addresses->own);
                UNLOCK_TCPIP_CORE();
                nova_sleep(PROBE_NS);
                if (novanet_is_taken())
                        return EADDRINUSE;
        }
        LOCK_TCPIP_CORE();
        netif_set_addr(&novanet_interface, &addresses->own, &addresses->mask, &addresses->gateway);
        UNLOCK_TCPIP_CORE();
        return 0;
}

/* Brings the interface up, with the IPv6 addresses. Starts DHCP if the configuration has no IPv4
 * address. */
static void set_up(const struct addresses *addresses, const struct nova_ip_config *config)
{
        LOCK_TCPIP_CORE();
        novanet_add_interface();
        netif_create_ip6_linklocal_address(&novanet_interface, 1);
        novanet_interface.ip6_autoconfig_enabled = !config->address6;
        gateway6 = addresses->gateway6;
        ip6_addr_assign_zone(&gateway6, IP6_UNICAST, &novanet_interface);
        netif_set_up(&novanet_interface);
        if (config->address6) {
                netif_ip6_addr_set(&novanet_interface, STATIC_IP, &addresses->own6);
                netif_ip6_addr_set_state(&novanet_interface, STATIC_IP, IP6_ADDR_TENTATIVE);
        }
        if (!config->address)
                dhcp_start(&novanet_interface);
        if (config->name_server)
                dns_setserver(0, &addresses->name_server);
        UNLOCK_TCPIP_CORE();
}

static u8_t get_state(s8_t index)
{
        u8_t state;

        LOCK_TCPIP_CORE();
        state = netif_ip6_addr_state(&novanet_interface, index);
        UNLOCK_TCPIP_CORE();
        return state;
}

/* Waits until lwIP has found out whether another machine has the IPv6 address. */
static int wait_for_address6(void)
{
        while (ip6_addr_istentative(get_state(STATIC_IP)))
                nova_sleep(PAUSE_NS);
        return ip6_addr_isvalid(get_state(STATIC_IP)) ? 0 : EADDRINUSE;
}

/* Finds a valid IPv6 address: the link-local address only if there is no other.
 * @return its index; -1: none */
static int find_address6(void)
{
        for (int i = LWIP_IPV6_NUM_ADDRESSES - 1; i >= 0; i--) {
                if (ip6_addr_isvalid(netif_ip6_addr_state(&novanet_interface, i)))
                        return i;
        }
        return -1;
}

/* Waits for DHCP. If no answer comes in time, an IPv6 address other than the link-local address is
 * enough. */
static int wait_for_address(uint64_t wait_ns)
{
        const uint64_t end = nova_time_ns() + (wait_ns ? wait_ns : WAIT_NS);
        int found;

        while (ip4_addr_isany_val(*netif_ip4_addr(&novanet_interface))) {
                if (nova_time_ns() > end) {
                        LOCK_TCPIP_CORE();
                        found = find_address6();
                        UNLOCK_TCPIP_CORE();
                        if (found > 0)
                                return 0;
                        return novanet_has_cable() ? ETIMEDOUT : ENETDOWN;
                }
                nova_sleep(PAUSE_NS);
        }
        return 0;
}

int nova_ip_start(const struct nova_ip_config *config)
{
        struct addresses addresses;
        int error = read_addresses(config, &addresses);

        if (error)
                return error;
        if (started)
                return EALREADY;
        error = novanet_open(config->service);
        if (error)
                return error;
        started = true;
        tcpip_init(NULL, NULL);
        novanet_use_calls();
        set_up(&addresses, config);
        error = novanet_start_thread();
        if (!error && config->address)
                error = take_address(&addresses);
        if (!error && config->address6)
                error = wait_for_address6();
        if (!error && !config->address)
                error = wait_for_address(config->wait_ns);
        return error;
}

const char *nova_ip_why(int error)
{
        switch (error) {
        case EACCES:
                return "the description does not let the program use the service; name it after "
                       "'uses'";
        case EADDRINUSE:
                return "another machine has the configured address; choose another one";
        case EALREADY:
                return "the program has called nova_ip_start() before";
        case EBUSY:
                return "another program has the card, or this one has a port of the switch "
                       "already; use a switch, or one connection";
        case EINVAL:
                return "the service or an address is missing, cannot be read, or is not that of "
                       "one machine";
        case ENOMEM:
                return "the program or its service has too little memory; write more 'memory' or "
                       "'kernel-memory' for it";
        case ENETDOWN:
                return "the card has no cable, so no address came by DHCP; plug one in";
        case ETIMEDOUT:
                return "no machine answered DHCP; start a DHCP server, or configure an address";
        default:
                return error >= EAI_NONAME && error <= EAI_SOCKTYPE ? gai_strerror(error)
                                                                    : strerror(error);
        }
}

char *nova_ip_address(char text[NOVA_IP_TEXT])
{
        return ip4addr_ntoa_r(netif_ip4_addr(&novanet_interface), text, NOVA_IP_TEXT);
}

char *nova_ip_address6(char text[NOVA_IP6_TEXT])
{
        int index;

        LOCK_TCPIP_CORE();
        index = find_address6();
        ip6addr_ntoa_r(index < 0 ? ip_2_ip6(IP6_ADDR_ANY)
                                 : netif_ip6_addr(&novanet_interface, index),
                       text, NOVA_IP6_TEXT);
        UNLOCK_TCPIP_CORE();
        return text;
}
