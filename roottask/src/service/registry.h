/* SPDX-License-Identifier: BSD-2-Clause */
/* Services of this program, by name, so that it can be their client, too. */
#ifndef NOVART_SERVICE_REGISTRY_H
#define NOVART_SERVICE_REGISTRY_H

#include <stdbool.h>

#include "nova/abi/types.h"

/* @return 0, EEXIST or ENOSPC */
int registry_add(const char *name, nova_sel_t control);

/* Take the entry away if it is that of these portals. */
void registry_remove(const char *name, nova_sel_t control);

/* @return false if no service of this program has the name */
bool registry_find(const char *name, nova_sel_t *control);

#endif
