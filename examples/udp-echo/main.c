/* SPDX-License-Identifier: BSD-2-Clause */
/* Returns each datagram that arrives at port 7, until one has the word `end`. Arguments: the name
 * of the network service, and an address; without an address, the program gets one by DHCP. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "novanet/ip.h"

static char data[1472];

/* Returns true if the datagram is the word `end`. A terminal sends the end of the line, too. */
static bool is_end(size_t bytes)
{
        return (bytes == 3 || (bytes == 4 && data[3] == '\n')) && memcmp(data, "end", 3) == 0;
}

/* Returns datagrams until one is the word `end`. @return 0, or -1 with errno */
static int echo(void)
{
        struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(7)}, from;
        const int number = socket(AF_INET, SOCK_DGRAM, 0);
        socklen_t size;
        ssize_t got;

        if (number < 0 || bind(number, (struct sockaddr *)&here, sizeof(here)) < 0)
                return -1;
        for (;;) {
                size = sizeof(from);
                got = recvfrom(number, data, sizeof(data), 0, (struct sockaddr *)&from, &size);
                if (got < 0)
                        return -1;
                if (is_end((size_t)got))
                        return 0;
                printf("%d bytes\n", (int)got);
                if (sendto(number, data, (size_t)got, 0, (struct sockaddr *)&from, size) < 0)
                        return -1;
        }
}

int main(int argc, char **argv)
{
        const struct nova_ip_config config = {.service = argv[1],
                                              .address = argc > 2 ? argv[2] : NULL};
        char text[NOVA_IP_TEXT];
        int error;

        if (argc < 2)
                return 1;
        error = nova_ip_start(&config);
        if (error) {
                printf("no address: %s.\n", nova_ip_why(error));
                return 1;
        }
        printf("%s waits at port 7\n", nova_ip_address(text));
        if (echo() < 0)
                perror("echo");
        return 0;
}
