/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that cannot become secure, and its serial port, at which it reports the failure. */
#ifndef NOVA_TESTS_SECURE_TALKER_H
#define NOVA_TESTS_SECURE_TALKER_H

#include <string.h>

#include "monitor.h"

#define SERIAL     0x3f8
#define LINE_STATE 5
#define CAN_SEND   0x20
#define KERNEL     0x200000u

static char text[128];

/* Called before the guest runs; NULL: nothing to do. */
static void (*talker_prepare)(void);

static inline uint64_t read_serial(void *device, uint64_t port, unsigned bytes)
{
        (void)device;
        (void)bytes;
        return port == SERIAL + LINE_STATE ? CAN_SEND : 0;
}

static inline void write_serial(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        const size_t length = strlen(text);

        (void)device;
        (void)bytes;
        if (port == SERIAL && length + 1 < sizeof(text))
                text[length] = (char)value;
}

/* Returns true if the guest says that UV_ESM returned @p status, and halts.
 * @param changed one bit of its kernel is changed */
static inline bool says(bool changed, const char *status)
{
        const struct nova_bus_range serial = {SERIAL, SERIAL + 7, read_serial, write_serial, NULL};
        const struct nova_vm_config config = {.name = "probe"};
        enum nova_vm_end end;
        uint8_t byte = 0;

        memset(text, 0, sizeof(text));
        if (!monitor_create(config) || nova_bus_add(&vm.ports, &serial))
                return false;
        nova_guest_read(&vm.memory, KERNEL, &byte, 1);
        byte ^= changed;
        nova_guest_write(&vm.memory, KERNEL, &byte, 1);
        if (talker_prepare)
                talker_prepare();
        if (nova_vm_run(&vm))
                return false;
        end = nova_vm_wait(&vm);
        nova_vm_destroy(&vm);
        printf("It %s, after: %s", nova_vm_end_text(end), text);
        return end == NOVA_VM_HALTED && strstr(text, status);
}

#endif
