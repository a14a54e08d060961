/* SPDX-License-Identifier: BSD-2-Clause */
/* Connects lwIP with a service that has frames. A thread waits for frames, and opens the session
 * again when the service has ended; meanwhile frames are lost, as on any cable. */
#include "novanet/ip.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/netif.h"
#include "lwip/tcpip.h"
#include "novart/service/net.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define POOL_BYTES 0x20000 /* 32 buffers for each direction */
#define WAIT_NS    10000000000
#define PAUSE_NS   10000000
#define MTU        1500

static struct netif interface;
static struct nova_net *net;
static struct nova_mutex mutex = NOVA_MUTEX_INITIALIZER; /* protects the session */
static bool up;                                          /* the service runs */
static bool started;

/* Sends a frame. A frame that finds no buffer is lost; TCP sends it again. */
static err_t output(struct netif *of, struct pbuf *buffer)
{
        static uint8_t frame[NOVA_NET_FRAME_MAX]; /* protected by the lock */
        const u16_t bytes = buffer->tot_len;
        int error = ECONNRESET;

        (void)of;
        if (bytes > sizeof(frame))
                return ERR_BUF;
        nova_mutex_lock(&mutex);
        if (up) {
                pbuf_copy_partial(buffer, frame, bytes, 0);
                error = nova_net_send(net, frame, bytes);
                if (!error || error == EAGAIN)
                        nova_net_flush(net);
        }
        nova_mutex_unlock(&mutex);
        return error == EAGAIN ? ERR_MEM : ERR_OK;
}

/* Passes a frame to lwIP, which loses it if it has no memory. @return as nova_net_release() */
static int pass_on(const struct nova_net_frame *frame)
{
        struct pbuf *buffer = pbuf_alloc(PBUF_RAW, (u16_t)frame->bytes, PBUF_POOL);
        int error;

        if (buffer)
                pbuf_take(buffer, frame->data, (u16_t)frame->bytes);
        error = nova_net_release(net, frame);
        if (buffer && (error || interface.input(buffer, &interface) != ERR_OK))
                pbuf_free(buffer);
        return error;
}

static int receive(void)
{
        struct nova_net_frame frame;
        int error;

        while ((error = nova_net_receive(net, &frame)) == 0) {
                error = pass_on(&frame);
                if (error)
                        return error;
        }
        return error == EAGAIN ? nova_net_flush(net) : error;
}

static void reopen(void)
{
        int error;

        up = false;
        nova_mutex_unlock(&mutex);
        while ((error = nova_net_reopen(net)) != 0) {
                printf("the network does not come back: %s\n", strerror(error));
                nova_sleep(WAIT_NS);
        }
        nova_mutex_lock(&mutex);
        up = true;
}

/* Waits for frames, and passes them on. */
static void *run(void *argument)
{
        while (!argument) {
                int error = nova_net_listen(net, NOVA_FOREVER);

                nova_mutex_lock(&mutex);
                if (!error)
                        error = receive();
                if (error)
                        reopen();
                nova_mutex_unlock(&mutex);
        }
        return NULL;
}

static err_t init(struct netif *of)
{
        const struct nova_net_info *info = nova_net_get_info(net);

        of->name[0] = 'e';
        of->name[1] = 'n';
        of->mtu = MTU;
        of->hwaddr_len = NOVA_NET_ADDRESS;
        memcpy(of->hwaddr, info->address, NOVA_NET_ADDRESS);
        of->flags =
                NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
        of->output = etharp_output;
        of->linkoutput = output;
        return ERR_OK;
}

/* The addresses of a configuration without DHCP. */
struct addresses {
        ip4_addr_t own, mask, gateway, name_server;
};

static bool read_address(const char *text, const char *otherwise, ip4_addr_t *address)
{
        return ip4addr_aton(text ? text : otherwise, address);
}

static int read_addresses(const struct nova_ip_config *config, struct addresses *addresses)
{
        const bool good = read_address(config->address, "0.0.0.0", &addresses->own) &&
                          read_address(config->mask, "255.255.255.0", &addresses->mask) &&
                          read_address(config->gateway, "0.0.0.0", &addresses->gateway) &&
                          read_address(config->name_server, "0.0.0.0", &addresses->name_server);

        return good ? 0 : EINVAL;
}

static int start_thread(void)
{
        const struct nova_thread_attr attr = {.name = "frames", .cpu = NOVA_CPU_SELF};
        struct nova_thread *thread;

        return nova_thread_create(&thread, &attr, run, NULL);
}

static void set_up(const struct addresses *addresses, bool dhcp)
{
        ip_addr_t server;

        LOCK_TCPIP_CORE();
        netif_add(&interface, &addresses->own, &addresses->mask, &addresses->gateway, NULL, init,
                  tcpip_input);
        netif_set_default(&interface);
        netif_set_up(&interface);
        if (dhcp) {
                dhcp_start(&interface);
        } else {
                ip_addr_copy_from_ip4(server, addresses->name_server);
                dns_setserver(0, &server);
        }
        UNLOCK_TCPIP_CORE();
}

static int wait_for_address(uint64_t wait_ns)
{
        const uint64_t end = nova_time_ns() + (wait_ns ? wait_ns : WAIT_NS);

        while (ip4_addr_isany_val(*netif_ip4_addr(&interface))) {
                if (nova_time_ns() > end)
                        return ETIMEDOUT;
                nova_sleep(PAUSE_NS);
        }
        return 0;
}

int nova_ip_start(const struct nova_ip_config *config)
{
        struct addresses addresses;
        int error = read_addresses(config, &addresses);

        if (error)
                return error;
        if (started)
                return EALREADY;
        error = nova_net_open(&net, config->service, NULL, POOL_BYTES);
        if (error)
                return error;
        started = true;
        up = true;
        tcpip_init(NULL, NULL);
        novanet_use_calls();
        set_up(&addresses, !config->address);
        error = start_thread();
        return error ? error : wait_for_address(config->wait_ns);
}

char *nova_ip_address(char text[NOVA_IP_TEXT])
{
        return ip4addr_ntoa_r(netif_ip4_addr(&interface), text, NOVA_IP_TEXT);
}
