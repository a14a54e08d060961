/* SPDX-License-Identifier: BSD-2-Clause */
/* A correct guest beside a faulty guest of another monitor. It counts until the other guest has
 * ended and a little longer, and every one of its exits gets a reply. Then the monitor prints the
 * memory that it has used besides the guest's: its image, and a part of the description's `memory`.
 * The program's argument is this `memory`, in KiB. */
#include <stdio.h>
#include <stdlib.h>

#include "novart/page.h"
#include "novart/session.h"
#include "novart/time.h"
#include "novavmm/entropy.h"
#include "novavmm/load.h"
#include "novavmm/pc.h"
#include "novavmm/virtio_random.h"

#include "guest_code.h"

#define GUEST_AT     0x1000
#define GUEST_MEMORY (16u << 20)
#define ASK_PORT     0x80
#define COUNT_PORT   0x84
#define MORE         1000 /* exits after the other guest has ended */

GUEST_CODE(guest, 32,
           "        xorl %ebx, %ebx\n"
           "1:      incl %ebx\n"
           "        inl $0x80, %eax\n"
           "        testl %eax, %eax\n"
           "        jnz 1b\n"
           "        movl %ebx, %eax\n"
           "        outl %eax, $0x84\n"
           "        hlt\n");

extern const char __image_begin[], __image_end[];

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_virtio_random entropy;
static bool other_ended;
static unsigned answered, left = MORE, counted;

static uint64_t go_on(void *device, uint64_t port, unsigned bytes)
{
        (void)device;
        (void)port;
        (void)bytes;
        answered++;
        if (__atomic_load_n(&other_ended, __ATOMIC_RELAXED) && left)
                left--;
        return left != 0;
}

static void take_count(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        counted = (unsigned)value;
}

static int make(void)
{
        const struct nova_vm_config config = {
                .name = "good", .memory = GUEST_MEMORY, .local_apic = true};
        const struct nova_bus_range ask = {ASK_PORT, ASK_PORT + 3, go_on, NULL, NULL};
        const struct nova_bus_range count = {COUNT_PORT, COUNT_PORT + 3, NULL, take_count, NULL};
        int error = nova_vm_create(&vm, &config);

        if (!error)
                error = nova_bus_add(&vm.ports, &ask);
        if (!error)
                error = nova_bus_add(&vm.ports, &count);
        if (!error)
                error = nova_pc_create(&pc, &vm);
        if (!error)
                error = nova_pc_add_console(&pc, 1);
        nova_virtio_random_init(&entropy, &vm.memory, nova_entropy, NULL);
        if (!error)
                error = nova_pc_add_virtio(&pc, 2, &entropy.virtio);
        nova_guest_write(&vm.memory, GUEST_AT, guest, GUEST_BYTES(guest));
        nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
        return error;
}

/* Asks the other monitor repeatedly until it has finished its guests. @return false if that
 * fails */
static bool wait_for_other(void)
{
        struct nova_session *bad;
        nova_word_t ready = 0;
        struct nova_message message = {
                .operation = NOVA_OPERATION_FIRST, .answer = &ready, .answer_max = 1};

        if (nova_session_open(&bad, "bad", NULL))
                return false;
        while (!ready) {
                if (nova_session_call(bad, &message))
                        return false;
                nova_sleep(20000000);
        }
        __atomic_store_n(&other_ended, true, __ATOMIC_RELAXED);
        return true;
}

int main(int argc, char **argv)
{
        const size_t memory = argc > 1 ? strtoul(argv[1], NULL, 10) << 10 : 0;
        const size_t image = (size_t)(__image_end - __image_begin);

        if (make() || nova_vm_run(&vm) || !wait_for_other())
                return 1;

        const enum nova_vm_end end = nova_vm_wait(&vm);
        const size_t unused = nova_page_free_count() * NOVA_PAGE_SIZE;
        const size_t beside = image + memory - unused - vm.memory.bytes;

        printf("good: went on, %s\n", end == NOVA_VM_HALTED && counted == answered && counted > MORE
                                              ? "as expected"
                                              : "but wrong");
        printf("good: %u KiB beside the guest's memory, %s\n", (unsigned)(beside >> 10),
               beside < 1u << 20 ? "less than 1 MiB" : "too much");
        return 0;
}
