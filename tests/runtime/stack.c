/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls the runtime's memory functions while the stack's next page, or the memory of an argument,
 * is not mapped yet. The handler of the page fault needs the memory lock, so these functions must
 * not hold the lock when the fault happens. */
#include <alloca.h>

#include "check.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/page.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/thread.h"

/* Step in bytes between two distances of the stack pointer from the end of its page; smaller than
 * most frames. */
#define STEP 64

/* Objects that the operations create, use and free in turn. */
static struct {
        char *region, *other;
        void *page;
        struct nova_dma dma;
        nova_sel_t sel;
} own;

static void page_alloc(void)
{
        own.page = nova_page_alloc(0);
        CHECK(own.page);
}

static void page_free(void)
{
        nova_page_free(own.page, 0);
}

static void page_count(void)
{
        CHECK(nova_page_free_count() > 0);
}

static void sel_alloc(void)
{
        own.sel = nova_sel_alloc(0);
        CHECK(own.sel != NOVA_SEL_NONE);
}

static void sel_used(void)
{
        CHECK(nova_sel_used() > 0);
}

static void sel_free(void)
{
        nova_sel_free(own.sel, 0);
}

static void region_reserve(void)
{
        own.region = nova_region_reserve(4 * NOVA_PAGE_SIZE);
        CHECK(own.region);
}

static void region_commit(void)
{
        CHECK(nova_region_commit(own.region, 3 * NOVA_PAGE_SIZE) == 0);
}

static void region_name(void)
{
        CHECK(nova_region_name(own.region, "own") == 0);
}

static void self_map(void)
{
        CHECK(nova_self_map((nova_word_t)own.region >> NOVA_PAGE_BITS,
                            ((nova_word_t)own.region >> NOVA_PAGE_BITS) + 3, 0, NOVA_MEM_R) == 0);
}

static void region_shrink(void)
{
        CHECK(nova_region_shrink(own.region, NOVA_PAGE_SIZE) == 0);
}

static void region_free(void)
{
        CHECK(nova_region_free(own.region) == 0);
}

static void region_lazy(void)
{
        own.other = nova_region_lazy("other", NOVA_PAGE_SIZE);
        CHECK(own.other);
}

static void other_free(void)
{
        CHECK(nova_region_free(own.other) == 0);
}

static void stack_alloc(void)
{
        own.other = nova_stack_alloc(NOVA_PAGE_SIZE);
        CHECK(own.other);
}

static void dma_alloc(void)
{
        CHECK(nova_dma_alloc(1, &own.dma) == 0);
}

static void dma_free(void)
{
        nova_dma_free(&own.dma);
}

/* The operations, ordered so that each finds the objects that it needs. */
static void (*const operations[])(void) = {
        page_alloc,     page_free,     page_count,  sel_alloc,  sel_used,      sel_free,
        region_reserve, region_commit, region_name, self_map,   region_shrink, region_free,
        region_lazy,    other_free,    stack_alloc, other_free, dma_alloc,     dma_free,
};

#define OPERATIONS (sizeof(operations) / sizeof(*operations))

/* Each operation has two pages: the one where its stack begins, and the one below. */
#define STACK ((2 * OPERATIONS + 4) * NOVA_PAGE_SIZE)

/* Calls an operation with a stack pointer of about @p sp; touches no byte between the stacks. */
__attribute__((noinline)) static void call_at(nova_word_t sp, void (*operation)(void))
{
        const nova_word_t here = (nova_word_t)__builtin_frame_address(0);
        void *const gap = alloca(here - sp);

        __asm__ volatile("" : : "r"(gap) : "memory");
        operation();
}

/* Runs all operations with one distance from the stack pointer to the end of its page. */
static void *at_distance(void *distance)
{
        nova_word_t begin, end;

        nova_thread_stack_bounds(&begin, &end);
        for (unsigned i = 0; i < OPERATIONS; i++)
                call_at((end & -(nova_word_t)NOVA_PAGE_SIZE) - (2 * i + 3) * NOVA_PAGE_SIZE +
                                (nova_word_t)distance,
                        operations[i]);
        return NULL;
}

static void all_distances(void)
{
        const struct nova_thread_attr attr = {
                .name = "distance", .cpu = NOVA_CPU_SELF, .stack_bytes = STACK};

        for (nova_word_t distance = STEP; distance <= NOVA_PAGE_SIZE; distance += STEP) {
                struct nova_thread *thread;

                CHECK(nova_thread_create(&thread, &attr, at_distance, (void *)distance) == 0);
                CHECK(nova_thread_join(thread, NULL) == 0);
        }
}

/* Gives a region an empty name, whose memory is mapped only when the name is read. */
static void lazy_name(void)
{
        char *const names = nova_region_lazy("names", 2 * NOVA_PAGE_SIZE);

        CHECK(names);
        CHECK(nova_region_name(names, names) == 0);

        void *const named = nova_region_lazy(names + NOVA_PAGE_SIZE, NOVA_PAGE_SIZE);

        CHECK(named);
        CHECK(nova_region_free(named) == 0);
        CHECK(nova_region_free(names) == 0);
}

static size_t stack_pages; /* pages of a thread's stack that were mapped before their first use */

/* Counts the mapped pages of the caller's stack. */
static void *count_pages(void *unused)
{
        nova_word_t begin, end;

        nova_thread_stack_bounds(&begin, &end);
        stack_pages = 0;
        for (nova_word_t at = begin; at < end; at += NOVA_PAGE_SIZE) {
                nova_crd_t crd = nova_crd_mem(at >> NOVA_PAGE_BITS, 0, 0);

                nova_lookup(&crd);
                stack_pages += nova_crd_type(crd) == NOVA_CRD_MEM;
        }
        return unused;
}

static size_t pages_of_new_thread(void)
{
        struct nova_thread *thread;

        CHECK(nova_thread_create(&thread, NULL, count_pages, NULL) == 0);
        CHECK(nova_thread_join(thread, NULL) == 0);
        return stack_pages;
}

static void committed(void)
{
        CHECK(pages_of_new_thread() < NOVA_THREAD_STACK / NOVA_PAGE_SIZE);
        nova_thread_commit_stacks();
        CHECK(pages_of_new_thread() >= NOVA_THREAD_STACK / NOVA_PAGE_SIZE);
}

int main(void)
{
        all_distances();
        puts("no page of a stack came too late");
        committed();
        puts("all pages of a stack came at once");
        lazy_name();
        puts("no name came too late");
        return 0;
}
