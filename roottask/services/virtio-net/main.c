/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `virtio-net`: a driver for virtio network cards (VIRTIO 1.2, 5.1). Arguments: the
 * name of the device in the description (default: `card`), and the name of the service.
 *
 * One client has the card. The device reads frames from the client's pool, and writes them into
 * it. */
#include <errno.h>

#include "frames.h"
#include "net/server.h"
#include "nova/hypercall.h"
#include "ring/claim.h"
#include "ring/dma.h"
#include "ring/driver.h"
#include "virtio/pci.h"

/* Features. */
#define MTU     (1ull << 3)
#define ADDRESS (1ull << 5)
#define STATUS  (1ull << 16)

/* Offsets in the configuration. */
#define CONFIG_STATUS 6
#define CONFIG_MTU    10
#define STATUS_LINK   1

#define RECEIVE    FRAMES_RECEIVE
#define TRANSMIT   FRAMES_TRANSMIT
#define QUEUES     FRAMES_QUEUES
#define TIMEOUT_NS 10000000000

static struct virtio virtio;
static struct frames frames;
static struct queue *const queues = frames.queue;
static const unsigned *const free_count = frames.free_count;
static struct net_port *user; /* the client whose frames the device has */

static void add(unsigned index, const struct nova_net_entry *entry)
{
        const struct share_pool *pool = &user->share.pool;
        const struct frames_request request = {.memory = (uint8_t *)pool->memory + entry->offset,
                                               .bytes = entry->bytes,
                                               .tag = entry->tag,
                                               .sum = entry->sum,
                                               .stamp = index == TRANSMIT ? watchdog_stamp() : 0};

        frames_add(&frames, index, &request, pool->device + entry->offset);
}

static void finish(unsigned index, const struct frames_end *end)
{
        if (index == TRANSMIT) {
                net_complete_transmit(user, end->tag, 0);
                return;
        }
        user->counts.dropped += end->dropped;
        net_complete_receive(user, end->tag, end->bytes, end->sum);
}

/* Ends all requests that the device has completed. */
static void drain(unsigned index)
{
        enum queue_answer answer;
        struct frames_end end;

        while ((answer = frames_take(&frames, index, &end)) == QUEUE_TAKEN)
                finish(index, &end);
        if (answer == QUEUE_BROKEN) {
                virtio_reset(&virtio);
                driver_fail(
                        "the device completes a request that it does not have, or a frame without "
                        "all of its buffers.");
        }
}

/* Ends all requests that the device has completed, and asks for an interrupt after the next one. */
static void drain_and_arm(unsigned index)
{
        do
                drain(index);
        while (!queue_arm(&queues[index]));
}

/* Completes the requests of sent frames. serve() calls this, so they need no interrupt. */
static void collect(void)
{
        drain(TRANSMIT);
        queue_disarm(&queues[TRANSMIT]);
}

/* Gives the client's empty buffers to the device. @return true if more may be left: a client can
 * submit malformed ones as fast as they complete */
static bool take_buffers(struct net_port *port)
{
        struct nova_net_entry entry;

        for (unsigned n = 0; n < NOVA_NET_ENTRIES && free_count[RECEIVE]; n++) {
                const int error = net_take_receive(port, &entry);

                if (error == EAGAIN)
                        return false;
                if (!error)
                        add(RECEIVE, &entry);
        }
        return free_count[RECEIVE];
}

/* Gives the client's empty buffers and its frames to the device. */
static bool serve(struct net_port *port)
{
        struct nova_net_entry entry;
        bool more;
        unsigned n;
        int error;

        user = port;
        collect();
        more = take_buffers(port);
        for (n = 0; n < NET_TURN && free_count[TRANSMIT] && port->attached; n++) {
                error = net_take_transmit(port, &entry);
                if (error == EAGAIN)
                        return more;
                if (!error)
                        add(TRANSMIT, &entry);
        }
        return more || n == NET_TURN;
}

static bool pending(const struct net_port *port)
{
        return (free_count[RECEIVE] && ring_pending(&port->receive)) ||
               (free_count[TRANSMIT] && ring_pending(&port->transmit));
}

static unsigned buffers(void)
{
        return queues[RECEIVE].depth - free_count[RECEIVE];
}

/* Notifies the device. Asks for an interrupt if the client waits for completions of sent frames, or
 * if a frame in its ring may have to wait for a free request. A client that begins to wait later
 * rings the doorbell. */
static void kick(void)
{
        for (unsigned i = 0; i < QUEUES; i++)
                if (queue_publish(&queues[i]))
                        virtio_notify(&virtio, i);
        if (!user || (!ring_client_waits(&user->transmit) && free_count[TRANSMIT]))
                return;
        drain_and_arm(TRANSMIT);
        virtio_config(&virtio, 0, 1); /* a fence that QEMU does not omit, see QUEUE_LOOKS */
        drain(TRANSMIT);
        if (pending(user))
                nova_sm_up(serve_doorbell());
}

/* Takes completed buffers. Looks at the queue up to QUEUE_LOOKS times; see there for the reason. */
static void handle_interrupt(void)
{
        unsigned looks = 0;

        if (virtio.pin)
                virtio_acknowledge(&virtio);
        do {
                drain_and_arm(RECEIVE);
                net_serve();
        } while (++looks < QUEUE_LOOKS && !queue_is_taken(&queues[RECEIVE]));
}

