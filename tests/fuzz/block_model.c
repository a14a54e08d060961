/* SPDX-License-Identifier: BSD-2-Clause */
/* A model of a block service and its device (see block_model.h). This file includes the
 * server's source file, because a new input begins with a new server. */
#include "block_model.h"

#include <string.h>

#include "block/server.c"
#include "nova/hypercall.h"
#include "novart/page.h"
#include "novart/thread.h"
#include "service_pages.h"

#define BLOCKS 64u
#define DEPTH  8u

/* A request in the device. */
static struct flight {
        struct block_request *request;
        struct client *client; /* NULL: its session is closed */
        uint64_t block;
        uint32_t blocks, tag;
        bool writes;
} flights[DEPTH];

struct client clients[CLIENT_SESSIONS];
struct block_device disk;
const uint8_t *race;

static unsigned flight_count, pools, doorbell_ups;
static bool starts;  /* the program starts */
static bool at_once; /* the device ends each request as soon as it gets it */

static int alloc_for_device(struct share_pool *pool)
{
        pool->memory = nova_page_alloc(nova_crd_order_for(pool->bytes >> NOVA_PAGE_BITS));
        pools += pool->memory != NULL;
        return pool->memory ? 0 : pages_fail & 1 ? EIO : ENOMEM;
}

static void release_for_device(struct share_pool *pool)
{
        require(pools--);
        nova_page_free(pool->memory, nova_crd_order_for(pool->bytes >> NOVA_PAGE_BITS));
}

static void up(nova_sel_t sel)
{
        if (sel == serve_doorbell()) {
                doorbell_ups++;
                return;
        }
        for (unsigned i = 0; i < CLIENT_SESSIONS; i++)
                if (clients[i].bell == sel) {
                        clients[i].ups++;
                        return;
                }
        abort();
}

static nova_word_t serve_hypercall(nova_word_t id, nova_word_t *a2, nova_word_t *a3)
{
        const nova_word_t call = id & (((nova_word_t)1 << NOVA_ID_SEL_SHIFT) - 1);

        (void)a3;
        if (call == nova_hypercall_id(NOVA_CREATE_SM, 0, 0) && starts)
                selector_keep(serve_doorbell());
        else if (call == nova_hypercall_id(NOVA_CREATE_SM, 0, 0) && pages_must_fail())
                return NOVA_OUT_OF_MEMORY;
        if (call == nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_UP_OP, 0))
                up(id >> NOVA_ID_SEL_SHIFT);
        if (call == nova_hypercall_id(NOVA_REVOKE, 0, 0))
                pages_revoke(*a2);
        return NOVA_SUCCESS;
}

/* Substitutes for the rest of the runtime: threads do not run, and the watchdog has nothing to
 * watch. */
int nova_thread_create(struct nova_thread **thread, const struct nova_thread_attr *attr,
                       void *(*function)(void *), void *argument)
{
        (void)thread, (void)attr, (void)function, (void)argument;
        return 0;
}

int watchdog_start(const struct watch *of)
{
        (void)of;
        return 0;
}

uint32_t watchdog_stamp(void)
{
        return 7;
}

uint32_t watchdog_age(uint32_t stamp)
{
        return stamp;
}

void watchdog_begin(void)
{
}

void watchdog_end(void)
{
}

/* Checks that the device does not lose the memory of a request. */
static void check_pool(const void *page)
{
        for (unsigned i = 0; i < flight_count; i++)
                require(flights[i].request->pool->memory != page);
}

bool is_served(const struct client *client)
{
        return client->ring && !client->ended;
}

bool overlaps(uint64_t first, uint64_t count, uint64_t other, uint64_t other_count)
{
        return first < other + other_count && other < first + count;
}

