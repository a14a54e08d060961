/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor whose guest becomes secure. The guest shares one page, and puts its greeting there; the
 * monitor looks for the guest's secret in all memory of the guest that it can read. */
#include <stdio.h>
#include <string.h>

#include <novart/parent.h>
#include <novavmm/secure.h>

#define PORT 0xe9

static const char secret[] = "correct horse battery staple"; /* the file phrase.txt */
static const char greeting[] = "Hello from a secure guest";  /* the file greeting.txt */
static struct nova_vm vm;
static struct nova_secure secure;

/* Handles the guest's write of the address of its message: prints the message. */
static void greet(void *device, uint64_t port, unsigned bytes, uint64_t address)
{
        char text[64] = "";

        (void)device;
        (void)port;
        (void)bytes;
        nova_guest_read(&vm.memory, address, text, sizeof(text) - 1);
        printf("The %s guest says: %s\n", nova_secure_is_secure(&secure) ? "secure" : "normal",
               text);
        nova_vm_end_with(&vm, NOVA_VM_OFF);
}

/* Returns true if the guest's memory, as this monitor sees it, contains a text. */
static bool finds(const char *text, size_t bytes)
{
        const char *const memory = nova_guest_pointer(&vm.memory, 0, vm.memory.bytes);

        for (size_t at = 0; at + bytes <= vm.memory.bytes; at++)
                if (!memcmp(memory + at, text, bytes))
                        return true;
        return false;
}

/* Prints how the guest has ended. @return the program's status */
static int report(enum nova_vm_end end)
{
        if (!nova_secure_is_secure(&secure)) {
                printf("The guest has not become secure; see the reason above.\n");
                return 1;
        }
        if (end != NOVA_VM_OFF) {
                printf("The secure guest %s before it said anything.\n", nova_vm_end_text(end));
                return 1;
        }
        if (!finds(greeting, sizeof(greeting) - 1)) {
                printf("The monitor does not find the greeting that the guest has shared.\n");
                return 1;
        }
        printf("The monitor %s the guest's secret.\n",
               finds(secret, sizeof(secret) - 1) ? "has" : "does not find");
        return 0;
}

static int fail(const char *what, const char *why)
{
        printf("%s: %s.\n", what, why);
        return 1;
}

int main(void)
{
        const struct nova_bus_range port = {PORT, PORT + 3, NULL, greet, NULL};
        const void *image;
        size_t bytes;
        int error = nova_parent_module("sealed.img", &image, &bytes);

        if (error)
                return fail("The module sealed.img cannot be read", strerror(error));
        error = nova_secure_open(&secure, "ultravisor");
        if (error)
                return fail("The ultravisor cannot be reached", nova_secure_why(error));

        const struct nova_vm_config config = {
                .name = "hello", .memory = nova_sealed_memory(image, bytes), .secure = &secure};

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
        error = report(nova_vm_wait(&vm));
        nova_vm_destroy(&vm);
        return error;
}
