/* SPDX-License-Identifier: BSD-2-Clause */
/* Connects lwIP with a network service. A thread waits for frames, and opens the session
 * again when the service has ended; meanwhile frames are lost, as on any cable.
 *
 * lwIP's own lock protects the session. A thread submits its frames to the service when it releases
 * this lock, so that one wake-up covers all frames of a call, or all frames that came together. */
#include "interface.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/inet_chksum.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/ip6.h"
#include "lwip/tcpip.h"
#include "lwip/udp.h"
#include "netif/ethernet.h"
#include "novart/service/net.h"
#include "novart/tcp_segment.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "open_sum.h"
#include "pool.h"

#define POOL_BYTES 0x20000
#define FRAMES     (POOL_BYTES / 2 / NOVA_NET_BUFFER) /* buffers for each direction */
#define WAIT_NS    10000000000
#define MTU        1500 /* bytes of a packet of IP in a frame, at most */
#define IP_BYTES   20   /* size of the IPv4 header without options */
#define JOIN_MAX   32   /* number of frames that are joined */
#define CUT_MAX    7 /* number of frames of a packet that is cut; so four packets fill a window */

/* Bytes of the headers of a fragment of a datagram over IPv6. Those of IPv4 are shorter. */
#define PART_HEADERS (IP6_HLEN + IP6_FRAG_HLEN)

/* Size of the largest datagram whose fragments fit into all buffers. The argument is the maximum
 * size of a fragment; IP rounds it down to a multiple of 8 bytes. */
#define DATAGRAM_BYTES(part) (FRAMES * ((part) & ~7) - UDP_HLEN)

_Static_assert(CUT_MAX <= FRAMES, "a packet fits into the pool");
_Static_assert(LWIP_DATAGRAM_MAX == DATAGRAM_BYTES(MTU - PART_HEADERS),
               "the manual has the limit of the usual MTU");
_Static_assert(IP_REASS_MAX_PBUFS >= FRAMES, "the receiver takes the parts of a datagram");

/* Checksums that lwIP still computes and checks: WITHOUT_CHECK for joined frames, WITHOUT_SUM for
 * other frames whose checksum need not be checked. */
#define WITHOUT_CHECK \
        (NETIF_CHECKSUM_ENABLE_ALL & ~(NETIF_CHECKSUM_CHECK_IP | NETIF_CHECKSUM_CHECK_TCP))
#define WITHOUT_SUM \
        (NETIF_CHECKSUM_ENABLE_ALL & ~(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP))

/* An ARP frame (RFC 826). */
#define ARP_TYPE   12
#define ARP_SENDER 22 /* its Ethernet address, and its IPv4 address */
#define ARP_TARGET 38 /* IPv4 address */
#define ARP_BYTES  42

struct netif novanet_interface;

static struct nova_net *net;            /* protected by lwIP's lock, except in nova_net_listen() */
static bool up;                         /* the service runs */
static bool leaves_open;                /* the service accepts open checksums */
static bool lacked;                     /* a frame lacked a buffer; the rest is not sent yet */
static struct nova_tcp_segment segment; /* made of the frames in `parts` */
static struct pbuf *parts[JOIN_MAX];
static unsigned joined; /* number of parts */

static uint32_t watched; /* 0: no address */
static bool taken;

static void set_open(void)
{
        leaves_open = nova_net_get_info(net)->flags & NOVA_NET_SUMS;
}

/* Returns the maximum size in bytes of a segment that lwIP makes. It is more than a frame holds
 * only if the other machine accepts frames of full size: send_large() cuts the segment into such
 * frames. */
uint16_t novanet_segment_bytes(const struct ip_addr *destination, uint16_t most)
{
        return IP_IS_V4(destination) && most == TCP_MSS ? CUT_MAX * TCP_MSS : most;
}

/* Returns the size of the largest datagram. Fragments of a larger one would be lost, because lwIP
 * sends them all before a buffer is free again. A router of IPv6 may have lowered the MTU. */
