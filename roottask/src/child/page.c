/* SPDX-License-Identifier: BSD-2-Clause */
/* The start page: the child's properties, its arguments, and a copy of the hypervisor information
 * page that shows only the child's CPUs and no memory. */
#include <errno.h>
#include <string.h>

#include "child/child.h"
#include "nova/crd.h"
#include "nova/hip.h"
#include "novart/layout.h"

#define STRINGS_MAX ((NOVA_LAYOUT_START_PAGES - 1) * (size_t)NOVA_PAGE_SIZE)
#define HIP_BYTES   offsetof(struct nova_hip, mem)
#define HIP_OFFSET  ((sizeof(struct nova_start_page) + 7) & ~(size_t)7)

/* Sizes in bytes of a child's address range and of its memory. If both are at least this large, the
 * parent maps the last pages of the first stacks before the child runs. */
#define STACKS_ROOM   (2 * NOVA_LAYOUT_MAIN_STACK)
#define STACKS_MEMORY (16 * NOVA_PAGE_SIZE)

/* Offset of the strings in the start page: name, arguments, environment. */
#define STRINGS_OFFSET (HIP_OFFSET + HIP_BYTES)

struct strings {
        uint32_t count;
        size_t bytes;
};

static struct strings measure(const char *const *text)
{
        struct strings all = {0, 0};

        for (; text && *text && all.bytes <= STRINGS_MAX; text++) {
                all.count++;
                all.bytes += strlen(*text) + 1;
        }
        return all;
}

static char *copy(char *to, const char *const *text, uint32_t count)
{
        for (; count; count--, text++)
                to = stpcpy(to, *text) + 1;
        return to;
}

static void copy_hip(struct nova_hip *to, uint64_t cpus)
{
        memcpy(to, nova_program.hip, HIP_BYTES);
        to->length = HIP_BYTES;
        to->cpu_offset = offsetof(struct nova_hip, cpu);
        to->cpu_size = sizeof(struct nova_hip_cpu);
        to->mem_offset = HIP_BYTES;
        to->mem_size = sizeof(struct nova_hip_mem);
        for (unsigned cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                if (!nova_hip_get_cpu(nova_program.hip, cpu, &to->cpu[cpu]) || !(cpus >> cpu & 1))
                        to->cpu[cpu].flags = 0;
        }
        to->checksum = 0;
        to->checksum = (uint16_t)-nova_hip_checksum(to);
}

/* Returns the physical address of the pool if the child may learn it; the pool is then one block.
 * Only a root knows physical addresses. */
static uint64_t physical(const struct nova_child *child)
{
        if (!nova_program_is_root() || !(child->flags & NOVA_CHILD_MAY_DMA))
                return 0;
        return (nova_word_t)child->memory.block[0].page - NOVA_LAYOUT_POOL;
}

static void fill(struct nova_start_page *page, const struct nova_child *child,
                 const struct nova_child_config *config)
{
        page->magic = NOVA_START_MAGIC;
        page->version = NOVA_START_VERSION;
        page->bytes = sizeof(*page);
        page->pages = (uint32_t)child->layout.pages;
        page->hip = child->layout.start + HIP_OFFSET;
        page->utcb = child->layout.utcb;
        page->cpu = child->cpu;
        page->image_begin = child->elf.begin;
        page->image_end = child->elf.end;
        page->pool = child->layout.pool;
        page->pool_bytes = (config->memory + NOVA_PAGE_SIZE - 1) & ~(size_t)(NOVA_PAGE_SIZE - 1);
        page->region = child->layout.region;
        page->region_end = child->layout.region_end;
        memcpy(page->stack, child->layout.stack, sizeof(page->stack));
        page->pd = CHILD_PD;
        page->ec = CHILD_EC;
        page->parent = CHILD_PARENT;
        page->fault_base = CHILD_FAULT;
        page->sel_first = child->block_end;
        page->sel_count = config->selectors;
        page->cpus = child->cpus;
        page->pool_phys = physical(child);
        page->priority = child->priority;
        page->flags = (page->pool_phys ? NOVA_START_DMA : 0) |
                      (child->flags & NOVA_CHILD_MAY_HAVE_CHILDREN ? NOVA_START_PDS : 0);
        memcpy(page->name, child->name, sizeof(page->name));
}

/* Leaves one unmapped page between the segments and the start page, and one or two between the UTCB
 * and the regions. */
int novart_child_lay_out(struct nova_child *child, const struct nova_child_config *config)
{
        struct child_layout *const layout = &child->layout;
        const struct strings arguments = measure(config->arguments);
        const struct strings environment = measure(config->environment);
        const size_t bytes =
                STRINGS_OFFSET + strlen(child->name) + 1 + arguments.bytes + environment.bytes;
        nova_word_t pool = NOVA_PAGE_SIZE;

        if (bytes > STRINGS_MAX || 1 + arguments.count + environment.count > NOVA_START_WORDS)
                return E2BIG;
        layout->pages = (bytes + NOVA_PAGE_SIZE - 1) / NOVA_PAGE_SIZE;
        layout->start = child->elf.end + NOVA_PAGE_SIZE;
        layout->utcb = layout->start + layout->pages * NOVA_PAGE_SIZE;
        /* Regions of two pages, such as the handler's stack with its guard page, begin at an even
         * page. */
        layout->region = (layout->utcb + 3 * (nova_word_t)NOVA_PAGE_SIZE) &
                         -(2 * (nova_word_t)NOVA_PAGE_SIZE);
        layout->region_end = (layout->region + NOVA_LAYOUT_TABLE - 1) & -NOVA_LAYOUT_TABLE;
        layout->pool = NOVA_LAYOUT_POOL;
        while (pool < config->memory && pool < NOVA_LAYOUT_TABLE)
                pool <<= 1;
        if (pool <= (layout->region_end - layout->region) / 2)
                layout->pool = layout->region_end -= pool;
        if (layout->region_end - layout->region >= STACKS_ROOM && config->memory >= STACKS_MEMORY) {
                layout->stack[0] = layout->region + NOVA_LAYOUT_MAIN_PAGE * NOVA_PAGE_SIZE;
                layout->stack[1] = layout->region + NOVA_LAYOUT_HANDLER_PAGE * NOVA_PAGE_SIZE;
        }
        return 0;
}

int novart_child_make_start_page(struct nova_child *child, const struct nova_child_config *config)
{
        const struct strings arguments = measure(config->arguments);
        const struct strings environment = measure(config->environment);
        const size_t bytes = child->layout.pages * NOVA_PAGE_SIZE;
        struct nova_start_page *const page =
                novart_child_memory_block(&child->memory, nova_crd_order_for(child->layout.pages));

        if (!page)
                return ENOMEM;
        fill(page, child, config);
        page->argc = arguments.count + 1;
        page->args = (uint32_t)STRINGS_OFFSET;
        page->envc = environment.count;
        copy_hip((struct nova_hip *)((char *)page + HIP_OFFSET), child->cpus);

        char *at = stpcpy((char *)page + STRINGS_OFFSET, child->name) + 1;

        at = copy(at, config->arguments, arguments.count);
        page->env = (uint32_t)(at - (char *)page);
        at = copy(at, config->environment, environment.count);
        page->spare = (uint32_t)(at - (char *)page);
        return novart_child_memory_map(&child->memory, page, child->layout.start, bytes,
                                       NOVA_MEM_R | NOVA_MEM_W);
}
