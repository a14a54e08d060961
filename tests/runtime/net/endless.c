/* SPDX-License-Identifier: BSD-2-Clause */
/* A service whose frames never end. Argument: the network service. The program's own functions
 * replace those of the session: once the flood has begun, each call gets one more frame. Other
 * threads must still get lwIP's lock. */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "novanet/ip.h"
#include "novart/service/net.h"
#include "novart/time.h"

#define ROUNDS    200
#define PERIOD_NS 10000000
#define BYTES     60

int __real_nova_net_listen(const struct nova_net *net, uint64_t deadline);
int __wrap_nova_net_listen(const struct nova_net *net, uint64_t deadline);
int __real_nova_net_receive(struct nova_net *net, struct nova_net_frame *frame);
int __wrap_nova_net_receive(struct nova_net *net, struct nova_net_frame *frame);
int __real_nova_net_release(struct nova_net *net, const struct nova_net_frame *frame);
int __wrap_nova_net_release(struct nova_net *net, const struct nova_net_frame *frame);

static const uint8_t endless[BYTES]; /* a frame of no protocol */
static unsigned frames;
static bool floods;

static bool has_begun(void)
{
        return __atomic_load_n(&floods, __ATOMIC_RELAXED);
}

int __wrap_nova_net_listen(const struct nova_net *net, uint64_t deadline)
{
        int error = ETIMEDOUT;

        (void)deadline;
        while (error == ETIMEDOUT && !has_begun())
                error = __real_nova_net_listen(net, nova_deadline_in(PERIOD_NS));
        return error == ETIMEDOUT ? 0 : error;
}

int __wrap_nova_net_receive(struct nova_net *net, struct nova_net_frame *frame)
{
        if (!has_begun())
                return __real_nova_net_receive(net, frame);
        __atomic_add_fetch(&frames, 1, __ATOMIC_RELAXED);
        *frame = (struct nova_net_frame){.data = endless, .bytes = BYTES};
        return 0;
}

int __wrap_nova_net_release(struct nova_net *net, const struct nova_net_frame *frame)
{
        return frame->data == endless ? 0 : __real_nova_net_release(net, frame);
}

int main(int argc, char **argv)
{
        const struct nova_ip_config config = {.service = argv[1], .address = "10.0.0.2"};
        const int error = argc == 2 ? nova_ip_start(&config) : EINVAL;
        unsigned opened = 0;

        if (error) {
                puts(strerror(error));
                return 1;
        }
        __atomic_store_n(&floods, true, __ATOMIC_RELAXED);
        while (!__atomic_load_n(&frames, __ATOMIC_RELAXED))
                nova_sleep(PERIOD_NS);
        for (unsigned i = 0; i < ROUNDS; i++) {
                const int number = socket(AF_INET, SOCK_DGRAM, 0);

                opened += number >= 0 && close(number) == 0;
        }
        printf("%u of %u sockets were opened beside the frames\n", opened, ROUNDS);
        return opened != ROUNDS;
}
