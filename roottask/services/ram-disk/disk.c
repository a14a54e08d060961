/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk in memory: copies between the blocks and the clients' pools. */
#include "disk.h"

#include <errno.h>
#include <string.h>

#include "block/server.h"

static struct ram_disk disk;
static struct block_device device;
static struct block_request *held; /* the first request, until disk.hold later ones have ended; else
                                    * NULL */
static unsigned started, ended;

static void transfer(const struct block_request *request)
{
        char *at = disk.memory + request->block * disk.block_bytes;

        if (request->operation == NOVA_BLOCK_DISCARD)
                memset(at, 0, (size_t)request->blocks * disk.block_bytes);
        for (unsigned i = 0; i < request->segment_count; i++) {
                const struct nova_block_segment *segment = &request->segment[i];
                char *data = request->pool->memory + segment->offset;

                if (request->operation == NOVA_BLOCK_READ)
                        memcpy(data, at, segment->bytes);
                else
                        memcpy(at, data, segment->bytes);
                at += segment->bytes;
        }
}

static void end(struct block_request *request)
{
        transfer(request);
        ended++;
        block_end(request, 0);
}

static void start(struct block_request *request)
{
        started++;
        if (disk.crash_after && started > disk.crash_after)
                __builtin_trap();
        if (disk.loop_after && started > disk.loop_after)
                for (;;)
                        __asm__ volatile("pause");
        if (disk.hang_after && started > disk.hang_after)
                return;
        if (disk.hold && started == 1) {
                held = request;
                return;
        }
        end(request);
        if (held && ended >= disk.hold) {
                request = held;
                held = NULL;
                end(request);
        }
}

int ram_disk_start(const struct ram_disk *of)
{
        disk = *of;
        device = (struct block_device){
                .name = disk.name,
                .info = {.blocks = disk.bytes / disk.block_bytes,
                         .block_bytes = disk.block_bytes,
                         .flags = NOVA_BLOCK_HAS_DISCARD |
                                  (disk.read_only ? (uint32_t)NOVA_BLOCK_READ_ONLY : 0),
                         .segments = NOVA_BLOCK_SEGMENTS,
                         .request_max = 0x400000 / disk.block_bytes},
                .depth = disk.depth,
                .timeout_ns = disk.timeout_ms * 1000000ull,
                .start = start,
        };
        return device.info.blocks ? block_service_start(&device) : EINVAL;
}
