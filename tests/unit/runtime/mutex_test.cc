// SPDX-License-Identifier: BSD-2-Clause
// A mutex whose memory the next holder frees: an unlock must not access the mutex once another
// thread can lock it. The test replaces the queues (../../../roottask/src/sync/wait.c), and runs
// other threads in their functions.
#include "novart/sync.h"

#include <gtest/gtest.h>

#include <functional>

extern "C" {
#include "sync/wait.h"
}

namespace
{

struct nova_mutex *mutex;
bool waits; // a thread waits for the mutex
unsigned wakes;
unsigned char other; // its address stands for the other thread
std::function<void()> before_guard, before_release, after_release;

/* Lets another thread run at this place, once. */
void run(std::function<void()> &action)
{
        const std::function<void()> now = std::move(action);

        action = nullptr;
        if (now)
                now();
}

void start(unsigned state)
{
        mutex = new nova_mutex();
        mutex->state = state;
        waits = false;
        wakes = 0;
        before_guard = before_release = after_release = nullptr;
}

/* Lets another thread lock the mutex, unlock it, and free its memory. */
void free_if_free()
{
        if (mutex && nova_mutex_try(mutex)) {
                nova_mutex_unlock(mutex);
                delete mutex;
                mutex = nullptr;
        }
}

} // namespace

extern "C" {

void novart_wait_guard(struct nova_wait_queue *queue)
{
        run(before_guard);
        ASSERT_EQ(queue->guard, 0U);
        queue->guard = 1;
}

void novart_wait_release(struct nova_wait_queue *queue)
{
        run(before_release);
        queue->guard = 0; // the sanitizer finds it if this memory was freed
        run(after_release);
}

void novart_wait_append(struct nova_wait_queue *, struct nova_waiter *)
{
        waits = true;
}

struct nova_thread *novart_wait_grant(struct nova_wait_queue *)
{
        const bool was = waits;

        waits = false;
        return was ? reinterpret_cast<struct nova_thread *>(&other) : nullptr;
}

void novart_wait_wake(struct nova_thread *)
{
        wakes++;
}

bool novart_wait_park(const struct nova_waiter *, uint64_t)
{
        return true;
}

bool novart_wait_give_up(struct nova_wait_queue *queue, struct nova_waiter *)
{
        queue->guard = 0;
        return true;
}

struct nova_thread *nova_thread_self(void)
{
        return nullptr;
}
}

namespace
{

TEST(Mutex, TheNextHolderMayFreeIt)
{
        start(2); // contended, but the thread that waited has given up
        before_release = free_if_free;
        nova_mutex_unlock(mutex);
        free_if_free();
        EXPECT_EQ(mutex, nullptr);
        EXPECT_EQ(wakes, 0U);
}

TEST(Mutex, AThreadThatComesDuringTheUnlockGetsIt)
{
        start(2);
        after_release = [] {
                nova_mutex_lock(mutex);
                EXPECT_TRUE(waits);
        };
        nova_mutex_unlock(mutex);
        EXPECT_EQ(wakes, 1U);
        EXPECT_EQ(mutex->state, 2U); // the other thread holds it
        nova_mutex_unlock(mutex);
        EXPECT_EQ(mutex->state, 0U);
        delete mutex;
}

TEST(Mutex, AnUnlockHandsItToTheWaitingThread)
{
        start(1);
        nova_mutex_lock(mutex);
        EXPECT_TRUE(waits);
        nova_mutex_unlock(mutex);
        EXPECT_EQ(wakes, 1U);
        EXPECT_EQ(mutex->state, 2U);
        delete mutex;
}

TEST(Mutex, WithoutOthersItNeedsNoQueue)
{
        start(0);
        before_guard = [] { FAIL() << "the queue is used"; };
        nova_mutex_lock(mutex);
        EXPECT_FALSE(nova_mutex_try(mutex));
        nova_mutex_unlock(mutex);
        EXPECT_TRUE(nova_mutex_try(mutex));
        nova_mutex_unlock(mutex);
        EXPECT_EQ(mutex->state, 0U);
        delete mutex;
}

} // namespace
