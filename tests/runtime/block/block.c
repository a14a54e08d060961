/* SPDX-License-Identifier: BSD-2-Clause */
/* A block service and its clients in one program. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "../service/case.h"
#include "device.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/time.h"

#define SECOND 1000000000ull

static struct nova_block *open(void)
{
        struct nova_block *block = NULL;
        const int error = nova_block_open(&block, "blocks", NULL, 0x10000);

        if (error)
                printf("# open: %s\n", strerror(error));
        return block;
}

/* Submits @p count reads of one block each, with the cookies 1, 2, and so on. */
static int submit(struct nova_block *block, unsigned count)
{
        struct nova_block_segment segment[NOVA_BLOCK_ENTRIES];
        struct nova_block_request request[NOVA_BLOCK_ENTRIES];

        for (unsigned i = 0; i < count && i < NOVA_BLOCK_ENTRIES; i++) {
                segment[i] = (struct nova_block_segment){512 * i, 512};
                request[i] = (struct nova_block_request){.operation = NOVA_BLOCK_READ,
                                                         .block = i,
                                                         .segment_count = 1,
                                                         .segments = &segment[i],
                                                         .cookie = (void *)(nova_word_t)(i + 1)};
        }
        return nova_block_submit(block, request, count);
}

static nova_word_t wait_one(struct nova_block *block, int *error)
{
        struct nova_block_result result = {NULL, 0};

        *error = nova_block_wait(block, &result, nova_deadline_in(60 * SECOND));
        if (!*error)
                *error = result.error;
        return (nova_word_t)result.cookie;
}

/* Waits until this number of requests is in flight in the device. */
static bool in_flight(unsigned count)
{
        const uint64_t deadline = nova_deadline_in(60 * SECOND);

        while (device_in_flight() != count && nova_rdtsc() < deadline)
                nova_sleep(1000000);
        if (device_in_flight() != count)
                printf("# %u in flight\n", device_in_flight());
        return device_in_flight() == count;
}

static void data(struct nova_block *block)
{
        static char out[40 * 512], in[40 * 512];

        for (unsigned i = 0; i < sizeof(out); i++)
                out[i] = (char)(i * 7 + i / 512);
        check(nova_block_write(block, 100, 40, out) == 0 && nova_block_flush(block) == 0,
              "blocks are written and flushed");
        check(nova_block_read(block, 100, 40, in) == 0 && !memcmp(in, out, sizeof(in)),
              "what was written is read");
        check(nova_block_read(block, DEVICE_BLOCKS - 39, 40, in) == ENXIO,
              "no block beyond the end is read");
        check(nova_block_write(block, UINT64_MAX - 10, 40, in) == ENXIO,
              "no block whose number wraps is read");
        check(nova_block_discard(block, 0, 1) == ENOTSUP, "a device without discard reports that");
}

static void scatter(struct nova_block *block)
{
        struct nova_block_segment segment[NOVA_BLOCK_SEGMENTS];
        struct nova_block_request request = {.operation = NOVA_BLOCK_READ,
                                             .block = 100,
                                             .segment_count = NOVA_BLOCK_SEGMENTS,
                                             .segments = segment};
        static char in[NOVA_BLOCK_SEGMENTS * 512];
        bool same = true;
        size_t bytes;
        char *pool = nova_block_pool(block, &bytes);
        int error;

        for (unsigned i = 0; i < NOVA_BLOCK_SEGMENTS; i++)
                segment[i] = (struct nova_block_segment){(uint32_t)(bytes - 512 - i * 1024u), 512};
        error = nova_block_submit(block, &request, 1);
        if (!error)
                wait_one(block, &error);
        check(error == 0, "a read has 13 segments");
        for (unsigned i = 0; i < NOVA_BLOCK_SEGMENTS; i++)
                memcpy(in + i * 512, pool + segment[i].offset, 512);
        for (unsigned i = 0; i < sizeof(in); i++)
                same &= in[i] == (char)(i * 7 + i / 512);
        check(same, "each segment has its part of the data");
        request.segment_count++;
        check(nova_block_submit(block, &request, 1) == EINVAL, "a 14th segment is refused");
}

