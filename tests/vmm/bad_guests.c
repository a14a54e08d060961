/* SPDX-License-Identifier: BSD-2-Clause */
/* Faulty guests, one after the other. With an argument the program is also the service `bad`, which
 * reports whether all of them have ended. */
#include <stdio.h>
#include <string.h>

#include "novart/service.h"
#include "novavmm/entropy.h"
#include "novavmm/load.h"
#include "novavmm/pc.h"
#include "novavmm/virtio_random.h"

#include "guest_code.h"

#define GUEST_AT 0x1000

/* A driver for a virtio device that makes the device write outside of the guest's memory. It
 * notices that the device needs a reset, resets it, and halts. */
GUEST_CODE(driver, 32,
           "        movl $0xe0010000, %ebx\n"
           "        movb $3, 20(%ebx)\n"
           "        movl $1, 8(%ebx)\n"
           "        movl $1, 12(%ebx)\n"
           "        movb $0xb, 20(%ebx)\n"
           "        movw $0, 22(%ebx)\n"
           "        movw $8, 24(%ebx)\n"
           "        movl $0x2000, 32(%ebx)\n"
           "        movl $0x2800, 40(%ebx)\n"
           "        movl $0x2c00, 48(%ebx)\n"
           "        movw $1, 28(%ebx)\n"
           "        movb $0xf, 20(%ebx)\n"
           "        movl $0x80000000, 0x2000\n" /* the descriptor: address, length, writable */
           "        movl $16, 0x2008\n"
           "        movl $2, 0x200c\n"
           "        movw $1, 0x2802\n"
           "        movw $0, 0x3000(%ebx)\n"
           "1:      cmpb $0x4f, 20(%ebx)\n"
           "        jne 1b\n"
           "        movb $0, 20(%ebx)\n"
           "2:      cmpb $0, 20(%ebx)\n"
           "        jne 2b\n"
           "        hlt\n");

/* Boards of the guests: none, one that works, one whose device breaks on input at the end, and one
 * whose reset prints the registers. */
enum board { NO_BOARD, BOARD, BROKEN_BOARD, REPORTING_BOARD };

/* Code for protected mode without paging, and the expected end of the machine. */
static const struct bad_guest {
        const char *name, *code;
        size_t bytes;
        enum nova_vm_end end;
        enum board board;
} guests[] = {
        /* mov $0xd0000000, %eax; jmp *%eax */
        {"nowhere", "\xb8\x00\x00\x00\xd0\xff\xe0", 7, NOVA_VM_ERROR, NO_BOARD},
        /* mov $0xd0000000, %eax; mov %eax, %cr3; mov %cr0, %eax; or $0x80000000, %eax;
         * mov %eax, %cr0; hlt */
        {"tables",
         "\xb8\x00\x00\x00\xd0\x0f\x22\xd8\x0f\x20\xc0\x0d\x00\x00\x00\x80\x0f\x22\xc0\xf4", 20,
         NOVA_VM_ERROR, NO_BOARD},
        /* ud2, without an IDT */
        {"triple", "\x0f\x0b", 2, NOVA_VM_ERROR, NO_BOARD},
        /* movups %xmm0, 0xd0000000, after CR4.OSFXSR was set */
        {"vector", "\x0f\x20\xe0\x0d\x00\x02\x00\x00\x0f\x22\xe0\x0f\x11\x05\x00\x00\x00\xd0", 18,
         NOVA_VM_ERROR, NO_BOARD},
        /* reads of absent memory and ports return ones, writes are lost: mov %eax, 0xd0000000; mov
         * 0xd0000000, %eax; inc %eax; jnz .; in $0x80, %eax; inc %eax; jnz .; cli; hlt */
        {"absent",
         "\xa3\x00\x00\x00\xd0\xa1\x00\x00\x00\xd0\x40\x75\xfe\xe5\x80\x40\x75\xfe\xfa\xf4", 20,
         NOVA_VM_HALTED, NO_BOARD},
        /* hlt with interrupts off */
        {"halted", "\xf4", 1, NOVA_VM_HALTED, NO_BOARD},
        /* unavailable instructions raise exceptions: vmmcall, without an IDT */
        {"refused", "\x0f\x01\xd9", 3, NOVA_VM_ERROR, NO_BOARD},
        /* hlt, with a device that input breaks */
        {"input", "\xf4", 1, NOVA_VM_HALTED, BROKEN_BOARD},
        /* mov $6, %al; mov $0xcf9, %edx; out %al, %dx; jmp . */
        {"reboot", "\xb0\x06\xba\xf9\x0c\x00\x00\xee\xeb\xfe", 10, NOVA_VM_RESET, BOARD},
        /* mov $0xfe, %al; mov $0xdead, %ebx; out %al, $0x64; jmp . */
        {"panic", "\xb0\xfe\xbb\xad\xde\x00\x00\xe6\x64\xeb\xfe", 11, NOVA_VM_RESET,
         REPORTING_BOARD},
        /* mov $'h', %al; mov $0x3f8, %edx; out %al, %dx; mov $0x1000000, %ecx; loop .; int3 */
        {"half", "\xb0\x68\xba\xf8\x03\x00\x00\xee\xb9\x00\x00\x00\x01\xe2\xfe\xcc", 16,
         NOVA_VM_ERROR, BOARD},
        /* mov $'q', %al; mov $0x3f8, %edx; out %al, %dx; int3: the text is written later */
        {"quick", "\xb0\x71\xba\xf8\x03\x00\x00\xee\xcc", 9, NOVA_VM_ERROR, BOARD},
        /* an IDT in a device: movl $0xe0010000, 0x1102; movw $0x7ff, 0x1100; lidt 0x1100; int
         * $0x80 */
        {"table",
         "\xc7\x05\x02\x11\x00\x00\x00\x00\x01\xe0\x66\xc7\x05\x00\x11\x00\x00\xff\x07"
         "\x0f\x01\x1d\x00\x11\x00\x00\xcd\x80",
         28, NOVA_VM_ERROR, BOARD},
};

