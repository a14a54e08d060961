/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints the results of calls of nova_ip_start(). Arguments: the service, an IPv4 address, and an
 * IPv6 address; `-` means none. First the program makes calls that fail at once, then the call with
 * the arguments, then another one. machines.py simulates the other machines of the network. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "novanet/ip.h"

static const char *read(const char *word)
{
        return strcmp(word, "-") ? word : NULL;
}

/* Returns the error of a call with a service and addresses. */
static int try(const char *service, const char *address, const char *address6, const char *mask)
{
        const struct nova_ip_config config = {
                .service = service, .address = address, .address6 = address6, .mask = mask};

        return nova_ip_start(&config);
}

/* Tries addresses that no single machine may have. @return number of refused addresses */
static unsigned try_wrong(const char *service)
{
        static const char *const wrong[][3] = {
                {"0.0.0.0"},        {"0.0.0.9"},         {"127.0.0.1"},
                {"224.0.0.1"},      {"240.0.0.1"},       {"255.255.255.255"},
                {"10.0.0.0"},       {"10.0.0.255"},      {"10.0.0.9", NULL, "255.0.255.0"},
                {"10.0.0.9", "::"}, {"10.0.0.9", "::1"}, {"10.0.0.9", "ff02::1"}};
        unsigned refused = 0;

        for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
                refused += try(service, wrong[i][0], wrong[i][1], wrong[i][2]) == EINVAL;
        return refused;
}

/* Prints the sentence about a call with a service and an address. */
static void start(const char *service, const char *address)
{
        printf("%s, %s: %s\n", service, address, nova_ip_why(try(service, address, NULL, NULL)));
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
        printf("%u of 12 addresses of no machine were refused\n", try_wrong(argv[1]));
        start("absent", "10.0.0.9");
        error = nova_ip_start(&config);
        printf("%s, the address is %s\n", error ? nova_ip_why(error) : "started",
               nova_ip_address(text));
        if (!error)
                printf("the IPv6 address is %s\n", nova_ip_address6(text6));
        start(argv[1], "10.0.0.9");
        return 0;
}