/* Returns the size of a request's data, or 0 if a segment is wrong. */
static uint32_t segment_blocks(const struct client *client, const struct nova_block_entry *entry)
{
        uint32_t blocks = 0;

        if (entry->blocks || entry->segment_count > disk.info.segments)
                return 0;
        for (unsigned i = 0; i < entry->segment_count; i++) {
                const uint64_t at = entry->segment[i].offset, bytes = entry->segment[i].bytes;

                if (!bytes || at % NOVA_BLOCK_ALIGN || bytes % disk.info.block_bytes ||
                    at + bytes > client->pool_bytes)
                        return 0;
                blocks += (uint32_t)(bytes / disk.info.block_bytes);
        }
        return blocks <= disk.info.request_max ? blocks : 0;
}

/* Predicts what the service does with a request. @return 0: the device gets it; else its result */
static int predict(const struct client *client, const struct nova_block_entry *entry)
{
        const bool discards = entry->operation == NOVA_BLOCK_DISCARD;
        uint32_t blocks = entry->blocks;

        if (entry->reserved || !entry->operation || entry->operation > NOVA_BLOCK_DISCARD)
                return EINVAL;
        if (entry->operation == NOVA_BLOCK_FLUSH)
                return entry->segment_count || blocks || entry->block ? EINVAL : 0;
        if (discards && entry->segment_count)
                return EINVAL;
        if (!discards)
                blocks = segment_blocks(client, entry);
        if (!blocks)
                return EINVAL;
        if (entry->operation != NOVA_BLOCK_READ && client->read_only)
                return EROFS;
        if (discards && !(disk.info.flags & NOVA_BLOCK_HAS_DISCARD))
                return ENOTSUP;
        return entry->block >= client->count || blocks > client->count - entry->block ? ENXIO : 0;
}

/* Checks that the next completion in a ring has this tag and this error. */
static void expect_completion(struct client *client, uint32_t tag, int error)
{
        const struct nova_ring_completion *const got =
                &client->ring->completion[client->completed % NOVA_BLOCK_ENTRIES];

        client->completed++;
        client->changed = true;
        require(got->tag == tag && got->result == (uint32_t)error);
}

/* Notes that the service has taken a request. The counters in the ring must have been possible. */
static void take(struct client *client)
{
        const struct nova_ring *const head = &client->ring->head;

        require(head->submitted - client->taken - 1 < NOVA_BLOCK_ENTRIES &&
                client->completed - head->reaped <= NOVA_BLOCK_ENTRIES &&
                head->submitted - head->reaped <= NOVA_BLOCK_ENTRIES);
        client->taken++;
}

/* Accounts for requests that the service has taken without giving them to the device. */
static void account(struct client *client, uint32_t taken)
{
        while (client->taken != taken) {
                const struct nova_block_entry *const entry =
                        &client->ring->entry[client->taken % NOVA_BLOCK_ENTRIES];
                const int error = predict(client, entry);

                require(error);
                take(client);
                expect_completion(client, entry->tag, error);
        }
}

static bool is_in_service(const struct client *client)
{
        for (unsigned i = 0; i < session_count; i++)
                if (sessions[i] == client->object)
                        return true;
        return false;
}

void scribble(const uint8_t *step)
{
        struct client *const client = &clients[step[1] % CLIENT_SESSIONS];
        size_t at = step[2] | (size_t)step[3] << 8;

        if (!is_served(client) || !is_in_service(client) || client->dead)
                return;
        if (step[3] & 0x80)
                at = offsetof(struct nova_block_ring, head.submitted) + step[2] % 12;
        memcpy((uint8_t *)client->ring + at % (sizeof(*client->ring) - 3), step + 4, 4);
}

/* Accesses the memory of a request as the device does. */
static void transfer(const struct block_request *request)
{
        for (unsigned i = 0; i < request->segment_count; i++) {
                const struct nova_block_segment *const segment = &request->segment[i];
                uint8_t *const first = (uint8_t *)request->pool->memory + segment->offset;

                if (request->operation == NOVA_BLOCK_READ)
                        first[0] = first[segment->bytes - 1] = (uint8_t)request->tag;
                else
                        require(first[0] + first[segment->bytes - 1] < 512);
        }
}

