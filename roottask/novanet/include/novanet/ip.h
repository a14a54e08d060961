/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet protocols of a program: addresses, and the start of lwIP, whose functions for
 * sockets have their POSIX names (sys/socket.h, netdb.h, poll.h). */
#ifndef NOVANET_IP_H
#define NOVANET_IP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a program is connected. */
struct nova_ip_config {
        const char *service;     /**< service with frames: a driver, or `switch` */
        const char *address;     /**< such as "10.0.0.2"; NULL: DHCP */
        const char *mask;        /**< NULL: "255.255.255.0"; not used with DHCP */
        const char *gateway;     /**< NULL: none; not used with DHCP */
        const char *name_server; /**< NULL: none; not used with DHCP */
        uint64_t wait_ns;        /**< time to wait for DHCP; 0: ten seconds */
};

/**
 * Opens a session with a service, starts lwIP, and waits until the program has an address. Call it
 * once, before all functions for sockets.
 * @code
 * const struct nova_ip_config config = {.service = "switch"};
 * char text[NOVA_IP_TEXT];
 *
 * if (nova_ip_start(&config) == 0)
 *         printf("%s\n", nova_ip_address(text));
 * @endcode
 * @param config the connection
 * @retval 0         done
 * @retval EALREADY  it was called before
 * @retval EINVAL    an address cannot be read
 * @retval ETIMEDOUT no address came by DHCP; lwIP keeps asking, and sockets work once it has come
 * @return other values as nova_net_open()
 */
int nova_ip_start(const struct nova_ip_config *config);

#define NOVA_IP_TEXT 16 /**< size of the text of an address */

/** Writes the program's present address. @return @p text; "0.0.0.0": none yet */
char *nova_ip_address(char text[NOVA_IP_TEXT]);

#ifdef __cplusplus
}
#endif

#endif
