/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest of the tests of the ultravisor: it performs what its monitor asks for by ports. */
#include <novauv/guest.h>

#include "guest_debug.h"
#include "guest_exits.h"
#include "guest_flood.h"
#include "guest_harm.h"
#include "guest_interrupt.h"
#include "guest_marks.h"
#include "guest_msr.h"
#include "guest_user.h"
#include "guest_vectors.h"
#include "guest_view.h"
#include "probe.h"

static uint32_t in(unsigned port)
{
        uint32_t value;

        __asm__ volatile("inl %w1, %0" : "=a"(value) : "Nd"(port));
        return value;
}

static void out(unsigned port, uint32_t value)
{
        __asm__ volatile("outl %0, %w1" : : "a"(value), "Nd"(port));
}

/* Returns the size of a secret + 1, or its sum. The monitor, which gets the result, must not see
 * the secret itself. */
static uint32_t secret(unsigned long number, bool sum)
{
        static const char names[][8] = PROBE_NAMES;
        static char value[64];
        const long bytes = nova_guest_secret(names[number], value, sizeof(value));

        return sum ? probe_sum(value, (unsigned)bytes) : (uint32_t)(bytes + 1);
}

static uint32_t share_far(unsigned long first, unsigned long second)
{
        return (uint32_t)nova_guest_share_page((unsigned long)(UINT64_C(1) << first),
                                               (unsigned long)(UINT64_C(1) << second));
}

static uint32_t touch(unsigned long first, unsigned long pages)
{
        for (unsigned long i = 0; i < pages; i++)
                (void)*(volatile uint32_t *)(first + i * 4096);
        return (uint32_t)pages;
}

/* Executes INSL: novavmm emulates it, and writes the value from the port to @p address. */
static uint32_t read_string(unsigned long address)
{
        __asm__ volatile("insl" : "+D"(address) : "d"(PROBE_FIRST) : "memory");
        return 0;
}

/* Performs the commands that tests of exits and of ultracalls give. */
static uint32_t perform_other(uint32_t command, unsigned long first, unsigned long second)
{
        switch (command) {
        case PROBE_MSRS:
                return guest_msr_try((unsigned)first);
        case PROBE_MSR:
                return guest_msr_entry((unsigned)first, (unsigned)second);
        case PROBE_EXIT:
                return guest_exits_try((unsigned)first);
        case PROBE_MARKS:
                return guest_marks((unsigned)first);
        case PROBE_FLOOD:
                return guest_flood((unsigned)first, (unsigned)second);
        case PROBE_TOUCH:
                return touch(first, second);
        case PROBE_STRING:
                return read_string(first);
        case PROBE_FAR:
                return share_far(first, second);
        case PROBE_PAIR:
        case PROBE_PAIR_TABLE:
        case PROBE_PAIR_READ:
        case PROBE_PAIR_EXCHANGE:
        case PROBE_PAIR_CODE:
        case PROBE_GDT:
        case PROBE_IDT:
        case PROBE_BREAK:
                return guest_harm(command, first, second);
        case PROBE_DEBUG_READ:
        case PROBE_DEBUG_WRITE:
        case PROBE_DEBUG_TAKEN:
                return guest_debug(command, first, second);
        case PROBE_CHAIN:
        case PROBE_COUNT:
        case PROBE_RANDOM:
                return guest_vectors(command, first, second);
        default:
                return PROBE_UNKNOWN;
        }
}

static uint32_t perform(uint32_t command, unsigned long first, unsigned long second)
{
        switch (command) {
        case PROBE_WRITE:
                *(volatile uint32_t *)first = (uint32_t)second;
                return 0;
        case PROBE_READ:
                return *(volatile uint32_t *)first;
        case PROBE_CALL:
                return (uint32_t)nova_guest_call(first, second & 0xffff, second >> 16);
        case PROBE_SECRET:
                return secret(first, second);
        case PROBE_USER:
                return guest_user_call();
        case PROBE_STI:
                __asm__ volatile("sti");
                return 0;
        case PROBE_PRIORITY:
                guest_interrupt_priority(first);
                return 0;
        case PROBE_TAKEN:
                return guest_interrupt_count((unsigned)first);
        case PROBE_VIEW_READ:
                return *guest_view(first);
        case PROBE_VIEW_WRITE:
                *guest_view(first) = (uint32_t)second;
                return 0;
        default:
                return perform_other(command, first, second);
        }
}

__attribute__((noreturn)) void _start(void);

void _start(void)
{
        for (;;) {
                const uint32_t command = in(PROBE_COMMAND);
                const uint32_t first = in(PROBE_FIRST), second = in(PROBE_SECOND);

                if (command == PROBE_HALT)
                        __asm__ volatile("cli\nhlt");
                if (command == PROBE_IMAGE)
                        guest_image_run(first);
                else if (command == PROBE_PLAIN)
                        guest_plain_out(PROBE_RESULT, first);
                else
                        out(PROBE_RESULT, perform(command, first, second));
        }
}
