/* SPDX-License-Identifier: BSD-2-Clause */
/* Fills in the program's record, from the hypervisor information page or from a parent's start
 * page. */
#include <stdlib.h>

#include "nova/hip.h"
#include "novart/layout.h"
#include "start/start.h"

struct nova_program nova_program;

static void read_hip(const struct nova_hip *hip, nova_word_t cpu)
{
        nova_program.hip = hip;
        nova_program.cpu = cpu;
        nova_program.pd = NOVA_SEL_ROOT_PD;
        nova_program.ec = NOVA_SEL_ROOT_EC;
        nova_program.parent = NOVA_SEL_NONE;
        nova_program.fault_base = NOVA_SEL_NONE;
        nova_program.priority = NOVA_PRIO_MAX;
        for (unsigned i = 0; i < NOVA_CPU_MAX; i++)
                nova_program.cpus |= (uint64_t)nova_hip_cpu_enabled(hip, i) << i;
}

/* Returns true if @p size bytes at @p addr lie in the pages that the start page names as its
 * own. */
static bool handed_over(const struct nova_start_page *page, nova_word_t addr, size_t size)
{
        const nova_word_t begin = (nova_word_t)page;
        const nova_word_t bytes = page->pages * (nova_word_t)NOVA_PAGE_SIZE;

        return addr >= begin && addr - begin < bytes && bytes - (addr - begin) >= size;
}

static bool valid(const struct nova_start_page *page)
{
        return page->magic == NOVA_START_MAGIC && page->version == NOVA_START_VERSION &&
               page->bytes >= sizeof(*page) && page->pages <= NOVA_LAYOUT_START_PAGES &&
               handed_over(page, page->hip, sizeof(struct nova_hip)) &&
               !page->name[NOVA_START_NAME_SIZE - 1] && page->cpu < NOVA_CPU_MAX &&
               (page->cpus >> page->cpu & 1);
}

static void read_start_page(const struct nova_start_page *page)
{
        nova_program.start = page;
        nova_program.name = page->name;
        nova_program.hip = (const struct nova_hip *)page->hip;
        nova_program.cpu = page->cpu;
        nova_program.cpus = page->cpus;
        nova_program.pd = page->pd;
        nova_program.ec = page->ec;
        nova_program.parent = page->parent;
        nova_program.fault_base = page->fault_base;
        nova_program.priority = page->priority;
}

void novart_program_read(const void *page, nova_word_t cpu)
{
        /* Traps if the parent passed a wrong page, because there is no console for a report. */
        if (*(const uint32_t *)page == NOVA_HIP_SIGNATURE)
                read_hip(page, cpu);
        else if (valid(page))
                read_start_page(page);
        else
                __builtin_trap();
}
