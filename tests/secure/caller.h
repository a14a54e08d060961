/* SPDX-License-Identifier: BSD-2-Clause */
/* A normal guest in real mode, which makes each ultracall. */
#ifndef NOVA_TESTS_SECURE_CALLER_H
#define NOVA_TESTS_SECURE_CALLER_H

#include <stdio.h>

#include "../vmm/guest_code.h"
#include "novavmm/registers.h"
#include "novavmm/secure.h"

#define CALLER_NUMBER 0xe0 /* port with the number of the next ultracall; 0: there is none */
#define CALLER_STATUS 0xe4
#define CALLER_CODE   0x1000u

GUEST_CODE(caller_code, 16,
           "1: inl $0xe0, %eax\ntestl %eax, %eax\nje 2f\nvmmcall\noutl %eax, $0xe4\njmp 1b\n"
           "2: cli\nhlt\n");

static const struct {
        unsigned number;
        const char *name;
} caller_rows[] = {
#define CALL(name, function, number, ...) {number, #name},
        NOVA_UV_CALL_ROWS(CALL)
#undef CALL
};

#define CALLER_ROWS (sizeof(caller_rows) / sizeof(caller_rows[0]))

static unsigned caller_next;
static enum nova_u_status caller_status[CALLER_ROWS];

static inline uint64_t caller_read(void *device, uint64_t port, unsigned bytes)
{
        (void)device;
        (void)port;
        (void)bytes;
        return caller_next < CALLER_ROWS ? caller_rows[caller_next].number : 0;
}

static inline void caller_write(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        if (caller_next < CALLER_ROWS)
                caller_status[caller_next++] = (enum nova_u_status)(int)value;
}

/* Returns true if the guest has made all ultracalls and got the expected statuses. */
static inline bool caller_was_right(enum nova_u_status (*expected)(unsigned number))
{
        unsigned right = 0;

        for (unsigned i = 0; i < caller_next; i++) {
                if (caller_status[i] == expected(caller_rows[i].number))
                        right++;
                else
                        printf("UV_%s of a normal guest: %d.\n", caller_rows[i].name,
                               caller_status[i]);
        }
        return right == CALLER_ROWS;
}

/* Lets the guest make all ultracalls. @return true if each has the status of @p expected */
static inline bool caller_gets(enum nova_u_status (*expected)(unsigned number))
{
        static struct nova_vm vm;
        static struct nova_secure secure;
        const struct nova_vm_config config = {
                .name = "caller", .memory = 2u << 20, .secure = &secure};
        const struct nova_bus_range ports = {CALLER_NUMBER, CALLER_STATUS + 3, caller_read,
                                             caller_write, NULL};

        caller_next = 0;
        nova_secure_open(&secure, "ultravisor");
        if (nova_vm_create(&vm, &config) || nova_bus_add(&vm.ports, &ports))
                return false;
        nova_guest_write(&vm.memory, CALLER_CODE, caller_code, GUEST_BYTES(caller_code));
        nova_registers_real(&vm.vcpu[0].start, CALLER_CODE >> 4, 0);
        if (nova_vm_run(&vm))
                return false;
        nova_vm_wait(&vm);
        nova_vm_destroy(&vm);
        return caller_was_right(expected);
}

#endif
