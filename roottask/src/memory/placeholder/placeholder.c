/* SPDX-License-Identifier: BSD-2-Clause */
/* Until there is memory management: libnova's way for small roottasks, which gives nothing back. */
#include <errno.h>
#include <string.h>

#include "memory/fault.h"
#include "memory/memory.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/root.h"
#include "novart/error.h"
#include "novart/layout.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/sync.h"

#define HEAP_BYTES 0x1000000

static struct nova_root root;
static struct nova_mutex mutex;
static nova_word_t next_addr = NOVA_LAYOUT_REGION;
static nova_sel_t next_sel = 0x100;

int memory_start(void)
{
        if (!nova_program_is_root())
                return ENOSYS;
        return nova_errno_of(nova_root_init(&root, nova_program.hip, nova_program.cpu));
}

nova_sel_t nova_sel_alloc(unsigned order)
{
        const nova_sel_t count = (nova_sel_t)1 << order;

        nova_mutex_lock(&mutex);
        next_sel = (next_sel + count - 1) & -count;

        const nova_sel_t first = next_sel;

        next_sel += count;
        nova_mutex_unlock(&mutex);
        return first;
}

void nova_sel_free(nova_sel_t base, unsigned order)
{
        (void)base;
        (void)order;
}

void nova_sel_release(nova_sel_t base, unsigned order)
{
        nova_revoke(nova_crd_obj(base, order, NOVA_PERM_ALL), NOVA_REVOKE_SR);
}

void *nova_page_alloc(unsigned order)
{
        nova_mutex_lock(&mutex);

        void *const page = nova_root_alloc(&root, order);

        nova_mutex_unlock(&mutex);
        return page;
}

void *nova_region_reserve(size_t bytes)
{
        nova_mutex_lock(&mutex);
        next_addr = (next_addr + bytes - 1) & -bytes;

        void *const addr = (void *)next_addr;

        next_addr += bytes;
        nova_mutex_unlock(&mutex);
        return addr;
}

void *nova_region_lazy(const char *name, size_t bytes)
{
        unsigned order = 0;

        (void)name;
        if (bytes > HEAP_BYTES)
                bytes = HEAP_BYTES;
        while ((size_t)NOVA_PAGE_SIZE << order < bytes)
                order++;
        return nova_page_alloc(order);
}

void *nova_stack_alloc(size_t bytes)
{
        return nova_region_lazy("stack", bytes);
}

int nova_region_free(void *addr)
{
        (void)addr;
        return 0;
}

int nova_map_physical(uint64_t phys, size_t bytes, unsigned perms, void **out)
{
        nova_mutex_lock(&mutex);
        *out = nova_root_map(&root, phys, bytes, perms);
        nova_mutex_unlock(&mutex);
        return *out ? 0 : ENOMEM;
}

int nova_request(nova_crd_t crd, nova_sel_t to)
{
        nova_mutex_lock(&mutex);

        const bool done = nova_root_delegate(&root, crd, to, NOVA_ITEM_H);

        nova_mutex_unlock(&mutex);
        return done ? 0 : EACCES;
}

int fault_fill(nova_word_t cpu, nova_sel_t base)
{
        (void)cpu;
        (void)base;
        return 0;
}

nova_sel_t fault_events(nova_word_t cpu)
{
        (void)cpu;
        return NOVA_SEL_NONE;
}
