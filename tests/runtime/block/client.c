/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of block services in systems. Arguments: an action, the service, and the arguments of
 * the action. */
#include "client.h"

#include <errno.h>

#include "../../bench/io/io.h"
#include "nova/hypercall.h"
#include "novart/service/block.h"
#include "novart/time.h"

#define IN_FLIGHT 32

static uint32_t seed = 1;
static uint32_t origin; /* first block of the partition on the disk */

static struct nova_block *open_or_die(const char *service, const char *arguments)
{
        struct nova_block *block;
        const int error = nova_block_open(&block, service, arguments, 0x10000);

        if (error)
                die(service, error);
        return block;
}

/* Returns true if a block of an image that image.py wrote contains its number. */
static bool is_block(const void *bytes, uint32_t number)
{
        const uint32_t *word = bytes;

        for (unsigned i = 0; i < 128; i++)
                if (word[i] != (origin + number) * 128 + i)
                        return false;
        return true;
}

/* Reads blocks one by one while the service ends again and again. */
static void read_alone(struct nova_block *block, unsigned count)
{
        static char bytes[8 * 512];
        const uint32_t blocks = (uint32_t)nova_block_get_info(block)->blocks;

        for (unsigned n = 0; n < count; n++) {
                const uint32_t first = random_number(&seed, blocks - 8);
                const int error = nova_block_read(block, first, 8, bytes);

                if (error)
                        die("read", error);
                for (unsigned i = 0; i < 8; i++)
                        if (!is_block(bytes + 512 * i, first + i))
                                die("content", EILSEQ);
        }
        printf("%u reads returned what is on the disk\n", count);
}

/* Place of a request of read_many(). */
struct place {
        uint32_t block;
        unsigned index;
};

static struct place places[IN_FLIGHT], *idle[IN_FLIGHT];
static unsigned idle_count;

static int submit_some(struct nova_block *block, uint32_t blocks)
{
        while (idle_count) {
                struct place *place = idle[idle_count - 1];
                const struct nova_block_segment segment = {place->index * 512, 512};
                const struct nova_block_request request = {.operation = NOVA_BLOCK_READ,
                                                           .block = random_number(&seed, blocks),
                                                           .segment_count = 1,
                                                           .segments = &segment,
                                                           .cookie = place};
                const int error = nova_block_submit(block, &request, 1);

                if (error)
                        return error;
                place->block = (uint32_t)request.block;
                idle_count--;
        }
        return 0;
}

/* Keeps 32 reads in flight. @return the number of reads that ended with EIO */
static unsigned read_many(struct nova_block *block, unsigned count)
{
        const uint32_t blocks = (uint32_t)nova_block_get_info(block)->blocks;
        struct nova_block_result result;
        unsigned good = 0, bad = 0;
        size_t bytes;
        const char *pool = nova_block_pool(block, &bytes);

        for (idle_count = 0; idle_count < IN_FLIGHT; idle_count++) {
                places[idle_count].index = idle_count;
                idle[idle_count] = &places[idle_count];
        }
        while (good < count) {
                int error = submit_some(block, blocks);

                if (!error)
                        error = nova_block_wait(block, &result, NOVA_FOREVER);
                if (!error) {
                        const struct place *place = result.cookie;

                        if (!result.error && !is_block(pool + place->index * 512, place->block) &&
                            !nova_block_check(block, place->index * 512, 512))
                                die("content", EILSEQ);
                        good += !result.error;
                        bad += result.error == EIO;
                        idle[idle_count++] = &places[place->index];
                } else if (error == ECONNRESET) {
                        error = nova_block_reopen(block);
                }
                if (error && error != ECONNRESET)
                        die("reopen", error);
        }
        while (nova_block_wait(block, &result, NOVA_FOREVER) == 0)
                continue;
        return bad;
}

/* Begins a read that the service never completes, and makes other reads until the service itself
 * ends. */
static void read_beside(struct nova_block *block)
{
        static const struct nova_block_segment stuck = {0, 512}, other = {512, 512};
        struct nova_block_request request = {.operation = NOVA_BLOCK_READ,
                                             .segment_count = 1,
                                             .segments = &stuck,
                                             .cookie = &seed};
        const uint64_t limit = nova_time_ns() + 5000000000;
        struct nova_block_result result;
        unsigned reads = 0;
        int error = nova_block_submit(block, &request, 1);

        request.segments = &other;
        request.cookie = NULL;
        while (!error && nova_time_ns() < limit) {
                error = nova_block_submit(block, &request, 1);
                if (!error)
                        error = nova_block_wait(block, &result, NOVA_FOREVER);
                if (!error && (result.error || result.cookie))
                        die("a read beside it", result.error ? result.error : EEXIST);
                reads += !error;
        }
        if (error != ECONNRESET)
                die("the stuck read was not noticed", error);
        printf("%s reads ended beside the stuck one\n", reads > 10 ? "many" : "few");
}

