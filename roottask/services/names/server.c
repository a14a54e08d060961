/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `names`: stores capabilities of publishers and delegates them to clients that look
 * them up. */
#include "server.h"

#include <errno.h>
#include <string.h>

#include "novart/service/names.h"
#include "table.h"

#define NAMES_MAX 128

NOVA_STATIC_ASSERT(NAMES_LENGTH + 1 == NOVA_SERVICE_NAME_SIZE, "names of services are names");

static struct name_entry entries[NAMES_MAX];
static struct name_table table = {entries, NAMES_MAX, NOVA_NAMES_CLIENT_MAX};

static bool notify(void *state, void *service)
{
        nova_service_notify((struct nova_service *)service, state);
        return true;
}

static int publish(struct nova_request *request)
{
        char name[NAMES_LENGTH + 1];
        struct name_entry *entry;

        if (!request->item || !nova_request_text(request, 0, name, sizeof(name)))
                return EINVAL;

        const int error = name_add(&table, name, request->state, &entry);

        if (error)
                return error;
        entry->sel = nova_request_take(request);
        entry->order = nova_crd_order(request->item);
        entry->perms = nova_crd_perms(request->item);
        nova_service_each(request->service, notify, request->service);
        return 0;
}

static void remove_entry(struct nova_service *service, struct name_entry *entry)
{
        nova_service_drop(service, entry->sel);
        name_remove(entry);
}

static int withdraw(struct nova_request *request)
{
        char name[NAMES_LENGTH + 1];

        if (!nova_request_text(request, 0, name, sizeof(name)))
                return EINVAL;

        struct name_entry *entry = name_find(&table, name);

        if (!entry)
                return ENOENT;
        if (entry->owner != request->state)
                return EPERM;
        remove_entry(request->service, entry);
        return 0;
}

static int lookup(struct nova_request *request)
{
        char name[NAMES_LENGTH + 1];

        if (!nova_request_text(request, 1, name, sizeof(name)))
                return EINVAL;

        const struct name_entry *entry = name_find(&table, name);

        if (!entry)
                return ENOENT;

        const unsigned perms = (unsigned)request->word[0] & entry->perms;

        if (!perms)
                return EACCES;
        nova_request_give(request, nova_crd(NOVA_CRD_OBJ, entry->sel, entry->order, perms));
        return 0;
}

static void close_session(struct nova_service *service, void *state)
{
        struct name_entry *entry;

        while ((entry = name_of_owner(&table, state)))
                remove_entry(service, entry);
}

int names_service_start(void)
{
        static const struct nova_service_operation operations[] = {
                {publish, 1, NOVA_WORDS_OF(NOVA_SERVICE_NAME_SIZE), true},
                {withdraw, 1, NOVA_WORDS_OF(NOVA_SERVICE_NAME_SIZE), false},
                {lookup, 2, 1 + NOVA_WORDS_OF(NOVA_SERVICE_NAME_SIZE), false},
        };
        const struct nova_service_config config = {
                .name = "names",
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
                .client_sessions = 4,
                .receive_order = NOVA_NAMES_ORDER,
                .close = close_session,
        };

        return nova_service_start(NULL, &config);
}
