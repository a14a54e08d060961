/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads from a disk, as `nova bench io` counts them: one read at a time, then IO_DEPTH in flight by
 * one client on each CPU of the program. Argument: the service. */
#include "io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/program.h"
#include "novart/service/block.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define CLIENTS   4
#define SETTLE_NS 10000000 /* time until the program sleeps */

static struct client {
        struct nova_block *block;
        uint64_t next; /* block of the next read */
} clients[CLIENTS];

static struct nova_semaphore ready = NOVA_SEMAPHORE_INITIALIZER(0);
static struct nova_semaphore go = NOVA_SEMAPHORE_INITIALIZER(0);
static struct nova_semaphore done = NOVA_SEMAPHORE_INITIALIZER(0);
static const char *service;

static void check(const char *what, int error)
{
        if (!error)
                return;
        printf("%s: %s\n", what, strerror(error));
        exit(1);
}

static void open_session(struct client *client)
{
        check(service, nova_block_open(&client->block, service, NULL, IO_DEPTH * IO_BYTES));
}

/* Submits reads into the places of the pool. */
static void submit(struct client *client, const uint32_t *places, unsigned count)
{
        const uint32_t blocks = IO_BYTES / nova_block_get_info(client->block)->block_bytes;
        struct nova_block_segment segments[IO_DEPTH];
        struct nova_block_request requests[IO_DEPTH];

        for (unsigned i = 0; i < count; i++) {
                segments[i] = (struct nova_block_segment){places[i] * IO_BYTES, IO_BYTES};
                requests[i] = (struct nova_block_request){.operation = NOVA_BLOCK_READ,
                                                          .block = client->next * blocks,
                                                          .segment_count = 1,
                                                          .segments = &segments[i],
                                                          .cookie = (void *)(uintptr_t)places[i]};
                client->next = (client->next + IO_STEP) % IO_BLOCKS;
        }
        check("submit", nova_block_submit(client->block, requests, count));
}

static void read_alone(struct client *client)
{
        static const uint32_t place;
        struct nova_block_result result;

        submit(client, &place, 1);
        check("wait", nova_block_wait(client->block, &result, NOVA_FOREVER));
        check("read", result.error);
}

/* Takes all available completions, at least one. @return their number */
static unsigned take(struct client *client, uint32_t *places)
{
        struct nova_block_result result;
        unsigned count = 0;
        int error = nova_block_wait(client->block, &result, NOVA_FOREVER);

        while (!error) {
                check("read", result.error);
                places[count++] = (uint32_t)(uintptr_t)result.cookie;
                error = nova_block_reap(client->block, &result);
        }
        return count;
}

static void read_many(struct client *client, unsigned total)
{
        uint32_t places[NOVA_BLOCK_ENTRIES];
        unsigned started = IO_DEPTH, ended = 0;

        for (unsigned i = 0; i < IO_DEPTH; i++)
                places[i] = i;
        submit(client, places, IO_DEPTH);
        while (ended < total) {
                const unsigned count = take(client, places);
                const unsigned more = count < total - started ? count : total - started;

                ended += count;
                started += more;
                if (more)
                        submit(client, places, more);
        }
}

static void *work(void *argument)
{
        struct client *client = argument;

        open_session(client);
        read_many(client, IO_WARM);
        nova_semaphore_up(&ready);
        nova_semaphore_down(&go);
        read_many(client, IO_MANY);
        nova_semaphore_up(&done);
        return NULL;
}

/* Lets a number of clients read at the same time. */
static void count_many(unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                const struct nova_thread_attr attr = {.name = "client", .cpu = i};
                struct nova_thread *thread;

                check("thread", nova_thread_create(&thread, &attr, work, &clients[i]));
        }
        for (unsigned i = 0; i < count; i++)
                nova_semaphore_down(&ready);
        nova_sleep(SETTLE_NS);
        IO_MARK(IO_OP_MANY);
        for (unsigned i = 0; i < count; i++)
                nova_semaphore_up(&go);
        for (unsigned i = 0; i < count; i++)
                nova_semaphore_down(&done);
        IO_MARK(IO_OP_NONE);
}

static void count_alone(struct client *client)
{
        for (unsigned i = 0; i < IO_WARM; i++)
                read_alone(client);
        for (unsigned i = 0; i < IO_ALONE; i++) {
                nova_sleep(1000000);
                IO_MARK(IO_OP_ALONE);
                read_alone(client);
                IO_MARK(IO_OP_NONE);
        }
}

int main(int argc, char **argv)
{
        const unsigned count = (unsigned)__builtin_popcountll(nova_program.cpus);
        struct client alone = {NULL, 0};

        service = argc > 1 ? argv[1] : "virtio-blk";
        nova_sleep(1000000000); /* until the driver has printed its memory */
        open_session(&alone);
        count_alone(&alone);
        nova_block_close(alone.block);
        count_many(count < CLIENTS ? count : CLIENTS);
        printf("clients that have read: %u\n", count < CLIENTS ? count : CLIENTS);
        return 0;
}
