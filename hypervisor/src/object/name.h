/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that programs give to objects for debugging (an extension). */
#ifndef OBJECT_NAME_H
#define OBJECT_NAME_H

#include "nova/abi/hypercall.h"
#include "object/object.h"

/** Where an object keeps its name, NOVA_NAME_SIZE bytes; NULL: it has no room for one. */
char *object_name(struct kobject *object);

/** No name, for a new object. */
static inline void name_clear(char name[NOVA_NAME_SIZE])
{
        const char none[NOVA_NAME_SIZE] = {0};

        __builtin_memcpy(name, none, sizeof(none));
}

/** Copies a name as a string that can be printed; to has NOVA_NAME_SIZE + 1 bytes. */
void name_print(const char *name, char *to);

#endif
