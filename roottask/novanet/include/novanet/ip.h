/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet protocols of a program: addresses, and the start of lwIP, whose functions for
 * sockets have their POSIX names (sys/socket.h, netdb.h, poll.h). */
#ifndef NOVANET_IP_H
#define NOVANET_IP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Configuration of a program's connection. */
struct nova_ip_config {
        const char *service;     /**< network service: a driver, or `switch` */
        const char *address;     /**< such as "10.0.0.2"; NULL: DHCP */
        const char *mask;        /**< NULL: "255.255.255.0"; not used with DHCP */
        const char *gateway;     /**< NULL: none; not used with DHCP */
        const char *name_server; /**< a name server from DHCP replaces it; NULL: none */
        uint64_t wait_ns;        /**< time to wait for DHCP; 0: ten seconds */
        const char *address6;    /**< such as "fd00::2", with a 64-bit prefix; NULL: made from
                                      the prefix that a router announces */
        const char *gateway6;    /**< NULL: a router that announces itself */
};

/**
 * Opens a session with a service, starts lwIP, and waits until the program has an address. Call it
 * once, before all functions for sockets. It takes 0.3 s to find out whether another machine has
 * the configured IPv4 address, and one to two seconds for an IPv6 address.
 * @code
 * const struct nova_ip_config config = {.service = "switch"};
 * char text[NOVA_IP_TEXT];
 *
 * const int error = nova_ip_start(&config);
 *
 * if (error)
 *         printf("no address: %s.\n", nova_ip_why(error));
 * else
 *         printf("%s\n", nova_ip_address(text));
 * @endcode
 * @param config the connection
 * @retval 0          done; if DHCP did not answer, the program has only an IPv6 address
 * @retval EADDRINUSE another machine has the configured address, so the program does not use it
 * @retval EALREADY   it was called before, and opened the session; so a program cannot try another
 *                    address after EADDRINUSE, ENETDOWN or ETIMEDOUT
 * @retval EINVAL     an address cannot be read, or no single machine can have it
 * @retval ENETDOWN   no address came by DHCP, because the card has no cable; lwIP keeps asking
 * @retval ETIMEDOUT  no address came by DHCP; lwIP keeps asking, and sockets work once one has come
 * @return other values as for nova_net_open()
 */
int nova_ip_start(const struct nova_ip_config *config);

/** Returns the reason for an @p error of nova_ip_start(), or for an error EAI_… of getaddrinfo(),
 * as the end of a sentence, with the remedy if there is one. For other errors, returns strerror()
 */
const char *nova_ip_why(int error);

#define NOVA_IP_TEXT  16 /**< size of the text of an address */
#define NOVA_IP6_TEXT 46 /**< size of the text of an IPv6 address */

/** Writes the program's present IPv4 address. @return @p text; "0.0.0.0": none yet */
char *nova_ip_address(char text[NOVA_IP_TEXT]);

/** Writes the program's present IPv6 address: the configured one, or one with a router's prefix, or
 * the link-local one, which begins with "fe80". @return @p text; "::": none yet */
char *nova_ip_address6(char text[NOVA_IP6_TEXT]);

#ifdef __cplusplus
}
#endif

#endif
