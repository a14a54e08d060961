/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's network card whose guest has no buffer for the next frame: the guest can still send,
 * and the end of the session is noticed. Even if the service always has another frame, the card's
 * thread releases the locks. */
#include "novavmm/guest_net.h"

#include <cerrno>
#include <deque>
#include <functional>

#include "novart/program.h"
#include "novart/time.h"
#include "virtio_net.h"

namespace
{

constexpr uint64_t ms = 1000000, second = 1000 * ms;
constexpr unsigned most = NOVA_NET_ENTRIES; /* frames in one turn */

/* Thrown to end the thread; stuck: nothing would end the thread's wait. */
struct stuck {
};
struct ended {
};

/* The service, and the time that passes while the thread waits. */
struct service {
        nova_net_info info = {};
        uint8_t buffer[NOVA_NET_FRAME_MAX] = {};
        unsigned free = 4;                        /* buffers for frames of the guest */
        unsigned sent = 0, arrived = 0, held = 0; /* frames */
        unsigned room = 0;                        /* value of the semaphore */
        unsigned reopened = 0;
        unsigned received = 0, locks = 0; /* since the last pause; number of locks held */
        bool alive = true;
        bool is_endless = false;  /* there is a frame at each moment */
        unsigned wakes = 0;       /* times that the service wakes the thread without a frame */
        uint64_t slept = 0;       /* time in ns that the thread has slept */
        bool is_refused = false;  /* the last attempt to open the session again has failed */
        std::deque<int> refusals; /* errors of the next attempts */
        std::function<void()> while_reopen = [] {};
        std::vector<unsigned> turns; /* numbers of frames between two pauses of the thread */
        std::vector<uint64_t> waits; /* in ns */
        std::vector<std::function<void()>> steps; /* what happens at each end of a wait */
};

service *now;
void *(*thread)(void *);

} // namespace

extern "C" {
struct nova_net {
        int unused;
};

static nova_net session;

int nova_net_open(nova_net **opened, const char *, const char *, size_t)
{
        *opened = &session;
        return 0;
}

void nova_net_close(nova_net *)
{
}

void nova_net_accept_sums(nova_net *)
{
}

const nova_net_info *nova_net_get_info(const nova_net *)
{
        return &now->info;
}

int nova_net_prepare(nova_net *, void **buffer)
{
        if (!now->free)
                return EAGAIN;
        *buffer = now->buffer;
        return 0;
}

int nova_net_queue(nova_net *, size_t)
{
        now->free--;
        now->sent++;
        return 0;
}

int nova_net_queue_sum(nova_net *, size_t bytes, uint32_t)
{
        return nova_net_queue(nullptr, bytes);
}

int nova_net_flush(nova_net *)
{
        return now->alive ? 0 : ECONNRESET;
}

int nova_net_receive(nova_net *, nova_net_frame *frame)
{
        EXPECT_FALSE(now->is_refused); /* the session may be half open */
        if (now->received > 2 * most)
                throw stuck();
        if (!now->alive)
                return ECONNRESET;
        if (!now->is_endless && !now->arrived)
                return EAGAIN;
        now->arrived -= !now->is_endless;
        now->received++;
        now->held++;
        *frame = {};
        frame->data = now->buffer;
        frame->bytes = 60;
        return 0;
}

int nova_net_release(nova_net *, const nova_net_frame *)
{
        now->held--;
        return 0;
}

int nova_net_listen(const nova_net *, uint64_t)
{
        if (!now->wakes)
                throw ended();
        now->wakes--;
        return 0;
}

int nova_net_reopen(nova_net *)
{
        EXPECT_EQ(now->locks, 0u); /* the service may never answer */
        now->reopened++;
        now->is_refused = !now->refusals.empty();
        if (now->is_refused) {
                const int error = now->refusals.front();

                now->refusals.pop_front();
                return error;
        }
        now->while_reopen();
        now->alive = true;
        return 0;
}

int nova_thread_create(nova_thread **, const nova_thread_attr *, void *(*function)(void *), void *)
{
        thread = function;
        return 0;
}

nova_thread *nova_thread_self(void)
{
        return nullptr;
}

unsigned nova_thread_priority(const nova_thread *)
{
        return 1;
}

void nova_mutex_lock(nova_mutex *)
{
        now->locks++;
}

void nova_mutex_unlock(nova_mutex *)
{
        now->locks--;
}

void nova_vm_lock(nova_vm *)
{
        now->locks++;
}

void nova_vm_unlock(nova_vm *)
{
        now->locks--;
}

void nova_sleep(uint64_t ns)
{
        EXPECT_EQ(now->locks, 0u);
        now->slept += ns;
        now->turns.push_back(now->received);
        now->received = 0;
        now->is_endless &= now->turns.size() < 3;
}

uint64_t nova_deadline_in(uint64_t ns)
{
        return ns;
}

void nova_semaphore_up(nova_semaphore *)
{
        now->room++;
}

int nova_semaphore_down_until(nova_semaphore *, uint64_t deadline)
{
        if (now->room) {
                now->room--;
                return 0;
        }
        if (now->steps.empty())
                throw stuck();

        const auto step = now->steps.front();

        now->waits.push_back(deadline);
        now->steps.erase(now->steps.begin());
        step();
        if (!now->room)
                return ETIMEDOUT;
        now->room--;
        return 0;
}

void nova_semaphore_down(nova_semaphore *semaphore)
{
        if (nova_semaphore_down_until(semaphore, NOVA_FOREVER))
                throw stuck(); /* nothing wakes it */
}

int nova_pc_add_virtio(nova_pc *pc, unsigned, nova_virtio *virtio)
{
        pc->virtio[1] = virtio;
        return 0;
}
}

