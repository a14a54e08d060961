/* SPDX-License-Identifier: BSD-2-Clause */
/* Children of a child (see child_parent.h). */
#include "child_parent.h"

#include <stdio.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/child.h"
#include "novart/parent.h"

#define FIRST_ORDER 8  /* the selectors below 2^8 are in use from the start */
#define LAST_ORDER  11 /* the program has 2^12 selectors */

int parent_of(const char *deed, const char *argument, bool waits)
{
        const char *arguments[] = {deed, argument, NULL};
        static const char *const environment[] = {"COLOUR=green", NULL};
        struct nova_child_config config = {.name = "grandchild",
                                           .arguments = arguments,
                                           .environment = environment,
                                           .memory = 64 << 10,
                                           .kernel_memory = 96 << 10};
        struct nova_child *child;
        const char *sentence;
        int status = 0;

        if (nova_parent_module("runtime-child", &config.image, &config.image_bytes))
                return -1;
        if (nova_child_start(&child, &config, &sentence)) {
                printf("grandchild %s\n", sentence);
                return -1;
        }
        if (waits)
                nova_child_wait(child, &status);
        return status;
}

void parent_revoke_all(void)
{
        for (unsigned order = FIRST_ORDER; order <= LAST_ORDER; order++)
                nova_revoke(nova_crd_obj((nova_sel_t)1 << order, order, NOVA_PERM_ALL),
                            NOVA_REVOKE_SR);
}
