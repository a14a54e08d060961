/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends lines to the server, and counts those that come back. Arguments: the network service,
 * the client's address, the server's address. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "novanet/ip.h"
#include "novart/time.h"

#define PORT     7777
#define PAUSE_NS 50000000
#define TRIES    100

/* Connects to the server, which may start later. @return the socket, or -1 */
static int connect_to(const char *address)
{
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};

        if (!inet_aton(address, &to.sin_addr))
                return -1;
        for (int i = 0; i < TRIES; i++) {
                const int number = socket(AF_INET, SOCK_STREAM, 0);

                if (!connect(number, (const struct sockaddr *)&to, sizeof(to)))
                        return number;
                close(number);
                nova_sleep(PAUSE_NS);
        }
        return -1;
}

/* Sends a line, and waits for the answer. @return false: the answer is not `expected` */
static bool ask(int number, const char *line, const char *expected)
{
        char answer[100];
        size_t got = 0;

        if (send(number, line, strlen(line), 0) < 0)
                return false;
        while (got < strlen(expected)) {
                const ssize_t more = recv(number, answer + got, sizeof(answer) - got, 0);

                if (more <= 0)
                        return false;
                got += (size_t)more;
        }
        return got == strlen(expected) && !memcmp(answer, expected, got);
}

int main(int argc, char **argv)
{
        static const char *const lines[][2] = {
                {"one\n", "ONE\n"}, {"two words\n", "TWO WORDS\n"}, {"3\n", "3\n"}};
        const struct nova_ip_config config = {.service = argv[1],
                                              .address = argc > 2 ? argv[2] : NULL};
        int error = argc < 4 ? EINVAL : nova_ip_start(&config), good = 0, number;

        if (error) {
                printf("no address: %s.\n", nova_ip_why(error));
                return 1;
        }
        number = connect_to(argv[3]);
        for (int i = 0; i < 3; i++)
                good += ask(number, lines[i][0], lines[i][1]);
        printf("%d of 3 lines came back\n", good);
        return good != 3;
}
