/* SPDX-License-Identifier: BSD-2-Clause */
/* The parent's registry of services, which a child uses for its services and sessions. */
#ifndef NOVART_SERVICE_PARENT_REGISTRY_H
#define NOVART_SERVICE_PARENT_REGISTRY_H

#include "nova/abi/types.h"

/* Gets a service's control portals into new selectors. @return 0; ENOENT: the program is a root;
 * ENOMEM: no selectors; else as nova_parent_open() */
int novart_parent_registry_open(const char *name, nova_sel_t *control);

/* Frees the selectors of novart_parent_registry_open(). */
void novart_parent_registry_forget(nova_sel_t control);

/* Allocates selectors for control portals, aligned as the parent requires. */
nova_sel_t novart_parent_registry_alloc(void);

/* Registers control portals with the parent, for other programs. @return as nova_parent_serve() */
int novart_parent_registry_serve(const char *name, nova_sel_t control);

/* Asks the parent to do an up on a semaphore each time one of the parent's programs has ended.
 * @return 0, or an errno value if the parent refuses or there is no parent */
int novart_parent_registry_watch(nova_sel_t sm);

#endif
