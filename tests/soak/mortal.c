/* SPDX-License-Identifier: BSD-2-Clause */
/* A service that has a fault when a client asks for it (see server.h). */
#include "novart/service.h"

#include "server.h"

static int add(struct nova_request *request)
{
        nova_request_answer(request, request->word[0] + request->word[1]);
        return 0;
}

static int die(struct nova_request *request)
{
        (void)request;
        __builtin_trap();
}

int main(void)
{
        static const struct nova_service_operation operations[] = {
                {.handler = add, .words_min = 2, .words_max = 2},
                {.handler = die},
        };
        static const struct nova_service_config config = {
                .name = "mortal", .operations = operations, .operation_count = 2};

        if (nova_service_start(NULL, &config))
                return 1;
        nova_service_sleep();
}
