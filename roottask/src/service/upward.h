/* SPDX-License-Identifier: BSD-2-Clause */
/* What services and sessions ask of the program's parent; a root has none. */
#ifndef NOVART_SERVICE_UPWARD_H
#define NOVART_SERVICE_UPWARD_H

#include "nova/abi/types.h"

/* Get a service's control portals into new selectors. @return 0; ENOENT: the program is a root;
 * ENOMEM: no selectors; else as nova_parent_open() */
int novart_parent_registry_open(const char *name, nova_sel_t *control);

/* Give those selectors back. */
void novart_parent_registry_forget(nova_sel_t control);

/* Selectors for control portals, in the form in which a parent takes them. */
nova_sel_t novart_parent_registry_alloc(void);

/* Hand control portals to the parent, for other programs. @return as nova_parent_serve() */
int novart_parent_registry_serve(const char *name, nova_sel_t control);

#endif