static void end(unsigned number, int error)
{
        const struct flight flight = flights[number];

        flights[number] = flights[--flight_count];
        transfer(flight.request);
        block_end(flight.request, error);
        if (!flight.client)
                return;
        expect_completion(flight.client, flight.tag, error);
        require(flight.client->ring->head.completed == flight.client->completed);
}

static void check_request(const struct client *client, const struct block_request *request,
                          const struct nova_block_entry *entry)
{
        const bool flushes = entry->operation == NOVA_BLOCK_FLUSH;
        const unsigned segment_bytes = entry->segment_count * sizeof(entry->segment[0]);

        require(!predict(client, entry) && request->operation == entry->operation);
        require(request->tag == entry->tag && request->segment_count == entry->segment_count);
        require(!memcmp(request->segment, entry->segment, segment_bytes));
        require((uint8_t *)request->pool->memory == client->pool && request->number < disk.depth);
        require(flushes || (request->blocks && request->block >= client->first &&
                            request->block - client->first == entry->block &&
                            entry->block + request->blocks <= client->count));
}

/* Returns true if a request in the device writes blocks of a session that is closed or has lost its
 * ring. */
static bool is_old_write(const struct flight *flight)
{
        return flight->writes && (!flight->client || !is_in_service(flight->client));
}

/* Checks that a request does not overtake an old write (see is_old_write()) to the same blocks. */
static void check_flights(const struct client *client, const struct block_request *request)
{
        unsigned own = 0;

        for (unsigned i = 0; i < flight_count; i++) {
                const struct flight *const other = &flights[i];

                require(other->request != request && other->request->number != request->number);
                own += other->client == client;
                require(!is_old_write(other) ||
                        !overlaps(other->block, other->blocks, request->block, request->blocks));
        }
        require(flight_count < disk.depth && own < client->depth);
}

/* Lets a client write while the service works. Before this, checks what the service has done. */
static void write_meanwhile(void)
{
        for (unsigned i = 0; race && i < CLIENT_SESSIONS; i++)
                if (is_served(&clients[i]))
                        account(&clients[i], clients[i].object->ring.taken);
        if (race)
                scribble(race);
        race = NULL;
}

static void start_in_device(struct block_request *request)
{
        struct client *client = clients;
        const struct nova_block_entry *entry;

        while (client->object != request->session)
                require(++client < clients + CLIENT_SESSIONS);
        require(is_served(client));
        account(client, client->object->ring.taken - 1);
        entry = &client->ring->entry[client->taken % NOVA_BLOCK_ENTRIES];
        take(client);
        check_request(client, request, entry);
        check_flights(client, request);
        flights[flight_count++] = (struct flight){
                request,
                client,
                request->block,
                request->blocks,
                request->tag,
                entry->operation == NOVA_BLOCK_WRITE || entry->operation == NOVA_BLOCK_DISCARD};
        block_advance(request);
        write_meanwhile();
        if (at_once)
                end(flight_count - 1, 0);
}

/* Called when the service has started all requests that it can start, and wakes clients. */
static void kick(void)
{
        for (struct client *client = clients; client < clients + CLIENT_SESSIONS; client++) {
                if (!is_served(client))
                        continue;
                account(client, client->object->ring.taken);
                client->expected_ups =
                        client->bell && client->changed && client->ring->head.client_waits;
                client->changed = false;
        }
}

