/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints the result of nova_ip_start(). Arguments: the service, the addresses of IPv4 and IPv6; `-`
 * is none. Before, it makes two calls that fail at once, and afterwards a second one. machines.py
 * is outside. */
#include <stdio.h>
#include <string.h>

#include "novanet/ip.h"

static const char *read(const char *word)
{
        return strcmp(word, "-") ? word : NULL;
}

/* Prints the sentence about a call with a service and an address. */
static void start(const char *service, const char *address)
{
        const struct nova_ip_config config = {.service = service, .address = address};

        printf("%s, %s: %s\n", service, address, nova_ip_why(nova_ip_start(&config)));
}

int main(int argc, char **argv)
{
        struct nova_ip_config config = {.wait_ns = 2000000000};
        char text[NOVA_IP_TEXT], text6[NOVA_IP6_TEXT];
        int error;

        if (argc != 4)
                return 1;
        config.service = argv[1];
        config.address = read(argv[2]);
        config.address6 = read(argv[3]);
        start(argv[1], "what");
        start("absent", "10.0.0.9");
        error = nova_ip_start(&config);
        printf("%s, the address is %s\n", error ? nova_ip_why(error) : "started",
               nova_ip_address(text));
        if (!error)
                printf("the IPv6 address is %s\n", nova_ip_address6(text6));
        start(argv[1], "10.0.0.9");
        return 0;
}
