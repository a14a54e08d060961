/* SPDX-License-Identifier: BSD-2-Clause */
/* The server: adds up numbers, separately for each session. */
#include <novart/service.h>

#include <stdio.h>
#include <string.h>

/* State of one session, initially 0. */
struct session {
        nova_word_t sum;
};

/* Serves COUNTER_ADD. */
static int add(struct nova_request *request)
{
        struct session *session = request->state;

        session->sum += request->word[0];
        nova_request_answer(request, session->sum);
        return 0; /* or an errno value, which the client gets */
}

/* A row for each operation of counter.h, in that order. */
static const struct nova_service_operation operations[] = {
        {.handler = add, .words_min = 1, .words_max = 1},
};

static const struct nova_service_config config = {
        .name = "counter",
        .operations = operations,
        .operation_count = sizeof(operations) / sizeof(operations[0]),
        .state_bytes = sizeof(struct session),
};

int main(void)
{
        const int error = nova_service_start(NULL, &config);

        if (error) {
                printf("the service cannot start: %s\n", strerror(error));
                return 1;
        }
        nova_service_sleep();
}
