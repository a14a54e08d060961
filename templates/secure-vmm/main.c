/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor whose guest becomes secure, with one device: a port to which the guest prints. */
#include <stdio.h>
#include <string.h>

#include "novart/parent.h"
#include "novavmm/secure.h"

#define PRINT_PORT 0xe9

static struct nova_vm vm;
static struct nova_secure secure;

/* A device that collects a line of text; a byte 0 ends the line. Of the guest's state, the
 * ultravisor passes on only the port and the byte. */
static void print(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        static char line[80];
        static size_t length;

        (void)device, (void)port, (void)bytes;
        if (value) {
                if (length < sizeof(line) - 1)
                        line[length++] = (char)value;
                return;
        }
        printf("The %s guest says: %s\n", nova_secure_is_secure(&secure) ? "secure" : "normal",
               line);
        nova_vm_end_with(&vm, NOVA_VM_OFF);
}

static int fail(const char *what, const char *why)
{
        printf("%s: %s.\n", what, why);
        return 1;
}

/* Waits for the end of the guest. @return the program's exit status */
static int wait_for_end(void)
{
        const enum nova_vm_end end = nova_vm_wait(&vm);
        const bool is_secure = nova_secure_is_secure(&secure);

        if (!is_secure)
                printf("The guest has not become secure; see the reason above.\n");
        else if (end != NOVA_VM_OFF)
                printf("The guest %s.\n", nova_vm_end_text(end));
        nova_vm_destroy(&vm);
        return !is_secure || end != NOVA_VM_OFF;
}

int main(void)
{
        const struct nova_bus_range port = {PRINT_PORT, PRINT_PORT, NULL, print, NULL};
        const void *image;
        size_t bytes;
        int error = nova_parent_module("sealed.img", &image, &bytes);

        if (error)
                return fail("The module sealed.img cannot be read", strerror(error));
        if (!nova_sealed_memory(image, bytes))
                return fail("The module sealed.img cannot be used", "it is not a sealed image");
        error = nova_secure_open(&secure, "ultravisor");
        if (error)
                return fail("The ultravisor cannot be reached", nova_secure_why(error));

        const struct nova_vm_config config = {
                .name = "sealed", .memory = nova_sealed_memory(image, bytes), .secure = &secure};

        error = nova_vm_create(&vm, &config);
        if (!error)
                error = nova_bus_add(&vm.ports, &port);
        if (error)
                return fail("The machine cannot be created", nova_vm_why(&vm, error));

        const char *const why = nova_sealed_load(&vm.memory, image, bytes, &vm.vcpu[0].start);

        if (why)
                return nova_vm_not_loaded(&vm, why);
        error = nova_vm_run(&vm);
        if (error)
                return fail("The machine cannot run", nova_vm_why(&vm, error));
        return wait_for_end();
}