static int refused(struct nova_block *block, struct nova_block_request request,
                   struct nova_block_segment segment)
{
        int error;

        request.segments = &segment;
        error = nova_block_submit(block, &request, 1);
        if (!error)
                wait_one(block, &error);
        return error;
}

static void malformed(struct nova_block *block)
{
        const struct nova_block_request read = {.operation = NOVA_BLOCK_READ, .segment_count = 1};
        struct nova_block_request other = read;

        check(refused(block, read, (struct nova_block_segment){0x10000 - 512, 1024}) == EINVAL,
              "a segment beyond the pool is refused");
        check(refused(block, read, (struct nova_block_segment){512, 0xfffffe00}) == EINVAL,
              "a segment that wraps is refused");
        check(refused(block, read, (struct nova_block_segment){0, 100}) == EINVAL,
              "a part of a block is refused");
        check(refused(block, read, (struct nova_block_segment){4, 512}) == EINVAL,
              "an unaligned offset is refused");
        other.operation = (enum nova_block_operation)99;
        check(refused(block, other, (struct nova_block_segment){0, 512}) == EINVAL,
              "an unknown operation is refused");
        other.operation = NOVA_BLOCK_FLUSH;
        check(refused(block, other, (struct nova_block_segment){0, 512}) == EINVAL,
              "a flush with data is refused");
}

static void order(struct nova_block *block)
{
        bool good = true;
        int error = 0;

        device_hold(true);
        check(submit(block, 32) == 0 && in_flight(32), "32 requests are in flight at once");
        for (unsigned i = 2; i <= 32; i++)
                device_end(1);
        for (unsigned i = 2; i <= 32; i++)
                good &= wait_one(block, &error) == i && !error;
        check(good, "while completion 1 is held back, completions 2 to 32 arrive");
        device_end(0);
        check(wait_one(block, &error) == 1 && !error, "completion 1 arrives last");
}

/* Completes a request while the bell is muted, and one while it is not. */
static void mute(struct nova_block *block)
{
        int error = 0;

        while (nova_block_listen(block, nova_deadline_in(1000000)) == 0)
                continue; /* takes the earlier rings of the bell; afterwards the service rings at
                           * the next completion */
        nova_block_mute(block);
        check(submit(block, 1) == 0 && in_flight(1) && device_end(0) && nova_block_unmute(block),
              "a client that has muted the bell finds a completion itself");
        check(wait_one(block, &error) == 1 && !error && !nova_block_unmute(block) &&
                      nova_block_listen(block, nova_deadline_in(1000000)) == ETIMEDOUT,
              "the muted bell has not rung");
        check(submit(block, 1) == 0 && in_flight(1) && device_end(0) &&
                      wait_one(block, &error) == 1 && !error &&
                      nova_block_listen(block, nova_deadline_in(1000000)) == 0,
              "after that, the bell rings again");
}

static void limits(struct nova_block *block)
{
        const uint64_t soon = nova_deadline_in(1000000);
        struct nova_block_result result;
        bool good = true;
        int error = 0;

        check(nova_block_wait(block, &result, soon) == ENODATA,
              "waiting without a request does not block");
        check(submit(block, 64) == 0 && nova_block_room(block) == 0, "64 requests are submitted");
        check(submit(block, 1) == EAGAIN, "the 65th request is not submitted");
        check(in_flight(DEVICE_DEPTH), "the device has its maximum of requests in flight");
        check(nova_block_wait(block, &result, nova_deadline_in(1000000)) == ETIMEDOUT,
              "waiting ends at its deadline");
        check(nova_block_read(block, 0, 1, &result) == EBUSY,
              "the pool is not read into while requests are in flight");
        for (unsigned i = 1; i <= 64; i++) {
                device_end(0);
                good &= wait_one(block, &error) == i && !error;
        }
        check(good, "all 64 complete, in order if the device has an order");
}

/* Ends all requests of two clients, which have submitted 64 each. Then closes the second client's
 * session. */
static void end_both(struct nova_block *one, struct nova_block *two)
{
        int error;

        while (device_end(0))
                continue;
        for (unsigned i = 0; i < 64; i++) {
                wait_one(one, &error);
                wait_one(two, &error);
        }
        nova_block_close(two);
}