/* Makes 32 reads of which held.py holds back the first one in the device. */
static void read_held(struct nova_block *block)
{
        struct nova_block_segment segments[IN_FLIGHT];
        struct nova_block_request requests[IN_FLIGHT];
        struct nova_block_result result = {NULL, 0};
        const struct nova_block_request *const first = requests;
        int error;

        for (unsigned i = 0; i < IN_FLIGHT; i++) {
                segments[i] = (struct nova_block_segment){512 * i, 512};
                requests[i] = (struct nova_block_request){.operation = NOVA_BLOCK_READ,
                                                          .block = 16 * i,
                                                          .segment_count = 1,
                                                          .segments = &segments[i],
                                                          .cookie = &requests[i]};
        }
        error = nova_block_submit(block, requests, IN_FLIGHT);
        for (unsigned i = 1; i <= IN_FLIGHT && !error; i++) {
                if (i == IN_FLIGHT)
                        printf("completions 2 to %u are there\n", IN_FLIGHT);
                error = nova_block_wait(block, &result, NOVA_FOREVER);
                if (!error)
                        error = result.error;
                if (!error && (result.cookie == first) != (i == IN_FLIGHT))
                        die("the order of completions", EPROTO);
        }
        if (error)
                die("held reads", error);
        printf("completion 1 came last\n");
}

/* Makes a read that the device delays: the reads before it have used up QEMU's limit of bytes per
 * second. The driver gives up and starts again. Then writes to the disk. */
static void read_stalled(struct nova_block *block)
{
        static const struct nova_block_segment segment = {0, 512};
        const struct nova_block_request request = {.operation = NOVA_BLOCK_READ,
                                                   .segment_count = 1,
                                                   .segments = &segment,
                                                   .cookie = &seed};
        static char bytes[32 * 512];
        struct nova_block_result result = {NULL, 0};
        int error = nova_block_read(block, 0, 32, bytes);
        const uint64_t begin = nova_time_ns();

        if (!error)
                error = nova_block_submit(block, &request, 1);
        if (!error)
                error = nova_block_wait(block, &result, NOVA_FOREVER);
        if (error != ECONNRESET)
                die("the stalled read", error);
        printf("the driver has ended after %u s\n",
               (unsigned)((nova_time_ns() - begin) / 1000000000));
        do
                error = nova_block_reopen(block);
        while (error == ECONNRESET);
        if (!error)
                error = nova_block_reap(block, &result);
        if (error)
                die("the result of the stalled read", error);
        printf("the stalled read ended after %u s: %s\n",
               (unsigned)((nova_time_ns() - begin) / 1000000000), strerror(result.error));
        memset(bytes, 0x55, 512);
        error = nova_block_write(block, 7, 1, bytes);
        if (!error)
                error = nova_block_flush(block);
        if (error)
                die("a write after the stalled read", error);
        printf("the disk can be written again\n");
}

/* Reads into scattered segments, some of which begin or end within a page. */
static void read_scattered(struct nova_block *block)
{
        static const struct nova_block_segment segments[] = {
                {0x3000, 0x1000}, {0x1000, 0x2000}, {0x5e00, 0x200}, {0x4000, 0x1000},
                {0x5200, 0x400},  {0x7000, 0x1000}, {0x6000, 0x800}, {0xfe00, 0x200}};
        const struct nova_block_request request = {.operation = NOVA_BLOCK_READ,
                                                   .block = 100,
                                                   .segment_count = 8,
                                                   .segments = segments};
        struct nova_block_result result;
        uint32_t number = 100;
        size_t bytes;
        const char *pool = nova_block_pool(block, &bytes);
        int error = nova_block_submit(block, &request, 1);

        if (!error)
                error = nova_block_wait(block, &result, NOVA_FOREVER);
        if (error || result.error)
                die("a scattered read", error ? error : result.error);
        for (unsigned i = 0; i < 8; i++)
                for (uint32_t offset = 0; offset < segments[i].bytes; offset += 512)
                        if (!is_block(pool + segments[i].offset + offset, number++))
                                die("scattered content", EILSEQ);
        printf("a scattered read of %u blocks has its parts\n", (unsigned)(number - 100));
}