uint16_t novanet_datagram_bytes(void)
{
        return (uint16_t)DATAGRAM_BYTES(netif_mtu6(&novanet_interface) - PART_HEADERS);
}

/* Returns the checksum that lwIP writes to a packet: 0 if output() replaces it. output() does so
 * only in IPv4 packets that are neither fragmented nor looped back, and in packets that it cuts
 * into frames. */
uint16_t novanet_sum_to_send(const struct netif *to, struct pbuf *packet, uint8_t protocol,
                             uint16_t bytes, const struct ip_addr *source,
                             const struct ip_addr *destination)
{
        const bool fits = bytes <= novanet_interface.mtu - IP_BYTES;

        if ((fits ? leaves_open : protocol == IP_PROTO_TCP) && to == &novanet_interface &&
            IP_IS_V4(destination) && !ip_addr_ismulticast(destination) &&
            !ip4_addr_cmp(ip_2_ip4(destination), netif_ip4_addr(to)))
                return 0;
        return ip_chksum_pseudo(packet, protocol, bytes, source, destination);
}

/* Returns lwIP's error for an error of nova_net_reserve(). If no buffer is free, lwIP keeps the
 * segment of a stream, and the service wakes the thread when buffers are free again. If the service
 * has ended, the frame is lost; the thread notices the end. */
static err_t lwip_error(int error)
{
        if (error != EAGAIN)
                return ERR_OK;
        lacked = true;
        return ERR_MEM;
}

/* Queues the frames of a packet of TCP, all or none. */
static err_t send_large(const struct pbuf *buffer)
{
        uint8_t headers[NOVA_TCP_HEADERS_MAX], *frame;
        static uint16_t number;
        const uint32_t sum =
                leaves_open ? nova_net_sum_open(NOVA_TCP_OFFSET, NOVA_TCP_SUM_OFFSET) : 0;
        struct nova_tcp_cut cut;
        void *start;
        int error;

        if (pbuf_copy_partial(buffer, headers, sizeof(headers), 0) != sizeof(headers) ||
            !nova_tcp_cut_begin(&cut, headers, buffer->tot_len))
                return ERR_BUF;
        error = nova_net_reserve(net, (cut.left + TCP_MSS - 1) / TCP_MSS);
        if (error)
                return lwip_error(error);
        while (cut.left && nova_net_prepare(net, &start) == 0) {
                const u16_t bytes = (u16_t)LWIP_MIN(cut.left, TCP_MSS);

                frame = start;
                pbuf_copy_partial(buffer, frame + cut.header_bytes, bytes,
                                  (u16_t)(buffer->tot_len - cut.left));
                nova_tcp_cut_write(&cut, frame, bytes, number++, leaves_open);
                nova_net_queue_sum(net, cut.header_bytes + (size_t)bytes, sum);
        }
        return ERR_OK;
}

/* Queues a frame. */
static err_t output(struct netif *of, struct pbuf *buffer)
{
        const u16_t bytes = buffer->tot_len;
        void *frame;
        int error;

        (void)of;
        if (!up)
                return ERR_OK;
        if (bytes > NOVA_NET_FRAME_MAX)
                return send_large(buffer);
        error = nova_net_prepare(net, &frame);
        if (error)
                return lwip_error(error);
        pbuf_copy_partial(buffer, frame, bytes, 0);
        nova_net_queue_sum(net, bytes, leaves_open ? novanet_open_sum(frame, bytes) : 0);
        return ERR_OK;
}

/* Releases lwIP's lock. An error needs no action: the thread notices the end of the service. */
void novanet_unlock(void)
{
        if (up)
                nova_net_flush(net);
        sys_mutex_unlock(&lock_tcpip_core);
}

/* Returns true if a frame comes from another machine that uses the address, or is about to use it
 * (RFC 5227). */
