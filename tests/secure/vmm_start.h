/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions for a VMM whose child is another VMM (ender.c), which ends at a given place. */
#ifndef NOVA_TESTS_SECURE_VMM_START_H
#define NOVA_TESTS_SECURE_VMM_START_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "novart/child.h"

#include "ender.h"
#include "honest.h"

static const void *vmm_program;
static size_t vmm_bytes;
static nova_sel_t vmm_portals; /* portals of the ultravisor, one for each CPU */
static struct nova_semaphore vmm_reached = NOVA_SEMAPHORE_INITIALIZER(0);

static int vmm_open(void *context, const char *name, nova_sel_t *sel)
{
        (void)context;
        *sel = vmm_portals;
        return strcmp(name, "ultravisor") ? EACCES : 0;
}

/* Gives the VMM its sealed image. A request for the module ENDER_REACHED says that the VMM has come
 * to its place. */
static int vmm_module(void *context, const char *name, const void **data, size_t *bytes)
{
        (void)context;
        if (!strcmp(name, ENDER_REACHED))
                nova_semaphore_up(&vmm_reached);
        if (strcmp(name, "sealed.img") != 0)
                return ENOENT;
        *data = image;
        *bytes = image_bytes;
        return 0;
}

/* Starts a VMM, which ends at a place. */
static struct nova_child *vmm_start(const char *what, unsigned place, unsigned deed)
{
        char numbers[2][16];
        const char *arguments[] = {what, numbers[0], numbers[1], NULL};
        const struct nova_child_config config = {
                .name = "ender",
                .image = vmm_program,
                .image_bytes = vmm_bytes,
                .arguments = arguments,
                .memory = 12u << 20,
                .kernel_memory = 1u << 20,
                .cpus = 3,
                .flags = NOVA_CHILD_MAY_HAVE_CHILDREN,
                .grants = {.open = vmm_open, .module = vmm_module},
        };
        struct nova_child *child;
        const char *sentence;

        snprintf(numbers[0], sizeof(numbers[0]), "%u", place);
        snprintf(numbers[1], sizeof(numbers[1]), "%u", deed);
        if (!nova_child_start(&child, &config, &sentence))
                return child;
        printf("The VMM %s.\n", sentence);
        return NULL;
}

/* Finds the child's program and the ultravisor. */
static bool vmm_prepare(void)
{
        vmm_portals = nova_sel_alloc(NOVA_PARENT_SERVICE_ORDER);
        return vmm_portals != NOVA_SEL_NONE && !nova_parent_open("ultravisor", vmm_portals) &&
               !nova_parent_module("secure-ender", &vmm_program, &vmm_bytes);
}

#endif