/* Writes the complement of each block's words, many at once, and flushes. */
static void write_all(struct nova_block *block)
{
        const uint32_t blocks = (uint32_t)nova_block_get_info(block)->blocks;
        struct nova_block_result result;
        size_t bytes;
        char *pool = nova_block_pool(block, &bytes);
        uint32_t next = 0, ended = 0;
        int error = 0;

        while (ended < blocks && !error) {
                while (next < blocks && next - ended < IN_FLIGHT && !error) {
                        const uint32_t offset = next % IN_FLIGHT * 512;
                        uint32_t *word = (uint32_t *)(pool + offset);
                        const struct nova_block_segment segment = {offset, 512};
                        const struct nova_block_request request = {.operation = NOVA_BLOCK_WRITE,
                                                                   .block = next,
                                                                   .segment_count = 1,
                                                                   .segments = &segment};

                        for (unsigned i = 0; i < 128; i++)
                                word[i] = ~(next * 128 + i);
                        error = nova_block_submit(block, &request, 1);
                        next++;
                }
                /* A piece of the pool is reused after all earlier requests have ended. */
                while (ended < next && !error) {
                        error = nova_block_wait(block, &result, NOVA_FOREVER);
                        if (!error)
                                error = result.error;
                        ended++;
                }
        }
        if (!error)
                error = nova_block_flush(block);
        if (error)
                die("write", error);
        printf("%u blocks were written\n", (unsigned)blocks);
}

/* Checks the size of a partition, its first and last block, and the blocks before and after it. */
static void check_partition(struct nova_block *block, uint32_t blocks, bool writable)
{
        static char bytes[2 * 512];
        const uint32_t count = (uint32_t)nova_block_get_info(block)->blocks;
        int error;

        if (count != blocks)
                die("size", ERANGE);
        if (nova_block_read(block, 0, 1, bytes) || !is_block(bytes, 0) ||
            nova_block_read(block, count - 1, 1, bytes) || !is_block(bytes, count - 1))
                die("content", EILSEQ);
        if (nova_block_read(block, count, 1, bytes) != ENXIO ||
            nova_block_read(block, count - 1, 2, bytes) != ENXIO ||
            nova_block_read(block, UINT64_MAX, 1, bytes) != ENXIO)
                die("a block beyond", EACCES);
        error = nova_block_write(block, 1, 1, bytes);
        if (writable ? error : error != EROFS)
                die("write", error);
        printf("%u blocks are mine, and no other\n", (unsigned)count);
}

/* Sleeps with an open session. A plugin of QEMU counts the instructions between the marks. */
static void sleep_marked(void)
{
        nova_sleep(4000000000); /* until the services have completed all work for the session */
        IO_MARK(IO_OP_IDLE);
        nova_sleep(3000000000);
        IO_MARK(IO_OP_NONE);
        printf("slept\n");
}

/* Keeps a large pool for some time, and then exits without closing the session. */
static void have_pool(const char *service, char **seconds)
{
        struct nova_block *block;
        static char bytes[512];
        int error;

        nova_sleep(strtoul(seconds[0], NULL, 10) * 1000000000ull);
        error = nova_block_open(&block, service, NULL, 0x100000);
        if (!error)
                error = nova_block_read(block, 0, 1, bytes);
        if (error)
                die("a large pool", error);
        printf("has a large pool\n");
        nova_sleep(strtoul(seconds[1], NULL, 10) * 1000000000ull);
        exit(seconds[2] ? (int)strtoul(seconds[2], NULL, 10) : 0);
}

/* Performs an action with an open session. Returns false if there is no such action. */
static bool act(struct nova_block *block, const char *action, char **argv)
{
        if (!strcmp(action, "partition")) {
                check_partition(block, (uint32_t)strtoul(argv[5], NULL, 10),
                                !strcmp(argv[6], "writable"));
        } else if (!strcmp(action, "write")) {
                read_alone(block, 400);
                read_scattered(block);
                read_many(block, 4000);
                write_all(block);
        } else if (!strcmp(action, "idle")) {
                read_alone(block, 8);
                sleep_marked();
        } else if (!strcmp(action, "alone")) {
                read_alone(block, 400);
        } else if (!strcmp(action, "held")) {
                read_held(block);
        } else if (!strcmp(action, "stalled")) {
                read_stalled(block);
        } else if (!strcmp(action, "beside")) {
                read_beside(block);
        } else if (!strcmp(action, "many")) {
                const unsigned lost = read_many(block, 2000);

                printf("2000 of many reads succeeded, %s ended with EIO\n", lost ? "some" : "none");
        } else {
                return false;
        }
        return true;
}

int main(int argc, char **argv)
{
        const char *action = argc > 2 ? argv[1] : "";

        if (!strcmp(action, "refused")) {
                struct nova_block *none;
                const int error = nova_block_open(&none, argv[2], argc > 3 ? argv[3] : NULL, 0);

                printf("refused: %s\n", strerror(error));
                return 0;
        }
        if (!strcmp(action, "pool") && argc > 4)
                have_pool(argv[2], argv + 3);
        if (argc > 4)
                origin = (uint32_t)strtoul(argv[4], NULL, 10);

        struct nova_block *block = open_or_die(argc > 2 ? argv[2] : "", argc > 3 ? argv[3] : NULL);

        if (!act(block, action, argv)) {
                printf("client: name an action as argument\n");
                return 1;
        }
        nova_block_close(block);
        return 0;
}