/* Tests that two clients take turns: neither waits for all requests of the other one. */
static void fairness(struct nova_block *one)
{
        struct nova_block *two = open();
        const void *first = NULL, *session;
        unsigned firsts = 0, others = 0;

        submit(one, 64);
        in_flight(DEVICE_DEPTH);
        submit(two, 64);
        for (unsigned i = 0; i < DEVICE_DEPTH; i++) {
                session = device_end(0);
                if (!first)
                        first = session;
        }
        /* The device started the next requests while both clients had requests that waited. */
        for (unsigned i = 0; i < DEVICE_DEPTH; i++) {
                session = device_end(0);
                firsts += session == first;
                others += session != first;
        }
        check(firsts >= DEVICE_DEPTH / 2 - 4 && others >= DEVICE_DEPTH / 2 - 4,
              "a client with 64 requests does not keep another from its half");
        end_both(one, two);
}

/* Tests that two clients share a device that has become free: neither takes all of it. */
static void turns(struct nova_block *one)
{
        struct nova_block *two = open();
        const void *first = NULL, *session;
        unsigned firsts = 0;

        submit(one, 64);
        in_flight(DEVICE_DEPTH);
        submit(two, 64);
        device_end_many(DEVICE_DEPTH);
        for (unsigned i = 0; i < DEVICE_DEPTH; i++) {
                session = device_end(0);
                if (!first)
                        first = session;
                firsts += session == first;
        }
        check(firsts == DEVICE_DEPTH / 2, "two clients get half of a free device each");
        end_both(one, two);
}

static void parts(void)
{
        const struct nova_block_range range = {.first = 100, .count = 10, .requests = 8};
        const struct nova_block_range wider = {.first = 5, .count = 6};
        const struct nova_block_range final = {.first = 5, .count = 5, .read_only = 1};
        struct nova_block *block = open();
        char in[512];
        int error = 0;

        device_hold(false);
        check(nova_block_restrict(block, &range) == 0 && nova_block_get_info(block)->blocks == 10 &&
                      nova_block_get_info(block)->requests == 8,
              "a session is restricted to ten blocks and eight requests");
        check(nova_block_read(block, 1, 1, in) == 0 && in[0] == (char)(512 * 7 + 1),
              "its blocks count from its first one");
        check(nova_block_read(block, 10, 1, in) == ENXIO, "it has no block beyond");
        device_hold(true);
        submit(block, 10);
        check(in_flight(8), "no more than eight of its requests are in flight");
        while (device_end(0))
                wait_one(block, &error);
        device_hold(false);
        check(nova_block_restrict(block, &wider) == EINVAL, "it cannot be widened");
        check(nova_block_restrict(block, &final) == 0 && nova_block_write(block, 0, 1, in) == EROFS,
              "it can be made read-only");
        nova_block_close(block);
}

static bool claims(struct nova_block *block, enum nova_block_use use, int expected)
{
        return nova_block_claim(block, use) == expected;
}

/* Tests claims of blocks by three sessions: two overlap, and the third one has other blocks. */
static void claim(void)
{
        const struct nova_block_range ranges[] = {
                {.first = 10, .count = 10}, {.first = 19, .count = 5}, {.first = 20, .count = 5}};
        struct nova_block *one = open(), *two = open(), *three = open();

        check(nova_block_restrict(one, &ranges[0]) == 0 &&
                      nova_block_restrict(two, &ranges[1]) == 0 &&
                      nova_block_restrict(three, &ranges[2]) == 0,
              "three sessions are restricted");
        check(claims(one, (enum nova_block_use)3, EINVAL), "an unknown use is refused");
        check(claims(one, NOVA_BLOCK_READS, 0) && claims(two, NOVA_BLOCK_READS, 0),
              "two sessions read a block");
        check(claims(one, NOVA_BLOCK_WRITES, EBUSY) && claims(two, NOVA_BLOCK_WRITES, EBUSY),
              "neither writes it while the other one reads it");
        nova_block_close(two);
        check(claims(one, NOVA_BLOCK_WRITES, 0), "the one that is left writes it");
        check(claims(one, NOVA_BLOCK_WRITES, 0), "it may claim it again");
        check(claims(three, NOVA_BLOCK_WRITES, 0), "the next block has another writer");
        two = open();
        check(claims(two, NOVA_BLOCK_READS, EBUSY) && claims(two, NOVA_BLOCK_WRITES, EBUSY),
              "the whole disk is refused");
        nova_block_close(one);
        nova_block_close(three);
        check(claims(two, NOVA_BLOCK_WRITES, 0), "afterwards it is claimed");
        nova_block_close(two);
}

