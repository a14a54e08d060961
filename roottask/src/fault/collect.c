/* SPDX-License-Identifier: BSD-2-Clause */
/* Collects the parts of a report that are in this program: names, code, return addresses. Reads
 * only memory that is known to be mapped, because a broken thread's registers may hold any
 * value. */
#include "fault/backtrace.h"
#include "fault/fault.h"
#include "memory/region.h"
#include "nova/event.h"
#include "nova/hip.h"
#include "novart/program.h"

/* Number of code bytes before the instruction. */
#define CODE_BEFORE 6

/* First address and end of the program's segments, defined by the linker. */
extern const char __image_begin[], __image_end[];

static bool readable(nova_word_t addr, size_t bytes)
{
        const nova_word_t end = (nova_word_t)__image_end;

        if (addr >= (nova_word_t)__image_begin && addr < end)
                return bytes <= end - addr;
        return novart_region_readable(addr, bytes);
}

static bool read_word(void *context, nova_word_t addr, nova_word_t *word)
{
        (void)context;
        if (addr % sizeof(*word) || !readable(addr, sizeof(*word)))
                return false;
        *word = *(const nova_word_t *)addr;
        return true;
}

void novart_fault_copy_name(char to[NOVA_FAULT_NAME], const char *from)
{
        for (unsigned i = 0; from && i < NOVA_FAULT_NAME && from[i]; i++)
                to[i] = from[i];
}

static void copy_code(struct nova_fault_report *report)
{
        const nova_word_t ip = report->regs.ip;
        nova_word_t addr = ip;

        while (ip - addr < CODE_BEFORE && readable(addr - 1, 1))
                addr--;
        report->code_at = (uint8_t)(ip - addr);
        while (report->codes < NOVA_FAULT_CODE && readable(addr, 1))
                report->code[report->codes++] = *(const unsigned char *)addr++;
}

/* Finds the name of a thread by its stack: the stack that contains its stack pointer, or the stack
 * that it overflowed. */
static void name_thread(struct nova_fault_report *report)
{
        struct region region;

        if (report->event == NOVA_EXC_PF &&
            novart_region_at((nova_word_t)report->address, &region)) {
                novart_fault_copy_name(report->region, region.name);
                if (region.kind == REGION_STACK && report->address < region.base + NOVA_PAGE_SIZE)
                        novart_fault_copy_name(report->thread, region.name);
        }
        if (!report->thread[0] && novart_region_at(report->regs.sp, &region) &&
            region.kind == REGION_STACK)
                novart_fault_copy_name(report->thread, region.name);
}

/* Returns true if the CPU could not execute at IP. An instruction that was executed can also be
 * read, so such a page fault has IP as its address. */
static bool has_jumped(const struct nova_fault_report *report)
{
        return report->event == NOVA_EXC_PF && report->address == report->regs.ip;
}

void novart_fault_collect(struct nova_fault_report *report, const struct nova_utcb_state *state,
                          unsigned event, nova_word_t cpu)
{
        nova_fault_fill(report, state, event, (unsigned)cpu);
        name_thread(report);
        copy_code(report);
        report->frames =
                (uint8_t)novart_backtrace_walk(state->ip, state->sp, state->bp, has_jumped(report),
                                               read_word, NULL, report->frame, NOVA_FAULT_FRAMES);
}

const struct nova_symbols *novart_fault_own_symbols(void)
{
        static struct nova_symbols symbols;
        static bool looked;
        struct nova_hip_mem module;
        void *file;

        if (!looked && nova_hip_get_module(nova_program.hip, 0, &module) &&
            module.size <= SIZE_MAX &&
            !nova_map_physical(module.addr, (size_t)module.size, NOVA_MEM_R, &file))
                nova_symbols_init(&symbols, file, (size_t)module.size);
        looked = true;
        return &symbols;
}
