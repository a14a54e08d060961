/* SPDX-License-Identifier: BSD-2-Clause */
/* Input of a PC: the order of its bytes, and the report key while the guest takes no input. */
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <string>

extern "C" {
#include "console.h"
#include "output.h"
}

#include "novart/console.h"
#include "novart/time.h"

namespace
{

/* Thrown to end a thread that would otherwise wait for ever. */
struct stuck {
};

std::map<std::string, void *(*)(void *)> threads; /* by the last part of their names */
std::string typed;                                /* input that was not read yet */
unsigned reports, ups;
std::function<void()> while_asleep; /* called while a thread sleeps */

void run(const char *name)
{
        try {
                threads.at(name)(nullptr);
        } catch (stuck &) {
        }
}

} // namespace

extern "C" {
int nova_console_read(char *text, size_t)
{
        if (typed.empty())
                return 0;
        *text = typed[0];
        typed.erase(0, 1);
        return 1;
}

void nova_vm_report(nova_vm *)
{
        reports++;
}

int nova_thread_create(nova_thread **thread, const nova_thread_attr *attr, void *(*run)(void *),
                       void *)
{
        *thread = reinterpret_cast<nova_thread *>(&threads);
        threads[attr->name] = run;
        return 0;
}

int nova_thread_join(nova_thread *, void **)
{
        return 0;
}

void nova_sleep(uint64_t)
{
        if (!while_asleep)
                throw stuck();
        while_asleep();
}

void nova_semaphore_up(nova_semaphore *)
{
        ups++;
}

void nova_semaphore_down(nova_semaphore *)
{
        if (!ups)
                throw stuck();
        ups--;
}

int nova_semaphore_down_until(nova_semaphore *, uint64_t)
{
        return 0;
}

void nova_mutex_lock(nova_mutex *)
{
}

void nova_mutex_unlock(nova_mutex *)
{
}

void nova_vm_lock(nova_vm *)
{
}

void nova_vm_unlock(nova_vm *)
{
}

uint64_t nova_vm_now(void *)
{
        return 0;
}

uint64_t nova_tsc_of_ns(uint64_t ns)
{
        return ns;
}

bool nova_virtio_ready(const nova_virtio *)
{
        return false;
}

size_t nova_virtio_console_receive(nova_virtio_console *, const void *, size_t)
{
        return 0;
}

void novavmm_output_write(const char *, size_t)
{
}

void novavmm_output_end_line(void)
{
}
}

namespace
{

void no_line(void *, unsigned, bool)
{
}

TEST(console, hears_the_report_key_while_the_guest_takes_no_input)
{
        static nova_vm vm;
        static nova_pc pc;
        const nova_line line = {no_line, nullptr, 0};
        std::string text;

        pc.vm = &vm;
        pc.report_key = 0x1d;
        nova_uart_init(&pc.uart, &line, novavmm_console_send, &pc);
        ASSERT_EQ(novavmm_console_start(&pc), 0);
        for (unsigned i = 0; i < 200; i++)
                typed += static_cast<char>('a' + i % 26);

        const std::string all = typed;

        typed += 0x1d;
        run("vm console");
        EXPECT_EQ(reports, 1u);
        EXPECT_EQ(typed, "");
        while_asleep = [&] { /* the guest continues */
                             while (pc.uart.count)
                                     text += static_cast<char>(nova_uart_read(&pc.uart, 0x3f8, 1));
        };
        run("vm input");
        while_asleep();
        EXPECT_EQ(text, all);
        EXPECT_EQ(reports, 1u);
}

} // namespace
