/* SPDX-License-Identifier: BSD-2-Clause */
/* Connects guests' disks with block services (see novavmm/guest_disk.h). Handlers of exits submit
 * requests; a thread waits for their completions. */
#include "novavmm/guest_disk.h"

#include <errno.h>
#include <string.h>

#include "novart/program.h"
#include "novart/time.h"
#include "recovery.h"

/* Number of times that poll() looks for completions after an exit. */
#define ROUNDS 4

/* Maximum number of completions that are handled at once, with the machine's lock held. They start
 * further requests, and a fast driver may execute those so soon that completions never run out. */
#define REAP_MAX 32

/* Time in ns before the thread continues after REAP_MAX completions. */
#define PAUSE_NS 50000

static bool is_up(void *context)
{
        const struct nova_guest_disk *const disk = context;

        return !disk->down;
}

static void start(void *context, const struct nova_virtio_block_step *step)
{
        static const enum nova_block_operation operations[] = {
                [NOVA_VIRTIO_BLOCK_READ] = NOVA_BLOCK_READ,
                [NOVA_VIRTIO_BLOCK_WRITE] = NOVA_BLOCK_WRITE,
                [NOVA_VIRTIO_BLOCK_FLUSH] = NOVA_BLOCK_FLUSH,
                [NOVA_VIRTIO_BLOCK_DISCARD] = NOVA_BLOCK_DISCARD,
        };
        const bool discard = step->operation == NOVA_VIRTIO_BLOCK_DISCARD;
        const bool has_data = step->bytes && !discard;
        struct nova_guest_disk *const disk = context;
        struct nova_block_segment *const part = &disk->part[disk->started];

        part->offset = step->request * NOVA_VIRTIO_BLOCK_STEP;
        part->bytes = step->bytes;
        disk->batch[disk->started] = (struct nova_block_request){
                .operation = operations[step->operation],
                .block = step->offset / disk->store.block_bytes,
                .blocks = discard ? step->bytes / disk->store.block_bytes : 0,
                .segment_count = has_data ? 1 : 0,
                .segments = has_data ? part : NULL,
                .cookie = &disk->device.request[step->request],
        };
        disk->started++;
        disk->busy |= 1u << step->request;
}

/* Submits requests. A fast disk executes them before the driver returns the CPU, while the handler
 * of the exit holds the machine's lock. A wake-up would only make the thread wait for this lock, so
 * poll() takes these completions before the guest continues. If the session has lost pages of the
 * pool, the requests are not submitted. The thread opens the session again when the bell rings or
 * the service has ended. */
static void kick(void *context)
{
        struct nova_guest_disk *const disk = context;
        const unsigned count = disk->started;
        const bool looks = disk->looks && !disk->error;
        int error;

        disk->started = 0;
        if (!count || disk->down)
                return;
        if (looks)
                nova_block_mute(disk->block);
        error = nova_block_submit(disk->block, disk->batch, count);
        if (looks)
                disk->ready |= nova_block_unmute(disk->block);
        if (error)
                disk->error = error;
}

static bool check(void *context, const struct nova_virtio_block_step *step)
{
        const struct nova_guest_disk *const disk = context;

        return !nova_block_check(disk->block, step->request * NOVA_VIRTIO_BLOCK_STEP, step->bytes);
}

/* Passes a completion to the device. Without a machine, nothing waits for it. */
static void complete(struct nova_guest_disk *disk, const struct nova_block_result *result)
{
        const struct nova_virtio_block_request *const request = result->cookie;
        const unsigned number = (unsigned)(request - disk->device.request);

        disk->busy &= ~(1u << number);
        if (disk->vm)
                nova_virtio_block_done(&disk->device, number, result->error);
}

/* Handles completions that have arrived, at most @p left.
 * @return 0 if there may be more; EAGAIN, or the error of the session */
static int reap_some(struct nova_guest_disk *disk, unsigned *left)
{
        struct nova_block_result result;
        int error = disk->error;

        for (; *left && !error; --*left) {
                error = nova_block_reap(disk->block, &result);
                if (error)
                        break;
                complete(disk, &result);
                error = disk->error; /* of a further request that this completion has started */
        }
        return error;
}

/* Handles completions after an exit; the thread is not woken for them. A completion may start
 * further requests, even requests of another virtual CPU, so the numbers of rounds and completions
 * are limited. The thread handles the completions of requests that the last round starts. If there
 * are more completions, the device pauses, and a later call continues. */
static void poll(void *context)
{
        struct nova_guest_disk *const disk = context;
        unsigned left = REAP_MAX;

        for (unsigned round = 1; disk->ready && left && !disk->down; round++) {
                disk->ready = false;
                disk->looks = round < ROUNDS;

                const int error = reap_some(disk, &left);

                if (error != EAGAIN)
                        disk->error = error;
                disk->ready |= !error;
        }
        disk->looks = true;
        if (disk->ready && !disk->down)
                nova_virtio_pause(&disk->device.virtio);
}

/* Handles completions in the thread.
 * @return 0 if there may be more; EAGAIN, or the error of the session */