/* Checks that only a client whose counters are impossible has lost its ring. */
static void check_ring(struct client *client)
{
        const struct nova_ring *const head = &client->ring->head;

        if (!is_in_service(client)) {
                client->ended = true;
                client->expected_ups = client->bell != 0;
                account(client, client->object->ring.taken);
                require(!head->magic && (head->submitted - client->taken > NOVA_BLOCK_ENTRIES ||
                                         client->completed - head->reaped > NOVA_BLOCK_ENTRIES ||
                                         head->submitted - head->reaped > NOVA_BLOCK_ENTRIES));
        }
        require(client->ups == client->expected_ups);
        require(client->object->ring.completed == client->completed);
        client->ups = client->expected_ups = 0;
}

/* Returns true if the service should have taken the next request of a client. */
static bool may_go_on(const struct client *client)
{
        unsigned own = 0;

        for (unsigned i = 0; i < flight_count; i++) {
                const struct flight *const other = &flights[i];

                own += other->client == client;
                if (is_old_write(other) &&
                    overlaps(other->block, other->blocks, client->first, client->count))
                        return false;
        }
        return client->ring->head.submitted != client->taken && own < client->depth &&
               flight_count < disk.depth;
}

void serve_clients(unsigned first, unsigned count, int error)
{
        unsigned turns = 0;

        do {
                doorbell_ups = 0;
                require(serve_lock());
                for (; count && flight_count; count--)
                        end(first % flight_count, error);
                block_serve();
                serve_unlock();
                for (unsigned i = 0; i < CLIENT_SESSIONS; i++)
                        if (is_served(&clients[i]))
                                check_ring(&clients[i]);
                require(turns++ < 8);
        } while (doorbell_ups);
        for (unsigned i = 0; i < CLIENT_SESSIONS; i++)
                require(!is_served(&clients[i]) || !may_go_on(&clients[i]));
}

void forget_closed(void)
{
        for (unsigned i = 0; i < CLIENT_SESSIONS; i++) {
                if (!clients[i].open || client_is_open(i))
                        continue;
                for (unsigned k = 0; k < flight_count; k++)
                        if (flights[k].client == &clients[i])
                                flights[k].client = NULL;
                memset(&clients[i], 0, sizeof(clients[i]));
        }
}

void attached(struct client *client, const struct client_answer *answer, unsigned order)
{
        require(answer->gives == 2);
        client->object = sessions[session_count - 1];
        client->ring = (void *)pages_take(answer->give[0], NOVA_BLOCK_RING_ORDER);
        client->pool = pages_take(answer->give[1], order);
        client->pool_bytes = (size_t)NOVA_PAGE_SIZE << order;
}

void begin_service(const uint8_t *data)
{
        memset(clients, 0, sizeof(clients));
        require(!session_count && !orphans && !flight_count && !pools && !pages_count());
        free(requests);
        free_requests = NULL;
        next_session = pages_fail = 0;
        pages_check = check_pool;
        race = NULL;
        at_once = data[0] & 0x20;
        disk = (struct block_device){
                .name = "disk",
                .info = {.blocks = BLOCKS,
                         .block_bytes = 512u << data[0] % 4,
                         .flags = data[0] >> 2 & (NOVA_BLOCK_READ_ONLY | NOVA_BLOCK_HAS_CACHE |
                                                  NOVA_BLOCK_HAS_DISCARD),
                         .segments = 1 + data[1] % NOVA_BLOCK_SEGMENTS,
                         .request_max = 1 + data[2] % 64},
                .depth = 1 + data[3] % DEPTH,
                .start = start_in_device,
                .kick = kick};
        if (data[0] & 0x40)
                disk.source = (struct share_source){alloc_for_device, release_for_device};
        service_hypercall = serve_hypercall;
        starts = true;
        require(block_service_start(&disk) == 0);
        starts = false;
}

void end_service(void)
{
        do
                serve_clients(0, 1, 0);
        while (flight_count);
        for (unsigned i = 0; i < CLIENT_SESSIONS; i++)
                require(!is_served(&clients[i]) ||
                        clients[i].taken == clients[i].ring->head.submitted);
        client_end();
        require(!pages_count());
        selector_drop(serve_doorbell());
        service_hypercall = NULL;
}