/* Ends a client while the device works on its request. */
static void early_end(void)
{
        const unsigned before = device_pools();
        struct nova_block *block = open();
        bool good = true;

        device_hold(true);
        submit(block, 16);
        in_flight(16);
        nova_block_close(block);
        for (unsigned i = 0; i < 16; i++) {
                good &= device_pools() == before + 1;
                device_end(0);
        }
        check(good, "the pool of a client that ended stays while the device works");
        for (unsigned i = 0; i < 1000 && device_pools() != before; i++)
                nova_sleep(1000000);
        check(device_pools() == before, "afterwards the pool is freed");
        device_hold(false);
}

/* Ends a client while the device executes its write or discard. Another client's request for that
 * block must start only when the device has finished. */
static void late_change(enum nova_block_operation operation)
{
        const struct nova_block_range range = {.first = 8, .count = 8};
        struct nova_block_segment segment = {0, 512};
        const bool writes = operation == NOVA_BLOCK_WRITE;
        const struct nova_block_request change = {.operation = operation,
                                                  .block = 3,
                                                  .blocks = writes ? 0 : 1,
                                                  .segment_count = writes,
                                                  .segments = &segment,
                                                  .cookie = &segment};
        struct nova_block *before, *after = open(), *other = open();
        int error = nova_block_restrict(other, &range);

        device_set_discard(!writes);
        before = open();
        device_set_discard(false);
        device_hold(true);
        check(!error && nova_block_submit(before, &change, 1) == 0 && in_flight(1),
              writes ? "a write is in flight" : "a discard is in flight");
        nova_block_close(before);
        submit(after, 1);
        submit(other, 1);
        check(in_flight(2), "after its client has ended, a request for other blocks starts");
        nova_sleep(10000000);
        check(device_in_flight() == 2, "a request for its block does not start");
        device_end(0);
        check(in_flight(2), "it starts afterwards");
        while (device_end(0))
                continue;
        check(wait_one(after, &error) == 1 && !error && wait_one(other, &error) == 1 && !error,
              "both complete");
        device_hold(false);
        nova_block_close(after);
        nova_block_close(other);
}

/* Makes a client write nonsense to its ring. */
static void hostile(struct nova_block *good)
{
        struct nova_block *bad = open();
        struct nova_block_ring *ring;
        struct nova_block_result result;
        char in[512], *pool;
        size_t bytes;

        pool = nova_block_pool(bad, &bytes);
        memset(pool, 0xff, bytes);
        ring = (struct nova_block_ring *)(nova_crd_base(nova_block_get_parts(bad).ring)
                                          << NOVA_PAGE_BITS);
        device_hold(true);
        submit(bad, 4);
        in_flight(4);
        ring->head.service_waits = 0;
        ring->head.completed = 0xffff;
        ring->head.reaped = 0x1234;
        ring->head.submitted = 0x55555;
        nova_sm_up(nova_crd_base(nova_block_get_parts(bad).doorbell));
        for (unsigned i = 0; i < 60000 && ring->head.magic; i++)
                nova_sleep(1000000);
        check(!ring->head.magic && nova_block_reap(bad, &result) == ECONNRESET,
              "a client with impossible counters loses its ring");
        while (device_end(0))
                continue;
        device_hold(false);
        check(nova_block_read(good, 101, 1, in) == 0 && in[0] == (char)(512 * 7 + 1),
              "another client continues");
        check(nova_block_reopen(bad) == 0 && nova_block_room(bad) == 60,
              "the session is opened again");
        for (unsigned i = 0; i < 4; i++)
                if (nova_block_reap(bad, &result) != 0 || result.error != EIO)
                        break;
        check(nova_block_room(bad) == 64, "its requests end with EIO");
        check(nova_block_read(bad, 101, 1, in) == 0, "the session reads again");
        nova_block_close(bad);
}

