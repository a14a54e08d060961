/* SPDX-License-Identifier: BSD-2-Clause */
/* Services of this program, by name, so that the program can also be their client. */
#ifndef NOVART_SERVICE_REGISTRY_H
#define NOVART_SERVICE_REGISTRY_H

#include <stdbool.h>

#include "nova/abi/types.h"

/* Gives control portals of novart_parent_registry_alloc() a name.
 * @return 0, EEXIST or ENOSPC */
int novart_registry_add(const char *name, nova_sel_t control);

/* Removes a service's name and portals. From then on no thread finds them, and calls through them
 * fail. Their selectors become free when the last thread has put them. */
void novart_registry_remove(nova_sel_t control);

/* Gets the control portals of a service, whose selectors stay valid until they are put.
 * @return false if no service of this program has the name */
bool novart_registry_get(const char *name, nova_sel_t *control);
void novart_registry_put(nova_sel_t control);

#endif