static void start_queues(void)
{
        const char *wrong;

        frames_init(&frames);
        wrong = virtio_start(&virtio, queues, QUEUES);
        if (wrong)
                driver_fail(wrong);
}

/* Resets the device, which would otherwise keep the client's empty buffers until frames arrive. */
static void detach(struct net_port *port)
{
        const char *wrong = virtio_renew(&virtio);

        (void)port;
        if (wrong)
                driver_fail(wrong);
        user = NULL;
        start_queues();
}

static void read_address(uint8_t *address)
{
        for (unsigned i = 0; i < NOVA_NET_ADDRESS; i++)
                address[i] = (uint8_t)virtio_config(&virtio, i, 1);
}

static void describe(const struct net_port *port, struct nova_net_info *info)
{
        (void)port;
        read_address(info->address);
        if (!(virtio.features & STATUS) || virtio_config(&virtio, CONFIG_STATUS, 2) & STATUS_LINK)
                info->flags |= NOVA_NET_LINK;
}

/* The watchdog calls this without the lock. A request may end meanwhile, so each stamp is read
 * once. */
static bool find_oldest(uint32_t *age)
{
        bool any = false;

        *age = 0;
        if (queue_is_done(&queues[TRANSMIT]))
                return false;
        for (unsigned i = 0; i < FRAMES_DEPTH_MAX; i++) {
                const uint32_t stamp =
                        __atomic_load_n(&frames.request[TRANSMIT][i].stamp, __ATOMIC_RELAXED);

                any |= stamp;
                if (stamp && watchdog_age(stamp) > *age)
                        *age = watchdog_age(stamp);
        }
        return any;
}

static struct net_service card = {
        .name = "virtio-net",
        .ports = 1,
        .frame_max = NOVA_NET_FRAME_MAX,
        .watch = {TIMEOUT_NS, find_oldest},
        .source = {dma_alloc, dma_release},
        .describe = describe,
        .serve = serve,
        .pending = pending,
        .buffers = buffers,
        .kick = kick,
        .detach = detach,
};

/* Reads the properties. The device may report any values. */
static void read_properties(void)
{
        const uint32_t mtu = (uint32_t)virtio_config(&virtio, CONFIG_MTU, 2);
        uint8_t address[NOVA_NET_ADDRESS];

        read_address(address);
        if (!(virtio.features & ADDRESS) || !net_address_is_valid(address))
                driver_refuse(NET_NO_ADDRESS);
        if (virtio.features & MTU && mtu + NOVA_NET_FRAME_MIN < NOVA_NET_FRAME_MAX)
                card.frame_max = mtu + NOVA_NET_FRAME_MIN;
        frames.features = virtio.features;
        card.sums = virtio.features & FRAMES_SUM;
}

/* Rounds a size up, so that the next part begins in another cache line. */
static size_t round_up(size_t bytes)
{
        return (bytes + 63) & ~(size_t)63;
}

static void make_queues(void)
{
        size_t bytes[QUEUES], header_bytes[QUEUES], all = 0;
        struct nova_dma dma;
        char *memory;

        for (unsigned i = 0; i < QUEUES; i++) {
                const unsigned size = virtio_queue_size(&virtio, i);

                if (size < FRAMES_PARTS || size & (size - 1))
                        driver_refuse("a queue of the device is too small, or not a power of two.");
                queues[i].size = size < QUEUE_SIZE_MAX ? size : QUEUE_SIZE_MAX;
                queues[i].span = FRAMES_PARTS;
                queues[i].depth = queues[i].size / FRAMES_PARTS;
                queues[i].events = virtio.features & VIRTIO_EVENTS;
                bytes[i] = round_up(queue_bytes(&queues[i]));
                header_bytes[i] = round_up(frames_header_bytes(&frames, i));
                all += bytes[i] + header_bytes[i];
        }
        if (nova_dma_alloc(all, &dma))
                driver_fail("there is no memory for the queues; write `grants dma` and a larger "
                            "`memory`.");
        memory = (char *)dma.memory;
        for (unsigned i = 0; i < QUEUES; i++) {
                queues[i].memory = memory;
                queues[i].device =
                        nova_pci_address(virtio.pci, &dma) + (size_t)(memory - (char *)dma.memory);
                frames.headers[i] = (uint8_t *)memory + bytes[i];
                frames.header_device[i] = queues[i].device + bytes[i];
                memory += bytes[i] + header_bytes[i];
        }
}

int main(int argc, char **argv)
{
        static const struct driver_kind kind = {
                "a virtio network card (1af4:1041 or 1af4:1000)", 0x1af4, {0x1041, 0x1000}, 0};
        const char *wrong;

        if (argc > 2)
                card.name = argv[2];
        driver_claim(&virtio.pci, argc > 1 ? argv[1] : "card", &kind);
        wrong = virtio_open(&virtio, FRAMES_SUM | FRAMES_GUEST_SUM | FRAMES_MERGED | MTU | ADDRESS |
                                             STATUS | VIRTIO_EVENTS);
        if (wrong)
                (virtio.unsupported ? driver_refuse : driver_fail)(wrong);
        read_properties();
        make_queues();
        dma_use(virtio.pci);
        start_queues();
        driver_run(net_service_start(&card), virtio.interrupt, handle_interrupt);
}