static void arguments(void)
{
        struct nova_block *block;

        check(nova_block_open(&block, "blocks", "what", 0) == EINVAL,
              "meaningless arguments are refused");
        check(nova_block_open(&block, "blocks", NULL, 0x400001) == EINVAL,
              "a pool of more than 4 MiB is refused");
        check(nova_block_open(&block, "blocks", NULL, 0x400000) == 0,
              "a pool of 4 MiB is not refused");
        nova_block_close(block);
}

/* Requests a ring by a message of its own, because nova_block_open() would check the size first. */
static int attach(struct nova_session *session, nova_word_t order)
{
        struct nova_message message = {
                .operation = NOVA_BLOCK_ATTACH, .words = &order, .word_count = 1};

        return nova_session_call(session, &message);
}

static void messages(void)
{
        struct nova_session *session;
        const unsigned before = device_pools();

        if (nova_session_open(&session, "blocks", NULL)) {
                check(false, "a session without a ring is opened");
                return;
        }
        check(attach(session, NOVA_BLOCK_RING_ORDER - 1) == EINVAL, "a tiny pool is refused");
        check(attach(session, NOVA_BLOCK_POOL_ORDER_MAX + 1) == EINVAL &&
                      attach(session, NOVA_WORD_BITS - 1) == EINVAL &&
                      attach(session, (nova_word_t)-1) == EINVAL && device_pools() == before,
              "the service itself refuses a pool above the maximum");
        check(attach(session, NOVA_BLOCK_RING_ORDER) == 0 && device_pools() == before + 1,
              "a session gets a ring");
        check(attach(session, NOVA_BLOCK_RING_ORDER) == EEXIST && device_pools() == before + 1,
              "a session does not get a second ring");
        nova_session_close(session);
        for (unsigned i = 0; i < 1000 && device_pools() != before; i++)
                nova_sleep(1000000);
        check(device_pools() == before, "its pool is freed with the session");
}

/* Tests that a new session waits for the memory of a closed one while the device still reaches this
 * memory. */
static void closing(void)
{
        struct nova_block *before = open();
        struct nova_session *session;

        if (nova_session_open(&session, "blocks", NULL)) {
                check(false, "a session waits for memory");
                return;
        }
        device_hold(true);
        submit(before, 1);
        check(in_flight(1), "a request of another session is in flight");
        device_limit_pools(device_pools());
        check(attach(session, NOVA_BLOCK_RING_ORDER) == ENOMEM, "no memory becomes free soon");
        nova_block_close(before);
        check(attach(session, NOVA_BLOCK_RING_ORDER) == EAGAIN,
              "the memory of a closed session becomes free soon");
        device_end(0);
        device_hold(false);

        int error = EAGAIN;

        for (unsigned i = 0; i < 1000 && error == EAGAIN; i++) {
                nova_sleep(1000000);
                error = attach(session, NOVA_BLOCK_RING_ORDER);
        }
        check(error == 0, "afterwards the new session has it");
        device_limit_pools(UINT_MAX);
        nova_session_close(session);
}

int main(void)
{
        struct nova_block *block;

        if (device_start())
                return 1;
        block = open();
        if (!block)
                return 1;
        check(nova_block_get_info(block)->blocks == DEVICE_BLOCKS &&
                      nova_block_get_info(block)->block_bytes == 512 &&
                      nova_block_get_info(block)->requests == DEVICE_DEPTH,
              "a client learns the size");
        data(block);
        scatter(block);
        malformed(block);
        order(block);
        mute(block);
        limits(block);
        fairness(block);
        turns(block);
        parts();
        claim();
        early_end();
        late_change(NOVA_BLOCK_WRITE);
        late_change(NOVA_BLOCK_DISCARD);
        hostile(block);
        arguments();
        messages();
        closing();
        nova_block_close(block);
        return check_end();
}