static struct nova_virtio_random entropy;

/* Makes a board with an entropy device in slot 1. */
static int add_devices(struct nova_vm *vm, struct nova_pc *pc)
{
        int error;

        memset(pc, 0, sizeof(*pc));
        error = nova_pc_create(pc, vm);
        nova_virtio_random_init(&entropy, &vm->memory, nova_entropy, NULL);
        return error ? error : nova_pc_add_virtio(pc, 1, &entropy.virtio);
}

/* Breaks the device as input would: not during an exit, so there is no reply to the guest. */
static void break_device(struct nova_vm *vm)
{
        nova_vm_lock(vm);
        nova_virtio_break(&entropy.virtio, "input");
        nova_vm_unlock(vm);
}

static int run(const struct bad_guest *guest)
{
        static struct nova_vm vm;
        static struct nova_pc pc;
        const struct nova_vm_config config = {.name = guest->name,
                                              .memory = 2u << 20,
                                              .report_reset = guest->board == REPORTING_BOARD};
        int error = nova_vm_create(&vm, &config);

        if (!error && guest->board)
                error = add_devices(&vm, &pc);

        if (error) {
                printf("The machine cannot be created: %s.\n", nova_vm_why(&vm, error));
                return 0;
        }
        nova_guest_write(&vm.memory, GUEST_AT, guest->code, guest->bytes);
        nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
        vm.vcpu[0].start.state.idtr.limit = 0;
        nova_vm_run(&vm);

        const enum nova_vm_end end = nova_vm_wait(&vm);

        if (guest->board == BROKEN_BOARD)
                break_device(&vm);
        if (guest->board)
                nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        printf("%s: %s\n", guest->name, end == guest->end ? "as expected" : "wrong");
        return end == guest->end;
}

static bool ready;

static int is_ready(struct nova_request *request)
{
        nova_request_answer(request, __atomic_load_n(&ready, __ATOMIC_RELAXED));
        return 0;
}

static int start_service(void)
{
        static const struct nova_service_operation operation = {.handler = is_ready};
        static const struct nova_service_config config = {
                .name = "bad", .operations = &operation, .operation_count = 1};

        return nova_service_start(NULL, &config);
}

int main(int argc, char **argv)
{
        const unsigned count = sizeof(guests) / sizeof(*guests);
        const struct bad_guest virtio = {"virtio", driver, GUEST_BYTES(driver), NOVA_VM_HALTED,
                                         BOARD};
        unsigned good = 0;

        (void)argv;
        if (argc > 1 && start_service())
                return 1;
        for (unsigned i = 0; i < count; i++)
                good += (unsigned)run(&guests[i]);
        good += (unsigned)run(&virtio);
        printf("%u of %u guests\n", good, count + 1);
        if (argc == 1)
                return good != count + 1;
        __atomic_store_n(&ready, true, __ATOMIC_RELAXED);
        nova_service_sleep();
}
