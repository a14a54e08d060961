/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions of a block service. The service's lock protects everything.
 *
 * Order: sessions take turns. In its turn, the service starts up to TURN requests of a session, in
 * the order of the session's ring. Then the next session has its turn. */
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN   4  /* maximum number of requests of a session in its turn */
#define ROUNDS 64 /* number of rounds after which handlers get the lock */

/* A session. After its close, the object stays while the device has requests of the session. */
struct block_session {
        struct share share; /* the first member */
        struct ring ring;
        struct block_limits limits;
        unsigned in_flight; /* requests in flight in the device */
        unsigned in_flight_max;
        bool closed, changed; /* changed: requests have completed since the client was notified */
        bool broken;          /* its client broke the rules of the ring */
        nova_word_t use;      /* the claimed use, enum nova_block_use; 0: none */
};

static const struct block_device *device;
static struct block_session *sessions[BLOCK_SESSIONS]; /* sessions with a ring */
static unsigned session_count, next_session;
static struct block_request *requests, *free_requests;
static uint32_t orphans; /* requests in flight whose session is closed or broken */

static void destroy(struct nova_later *later)
{
        struct block_session *session = (struct block_session *)later;

        share_fini(&session->share, &device->source);
        free(session);
}

/* Closes a session. Destroys it at once if it has no requests in flight; else block_end() destroys
 * it when its last request in flight ends. */
static void close_session(struct nova_service *of, void *state)
{
        struct block_session *session = *(struct block_session **)state;

        if (!session)
                return;
        for (unsigned i = 0; i < session_count; i++)
                if (sessions[i] == session)
                        sessions[i--] = sessions[--session_count];
        session->closed = true;
        if (!session->broken)
                orphans += session->in_flight;
        share_close(&session->share);
        if (!session->in_flight)
                share_destroy(&session->share, of);
}

static int open_session(struct nova_request *request, const char *arguments)
{
        struct block_session *session = calloc(1, sizeof(*session));
        const struct nova_block_info *info = &device->info;

        if (!session || *arguments) {
                free(session);
                return session ? EINVAL : ENOMEM;
        }
        share_init(&session->share, NOVA_BLOCK_RING_ORDER, destroy);
        session->in_flight_max = device->depth;
        if (session->in_flight_max > NOVA_BLOCK_ENTRIES)
                session->in_flight_max = NOVA_BLOCK_ENTRIES;
        session->limits = (struct block_limits){.count = info->blocks,
                                                .block_bytes = info->block_bytes,
                                                .request_max = info->request_max,
                                                .flags = info->flags,
                                                .segments = info->segments};
        *(struct block_session **)request->state = session;
        return 0;
}

static struct block_session *session_of(const struct nova_request *request)
{
        return *(struct block_session **)request->state;
}

/* NOVA_BLOCK_INFO */
static int get_info(struct nova_request *request)
{
        const struct block_session *session = session_of(request);
        struct nova_block_info info = device->info;

        info.blocks = session->limits.count;
        info.flags = session->limits.flags;
        info.requests = session->in_flight_max;
        info.pool_bytes = (uint32_t)NOVA_PAGE_SIZE << NOVA_BLOCK_POOL_ORDER_MAX;
        nova_request_answer_bytes(request, &info, sizeof(info));
        return 0;
}

/* NOVA_BLOCK_ATTACH */
static int attach(struct nova_request *request)
{
        struct block_session *session = session_of(request);
        const nova_word_t order = request->word[0];
        int error;

        if (order < NOVA_BLOCK_RING_ORDER || order > NOVA_BLOCK_POOL_ORDER_MAX)
                return EINVAL;
        if (session_count == BLOCK_SESSIONS && !session->share.pages)
                return ENOMEM;
        error = share_alloc(&session->share, request->service, (size_t)NOVA_PAGE_SIZE << order,
                            &device->source);
        if (error)
                return error;
        session->limits.pool_bytes = session->share.pool.bytes;
        block_ring_init(&session->ring, session->share.pages);
        sessions[session_count++] = session;
        share_give(&session->share, request);
        return 0;
}