static bool takes_address(const uint8_t frame[ARP_BYTES], uint32_t address)
{
        static const uint8_t head[] = {8, 6, 0, 1, 8, 0, 6, 4}; /* ARP for IPv4 over Ethernet */
        uint32_t sender, target;

        if (memcmp(frame + ARP_TYPE, head, sizeof(head)) != 0 ||
            memcmp(frame + ARP_SENDER, novanet_interface.hwaddr, NOVA_NET_ADDRESS) == 0)
                return false;
        memcpy(&sender, frame + ARP_SENDER + NOVA_NET_ADDRESS, sizeof(sender));
        memcpy(&target, frame + ARP_TARGET, sizeof(target));
        return sender == address || (!sender && target == address);
}

static void watch(const struct pbuf *buffer)
{
        const uint32_t address = __atomic_load_n(&watched, __ATOMIC_RELAXED);
        uint8_t frame[ARP_BYTES];

        if (address && pbuf_copy_partial(buffer, frame, ARP_BYTES, 0) == ARP_BYTES &&
            takes_address(frame, address))
                __atomic_store_n(&taken, true, __ATOMIC_RELAXED);
}

void novanet_watch(const ip4_addr_t *address)
{
        __atomic_store_n(&taken, false, __ATOMIC_RELAXED);
        __atomic_store_n(&watched, address->addr, __ATOMIC_RELAXED);
}

bool novanet_is_taken(void)
{
        return __atomic_load_n(&taken, __ATOMIC_RELAXED);
}

/* Passes a frame to lwIP. @param control checksums that lwIP computes and checks */
static void input(struct pbuf *buffer, uint16_t control)
{
        NETIF_SET_CHECKSUM_CTRL(&novanet_interface, control);
        if (ethernet_input(buffer, &novanet_interface) != ERR_OK)
                pbuf_free(buffer);
        NETIF_SET_CHECKSUM_CTRL(&novanet_interface, NETIF_CHECKSUM_ENABLE_ALL);
}

/* Passes the joined frames to lwIP. Their checksums have been checked. */
static void end_join(void)
{
        struct pbuf *after = NULL;

        if (!joined)
                return;
        if (joined > 1)
                nova_tcp_segment_write(&segment, false);
        while (joined) {
                struct pbuf *const part = parts[--joined];

                part->next = after;
                part->tot_len = (u16_t)(part->len + (after ? after->tot_len : 0));
                after = part;
        }
        input(after, WITHOUT_CHECK);
}

/* Passes a frame to lwIP. First joins it with the next frames if possible, unless sockets share the
 * buffers: lwIP drops or keeps joined frames as one segment.
 * @param good its checksum of TCP or UDP need not be checked */
static void join(struct pbuf *buffer, bool good)
{
        struct nova_tcp_segment next;

        if (buffer->next || novanet_pool_is_shared() ||
            !nova_tcp_segment_read(&next, buffer->payload, buffer->len, good) ||
            next.headers != NOVA_TCP_HEADERS_MIN) { /* lwIP reads the options */
                end_join();
                input(buffer, good ? WITHOUT_SUM : NETIF_CHECKSUM_ENABLE_ALL);
                return;
        }
        pbuf_realloc(buffer, (u16_t)(NOVA_TCP_HEADERS_MIN + next.bytes));
        if (joined && joined < JOIN_MAX && nova_tcp_segment_join(&segment, &next)) {
                pbuf_remove_header(buffer, NOVA_TCP_HEADERS_MIN);
        } else {
                end_join();
                segment = next;
        }
        parts[joined++] = buffer;
}

/* Copies a received frame into a buffer of lwIP and gives the frame back to the driver. If lwIP has
 * no free buffer, the frame is dropped.
 * @return as nova_net_release() */
