/* SPDX-License-Identifier: BSD-2-Clause */
/* The service power: passes requests to the parent. Every client with a session may make them. */
#include "server.h"

#include "novart/service/power.h"

static power_switch *machine;

static int reset(struct nova_request *request)
{
        (void)request;
        return machine(NOVA_EXT_MACHINE_RESET);
}

static int off(struct nova_request *request)
{
        (void)request;
        return machine(NOVA_EXT_MACHINE_OFF);
}

int power_service_start(power_switch *function)
{
        static const struct nova_service_operation operations[] = {
                {reset, 0, 0, false},
                {off, 0, 0, false},
        };
        const struct nova_service_config config = {
                .name = "power",
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
                .client_sessions = 2,
        };

        machine = function;
        return nova_service_start(NULL, &config);
}