/* NOVA_BLOCK_SEMAPHORES */
static int give_semaphores(struct nova_request *request)
{
        return share_give_semaphores(&session_of(request)->share, request, serve_doorbell());
}

/* NOVA_BLOCK_RESTRICT */
static int restrict_session(struct nova_request *request)
{
        struct block_session *session = session_of(request);
        struct nova_block_range range;
        const void *bytes = nova_request_bytes(request, 0, sizeof(range));

        if (!bytes)
                return EINVAL;
        memcpy(&range, bytes, sizeof(range));
        if (!range.count || range.first >= session->limits.count ||
            range.count > session->limits.count - range.first || range.read_only > 1)
                return EINVAL;
        session->limits.first += range.first;
        session->limits.count = range.count;
        if (range.read_only)
                session->limits.flags |= NOVA_BLOCK_READ_ONLY;
        if (range.requests && range.requests < session->in_flight_max)
                session->in_flight_max = range.requests;
        return 0;
}

/* Returns true if another session has claimed blocks of this session, and one of the two writes. */
static bool is_claimed(const struct block_session *session, nova_word_t use)
{
        const struct block_limits *limits = &session->limits;

        for (unsigned i = 0; i < session_count; i++) {
                const struct block_session *other = sessions[i];

                if (other != session && other->use &&
                    (use == NOVA_BLOCK_WRITES || other->use == NOVA_BLOCK_WRITES) &&
                    other->limits.first < limits->first + limits->count &&
                    limits->first < other->limits.first + other->limits.count)
                        return true;
        }
        return false;
}

/* NOVA_BLOCK_CLAIM. The blocks may still be claimed by the session of a client that has died. */
static int claim(struct nova_request *request)
{
        struct block_session *session = session_of(request);
        nova_word_t use = request->word[0];

        if (!session->share.pages || use < NOVA_BLOCK_READS || use > NOVA_BLOCK_WRITES)
                return EINVAL;
        if (session->limits.flags & NOVA_BLOCK_READ_ONLY)
                use = NOVA_BLOCK_READS;
        if (is_claimed(session, use)) {
                nova_service_sweep(request->service);
                if (is_claimed(session, use))
                        return EBUSY;
        }
        session->use = use;
        return 0;
}

static void complete(struct block_session *session, uint32_t tag, int error)
{
        session->changed = true;
        ring_complete(&session->ring, tag, (uint32_t)error);
}

void block_advance(struct block_request *request)
{
        __atomic_store_n(&request->stamp, watchdog_stamp(), __ATOMIC_RELAXED);
}

void block_pause(struct block_request *request)
{
        __atomic_store_n(&request->stamp, 0, __ATOMIC_RELAXED);
}

/* The watchdog calls this without the lock. A request may end meanwhile, so each stamp is read
 * once. */
static bool find_oldest(uint32_t *age)
{
        bool any = false;

        *age = 0;
        for (unsigned i = 0; i < device->depth; i++) {
                const uint32_t stamp = __atomic_load_n(&requests[i].stamp, __ATOMIC_RELAXED);

                any |= stamp;
                if (stamp && watchdog_age(stamp) > *age)
                        *age = watchdog_age(stamp);
        }
        return any;
}

void block_end(struct block_request *request, int error)
{
        struct block_session *session = request->session;

        session->in_flight--;
        __atomic_store_n(&request->stamp, 0, __ATOMIC_RELAXED);
        request->next = free_requests;
        free_requests = request;
        request->session = NULL;
        if (session->closed || session->broken)
                orphans--;
        if (!session->closed)
                complete(session, request->tag, error);
        else if (!session->in_flight)
                share_destroy(&session->share, serve_service());
}

/* Starts a request from a copy of its entry. */
static void start(struct block_session *session, struct nova_block_entry *entry)
{
        struct block_request *request = free_requests;
        uint32_t blocks;
        const int error = block_entry_check(entry, &session->limits, &blocks);

        if (error) {
                complete(session, entry->tag, error);
                return;
        }
        free_requests = request->next;
        request->next = NULL;
        request->session = session;
        request->tag = entry->tag;
        request->operation = (enum nova_block_operation)entry->operation;
        request->block = entry->block;
        request->blocks = blocks;
        request->segment_count = entry->segment_count;
        memcpy(request->segment, entry->segment, sizeof(request->segment));
        request->pool = &session->share.pool;
        session->in_flight++;
        block_advance(request);
        device->start(request);
}

