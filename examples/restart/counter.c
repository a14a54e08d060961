/* SPDX-License-Identifier: BSD-2-Clause */
/* A service that counts calls. It crashes at its fourth call. */
#include <novart/service.h>

#include <stdio.h>
#include <string.h>

#include "counter.h"

#define TOO_MANY 4

static unsigned calls;

/* Serves COUNTER_NEXT. */
static int next(struct nova_request *request)
{
        if (++calls == TOO_MANY)
                __builtin_trap();
        nova_request_answer(request, calls);
        return 0;
}

int main(void)
{
        static const struct nova_service_operation operations[] = {{.handler = next}};
        static const struct nova_service_config config = {
                .name = "counter", .operations = operations, .operation_count = 1};
        const int error = nova_service_start(NULL, &config);

        if (error) {
                printf("the service cannot start: %s\n", strerror(error));
                return 1;
        }
        nova_service_sleep();
}
