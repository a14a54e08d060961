/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends three datagrams to the program of main.c, and then the word `end`. Arguments: the name of
 * the network service, the program's own address, the address of the other program. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "novanet/ip.h"

/* Sends a text until it comes back. @return false: it has not come back */
static bool ask(int number, const struct sockaddr_in *to, const char *text)
{
        char answer[16];

        for (int tries = 0; tries < 50; tries++) {
                sendto(number, text, strlen(text), 0, (const struct sockaddr *)to, sizeof(*to));
                if (recv(number, answer, sizeof(answer), 0) == (ssize_t)strlen(text) &&
                    memcmp(answer, text, strlen(text)) == 0)
                        return true;
        }
        return false;
}

int main(int argc, char **argv)
{
        static const char *const texts[] = {"one", "three", "fifteen"};
        const struct nova_ip_config config = {.service = argv[1],
                                              .address = argc > 2 ? argv[2] : NULL};
        const struct timeval patience = {.tv_usec = 100000};
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7)};
        int error = argc < 4 || !inet_aton(argv[3], &to.sin_addr) ? EINVAL : nova_ip_start(&config);
        int number, good = 0;

        if (error) {
                printf("no address: %s.\n", nova_ip_why(error));
                return 1;
        }
        number = socket(AF_INET, SOCK_DGRAM, 0);
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        for (int i = 0; i < 3; i++)
                good += ask(number, &to, texts[i]);
        printf("%d of 3 datagrams came back\n", good);
        sendto(number, "end\n", 4, 0, (struct sockaddr *)&to, sizeof(to));
        return good != 3;
}
