/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that programs give to objects for debugging (an extension). */
#ifndef OBJECT_NAME_H
#define OBJECT_NAME_H

#include "nova/abi/hypercall.h"
#include "object/object.h"

/** Returns an object's name, NOVA_NAME_SIZE bytes; NULL: the object has no room for a name. */
char *object_name(struct kobject *object);

/** Clears the name of a new object. */
static inline void name_clear(char name[NOVA_NAME_SIZE])
{
        const char none[NOVA_NAME_SIZE] = {0};

        __builtin_memcpy(name, none, sizeof(none));
}

/** Copies a name as a printable string to a buffer of NOVA_NAME_SIZE + 1 bytes. */
void name_print(const char *name, char *to);

#endif
