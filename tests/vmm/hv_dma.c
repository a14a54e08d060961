/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest lets a virtio device write to overlay pages that the guest itself can or cannot write,
 * and to buffers that lie only partly in such a page. It also puts a part of the queue there. The
 * device refuses each attempt and needs a reset. Before and after this it fills buffers in RAM. */
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"
#include "novavmm/virtio_random.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT    0x1000
#define QUEUE_AT    0x2000
#define USED_AT     0x2c00
#define TABLE_AT    0x7000
#define RESULTS_AT  0x7100
#define STACK_AT    0x9000
#define CALLS_AT    0x10000 /* the hypercall page */
#define MESSAGES_AT 0x20000
#define FREE_AT     0x30000
#define PAGE        4096u
#define DEVICE_BYTE 0xd5
#define PATTERN     0x5a

enum { REFUSED = 1, WRITTEN = 2 };

/* A request, and its result. The guest's code knows the layout of the first three fields. */
struct attempt {
        uint32_t used, buffer, bytes;
};

static const struct attempt attempts[] = {
        {USED_AT, FREE_AT, 16},      {USED_AT, CALLS_AT, 16},
        {USED_AT, CALLS_AT - 8, 16}, {USED_AT, CALLS_AT + 0xff8, 16},
        {USED_AT, MESSAGES_AT, 256}, {CALLS_AT + 0x800, FREE_AT, 16},
        {MESSAGES_AT, FREE_AT, 16},  {USED_AT, FREE_AT + 0x100, 16},
};

#define ATTEMPTS (sizeof(attempts) / sizeof(*attempts))

#define WRITE(msr, low) "movl $" #msr ", %ecx\nmovl $" #low ", %eax\nxorl %edx, %edx\nwrmsr\n"

/* For each attempt: resets the device, prepares a queue with one descriptor, and waits until the
 * device needs a reset or has used the descriptor. */
GUEST_CODE(
        guest, 32,
        WRITE(0x40000000, 1) WRITE(0x40000001, 0x10001) WRITE(
                0x40000083,
                0x20001) "movl $0xe0010000, %ebx\nmovl $0x7000, %esi\nmovl $0x7100, %edi\n"
                         "1: movb $0, 20(%ebx)\n2: movb 20(%ebx), %al\ntestb %al, %al\njnz 2b\n"
                         "movl $0, 0x2800\nmovl $0, 0x2c00\nmovb $3, 20(%ebx)\nmovl $1, 8(%ebx)\n"
                         "movl $1, 12(%ebx)\nmovb $0xb, 20(%ebx)\nmovw $0, 22(%ebx)\nmovw $8, "
                         "24(%ebx)\n"
                         "movl $0x2000, 32(%ebx)\nmovl $0x2800, 40(%ebx)\nlodsl\nmovl %eax, "
                         "48(%ebx)\n"
                         "lodsl\nmovl %eax, 0x2000\nmovl $0, 0x2004\nlodsl\nmovl %eax, 0x2008\n"
                         "movl $2, 0x200c\nmovw $1, 28(%ebx)\nmovb $0xf, 20(%ebx)\nmovw $1, "
                         "0x2802\n"
                         "movw $0, 0x3000(%ebx)\n"
                         "3: movb 20(%ebx), %al\ntestb $0x40, %al\nmovl $1, %eax\njnz 4f\n"
                         "cmpw $1, 0x2c02\njne 3b\nmovl $2, %eax\n4: stosl\n"
                         "cmpl $0, (%esi)\njne 1b\ncli\nhlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;
static struct nova_virtio_random entropy;

/* Gives the device's bytes. */
static size_t source(void *unused, void *to, size_t bytes)
{
        (void)unused;
        memset(to, DEVICE_BYTE, bytes);
        return bytes;
}

static bool make(void)
{
        static const struct nova_vm_config config = {
                .name = "dma", .memory = 2u << 20, .local_apic = true};
        static const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL |
                                                                        NOVA_HV_PRIVILEGE_SYNIC};

        if (!machine_create(&vm, &config, &pc))
                return false;
        nova_virtio_random_init(&entropy, &vm.memory, source, NULL);
        return !nova_pc_add_virtio(&pc, 1, &entropy.virtio) &&
               !nova_hv_enable(&hv, &vm, &enlightened);
}

/* Returns true if all bytes of a page have a value. */
static bool is_filled(const uint8_t *page, uint8_t value)
{
        unsigned i = 0;

        while (i < PAGE && page[i] == value)
                i++;
        return i == PAGE;
}

/* Checks the buffers that the device may fill, both pages, and the RAM below them and around them.
 */
static bool memory_is_right(void)
{
        static uint8_t page[PAGE], calls[PAGE];
        const uint8_t *const ram = vm.memory.base;

        nova_hv_page_fill(calls, vm.svm);
        return nova_guest_read(&vm.memory, CALLS_AT, page, PAGE) && !memcmp(page, calls, PAGE) &&
               nova_guest_read(&vm.memory, MESSAGES_AT, page, PAGE) && is_filled(page, 0) &&
               ram[FREE_AT + 15] == DEVICE_BYTE && ram[FREE_AT + 0x10f] == DEVICE_BYTE &&
               is_filled(ram + CALLS_AT - PAGE, PATTERN) && is_filled(ram + CALLS_AT, PATTERN) &&
               is_filled(ram + CALLS_AT + PAGE, PATTERN) && is_filled(ram + MESSAGES_AT, PATTERN);
}

int main(void)
{
        uint32_t result[ATTEMPTS];
        unsigned refused = 0, written = 0;
        enum nova_vm_end end;
        bool good;

        if (!make())
                return 1;
        memset(vm.memory.base + CALLS_AT - PAGE, PATTERN, 3 * PAGE);
        memset(vm.memory.base + MESSAGES_AT, PATTERN, PAGE);
        nova_guest_write(&vm.memory, TABLE_AT, attempts, sizeof(attempts));
        machine_begin(&vm, GUEST_AT, guest, GUEST_BYTES(guest));
        vm.vcpu[0].start.state.sp = STACK_AT;
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, RESULTS_AT, result, sizeof(result));
        for (unsigned i = 0; i < ATTEMPTS; i++) {
                refused += result[i] == REFUSED;
                written += result[i] == WRITTEN;
        }
        good = result[0] == WRITTEN && result[ATTEMPTS - 1] == WRITTEN && memory_is_right();
        printf("%u refused, %u written, memory is %s: the guest %s\n", refused, written,
               good ? "right" : "wrong", nova_vm_end_text(end));
        return !good || end != NOVA_VM_HALTED;
}