static int pass_on(const struct nova_net_frame *frame)
{
        struct pbuf *buffer = pbuf_alloc(PBUF_RAW, (u16_t)frame->bytes, PBUF_POOL);
        int error;

        if (buffer)
                pbuf_take(buffer, frame->data, (u16_t)frame->bytes);
        error = nova_net_release(net, frame);
        if (!buffer)
                return error;
        if (error) {
                pbuf_free(buffer);
                return error;
        }
        watch(buffer);
        join(buffer, frame->sum != 0);
        return 0;
}

/* Passes on frames that have come, at most as many as the service has buffers: a service could
 * otherwise make this function hold lwIP's lock for ever. nova_net_listen() returns at once if
 * there are more. Sends the frames for which there was no buffer. */
static int receive(void)
{
        struct nova_net_frame frame;
        unsigned left = FRAMES;
        int error;

        do {
                error = nova_net_receive(net, &frame);
                if (!error)
                        error = pass_on(&frame);
        } while (!error && --left);
        end_join();
        if (error && error != EAGAIN)
                return error;
        if (lacked) {
                lacked = false;
                novanet_send_rest();
        }
        return 0;
}

/* Opens the session again. Reports each error once in a row, because the service may never come
 * back. */
static void reopen(void)
{
        int error, told = 0;

        up = false;
        UNLOCK_TCPIP_CORE();
        while ((error = nova_net_reopen(net)) != 0) {
                if (error != told)
                        printf("the network does not come back: %s\n", strerror(error));
                told = error;
                nova_sleep(WAIT_NS);
        }
        LOCK_TCPIP_CORE();
        up = true;
        set_open();
        novanet_recover();
        lacked = false;
        novanet_send_rest();
}

/* Waits for frames, and passes them on. */
static void *run(void *argument)
{
        while (!argument) {
                int error = nova_net_listen(net, NOVA_FOREVER);

                LOCK_TCPIP_CORE();
                if (!error)
                        error = receive();
                if (error)
                        reopen();
                UNLOCK_TCPIP_CORE();
        }
        return NULL;
}

/* Returns the size of the largest packet whose frames the service takes. */
static u16_t mtu_of(const struct nova_net_info *info)
{
        const uint32_t most = NOVA_NET_FRAME_MIN + MTU;
        const uint32_t least = NOVA_NET_FRAME_MIN + NOVA_NET_MTU_MIN;

        return (u16_t)(LWIP_MAX(LWIP_MIN(info->frame_max, most), least) - NOVA_NET_FRAME_MIN);
}

static err_t init(struct netif *of)
{
        const struct nova_net_info *info = nova_net_get_info(net);

        of->name[0] = 'e';
        of->name[1] = 'n';
        of->mtu = mtu_of(info);
        of->hwaddr_len = NOVA_NET_ADDRESS;
        memcpy(of->hwaddr, info->address, NOVA_NET_ADDRESS);
        of->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
                    NETIF_FLAG_LINK_UP | NETIF_FLAG_MLD6;
        of->output = etharp_output;
        of->output_ip6 = ethip6_output;
        of->linkoutput = output;
        return ERR_OK;
}

void novanet_add_interface(void)
{
        netif_add(&novanet_interface, NULL, NULL, NULL, NULL, init, ethernet_input);
        netif_set_default(&novanet_interface);
}

int novanet_open(const char *service)
{
        const int error = nova_net_open(&net, service, NULL, POOL_BYTES);

        up = !error;
        if (error)
                return error;
        nova_net_accept_sums(net);
        set_open();
        return 0;
}

int novanet_start_thread(void)
{
        const struct nova_thread_attr attr = {
                .name = "frames", .cpu = NOVA_CPU_SELF, .daemon = true};
        struct nova_thread *thread;

        return nova_thread_create(&thread, &attr, run, NULL);
}

bool novanet_has_cable(void)
{
        struct nova_net_info info;
        int error;

        LOCK_TCPIP_CORE();
        error = up ? nova_net_ask_info(net, &info) : ECONNRESET;
        UNLOCK_TCPIP_CORE();
        return error || (info.flags & NOVA_NET_LINK) != 0;
}
