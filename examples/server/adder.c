/* SPDX-License-Identifier: BSD-2-Clause */
/* A server: a table of plain C handlers. Each session has a sum of its own. */
#include <novart/service.h>
#include <stdio.h>

#include "adder.h"

/* State of each session, initially 0. */
struct sum {
        nova_word_t value;
};

static int add(struct nova_request *request)
{
        struct sum *sum = request->state;

        sum->value += request->word[0];
        nova_request_answer(request, sum->value);
        return 0;
}

static void close_session(struct nova_service *service, void *state)
{
        printf("%s has left with %zu\n", nova_service_client(service, state),
               (size_t)((struct sum *)state)->value);
}

int main(void)
{
        static const struct nova_service_operation operations[] = {
                {add, 1, 1, false}, /* ADDER_ADD: one word, no item */
        };
        static const struct nova_service_config config = {
                .name = "adder",
                .operations = operations,
                .operation_count = 1,
                .state_bytes = sizeof(struct sum),
                .close = close_session,
        };

        if (nova_service_start(NULL, &config))
                return 1;
        nova_service_sleep();
}
