/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that send messages and event flags to ports. TLFS 11.9 */
#include <errno.h>
#include <string.h>

#include "hv/synic.h"

#define CONNECTION_MAX 0xffffffu

/* Input of the two calls. The call that signals ignores the padding after the flag. */
struct post {
        uint32_t connection;
        uint32_t zero;
        uint32_t type;
        uint32_t bytes;
        uint64_t data[NOVA_HV_DATA_BYTES / 8];
};

struct signal {
        uint32_t connection;
        uint16_t flag;
        uint16_t padding;
};

_Static_assert(sizeof(struct post) == 256 && sizeof(struct signal) == 8, "TLFS 11.11");

static const struct nova_hv_port *find(const struct nova_hv *hv, uint32_t connection)
{
        for (unsigned i = 0; i < hv->ports; i++)
                if (hv->port[i]->connection == connection)
                        return hv->port[i];
        return NULL;
}

static bool is_valid(const struct nova_hv *hv, const struct nova_hv_port *port)
{
        if (!port->connection || port->connection > CONNECTION_MAX)
                return false;
        if (port->events && (!port->flags || port->flags > NOVA_HV_FLAGS ||
                             port->flag > NOVA_HV_FLAGS - port->flags))
                return false;
        return port->receive || (port->vcpu < hv->vcpus && port->sint < NOVA_HV_SOURCES);
}

int nova_hv_connect(struct nova_hv *hv, const struct nova_hv_port *port)
{
        if (!is_valid(hv, port))
                return EINVAL;
        if (find(hv, port->connection))
                return EEXIST;
        if (hv->ports == NOVA_HV_PORTS)
                return ENOSPC;
        hv->port[hv->ports++] = port;
        return 0;
}

enum nova_hv_status novavmm_hv_post(const struct nova_hv_action *action)
{
        const struct post *const input = action->input;
        const struct nova_hv_port *const port = find(action->hv, input->connection);
        struct nova_hv_message message = {.type = input->type, .from = input->connection};

        if (!port)
                return NOVA_HV_INVALID_CONNECTION_ID;
        if (port->events)
                return NOVA_HV_INVALID_PORT_ID;
        if (input->zero || !input->type || input->type & NOVA_HV_MESSAGE_OF_HYPERVISOR ||
            input->bytes > NOVA_HV_DATA_BYTES)
                return NOVA_HV_INVALID_PARAMETER;
        message.bytes = (uint8_t)input->bytes;
        memcpy(message.data, input->data, input->bytes);
        if (port->receive)
                return port->receive(port->context, action->vcpu, &message, 0);
        return nova_hv_post_message(action->hv, port->vcpu, port->sint, &message);
}

enum nova_hv_status novavmm_hv_signal(const struct nova_hv_action *action)
{
        const struct signal *const input = action->input;
        const struct nova_hv_port *const port = find(action->hv, input->connection);

        if (!port)
                return NOVA_HV_INVALID_CONNECTION_ID;
        if (!port->events)
                return NOVA_HV_INVALID_PORT_ID;
        if (input->flag >= port->flags)
                return NOVA_HV_INVALID_PARAMETER;
        if (port->receive)
                return port->receive(port->context, action->vcpu, NULL, port->flag + input->flag);
        return nova_hv_signal_event(action->hv, port->vcpu, port->sint, port->flag + input->flag);
}
