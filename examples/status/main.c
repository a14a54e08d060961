/* SPDX-License-Identifier: BSD-2-Clause */
/* A page with the state of the system, as HTML and as JSON. Arguments: the name of the service with
 * frames, and an address; without an address, the program gets one by DHCP. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "novanet/http.h"
#include "novanet/ip.h"
#include "state.h"

#define PORT 80

static void write_page(struct nova_http_answer *answer, void (*write)(FILE *), const char *type)
{
        size_t bytes = 0;
        FILE *const page = open_memstream(&answer->text, &bytes);

        answer->status = 500;
        if (!page)
                return;
        write(page);
        if (!fclose(page))
                answer->status = 200;
        answer->type = type;
        answer->bytes = bytes;
}

static void answer(void *context, const struct nova_http_request *request,
                   struct nova_http_answer *answer)
{
        (void)context;
        if (strcmp(request->path, "/") == 0)
                write_page(answer, html_write, "text/html; charset=utf-8");
        else if (strcmp(request->path, "/status.json") == 0)
                write_page(answer, json_write, "application/json");
}

int main(int argc, char **argv)
{
        const struct nova_ip_config config = {.service = argv[1],
                                              .address = argc > 2 ? argv[2] : NULL};
        const struct nova_http_config server = {.port = PORT, .answer = answer};
        char text[NOVA_IP_TEXT];
        int error = argc < 2 ? EINVAL : nova_ip_start(&config);

        if (error) {
                printf("no address: %s.\n", nova_ip_why(error));
                return 1;
        }
        error = load_begin();
        if (error) {
                printf("the load cannot be measured: %s\n", strerror(error));
                return 1;
        }
        printf("http://%s/\n", nova_ip_address(text));
        error = nova_http_serve(&server);
        printf("port %d: %s\n", PORT, strerror(error));
        return 1;
}
