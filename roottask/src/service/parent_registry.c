/* SPDX-License-Identifier: BSD-2-Clause */
/* The parent's registry of services, which a child uses for its services and sessions. */
#include "parent_registry.h"

#include <errno.h>

#include "novart/parent.h"
#include "novart/program.h"
#include "novart/selector.h"

nova_sel_t novart_parent_registry_alloc(void)
{
        return nova_sel_alloc(NOVA_PARENT_SERVICE_ORDER);
}

void novart_parent_registry_forget(nova_sel_t control)
{
        nova_sel_release(control, NOVA_PARENT_SERVICE_ORDER);
}

int novart_parent_registry_open(const char *name, nova_sel_t *control)
{
        if (nova_program_is_root())
                return ENOENT;
        *control = novart_parent_registry_alloc();
        if (*control == NOVA_SEL_NONE)
                return ENOMEM;

        const int error = nova_parent_open(name, *control);

        if (error)
                novart_parent_registry_forget(*control);
        return error;
}

int novart_parent_registry_serve(const char *name, nova_sel_t control)
{
        return nova_program_is_root() ? 0 : nova_parent_serve(name, control);
}

int novart_parent_registry_watch(nova_sel_t sm)
{
        return nova_program_is_root() ? ENOSYS : nova_parent_watch(sm);
}
