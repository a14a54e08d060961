// SPDX-License-Identifier: BSD-2-Clause
// The start of the APs: the real source on threads of the host. CPU 0 is the boot CPU. CPU 1 begins
// to arrive just before the time limit. CPU 2 does not start.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdarg>
#include <string>
#include <thread>

#define _Static_assert static_assert
#define _Noreturn __attribute__((noreturn))
extern "C" {
#include "arch/x86/boot_paging.h"
#include "arch/x86/calibrate.h"
#include "arch/x86/cpu_init.h"
#include "arch/x86/descriptors.h"
#include "arch/x86/features.h"
#include "arch/x86/fpu.h"
#include "arch/x86/speculation.h"
#include "boot/boot.h"
#include "boot/smp.h"
#include "firmware/acpi.h"
#include "firmware/memory_map.h"
#include "lib/console.h"
#include "sched/cpu.h"
#include "virt/vmx/vmx.h"
}

namespace
{

constexpr unsigned CPUS = 3, LATE = 1;

cpu blocks[CPUS];
std::string console;
std::atomic<bool> changes_state, has_reported, has_initialised, runs;

void wait_for(const std::atomic<bool> &flag)
{
        while (!flag)
                std::this_thread::yield();
}

} // namespace

__asm__(".pushsection .rodata\n"
        ".globl trampoline, trampoline_end\n"
        "trampoline: .byte 0\n"
        "trampoline_end:\n"
        ".popsection\n");

extern "C" {

struct acpi acpi;
bool lapic_x2apic;
uint32_t tsc_khz = 1; // the time limits are over at once

cpu *boot_paging_map_cpu(unsigned id)
{
        return &blocks[id];
}

void *boot_map(unsigned, paddr_t, uint64_t)
{
        static char page[4096];
        return page;
}

paddr_t memory_map_find(uint64_t, uint64_t, paddr_t low, paddr_t)
{
        return low;
}

void memory_map_take(uint64_t, uint64_t, bool)
{
}

void console_print(const char *format, ...)
{
        char text[512];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        console += text;
        has_reported = true;
}

void delay_us(unsigned)
{
}

// At the first start message, CPU 1 is between the change of its state and its initialisation when
// the boot CPU goes on.
void lapic_send_ipi(unsigned apic_id, uint32_t)
{
        static unsigned messages; // INIT is the first one

        if (apic_id != LATE || messages++ != 1)
                return;
        std::thread([] { ap_main(LATE); }).detach();
        wait_for(changes_state);
}

const char *features_lacking()
{
        return nullptr;
}

bool fpu_suits_cpu()
{
        return true;
}

bool speculation_suits_cpu()
{
        return true;
}

void features_read(bool)
{
        changes_state = true;
        wait_for(has_reported);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

void vmx_check_feature(bool)
{
}

void descriptors_load(cpu *)
{
}

void cpu_init(cpu *)
{
        has_initialised = true;
}

void lapic_init()
{
}

void kernel_main(cpu *)
{
        runs = true;
        for (;;)
                std::this_thread::sleep_for(std::chrono::seconds(1));
}
}

TEST(smp, waits_for_an_ap_that_has_begun_to_arrive)
{
        acpi.cpus = CPUS;
        for (unsigned i = 0; i < CPUS; i++)
                acpi.cpu[i] = i;
        smp_init(0);
        smp_start();
        EXPECT_TRUE(has_initialised);
        EXPECT_EQ(cpu_online, 3u);
        EXPECT_EQ(cpu_count, 2u);
        EXPECT_EQ(console, "NOVA: CPU 2 (local APIC 2) did not start and is left out.\n");
        smp_release();
        wait_for(runs);
}
