/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of objects (see name.h). */
#include "object/name.h"

#include "object/ec.h"
#include "object/pd.h"
#include "object/pt.h"
#include "object/sm.h"

char *object_name(struct kobject *object)
{
        switch (object->kind) {
        case OBJECT_PD:
                return container_of(object, struct pd, object)->name;
        case OBJECT_EC:
                return container_of(object, struct ec, object)->name;
        case OBJECT_PT:
                return container_of(object, struct pt, object)->name;
        case OBJECT_SM:
                return container_of(object, struct sm, object)->name;
        default:
                return NULL;
        }
}

void name_print(const char *name, char *to)
{
        unsigned i = 0;

        for (; i < NOVA_NAME_SIZE && name[i]; i++)
                to[i] = name[i] < ' ' || name[i] > '~' ? '?' : name[i];
        to[i] = 0;
}
