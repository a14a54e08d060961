/* SPDX-License-Identifier: BSD-2-Clause */
/* Hands out each job once. This program stores the progress, because the worker loses its memory
 * when it crashes. */
#include <novart/service.h>
#include <stdio.h>

#include "jobs.h"

#define JOBS 5

static nova_word_t taken; /* needs no lock: on this program's only CPU, one EC serves all calls */

static int take(struct nova_request *request)
{
        nova_request_answer(request, taken < JOBS ? ++taken : 0);
        return 0;
}

static void close_session(struct nova_service *service, void *state)
{
        printf("%s has left after job %zu\n", nova_service_client(service, state), (size_t)taken);
}

int main(void)
{
        static const struct nova_service_operation operations[] = {{take, 0, 0, false}};
        static const struct nova_service_config config = {
                .name = "jobs",
                .operations = operations,
                .operation_count = 1,
                .state_bytes = 1,
                .close = close_session,
        };

        if (nova_service_start(NULL, &config))
                return 1;
        nova_service_sleep();
}