namespace
{

using namespace virtio;

struct guest_net : virtio_net {
        service slow;
        nova_guest_net card = {};
        nova_vm vm = {};
        nova_pc pc = {};

        void SetUp() override
        {
                now = &slow;
                slow.info.frame_max = NOVA_NET_FRAME_MAX;
                vm.memory = memory;
                pc.vm = &vm;
                ASSERT_EQ(nova_guest_net_open(&card, "slow", nullptr), 0);
                ASSERT_EQ(nova_guest_net_attach(&card, &pc, 1), 0);
                attach(pc.virtio[1]);
                start_with(0);
        }

        void send_frames(unsigned count)
        {
                for (unsigned i = 0; i < count; i++)
                        queue_frame(static_cast<uint16_t>(i), 60);
                kick(from_guest);
        }
};

TEST_F(guest_net, a_guest_without_buffers_sends)
{
        slow.arrived = 1;
        slow.steps = {[this] { send_frames(6); }, [this] { slow.free = 4; }, [] {}};
        EXPECT_THROW(thread(&card), stuck);
        EXPECT_EQ(slow.sent, 6u);
        EXPECT_EQ(used_index(from_guest), 6);
        EXPECT_EQ(slow.waits, (std::vector<uint64_t>{100 * ms, ms, 100 * ms}));
        EXPECT_EQ(slow.held, 1u);
}

TEST_F(guest_net, a_guest_that_has_reset_its_card_has_no_frames_that_wait)
{
        slow.arrived = 1;
        slow.steps = {[this] { send_frames(6); },
                      [this] {
                              start_with(0);
                              slow.arrived = 1;
                      },
                      [] {}};
        EXPECT_THROW(thread(&card), stuck);
        EXPECT_EQ(slow.sent, 4u);
        EXPECT_EQ(slow.waits, (std::vector<uint64_t>{100 * ms, ms, 100 * ms}));
        EXPECT_FALSE(card.blocked);
}

TEST_F(guest_net, a_guest_with_a_new_buffer_gets_the_frame_at_once)
{
        slow.arrived = 1;
        slow.steps = {[this] {
                queue_buffer(0);
                kick(to_guest);
        }};
        EXPECT_THROW(thread(&card), ended);
        EXPECT_EQ(used_index(to_guest), 1);
        EXPECT_EQ(slow.held, 0u);
}

TEST_F(guest_net, a_guest_without_buffers_gets_a_new_session)
{
        slow.arrived = 1;
        slow.steps = {[this] { slow.alive = false; }};
        EXPECT_THROW(thread(&card), ended);
        EXPECT_EQ(slow.reopened, 1u);
        EXPECT_FALSE(card.holds);
}

TEST_F(guest_net, an_endless_stream_without_a_driver_releases_the_locks)
{
        out(status, 1, 0);
        slow.is_endless = true;
        EXPECT_THROW(thread(&card), ended);
        EXPECT_EQ(slow.turns, (std::vector<unsigned>{most, most, most}));
        EXPECT_EQ(slow.held, 0u);
        EXPECT_EQ(slow.locks, 0u);
}

TEST_F(guest_net, wakes_without_a_frame_let_the_thread_pause)
{
        slow.wakes = 3;
        EXPECT_THROW(thread(&card), ended);
        EXPECT_EQ(slow.turns, (std::vector<unsigned>{0, 0, 0}));
}

TEST_F(guest_net, an_endless_stream_without_a_machine_releases_the_lock)
{
        nova_guest_net_detach(&card);
        slow.is_endless = true;
        EXPECT_THROW(thread(&card), ended);
        EXPECT_EQ(slow.turns, (std::vector<unsigned>{most, most, most}));
}

TEST_F(guest_net, a_card_gets_another_machine_while_the_service_is_away)
{
        slow.alive = false;
        slow.info.address[5] = 1; /* the card has read the properties already */
        slow.while_reopen = [this] {
                nova_guest_net_detach(&card);
                EXPECT_EQ(nova_guest_net_attach(&card, &pc, 1), 0);
                EXPECT_EQ(card.device.virtio.config[5], 0);
                attach(pc.virtio[1]);
                start_with(0);
                send_frames(2);
        };
        EXPECT_THROW(thread(&card), ended);
        EXPECT_EQ(slow.reopened, 1u);
        EXPECT_EQ(used_index(from_guest), 2);
        EXPECT_EQ(card.lost, 2u);
        EXPECT_EQ(card.info.address[5], 1);
        send_frames(1);
        EXPECT_EQ(slow.sent, 1u);
}

TEST_F(guest_net, a_card_waits_for_a_service_that_cannot_be_opened_yet)
{
        slow.alive = false;
        slow.refusals = {EAGAIN, ENODEV, EBUSY, EMFILE, ENFILE, ENOMEM};
        slow.while_reopen = [this] { send_frames(2); };
        EXPECT_THROW(thread(&card), ended);
        EXPECT_EQ(slow.reopened, 7u);
        EXPECT_EQ(slow.slept, 6 * second);
        EXPECT_EQ(card.lost, 2u);
        send_frames(1);
        EXPECT_EQ(slow.sent, 1u);
}

TEST_F(guest_net, a_card_tries_again_at_once_when_the_service_ends_again)
{
        slow.alive = false;
        slow.refusals = {ECONNRESET, ECONNRESET};
        EXPECT_THROW(thread(&card), ended);
        EXPECT_EQ(slow.reopened, 3u);
        EXPECT_EQ(slow.slept, 0u);
}

TEST_F(guest_net, a_card_stays_without_a_service_that_has_gone_or_refuses_it)
{
        for (const int error : {ESRCH, EACCES, EPROTO}) {
                slow.alive = false;
                slow.reopened = 0;
                slow.refusals = {EAGAIN, error};
                EXPECT_EQ(thread(&card), nullptr);
                EXPECT_EQ(slow.reopened, 2u);
                EXPECT_TRUE(card.down);
                slow.is_refused = false;
        }
        send_frames(3);
        EXPECT_EQ(used_index(from_guest), 3);
        EXPECT_EQ(card.lost, 3u);
        EXPECT_EQ(slow.sent, 0u);
}

} // namespace
