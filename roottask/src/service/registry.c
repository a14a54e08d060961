/* SPDX-License-Identifier: BSD-2-Clause */
/* Services of this program, by name. */
#include "registry.h"

#include <errno.h>
#include <string.h>

#include "novart/protocol.h"
#include "novart/sync.h"

#define REGISTRY_MAX 16

static struct nova_mutex lock = NOVA_MUTEX_INITIALIZER;

static struct {
        char name[NOVA_SERVICE_NAME_SIZE]; /* empty: free */
        nova_sel_t control;
} entries[REGISTRY_MAX];

static int find(const char *name)
{
        for (int i = 0; i < REGISTRY_MAX; i++)
                if (!strcmp(entries[i].name, name))
                        return i;
        return -1;
}

int registry_add(const char *name, nova_sel_t control)
{
        int error = 0;

        nova_mutex_lock(&lock);

        const int room = find("");

        if (find(name) >= 0)
                error = EEXIST;
        else if (room < 0)
                error = ENOSPC;
        if (!error) {
                memcpy(entries[room].name, name, strlen(name) + 1);
                entries[room].control = control;
        }
        nova_mutex_unlock(&lock);
        return error;
}

void registry_remove(const char *name, nova_sel_t control)
{
        nova_mutex_lock(&lock);

        const int found = find(name);

        if (found >= 0 && entries[found].control == control)
                entries[found].name[0] = 0;
        nova_mutex_unlock(&lock);
}

bool registry_find(const char *name, nova_sel_t *control)
{
        nova_mutex_lock(&lock);

        const int found = name[0] ? find(name) : -1;

        if (found >= 0)
                *control = entries[found].control;
        nova_mutex_unlock(&lock);
        return found >= 0;
}
