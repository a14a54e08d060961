/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that sends a frame and waits for the card's interrupt without halting. The board holds
 * the interrupt back for half a millisecond at most, even if the guest has no exit meanwhile. */
#include <string.h>

#include "novavmm/load.h"

#include "guest_code.h"
#include "sender.h"

#define GUEST_AT   0x1000
#define RESULT_AT  0x7100
#define STACK_AT   0x9000
#define ROUNDS     3
#define FRAME_SIZE 60

/* The queue is at 0x2000, its rings at 0x2800 and 0x2c00, and the frame at 0x3000.
 *
 * Prepares the queue of frames that are sent. For each frame: makes its descriptor available,
 * notifies the card, spins without an exit for some time, and reads the cause of the interrupt
 * until it is set. Counts the frames whose interrupt arrived. */
GUEST_CODE(guest, 32,
           "movl $0xe0010000, %ebx\nmovb $3, 20(%ebx)\nmovl $1, 8(%ebx)\nmovl $1, 12(%ebx)\n"
           "movb $0xb, 20(%ebx)\nmovw $1, 22(%ebx)\nmovw $16, 24(%ebx)\nmovl $0x2000, 32(%ebx)\n"
           "movl $0x2800, 40(%ebx)\nmovl $0x2c00, 48(%ebx)\nmovw $1, 28(%ebx)\n"
           "movb $0xf, 20(%ebx)\nmovl $0x3000, 0x2000\nmovl $72, 0x2008\nxorl %edi, %edi\n"
           "1: incw 0x2802\nmovw $1, 0x3004(%ebx)\n"
           "movl $5000000, %ecx\n2: loop 2b\n"
           "3: movb 0x1000(%ebx), %al\ntestb $1, %al\njz 3b\n"
           "incl %edi\nmovl %edi, 0x7100\ncmpl $3, %edi\njne 1b\ncli\nhlt\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_virtio_net card;
static uint8_t frame[NOVA_VIRTIO_NET_FRAME_MAX];
static unsigned good;

static void *prepare(void *unused)
{
        (void)unused;
        return frame;
}

static void take(void *unused, size_t bytes)
{
        (void)unused;
        good += bytes == FRAME_SIZE;
}

static bool make(void)
{
        static const struct nova_vm_config config = {.name = "sent", .memory = 2u << 20};
        static const struct nova_virtio_net_cable cable = {prepare,       take, sender_ignore,
                                                           sender_ignore, NULL, NULL};

        return sender_create(&vm, &config, &pc, &card, &cable);
}

int main(void)
{
        uint32_t interrupts = 0;
        enum nova_vm_end end;

        if (!make())
                return 1;
        machine_begin(&vm, GUEST_AT, guest, GUEST_BYTES(guest));
        vm.vcpu[0].start.state.sp = STACK_AT;
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, RESULT_AT, &interrupts, sizeof(interrupts));
        printf("%u frames were sent, with %u interrupts: the guest %s\n", good,
               (unsigned)interrupts, nova_vm_end_text(end));
        return good != ROUNDS || interrupts != ROUNDS || end != NOVA_VM_HALTED;
}
