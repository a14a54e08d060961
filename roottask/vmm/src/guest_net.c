/* SPDX-License-Identifier: BSD-2-Clause */
/* Connects guests' network cards with network services (see novavmm/guest_net.h). Handlers of exits
 * send frames; a thread waits for received frames. Both use the session while they hold the
 * machine's lock. */
#include "novavmm/guest_net.h"

#include <errno.h>

#include "novart/program.h"
#include "novart/time.h"
#include "recovery.h"

/* Size of the session's pool: as many buffers as a ring has entries. */
#define POOL_BYTES (2 * NOVA_NET_ENTRIES * NOVA_NET_BUFFER)

/* Intervals in ns at which the thread looks at the session while the guest has no buffer:
 * BLOCKED_NS if frames of the guest wait for the session, else HELD_NS. */
#define BLOCKED_NS 1000000
#define HELD_NS    100000000

/* Maximum number of frames in one turn, in which the machine's lock is held, and time in ns between
 * two turns. A service that behaves well delivers frames more slowly than a turn takes them. A
 * hostile service may deliver them faster. */
#define RECEIVE_MAX NOVA_NET_ENTRIES
#define PAUSE_NS    50000

/* Returns room for a frame of the guest. After an error of the session, the frame will be dropped;
 * the thread notices the error, too. If the session has no free buffer, and the thread waits for a
 * buffer of the guest, the thread now looks for buffers of the session more often. */
static void *prepare(void *context)
{
        struct nova_guest_net *const card = context;
        void *buffer = NULL;
        const int error = card->down ? ECONNRESET : nova_net_prepare(card->net, &buffer);

        if (error == EAGAIN && !card->blocked && card->holds)
                nova_semaphore_up(&card->room);
        card->blocked = error == EAGAIN;
        card->drops = error && !card->blocked;
        return card->drops ? card->dropped : buffer;
}

static void send(void *context, size_t bytes)
{
        struct nova_guest_net *const card = context;

        if (card->drops || nova_net_queue(card->net, bytes))
                card->lost++;
}

/* Returns false if the service does not accept open checksums. The service may have accepted them
 * before the session was opened again. */
static bool send_open(void *context, size_t bytes, uint32_t sum)
{
        struct nova_guest_net *const card = context;

        if (!card->drops && !(card->info.flags & NOVA_NET_SUMS))
                return false;
        if (card->drops || nova_net_queue_sum(card->net, bytes, sum))
                card->lost++;
        return true;
}

static void kick(void *context)
{
        const struct nova_guest_net *const card = context;

        if (!card->down)
                nova_net_flush(card->net);
}

static void room(void *context)
{
        struct nova_guest_net *const card = context;

        nova_semaphore_up(&card->room);
}

/* Passes the held frame to the guest. Drops the frame if the card has no machine. */
static void pass(struct nova_guest_net *card)
{
        card->holds = card->vm && !nova_virtio_net_receive_more(&card->device, card->held.data,
                                                                card->held.bytes, card->held.sum);
        if (!card->holds)
                nova_net_release(card->net, &card->held);
}

/* Passes frames to the guest, at most RECEIVE_MAX.
 * @return 0 if the guest has no buffer for the next frame, which is held, or if RECEIVE_MAX frames
 * were passed and more may wait; EAGAIN if no frame waits; else the error of the session */
static int receive_some(struct nova_guest_net *card)
{
        int error = 0;

        card->got = card->holds;
        if (card->holds)
                pass(card);
        for (unsigned left = RECEIVE_MAX; left && !card->holds; left--) {
                error = nova_net_receive(card->net, &card->held);
                if (error)
                        break;
                card->got = true;
                pass(card);
        }
        if (card->vm)
                nova_virtio_net_receive_end(&card->device);
        if (error && error != EAGAIN)
                return error;

        const int ended = nova_net_flush(card->net); /* submits the released buffers */

        return error ? error : ended;
}

/* Sends frames of the guest that have waited. After a reset of the card by the guest, no frame
 * waits. */
static void resume(struct nova_guest_net *card)
{
        if (card->blocked && card->vm && !nova_virtio_net_resume(&card->device))
                card->blocked = false;
}

/* Handles frames that have arrived.
 * @param[out] blocked frames of the guest wait for the session
 * @return as receive_some() */
