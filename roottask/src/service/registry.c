/* SPDX-License-Identifier: BSD-2-Clause */
/* Services of this program, by name. */
#include "registry.h"

#include <errno.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/parent.h"
#include "novart/protocol.h"
#include "novart/sync.h"
#include "parent_registry.h"

#define REGISTRY_MAX 16

/* States of an entry: FREE → NAMED → GONE (threads still use its portals) → FREE. */
static struct {
        char name[NOVA_SERVICE_NAME_SIZE]; /* empty: free or gone */
        nova_sel_t control;                /* 0: free */
        unsigned users;                    /* threads between get and put */
} entries[REGISTRY_MAX];

static struct nova_mutex lock = NOVA_MUTEX_INITIALIZER;

static int find(const char *name)
{
        for (int i = 0; i < REGISTRY_MAX; i++)
                if (entries[i].control && !strcmp(entries[i].name, name))
                        return i;
        return -1;
}

/* Returns the entry of these portals; for 0, a free entry. */
static int find_portals(nova_sel_t control)
{
        for (int i = 0; i < REGISTRY_MAX; i++)
                if (entries[i].control == control)
                        return i;
        return -1;
}

int novart_registry_add(const char *name, nova_sel_t control)
{
        int error = 0;

        nova_mutex_lock(&lock);

        const int room = find_portals(0);

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

/* Frees an unused entry without a name, and its portals' selectors. */
static void release(int entry)
{
        if (entries[entry].name[0] || entries[entry].users)
                return;
        novart_parent_registry_forget(entries[entry].control);
        entries[entry].control = 0;
}

void novart_registry_remove(nova_sel_t control)
{
        nova_revoke(nova_crd_obj(control, NOVA_PARENT_SERVICE_ORDER, NOVA_PERM_ALL),
                    NOVA_REVOKE_SR);
        nova_mutex_lock(&lock);

        const int entry = find_portals(control);

        entries[entry].name[0] = 0;
        release(entry);
        nova_mutex_unlock(&lock);
}

bool novart_registry_get(const char *name, nova_sel_t *control)
{
        nova_mutex_lock(&lock);

        const int found = name[0] ? find(name) : -1;

        if (found >= 0) {
                entries[found].users++;
                *control = entries[found].control;
        }
        nova_mutex_unlock(&lock);
        return found >= 0;
}

void novart_registry_put(nova_sel_t control)
{
        nova_mutex_lock(&lock);

        const int entry = find_portals(control);

        entries[entry].users--;
        release(entry);
        nova_mutex_unlock(&lock);
}
