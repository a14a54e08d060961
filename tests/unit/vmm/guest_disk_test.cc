/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's disk in a block service that executes requests at once: the machine's lock is free
 * after a limited number of completions. */
#include "novavmm/guest_disk.h"

#include <cerrno>
#include <deque>
#include <functional>

#include "novart/program.h"
#include "novart/time.h"
#include "virtio.h"

namespace
{

constexpr unsigned block_bytes = NOVA_SECTOR, steps = 80, most = 32;

/* The service. */
struct service {
        nova_block_info info = {};
        std::vector<uint8_t> pool =
                std::vector<uint8_t>(size_t{NOVA_VIRTIO_BLOCK_REQUESTS} * NOVA_VIRTIO_BLOCK_STEP);
        std::deque<void *> done; /* cookies of completions */
        bool muted = false;
        unsigned wakes = 0;             /* completions for which the thread was woken */
        unsigned reaped = 0, locks = 0; /* since the lock was taken; number of locks held */
        unsigned reopened = 0;
        uint64_t slept = 0;                 /* time in ns that the thread has slept */
        int error = 0;                      /* of submits */
        int claim_error = 0;                /* of claims */
        int session = 0;                    /* error of the session */
        std::deque<int> refusals;           /* errors of the next attempts to open it again */
        bool is_refused = false;            /* the last attempt has failed */
        std::function<void()> while_reopen; /* what happens while the session is opened again */
        std::vector<unsigned> turns; /* numbers of completions between two pauses of the thread */
};

service *now;
void *(*thread)(void *);

} // namespace

