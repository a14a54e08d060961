/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that cannot become secure, because its image has been changed, continues as a normal one
 * with the status of UV_ESM. */
#include <stdio.h>
#include <string.h>

#include "../runtime/tap.h"
#include "monitor.h"

#define SERIAL     0x3f8
#define LINE_STATE 5
#define CAN_SEND   0x20
#define KERNEL     0x200000u

static char text[128];

static uint64_t read_serial(void *device, uint64_t port, unsigned bytes)
{
        (void)device;
        (void)bytes;
        return port == SERIAL + LINE_STATE ? CAN_SEND : 0;
}

static void write_serial(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        const size_t length = strlen(text);

        (void)device;
        (void)bytes;
        if (port == SERIAL && length + 1 < sizeof(text))
                text[length] = (char)value;
}

/* Returns true if the guest of a changed image says that UV_ESM returned @p status, and halts. */
static bool says(const char *status)
{
        const struct nova_bus_range serial = {SERIAL, SERIAL + 7, read_serial, write_serial, NULL};
        const struct nova_vm_config config = {.name = "probe"};
        enum nova_vm_end end;
        uint8_t byte = 0;

        if (!monitor_create(config) || nova_bus_add(&vm.ports, &serial))
                return false;
        nova_guest_read(&vm.memory, KERNEL, &byte, 1);
        byte ^= 1;
        nova_guest_write(&vm.memory, KERNEL, &byte, 1);
        if (nova_vm_run(&vm))
                return false;
        end = nova_vm_wait(&vm);
        nova_vm_destroy(&vm);
        printf("It %s, after: %s", nova_vm_end_text(end), text);
        return end == NOVA_VM_HALTED && strstr(text, status);
}

int main(void)
{
        check(says("UV_ESM returned 0xFFFFFFF5"), "a changed guest goes on as a normal one");
        return tap_end();
}
