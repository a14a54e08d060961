/* SPDX-License-Identifier: BSD-2-Clause */
/* Client stub of the service `power`. */
#include "novart/service/power.h"

int nova_power_open(struct nova_session **power)
{
        return nova_session_open(power, "power", NULL);
}

int nova_power_reset(struct nova_session *power)
{
        struct nova_message message = {.operation = NOVA_POWER_RESET};

        return nova_session_call(power, &message);
}

int nova_power_off(struct nova_session *power)
{
        struct nova_message message = {.operation = NOVA_POWER_OFF};

        return nova_session_call(power, &message);
}
