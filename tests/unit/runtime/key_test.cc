// SPDX-License-Identifier: BSD-2-Clause
// Keys of thread-specific values: a destructor gets only values of its own key.
#include "key_names.h"
#include "thread/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <functional>
#include <vector>

extern "C" {
int own_key_create(pthread_key_t *key, void (*destructor)(void *));
int own_key_delete(pthread_key_t key);
void *own_getspecific(pthread_key_t key);
int own_setspecific(pthread_key_t key, const void *value);
}

namespace
{

struct nova_thread thread;
bool locked;
std::function<void()> after_load; // what another thread does
std::vector<void *> ended, ended_new;
int value;

void end(void *of)
{
        ended.push_back(of);
}

void end_new(void *of)
{
        ended_new.push_back(of);
}

void start()
{
        thread.values = nullptr;
        after_load = nullptr;
        ended.clear();
        ended_new.clear();
}

} // namespace

extern "C" {

unsigned loaded(unsigned turn)
{
        if (after_load && !locked) { // another thread would wait for the lock
                const std::function<void()> now = std::move(after_load);

                after_load = nullptr;
                now();
        }
        return turn;
}

struct nova_thread *nova_thread_self(void)
{
        return &thread;
}

void nova_mutex_lock(struct nova_mutex *)
{
        ASSERT_FALSE(locked);
        locked = true;
}

void nova_mutex_unlock(struct nova_mutex *)
{
        ASSERT_TRUE(locked);
        locked = false;
}
}

namespace
{

TEST(Key, TheDestructorGetsTheValue)
{
        pthread_key_t key;

        start();
        ASSERT_EQ(own_key_create(&key, end), 0);
        EXPECT_EQ(own_setspecific(key, &value), 0);
        EXPECT_EQ(own_getspecific(key), &value);
        novart_thread_keys_end(&thread);
        EXPECT_EQ(ended, std::vector<void *>{&value});
        EXPECT_EQ(thread.values, nullptr);
        EXPECT_EQ(own_key_delete(key), 0);
}

TEST(Key, ADestructorMayCreateAndDeleteKeys)
{
        static pthread_key_t key;

        start();
        ASSERT_EQ(own_key_create(&key,
                                 [](void *of) {
                                         end(of);
                                         EXPECT_EQ(own_key_delete(key), 0);
                                         EXPECT_EQ(own_key_create(&key, end_new), 0);
                                 }),
                  0);
        EXPECT_EQ(own_setspecific(key, &value), 0);
        novart_thread_keys_end(&thread);
        EXPECT_EQ(ended, std::vector<void *>{&value});
        EXPECT_TRUE(ended_new.empty());
        EXPECT_EQ(own_key_delete(key), 0);
}

TEST(Key, AValueOfADeletedKeyGoesToNoDestructor)
{
        pthread_key_t key, other;

        start();
        ASSERT_EQ(own_key_create(&key, end), 0);
        EXPECT_EQ(own_setspecific(key, &value), 0);
        EXPECT_EQ(own_key_delete(key), 0);
        ASSERT_EQ(own_key_create(&other, end_new), 0);
        ASSERT_EQ(other, key) << "the new key has the old one's place";
        EXPECT_EQ(own_getspecific(other), nullptr);
        novart_thread_keys_end(&thread);
        EXPECT_TRUE(ended.empty());
        EXPECT_TRUE(ended_new.empty());
        EXPECT_EQ(own_key_delete(other), 0);
}

TEST(Key, TheDestructorOfANewKeyGetsNoValueOfTheOldOne)
{
        pthread_key_t key, other;

        start();
        ASSERT_EQ(own_key_create(&key, end), 0);
        EXPECT_EQ(own_setspecific(key, &value), 0);
        // Runs after the first load of a turn. No key has a value but this one.
        after_load = [&] {
                EXPECT_EQ(own_key_delete(key), 0);
                EXPECT_EQ(own_key_create(&other, end_new), 0);
                EXPECT_EQ(other, key);
        };
        novart_thread_keys_end(&thread);
        EXPECT_TRUE(ended_new.empty());
        after_load = nullptr;
        EXPECT_EQ(own_key_delete(key), 0);
}

} // namespace