/* Returns true if the device still has a write of a closed or broken session to blocks of this
 * session. If a new write completed first, the older write would overwrite its data. The claim of
 * the older session has ended, so it does not exclude the new write. */
static bool is_preceded(const struct block_session *session)
{
        const struct block_limits *limits = &session->limits;

        for (unsigned i = 0; i < device->depth; i++) {
                const struct block_request *request = &requests[i];

                if (request->session && (request->session->closed || request->session->broken) &&
                    (request->operation == NOVA_BLOCK_WRITE ||
                     request->operation == NOVA_BLOCK_DISCARD) &&
                    request->block < limits->first + limits->count &&
                    limits->first < request->block + request->blocks)
                        return true;
        }
        return false;
}

static bool may_start(const struct block_session *session)
{
        return free_requests && session->in_flight < session->in_flight_max &&
               ring_pending(&session->ring) && !(orphans && is_preceded(session));
}

/* Ends the ring of a client that has broken the rules. The client also loses its claim. */
static void end_ring(unsigned index)
{
        struct block_session *session = sessions[index];

        ring_end(&session->ring);
        session->broken = true;
        orphans += session->in_flight;
        session->changed = false;
        share_ring_bell(&session->share);
        sessions[index] = sessions[--session_count];
}

/* Gives a turn to each session. @return true if a request was taken */
static bool round_of_turns(void)
{
        bool any = false;

        for (unsigned i = 0; i < session_count && free_requests; i++) {
                if (next_session >= session_count)
                        next_session = 0;

                struct block_session *session = sessions[next_session];
                struct nova_block_entry entry;
                int error = 0;

                for (unsigned n = 0; n < TURN && may_start(session); n++) {
                        error = ring_take(&session->ring, &entry, sizeof(entry));
                        if (error)
                                break;
                        start(session, &entry);
                        any = true;
                }
                if (error)
                        end_ring(next_session);
                else
                        next_session++;
        }
        return any;
}

/* Records for the clients whether they must do an up on the doorbell after a request. */
static void set_waiting(bool waits)
{
        for (unsigned i = 0; i < session_count; i++)
                ring_set_waiting(&sessions[i]->ring, waits);
}

static bool is_pending(void)
{
        bool some = false;

        for (unsigned i = 0; i < session_count; i++)
                some |= may_start(sessions[i]);
        return some;
}

static void finish(void)
{
        if (device->kick)
                device->kick();
        for (unsigned i = 0; i < session_count; i++) {
                struct block_session *session = sessions[i];

                if (session->changed && ring_wake(&session->ring))
                        share_ring_bell(&session->share);
                session->changed = false;
        }
}

void block_serve(void)
{
        static const struct serve_turns turns = {round_of_turns, set_waiting, is_pending, finish,
                                                 ROUNDS};

        serve_all(&turns);
}

static int prepare(void)
{
        requests = calloc(device->depth, sizeof(*requests));
        if (!requests)
                return ENOMEM;
        for (unsigned i = device->depth; i-- > 0;) {
                requests[i].number = i;
                requests[i].next = free_requests;
                free_requests = &requests[i];
        }
        return 0;
}

int block_service_start(const struct block_device *of)
{
        static const struct nova_service_operation operations[] = {
                {get_info, 0, 0, false},
                {attach, 1, 1, false},
                {give_semaphores, 0, 0, false},
                {restrict_session, NOVA_WORDS_OF(sizeof(struct nova_block_range)),
                 NOVA_WORDS_OF(sizeof(struct nova_block_range)), false},
                {claim, 1, 1, false},
        };
        const struct nova_service_config config = {
                .name = of->name,
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
                .state_bytes = sizeof(struct block_session *),
                .sessions = BLOCK_SESSIONS,
                .client_sessions = of->client_sessions,
                .open = open_session,
                .close = close_session,
        };
        const struct watch watch = {of->timeout_ns, find_oldest};
        int error;

        device = of;
        error = prepare();
        return error ? error : serve_start(&config, &watch, block_serve);
}
