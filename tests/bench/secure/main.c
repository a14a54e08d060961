/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMM of `nova bench secure`. With the argument `secure` its guest becomes secure; with
 * `normal` the same guest stays a normal one. */
#include <stdio.h>
#include <string.h>

#include "marks.h"
#include "novart/parent.h"
#include "plain.h"

#define PAGE 4096u

static struct nova_vm vm;
static struct nova_secure secure;
static nova_vcpu_handler *usual;
static bool failed;

static void check(const char *what, enum nova_u_status status, enum nova_u_status wanted)
{
        if (status == wanted)
                return;
        failed = true;
        printf("%s: status %d\n", what, status);
}

/* Moves pages of the guest out and back, and copies them. */
static void move(uint64_t from)
{
        for (unsigned i = 0; i < SECURE_ROUNDS; i++) {
                const uint64_t at = from + i * PAGE;
                enum nova_u_status status[4];

                SECTION_BEGIN(SECURE_OUT);
                status[0] = nova_uv_page_out(&secure.uv, at, at, 0, NOVA_UV_ORDER_PAGE);
                SECTION_BEGIN(SECURE_IN);
                status[1] = nova_uv_page_in(&secure.uv, at, at, 0, NOVA_UV_ORDER_PAGE);
                SECTION_BEGIN(SECURE_SNAPSHOT);
                status[2] =
                        nova_uv_page_out(&secure.uv, at, at, NOVA_UV_SNAPSHOT, NOVA_UV_ORDER_PAGE);
                SECTION_BEGIN(SECURE_VMM_REFUSED);
                status[3] = nova_uv_page_inval(&secure.uv, at + 1, NOVA_UV_ORDER_PAGE);
                SECTION_BEGIN(SECURE_NONE);
                check("UV_PAGE_OUT", status[0], NOVA_U_SUCCESS);
                check("UV_PAGE_IN", status[1], NOVA_U_SUCCESS);
                check("UV_SNAPSHOT", status[2], NOVA_U_SUCCESS);
                check("UV_PAGE_INVAL", status[3], NOVA_U_P2);
        }
}

static uint64_t read_port(void *device, uint64_t port, unsigned bytes)
{
        (void)device;
        (void)bytes;
        return port == SECURE_PORT_MODE && nova_secure_is_secure(&secure);
}

static void write_port(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)bytes;
        if (port == SECURE_PORT_MOVE)
                move(value);
        if (port != SECURE_PORT_END)
                return;
        check("the guest", (enum nova_u_status)(int)value, NOVA_U_SUCCESS);
        nova_vm_end_with(&vm, NOVA_VM_OFF);
}

static void mark_esm(struct nova_vcpu *vcpu)
{
        SECTION_BEGIN(SECURE_ESM);
        usual(vcpu);
}

static const char *load(const void *image, size_t bytes)
{
        struct nova_utcb_event *const start = &vm.vcpu[0].start;

        return secure.uv.session ? nova_sealed_load(&vm.memory, image, bytes, start)
                                 : plain_load(&vm.memory, image, bytes, start);
}

int main(int argc, char **argv)
{
        const struct nova_bus_range ports = {SECURE_PORT_DATA, SECURE_PORT_END + 3, read_port,
                                             write_port, NULL};
        const bool is_secure = argc == 2 && !strcmp(argv[1], "secure");
        struct nova_vm_config config = {.name = "bench"};
        const void *image;
        size_t bytes;
        const char *why;

        if (nova_parent_module("sealed.img", &image, &bytes) ||
            (is_secure && nova_secure_open(&secure, "ultravisor")))
                return 1;
        config.memory = nova_sealed_memory(image, bytes);
        config.secure = is_secure ? &secure : NULL;
        if (nova_vm_create(&vm, &config) || nova_bus_add(&vm.ports, &ports))
                return 1;
        usual = vm.handler[NOVA_VM_EXIT_HYPERCALL];
        nova_vm_on(&vm, NOVA_VM_EXIT_HYPERCALL, mark_esm);
        why = load(image, bytes);
        if (why || nova_vm_run(&vm))
                return nova_vm_not_loaded(&vm, why ? why : "the machine cannot run");
        if (nova_vm_wait(&vm) == NOVA_VM_OFF && nova_secure_is_secure(&secure) == is_secure &&
            !failed)
                printf("the operations are over\n");
        nova_vm_destroy(&vm);
        return 0;
}