static int reap(struct nova_guest_disk *disk)
{
        unsigned left = REAP_MAX;
        int error;

        nova_mutex_lock(&disk->lock);
        if (disk->vm)
                nova_vm_lock(disk->vm);
        disk->looks = false; /* the thread looks again before it sleeps */
        error = reap_some(disk, &left);
        disk->looks = true;
        disk->ready = false;
        if (error && error != EAGAIN)
                disk->down = true;
        if (disk->vm)
                nova_vm_unlock(disk->vm);
        nova_mutex_unlock(&disk->lock);
        return error;
}

/* Repeats the requests that the service has lost. */
static void restart(struct nova_guest_disk *disk)
{
        struct nova_block_result lost;

        while (!nova_block_reap(disk->block, &lost))
                ;
        disk->busy = 0;
        disk->started = 0;
        disk->error = 0;
        disk->ready = false;
        disk->down = false;
        if (disk->vm)
                nova_virtio_block_restart(&disk->device);
}

/* Called if the service will not come back: fails all requests, including those that the guest
 * makes later. */
static void give_up(struct nova_guest_disk *disk, int error)
{
        disk->failed = true;
        disk->device.failed = true;
        disk->busy = 0;
        for (unsigned i = 0; i < NOVA_VIRTIO_BLOCK_REQUESTS && disk->vm; i++)
                nova_virtio_block_done(&disk->device, i, error);
}

/* Tries to open the session again. The session has no other user, because `down` is set. Holds no
 * lock, because a hostile service may never answer. So the disk may get another machine meanwhile.
 * @return as nova_block_reopen() */
static int reopen(void *argument)
{
        struct nova_guest_disk *const disk = argument;
        const int error = nova_block_reopen(disk->block);

        nova_mutex_lock(&disk->lock);
        if (disk->vm)
                nova_vm_lock(disk->vm);
        if (!error)
                restart(disk);
        if (disk->vm)
                nova_vm_unlock(disk->vm);
        nova_mutex_unlock(&disk->lock);
        return error;
}

/* Opens the session again after a loss, or gives up. @return as novavmm_recovery_wait() */
static int recover(struct nova_guest_disk *disk)
{
        const int error = novavmm_recovery_wait(reopen, disk);

        if (!error)
                return 0;
        nova_mutex_lock(&disk->lock);
        if (disk->vm)
                nova_vm_lock(disk->vm);
        give_up(disk, error);
        if (disk->vm)
                nova_vm_unlock(disk->vm);
        nova_mutex_unlock(&disk->lock);
        return error;
}

static void *serve(void *argument)
{
        struct nova_guest_disk *const disk = argument;
        int error;

        do {
                error = reap(disk);
                if (!error)
                        nova_sleep(PAUSE_NS);
                else if (error == EAGAIN)
                        error = nova_block_listen(disk->block, NOVA_FOREVER);
                else
                        error = recover(disk);
        } while (!error || error == ECONNRESET); /* ECONNRESET: reap() gets the error, too */
        return NULL;
}

static void make_store(struct nova_guest_disk *disk)
{
        const struct nova_block_info *const info = nova_block_get_info(disk->block);
        size_t pool_bytes;

        disk->store = (struct nova_virtio_block_store){
                .bytes = info->blocks * info->block_bytes,
                .block_bytes = info->block_bytes,
                .step_bytes = NOVA_VIRTIO_BLOCK_STEP,
                .read_only = info->flags & NOVA_BLOCK_READ_ONLY,
                .has_cache = info->flags & NOVA_BLOCK_HAS_CACHE,
                .has_discard = info->flags & NOVA_BLOCK_HAS_DISCARD,
                .buffer = nova_block_pool(disk->block, &pool_bytes),
                .is_up = is_up,
                .start = start,
                .kick = kick,
                .check = check,
                .poll = poll,
                .context = disk,
        };
        if (info->request_max < NOVA_VIRTIO_BLOCK_STEP / info->block_bytes)
                disk->store.step_bytes = info->request_max * info->block_bytes;
}

int nova_guest_disk_open(struct nova_guest_disk *disk, const char *service, const char *arguments)
{
        const struct nova_thread_attr attr = {
                .name = "vm disk",
                .cpu = NOVA_CPU_SELF,
                .priority = nova_thread_priority(nova_thread_self()),
        };
        const size_t bytes = (size_t)NOVA_VIRTIO_BLOCK_REQUESTS * NOVA_VIRTIO_BLOCK_STEP;
        int error = nova_block_open(&disk->block, service, arguments, bytes);

        if (error)
                return error;
        error = nova_block_claim(disk->block, NOVA_BLOCK_WRITES);
        if (!error) {
                make_store(disk);
                disk->looks = true;
                error = nova_thread_create(&disk->thread, &attr, serve, disk);
        }
        if (error) {
                nova_block_close(disk->block);
                disk->block = NULL;
        }
        return error;
}

int nova_guest_disk_attach(struct nova_guest_disk *disk, struct nova_pc *pc, unsigned slot)
{
        int error;

        nova_mutex_lock(&disk->lock);
        nova_virtio_block_init_store(&disk->device, &pc->vm->memory, &disk->store, disk->busy);
        disk->device.failed = disk->failed;
        error = nova_pc_add_virtio(pc, slot, &disk->device.virtio);
        if (!error)
                disk->vm = pc->vm;
        nova_mutex_unlock(&disk->lock);
        return error;
}

void nova_guest_disk_detach(struct nova_guest_disk *disk)
{
        nova_mutex_lock(&disk->lock);
        disk->vm = NULL;
        nova_mutex_unlock(&disk->lock);
}
