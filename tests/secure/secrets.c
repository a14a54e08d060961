/* SPDX-License-Identifier: BSD-2-Clause */
/* A secure guest reads its phrase and a secret. Its monitor sees neither an access to their ports
 * nor their bytes; a normal guest finds only what its monitor has there. */
#include <stdio.h>
#include <string.h>

#include "novart/parent.h"
#include "novavmm/load.h"
#include "novavmm/secure.h"

#include "../runtime/tap.h"
#include "../vmm/guest_code.h"
#include "drive.h"

#define AT       0x1000u
#define DEVICE   0x5a /* value that the monitor's own device returns */
#define PORT     0xe0
#define NORMAL   (2u << 20)
#define CODE_END 0x300000u /* an address above the image */

static const char phrase[] = "The VMM never sees this phrase.";
static const char token[] = "Nor does it see this token.";

static struct nova_vm vm;
static struct nova_secure secure;
static unsigned seen; /* accesses of a guest to the ports of secrets */
static unsigned normal[2];

/* The code of the normal guest, in real mode: selects a name, reports the first bytes of the value
 * and of the length, and halts. */
GUEST_CODE(code, 16,
           "movw $0x9000, %dx\nmovb $'t', %al\noutb %al, %dx\n"
           "movw $0x8000, %dx\ninb %dx, %al\noutb %al, $0xe4\n"
           "movw $0x9020, %dx\ninb %dx, %al\noutb %al, $0xe8\nhlt\n");

static uint64_t see(void *device, uint64_t port, unsigned bytes)
{
        (void)device, (void)port, (void)bytes;
        seen++;
        return DEVICE;
}

static void see_write(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device, (void)port, (void)bytes, (void)value;
        seen++;
}

static uint64_t port_read(void *device, uint64_t port, unsigned bytes)
{
        (void)device, (void)bytes;
        return drive_read(port);
}

static void port_write(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device, (void)bytes;
        if (!nova_secure_is_secure(&secure))
                normal[port == PROBE_SECOND] = (unsigned)value;
        else
                drive_write(value);
}

static bool add_ports(void)
{
        const struct nova_bus_range ports = {PORT, PORT + 15, port_read, port_write, NULL};
        const struct nova_bus_range secrets = {NOVA_UV_SECRET_VALUE, NOVA_UV_SECRET_LAST, see,
                                               see_write, NULL};

        return drive_init() && !nova_bus_add(&vm.ports, &ports) &&
               !nova_bus_add(&vm.ports, &secrets);
}

static bool create(size_t memory)
{
        const struct nova_vm_config config = {
                .name = "secrets", .memory = memory, .secure = &secure};

        return !nova_secure_open(&secure, "ultravisor") && !nova_vm_create(&vm, &config) &&
               add_ports();
}

static void normal_guest(void)
{
        check(create(NORMAL) &&
                      !nova_flat_load(&vm.memory, code, GUEST_BYTES(code), AT, &vm.vcpu[0].start) &&
                      !nova_vm_run(&vm) && nova_vm_wait(&vm) == NOVA_VM_HALTED,
              "a normal guest halts");
        check(seen == 3 && normal[0] == DEVICE && normal[1] == DEVICE,
              "its accesses to the ports of secrets reach the monitor's device");
        nova_vm_destroy(&vm);
}

/* Returns how often the monitor's view of the guest's memory contains a text. */
static unsigned count(const char *text)
{
        const char *const memory = nova_guest_pointer(&vm.memory, 0, vm.memory.bytes);
        const size_t bytes = strlen(text);
        unsigned found = 0;

        for (size_t at = 0; at + bytes <= vm.memory.bytes; at++)
                found += !memcmp(memory + at, text, bytes);
        return found;
}

static void check_secret(unsigned number, const char *value, const char *name)
{
        check(guest(PROBE_SECRET, number, 0) == strlen(value) + 1 &&
                      guest(PROBE_SECRET, number, 1) == probe_sum(value, (unsigned)strlen(value)),
              name);
}

static void secure_guest(const void *image, size_t bytes)
{
        seen = 0;
        check(create(nova_sealed_memory(image, bytes)) &&
                      !nova_sealed_load(&vm.memory, image, bytes, &vm.vcpu[0].start) &&
                      !nova_vm_run(&vm) && guest(PROBE_READ, CODE_END, 0) == 0,
              "a guest becomes secure");
        check_secret(0, phrase, "it reads the phrase of its disk");
        check_secret(1, token, "it reads a secret by its name");
        check_secret(0, phrase, "it reads the phrase again");
        check(guest(PROBE_SECRET, 2, 0) == 0, "a part of a name is the name of no secret");
        check(!seen, "the monitor sees no access to the ports of secrets");
        check(!count(phrase) && !count(token), "the monitor's memory contains no secret");
        memcpy((char *)vm.memory.base + CODE_END, token, sizeof(token));
        check(count(token) == 1, "a search finds what is there");
        drive_begin(PROBE_HALT, 0, 0);
        nova_vm_wait(&vm);
        nova_vm_destroy(&vm);
}

int main(void)
{
        const void *image;
        size_t bytes;

        if (nova_parent_module("sealed.img", &image, &bytes))
                return 1;
        normal_guest();
        secure_guest(image, bytes);
        return tap_end();
}
