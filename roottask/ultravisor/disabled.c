/* SPDX-License-Identifier: BSD-2-Clause */
/* The service of an ultravisor that is disabled: each ultracall fails, as without an ultravisor. It
 * needs no key, no secure memory, and no CPU that can run guests. */
#include <errno.h>

#include "novart/service.h"
#include "novart/service/ultravisor.h"
#include "server.h"

static int fail(struct nova_request *request)
{
        nova_request_answer(request, (nova_word_t)(intptr_t)NOVA_U_FUNCTION);
        return 0;
}

static int refuse(struct nova_request *request)
{
        (void)request;
        return ENOSYS;
}

int server_start_disabled(struct nova_service **service)
{
        /* Ultracalls, the attachment of a virtual CPU, UV_ESM. Clients do not reach the other
         * operations. */
        static const struct nova_service_operation operations[] = {
                {fail, 1 + NOVA_UV_PARAMETERS, 1 + NOVA_UV_PARAMETERS, false},
                {refuse, 3, 3, true},
                {fail, 3, 3, false},
        };
        const struct nova_service_config config = {
                .name = "ultravisor",
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
        };

        return nova_service_start(service, &config);
}