static int handle(struct nova_guest_net *card, bool *blocked)
{
        int error;

        nova_mutex_lock(&card->lock);
        if (card->vm)
                nova_vm_lock(card->vm);
        error = receive_some(card);
        resume(card);
        card->down = error && error != EAGAIN;
        *blocked = card->blocked;
        if (card->vm)
                nova_vm_unlock(card->vm);
        nova_mutex_unlock(&card->lock);
        return error;
}

/* Tries to open the session again. The session has no other user, because `down` is set. Holds no
 * lock during the call, because a hostile service may never answer. So the card may get another
 * machine meanwhile.
 * @return as nova_net_reopen() */
static int reopen(void *argument)
{
        struct nova_guest_net *const card = argument;
        const int error = nova_net_reopen(card->net);

        nova_mutex_lock(&card->lock);
        if (card->vm)
                nova_vm_lock(card->vm);
        card->holds = false;
        card->down = error != 0;
        if (!error)
                card->info = *nova_net_get_info(card->net);
        resume(card); /* frames may have waited for the session that has ended */
        if (card->vm)
                nova_vm_unlock(card->vm);
        nova_mutex_unlock(&card->lock);
        return error;
}

/* Waits until the guest may have a buffer for the held frame, or for a limited time, after which
 * the thread looks for frames of the guest and for the end of the session. The thread does not
 * listen, because the frames that have arrived would wake it at once. */
static void wait_for_room(struct nova_guest_net *card, bool blocked)
{
        nova_semaphore_down_until(&card->room, nova_deadline_in(blocked ? BLOCKED_NS : HELD_NS));
}

/* Waits for frames. A service that has woken the thread without a frame, for example with empty
 * buffers, may do so without end, so the thread pauses first. */
static int listen(struct nova_guest_net *card)
{
        int error;

        if (card->woken && !card->got)
                nova_sleep(PAUSE_NS);
        error = nova_net_listen(card->net, NOVA_FOREVER);
        card->woken = !error;
        return error;
}

/* While the guest has no buffer, further frames wait in the session's buffers. When these are full,
 * the service drops frames for this guest only. */
static void *serve(void *argument)
{
        struct nova_guest_net *const card = argument;
        bool blocked;
        int error;

        do {
                error = handle(card, &blocked);
                if (!error && card->holds) /* no other thread changes it */
                        wait_for_room(card, blocked);
                else if (!error)
                        nova_sleep(PAUSE_NS);
                else if (error == EAGAIN)
                        error = listen(card);
                else
                        error = novavmm_recovery_wait(reopen, card);
        } while (!error || error == ECONNRESET); /* the latter from listen() */
        return NULL;
}

int nova_guest_net_open(struct nova_guest_net *card, const char *service, const char *arguments)
{
        const struct nova_thread_attr attr = {
                .name = "vm net",
                .cpu = NOVA_CPU_SELF,
                .priority = nova_thread_priority(nova_thread_self()),
        };
        int error = nova_net_open(&card->net, service, arguments, POOL_BYTES);

        if (error)
                return error;
        card->cable = (struct nova_virtio_net_cable){prepare, send, kick, room, card, send_open};
        card->info = *nova_net_get_info(card->net);
        nova_net_accept_sums(card->net);
        error = nova_thread_create(&card->thread, &attr, serve, card);
        if (error)
                nova_net_close(card->net);
        return error;
}

/* Announces to the guest that the service takes only smaller frames than usual. */
static void limit_frames(struct nova_guest_net *card)
{
        const uint32_t most = card->info.frame_max;

        if (most < NOVA_VIRTIO_NET_FRAME_MAX)
                nova_virtio_net_limit(&card->device, most);
}

int nova_guest_net_attach(struct nova_guest_net *card, struct nova_pc *pc, unsigned slot)
{
        int error;

        nova_mutex_lock(&card->lock);
        nova_virtio_net_init(&card->device, &pc->vm->memory, card->info.address, &card->cable);
        limit_frames(card);
        error = nova_pc_add_virtio(pc, slot, &card->device.virtio);
        card->blocked = false;
        if (!error)
                card->vm = pc->vm;
        nova_mutex_unlock(&card->lock);
        return error;
}

void nova_guest_net_detach(struct nova_guest_net *card)
{
        nova_mutex_lock(&card->lock);
        card->vm = NULL;
        nova_mutex_unlock(&card->lock);
        nova_semaphore_up(&card->room);
}
