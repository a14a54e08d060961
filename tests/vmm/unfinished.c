/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest sends a packet that its card cuts into 2,000 frames, and halts without a timer. The card
 * sends them in several turns, although the guest has no further exit. There are two cases: each
 * frame finds room at once, or most frames find room only after the guest has halted. */
#include <string.h>

#include "novavmm/load.h"

#include "guest_code.h"
#include "sender.h"

#define GUEST_AT    0x1000
#define PACKET_AT   0x3000
#define STACK_AT    0x9000
#define FRAMES      2000u
#define FRAME_DATA  8u
#define HEADERS     54u
#define PACKET_DATA (FRAMES * FRAME_DATA)
#define IP_BYTES    (PACKET_DATA + 40)
#define SOME        10u /* frames that find room before the guest halts */
#define PAUSE_NS    10000000u
#define PAUSES      500u

/* The queue is at 0x2000, its rings at 0x2800 and 0x2c00. The driver accepts checksums and large
 * packets, wants no interrupt, offers the packet, notifies the card and halts. */
GUEST_CODE(guest, 32,
           "movl $0xe0010000, %ebx\nmovb $3, 20(%ebx)\nmovl $1, 8(%ebx)\nmovl $1, 12(%ebx)\n"
           "movl $0, 8(%ebx)\nmovl $0x801, 12(%ebx)\n"
           "movb $0xb, 20(%ebx)\nmovw $1, 22(%ebx)\nmovw $16, 24(%ebx)\nmovl $0x2000, 32(%ebx)\n"
           "movl $0x2800, 40(%ebx)\nmovl $0x2c00, 48(%ebx)\nmovw $1, 28(%ebx)\n"
           "movb $0xf, 20(%ebx)\nmovl $0x3000, 0x2000\nmovl $16066, 0x2008\n"
           "movw $1, 0x2800\nincw 0x2802\nmovw $1, 0x3004(%ebx)\nsti\n1: hlt\njmp 1b\n");

_Static_assert(16066 == 12 + HEADERS + PACKET_DATA, "the packet's descriptor");

/* The device's header, and those of Ethernet, IPv4 and TCP. */
static const struct {
        uint8_t device[12], ethernet[14], version[2], ip_bytes[2], ip[16], tcp[20];
} headers = {
        .device = {1, 1, HEADERS, 0, FRAME_DATA, 0, 34, 0, 16},
        .ethernet = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8},
        .version = {0x45},
        .ip_bytes = {IP_BYTES >> 8, IP_BYTES & 0xff},
        .ip = {0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2},
        .tcp = {3, 0xe8, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x10, 0x10},
};

_Static_assert(sizeof(headers) == 12 + HEADERS, "the headers have no gaps");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_virtio_net card;
static uint8_t frame[NOVA_VIRTIO_NET_FRAME_MAX];
static unsigned room, good; /* the machine's lock protects them */

static void *prepare(void *unused)
{
        (void)unused;
        return room ? frame : NULL;
}

static void take(void *unused, size_t bytes)
{
        (void)unused;
        room--;
        good += bytes == HEADERS + FRAME_DATA;
}

static bool make(void)
{
        static const struct nova_vm_config config = {.name = "halted", .memory = 2u << 20};
        static const struct nova_virtio_net_cable cable = {prepare,       take, sender_ignore,
                                                           sender_ignore, NULL, NULL};

        if (!sender_create(&vm, &config, &pc, &card, &cable))
                return false;
        machine_begin(&vm, GUEST_AT, guest, GUEST_BYTES(guest));
        vm.vcpu[0].start.state.sp = STACK_AT;
        return nova_guest_write(&vm.memory, PACKET_AT, &headers, sizeof(headers));
}

/* Waits, for a limited time, until the guest has halted and this number of frames was sent.
 * @return the number of frames that were sent */
static unsigned wait_for(unsigned frames)
{
        unsigned sent = 0;
        bool halts = false;

        for (unsigned i = 0; i < PAUSES && (sent < frames || !halts); i++) {
                nova_sleep(PAUSE_NS);
                nova_vm_lock(&vm);
                sent = good;
                halts = vm.vcpu[0].activity == NOVA_VCPU_HALTS;
                nova_vm_unlock(&vm);
        }
        return sent;
}

/* Runs the guest. @return whether all frames were sent */
static bool run(const char *when, unsigned at_first)
{
        unsigned sent;

        good = 0;
        room = at_first;
        memset(&card, 0, sizeof(card));
        if (!make())
                return false;
        nova_vm_run(&vm);
        sent = wait_for(at_first);
        if (at_first < FRAMES) {
                nova_vm_lock(&vm);
                room = FRAMES;
                nova_virtio_net_resume(&card);
                nova_vm_unlock(&vm);
                sent = wait_for(FRAMES);
        }
        printf("%s: %u of %u frames were sent\n", when, sent, FRAMES);
        nova_vm_stop(&vm);
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        return sent == FRAMES;
}

int main(void)
{
        const bool first = run("there is room", FRAMES), second = run("there is room later", SOME);

        return !first || !second;
}