extern "C" {
struct nova_block {
        int unused;
};

static nova_block session;

int nova_block_open(nova_block **opened, const char *, const char *, size_t)
{
        *opened = &session;
        return 0;
}

void nova_block_close(nova_block *)
{
}

int nova_block_claim(nova_block *, nova_block_use)
{
        return now->claim_error;
}

const nova_block_info *nova_block_get_info(const nova_block *)
{
        return &now->info;
}

void *nova_block_pool(const nova_block *, size_t *bytes)
{
        *bytes = now->pool.size();
        return now->pool.data();
}

int nova_block_submit(nova_block *, const nova_block_request *requests, unsigned count)
{
        if (now->error)
                return now->error;
        for (unsigned i = 0; i < count; i++)
                now->done.push_back(requests[i].cookie);
        now->wakes += count && !now->muted;
        return 0;
}

int nova_block_reap(nova_block *, nova_block_result *result)
{
        EXPECT_FALSE(now->is_refused); /* the session may be half open */
        if (now->session)
                return now->session;
        if (now->done.empty())
                return EAGAIN;
        *result = {now->done.front(), 0};
        now->done.pop_front();
        now->reaped++;
        return 0;
}

void nova_block_mute(nova_block *)
{
        now->muted = true;
}

bool nova_block_unmute(nova_block *)
{
        now->muted = false;
        return !now->done.empty();
}

int nova_block_check(const nova_block *, uint64_t, size_t)
{
        return 0;
}

int nova_block_listen(const nova_block *, uint64_t)
{
        return EPERM; /* ends the thread */
}

int nova_block_reopen(nova_block *)
{
        EXPECT_EQ(now->locks, 0u); /* the service may never answer */
        now->reopened++;
        now->is_refused = !now->refusals.empty();
        if (now->is_refused) {
                const int error = now->refusals.front();

                now->refusals.pop_front();
                return error;
        }
        if (!now->while_reopen)
                return EPERM;
        now->while_reopen();
        now->error = now->session = 0;
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
        now->turns.push_back(now->reaped);
        now->reaped = 0;
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

struct guest_disk : test {
        service fast;
        nova_guest_disk disk = {};
        nova_vm vm = {};
        nova_pc pc = {};
        unsigned pauses = 0;

        void SetUp() override
        {
                now = &fast;
                fast.info.blocks = 1024;
                fast.info.block_bytes = block_bytes;
                fast.info.request_max = 1; /* each step transfers a block */
                vm.memory = memory;
                pc.vm = &vm;
                ASSERT_EQ(nova_guest_disk_open(&disk, "fast", nullptr), 0);
                ASSERT_EQ(nova_guest_disk_attach(&disk, &pc, 1), 0);
                attach(pc.virtio[1]);
                device->look_soon = [](void *context) {
                        static_cast<guest_disk *>(context)->pauses++;
                };
                start();
        }

        void write_block()
        {
                poke<uint64_t>(data, 1);
                poke<uint64_t>(data + 8, 0);
                describe(0, 0, data, 16, chained, 1);
                describe(0, 1, 0xa000, block_bytes, chained, 2);
                describe(0, 2, 0x4000, 1, writable);
                offer(0, 0);
                kick(0);
        }

        /* Makes a request that takes many steps. */
        void read_blocks()
        {
                poke<uint64_t>(data, 0);
                poke<uint64_t>(data + 8, 0);
                describe(0, 0, data, 16, chained, 1);
                describe(0, 1, 0x4000, 32 * block_bytes, chained | writable, 2);
                describe(0, 2, 0x4000, 32 * block_bytes, chained | writable, 3);
                describe(0, 3, 0x4000, (steps - 64) * block_bytes + 1, writable);
                offer(0, 0);
                kick(0);
        }
};

TEST_F(guest_disk, an_exit_handles_a_limited_number_of_completions)
{
        read_blocks();
        for (unsigned exits = 1; exits <= steps / most; exits++) {
                device->unfinished = false;
                device->after_exit(device);
                EXPECT_EQ(fast.reaped, exits * most);
                EXPECT_EQ(used_index(0), 0);
                EXPECT_TRUE(device->unfinished); /* the board looks again */
                EXPECT_EQ(pauses, exits);
        }
        device->unfinished = false;
        device->after_exit(device);
        EXPECT_EQ(used_index(0), 1);
        EXPECT_EQ(used_bytes(0, 0), steps * block_bytes + 1);
        EXPECT_FALSE(device->unfinished);
        EXPECT_EQ(fast.wakes, 0u);
}

TEST_F(guest_disk, the_thread_pauses_without_locks)
{
        read_blocks();
        thread(&disk);
        EXPECT_EQ(used_index(0), 1);
        EXPECT_EQ(fast.turns, (std::vector<unsigned>{most, most}));
        EXPECT_EQ(fast.reaped, steps - 2 * most);
        EXPECT_EQ(fast.locks, 0u);
}

TEST_F(guest_disk, the_pool_is_untouched_while_the_service_is_away)
{
        const auto before = fast.pool;

        memset(&ram[0xa000], 'w', block_bytes);
        fast.session = ECONNRESET;
        fast.while_reopen = [&] {
                write_block();
                EXPECT_TRUE(fast.pool == before);
                EXPECT_EQ(used_index(0), 0);
        };
        thread(&disk);
        EXPECT_EQ(fast.reopened, 1u);
        EXPECT_EQ(fast.pool[0], 'w');
        EXPECT_EQ(used_index(0), 1);
}

TEST_F(guest_disk, requests_that_cannot_be_submitted_are_repeated_in_a_new_session)
{
        fast.error = ECONNRESET;
        fast.while_reopen = [] {};
        write_block();
        device->after_exit(device);
        EXPECT_EQ(used_index(0), 0);
        thread(&disk);
        EXPECT_EQ(fast.reopened, 1u);
        EXPECT_EQ(used_index(0), 1);
}

TEST_F(guest_disk, a_disk_waits_while_the_service_has_another_disk)
{
        fast.session = ECONNRESET;
        fast.refusals = {ENODEV, ECONNRESET, ENODEV};
        fast.while_reopen = [] {};
        write_block();
        thread(&disk);
        EXPECT_EQ(fast.reopened, 4u);
        EXPECT_EQ(fast.slept, 2000000000u);
        EXPECT_FALSE(disk.device.failed);
        EXPECT_EQ(used_index(0), 1);
}

TEST_F(guest_disk, a_disk_whose_blocks_are_in_use_keeps_no_session)
{
        nova_guest_disk other = {};

        fast.claim_error = EBUSY;
        EXPECT_EQ(nova_guest_disk_open(&other, "fast", nullptr), EBUSY);
        EXPECT_EQ(other.block, nullptr);
}

TEST_F(guest_disk, a_disk_waits_for_a_service_that_cannot_be_opened_yet)
{
        fast.session = ECONNRESET;
        fast.refusals = {EAGAIN, EBUSY, EMFILE, ENFILE, ENOMEM};
        fast.while_reopen = [] {};
        write_block();
        thread(&disk);
        EXPECT_EQ(fast.reopened, 6u);
        EXPECT_EQ(fast.slept, 5000000000u);
        EXPECT_FALSE(disk.device.failed);
        EXPECT_EQ(used_index(0), 1);
}

TEST_F(guest_disk, a_disk_fails_when_its_service_is_forbidden)
{
        fast.session = ECONNRESET;
        fast.refusals = {EACCES};
        write_block();
        thread(&disk);
        EXPECT_EQ(fast.reopened, 1u);
        EXPECT_EQ(fast.slept, 0u);
        EXPECT_TRUE(disk.device.failed);
        EXPECT_EQ(used_index(0), 1);
}

TEST_F(guest_disk, a_disk_gets_another_machine_while_the_service_is_away)
{
        write_block();
        fast.session = ECONNRESET;
        fast.while_reopen = [this] {
                nova_guest_disk_detach(&disk);
                EXPECT_EQ(nova_guest_disk_attach(&disk, &pc, 1), 0);
                EXPECT_EQ(disk.device.in_flight, 1u); /* of the former machine */
                attach(pc.virtio[1]);
                start();
                write_block();
        };
        thread(&disk);
        EXPECT_EQ(fast.reopened, 1u);
        EXPECT_EQ(used_index(0), 1);
        EXPECT_EQ(disk.device.in_flight, 0u);
}

} // namespace
