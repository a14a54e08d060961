/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM with the library, which drives the guest of guest.c. */
#ifndef NOVA_TESTS_SECURE_MONITOR_H
#define NOVA_TESTS_SECURE_MONITOR_H

#include <stdio.h>

#include "novart/parent.h"
#include "novavmm/secure.h"

#include "drive.h"

static struct nova_vm vm;
static struct nova_secure secure;

static inline uint64_t monitor_read(void *device, uint64_t port, unsigned bytes)
{
        (void)device;
        (void)bytes;
        return drive_read(port);
}

static inline void monitor_write(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        drive_write(value);
}

/* Creates the machine with the sealed image. @p config has neither memory nor session yet.
 * Without an ultravisor the guest stays normal.
 * @return false if that failed; then it has printed the reason */
static inline bool monitor_create(struct nova_vm_config config)
{
        const struct nova_bus_range ports = {PROBE_COMMAND, PROBE_RESULT + 3, monitor_read,
                                             monitor_write, NULL};
        const void *image;
        const char *why = NULL;
        size_t bytes;
        int error;

        if (!drive_init() || nova_parent_module("sealed.img", &image, &bytes)) {
                printf("There is no sealed image, or no selector.\n");
                return false;
        }
        nova_secure_open(&secure, "ultravisor");
        config.memory = nova_sealed_memory(image, bytes);
        config.secure = &secure;
        error = nova_vm_create(&vm, &config);
        if (!error)
                error = nova_bus_add(&vm.ports, &ports);
        if (error)
                why = nova_vm_why(&vm, error);
        else
                why = nova_sealed_load(&vm.memory, image, bytes, &vm.vcpu[0].start);
        if (why)
                printf("The machine cannot be created: %s.\n", why);
        return !why;
}

#endif
