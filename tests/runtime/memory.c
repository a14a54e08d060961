/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory and selectors on all CPUs: storms, lazy memory, exhaustion; everything is freed. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hip.h"
#include "nova/hypercall.h"
#include "novart/fault.h"
#include "novart/page.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "tap.h"

#define ROUNDS 40
#define HELD   16
#define MIB    0x100000

/* Maximum kernel memory of ended objects, in bytes, that the kernel has not freed yet. A storm that
 * leaks one object per round would leak more. */
#define ON_ITS_WAY 0x1000

static unsigned threads;
static char *shared;
static unsigned bad; /* failed checks of the threads, which add to it atomically */

static void expect(bool good)
{
        if (!good)
                __atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
}

/* Runs a function on every CPU at once. @return true if all of them finished */
static bool everywhere(void *(*function)(void *))
{
        struct nova_thread *thread[NOVA_CPU_MAX];
        bool good = true;

        threads = 0;
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                const struct nova_thread_attr attr = {.name = "storm", .cpu = cpu};

                if (nova_program_has_cpu(cpu) &&
                    nova_thread_create(&thread[threads], &attr, function,
                                       (void *)(uintptr_t)threads) == 0)
                        threads++;
        }
        for (unsigned i = 0; i < threads; i++) {
                void *result = NULL;

                good &= nova_thread_join(thread[i], &result) == 0 && !result;
        }
        return good && !bad;
}

/* Takes all pages. Returns them as a list. */
static void **take_all(void)
{
        void **list = NULL, **page;

        while ((page = nova_page_alloc(0))) {
                *page = list;
                list = page;
        }
        return list;
}

static void give_all(void **list)
{
        while (list) {
                void **const next = *list;

                nova_page_free(list, 0);
                list = next;
        }
}

static bool is_filled(const unsigned char *at, size_t bytes, unsigned char value)
{
        for (size_t i = 0; i < bytes; i++)
                if (at[i] != value)
                        return false;
        return true;
}

static void *page_storm(void *argument)
{
        const unsigned char own = (unsigned char)((uintptr_t)argument + 1);
        unsigned char *held[HELD] = {NULL};
        unsigned seed = own;

        for (unsigned i = 0; i < ROUNDS * HELD; i++) {
                unsigned char **const slot = &held[rand_r(&seed) % HELD];
                const unsigned order = (unsigned)(slot - held) % 3;

                if (*slot) {
                        expect(is_filled(*slot, NOVA_PAGE_SIZE << order, own));
                        nova_page_free(*slot, order);
                        *slot = NULL;
                } else if ((*slot = nova_page_alloc(order))) {
                        expect(is_filled(*slot, NOVA_PAGE_SIZE << order, 0));
                        memset(*slot, own, NOVA_PAGE_SIZE << order);
                }
        }
        for (unsigned i = 0; i < HELD; i++)
                if (held[i])
                        nova_page_free(held[i], i % 3);
        return NULL;
}

static void *selector_storm(void *argument)
{
        unsigned seed = (unsigned)(uintptr_t)argument;

        for (unsigned i = 0; i < ROUNDS; i++) {
                const unsigned order = (unsigned)rand_r(&seed) % 4;
                const nova_sel_t sel = nova_sel_alloc(order);

                if (sel == NOVA_SEL_NONE || sel % (1u << order)) {
                        expect(false);
                        continue;
                }
                for (unsigned k = 0; k < 1u << order; k++)
                        expect(nova_create_sm(sel + k, nova_program.pd, 0) == NOVA_SUCCESS);
                nova_sel_release(sel, order);
        }
        return NULL;
}

/* Writes a byte to each page of the region. The CPU that touches a page first allocates it; all
 * other CPUs must see the same page. */
static void *touch(void *argument)
{
        const size_t own = (size_t)argument;

        for (size_t page = 0; page < 2 * MIB / NOVA_PAGE_SIZE; page++) {
                char *const at = shared + (page * 7 % 512) * NOVA_PAGE_SIZE;

                expect(at[own] == 0);
                at[own] = (char)(own + 1);
                expect(at[own + 2048] == 0);
        }
        return NULL;
}

static void lazy_memory(void)
{
        shared = nova_region_lazy("shared", 2 * MIB);
        if (!shared) {
                check(false, "there are addresses for lazy memory");
                return;
        }
        check(everywhere(touch), "lazy memory is zeroed and allocated once, for all CPUs at once");
        for (size_t page = 0; page < 512; page++)
                for (unsigned i = 0; i < threads; i++)
                        expect(shared[page * NOVA_PAGE_SIZE + i] == (char)(i + 1));
        check(!bad, "all CPUs wrote to these pages");
        check(nova_region_free(shared) == 0 && nova_region_free(shared) == EINVAL,
              "a region is freed once");
}

static void *region_storm(void *argument)
{
        unsigned seed = (unsigned)(uintptr_t)argument + 9;

        for (unsigned i = 0; i < ROUNDS; i++) {
                const size_t pages = 1 + (unsigned)rand_r(&seed) % 12;
                char *const lazy = nova_region_lazy("storm", pages * NOVA_PAGE_SIZE);
                char *const stack = nova_stack_alloc(pages * NOVA_PAGE_SIZE);

                if (!lazy || !stack) {
                        expect(false);
                        continue;
                }
                for (size_t k = 0; k < pages; k += 3) {
                        expect(lazy[k * NOVA_PAGE_SIZE] == 0);
                        lazy[k * NOVA_PAGE_SIZE] = 1;
                        stack[k * NOVA_PAGE_SIZE] = 1;
                }
                expect(nova_region_shrink(lazy, pages / 2 * NOVA_PAGE_SIZE) == 0);
                if (pages / 2)
                        expect(nova_region_free(lazy) == 0);
                expect(nova_region_free(stack) == 0);
        }
        return NULL;
}

/* Touches the region until it is gone, which ends the thread. */
static void *touch_for_ever(void *argument)
{
        volatile char *const region = argument;

        for (;;)
                for (size_t page = 0; page < 64; page++)
                        region[page * NOVA_PAGE_SIZE] = (char)0xee;
        return NULL;
}

/* Frees a region while another CPU faults in it. Afterwards no page of the region is written. */
static bool free_under_fire(nova_word_t cpu)
{
        const struct nova_thread_attr attr = {.name = "toucher", .cpu = cpu};
        struct nova_thread *thread;
        unsigned char *page[64];
        void *result = NULL;
        bool good = true;
        char *const region = nova_region_lazy("under fire", 64 * NOVA_PAGE_SIZE);

        if (!region || nova_thread_create(&thread, &attr, touch_for_ever, region))
                return false;
        while (!*(volatile char *)(region + 8 * NOVA_PAGE_SIZE))
                nova_sleep(100000);
        nova_region_free(region);
        for (unsigned i = 0; i < 64; i++)
                good &= (page[i] = nova_page_alloc(0)) != NULL;
        good &= nova_thread_join(thread, &result) == 0 && result == NOVA_FAULT_RESULT;
        for (unsigned i = 0; i < 64; i++)
                if (page[i]) {
                        good &= is_filled(page[i], NOVA_PAGE_SIZE, 0);
                        nova_page_free(page[i], 0);
                }
        return good;
}

static void under_fire(void)
{
        bool good = true;

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (nova_program_has_cpu(cpu))
                        good &= free_under_fire(cpu);
        check(good, "a region is freed during its page faults: no page is written to afterwards");
}

static void dma(void)
{
        struct nova_dma memory = {.bytes = 0}, none;
        void *seen = NULL;

        check(nova_dma_alloc(3 * NOVA_PAGE_SIZE, &memory) == 0 &&
                      memory.bytes == 4 * NOVA_PAGE_SIZE && memory.phys % memory.bytes == 0,
              "memory for devices is contiguous and aligned");
        check(nova_map_physical(memory.phys + 5, 2, NOVA_MEM_R, &seen) == 0,
              "its physical address can be mapped");
        memcpy((char *)memory.memory + 5, "x", 2);
        check(seen && memcmp(seen, "x", 2) == 0, "the physical address is that of the memory");
        nova_region_free(seen);
        nova_dma_free(&memory);
        check(nova_dma_alloc(0, &none) == EINVAL && nova_dma_alloc(SIZE_MAX, &none) == ENOMEM &&
                      nova_dma_alloc((size_t)1 << 30, &none) == ENOMEM,
              "absurd amounts of it are refused");
}

static void physical(void)
{
        void *bios = NULL, *nothing = NULL;
        struct nova_hip_mem kernel;

        check(nova_map_physical(0xffff0, 16, NOVA_MEM_R, &bios) == 0 &&
                      *(const unsigned char *)bios == 0xea,
              "the firmware's first instruction, a jump, can be read");
        nova_region_free(bios);
        check(nova_hip_find_mem(nova_program.hip, NOVA_MEM_KERNEL, &kernel) &&
                      nova_map_physical(kernel.addr, 4096, NOVA_MEM_R, &nothing) != 0,
              "memory of the kernel is refused");
        check(nova_map_physical(0, 0, NOVA_MEM_R, &nothing) == EINVAL &&
                      nova_map_physical(UINT64_MAX, 2, NOVA_MEM_R, &nothing) == EINVAL &&
                      nova_map_physical(0, SIZE_MAX, NOVA_MEM_R, &nothing) != 0,
              "impossible ranges are refused");
}

static void committed(void)
{
        char *const region = nova_region_reserve(64 * NOVA_PAGE_SIZE);
        const size_t before = nova_page_free_count();

        check(nova_region_commit(region + NOVA_PAGE_SIZE, 62 * NOVA_PAGE_SIZE) == 0 &&
                      before - nova_page_free_count() >= 62,
              "memory is committed in part of a region");
        memset(region + NOVA_PAGE_SIZE, 1, 62 * NOVA_PAGE_SIZE);
        check(nova_region_commit(region, 65 * NOVA_PAGE_SIZE) == EINVAL &&
                      nova_region_commit(region, SIZE_MAX) == EINVAL &&
                      nova_region_commit(region + 2, SIZE_MAX - NOVA_PAGE_SIZE) == EINVAL &&
                      nova_region_commit(NULL, 1) == EINVAL,
              "no memory is committed outside of a region");
        nova_region_free(region);
}

static struct nova_semaphore all_taken = NOVA_SEMAPHORE_INITIALIZER(0);

/* Touches a page when all pages are taken. Without the wait, the thread might run before its
 * creator has taken them. */
static void *touch_once(void *argument)
{
        nova_semaphore_down(&all_taken);
        *(volatile char *)argument = 1;
        return NULL;
}

static void out_of_pages(void)
{
        const struct nova_thread_attr attr = {.name = "unlucky", .cpu = NOVA_CPU_SELF};
        char *const lazy = nova_region_lazy("far too much", 64 * MIB);
        struct nova_thread *thread;
        void **rest = take_all(), *result = NULL;
        struct nova_dma memory;

        check(rest && nova_page_free_count() == 0 && !nova_page_alloc(0), "pages run out");
        check(!nova_stack_alloc(NOVA_PAGE_SIZE) && nova_dma_alloc(1, &memory) == ENOMEM &&
                      nova_region_commit(lazy, 1) == ENOMEM && nova_sbrk(1 * MIB) == (void *)-1,
              "without pages every function that needs them reports an error");
        check(nova_thread_create(&thread, &attr, touch_once, lazy) == EAGAIN,
              "no thread can be made");
        for (unsigned i = 0; rest && i < 16; i++) {
                void **const next = *rest;

                nova_page_free(rest, 0);
                rest = next;
        }
        if (nova_thread_create(&thread, &attr, touch_once, lazy + 32 * MIB) == 0) {
                void **const more = take_all();

                nova_semaphore_up(&all_taken);
                nova_thread_join(thread, &result);
                give_all(more);
        }
        check(result == NOVA_FAULT_RESULT, "a touch of lazy memory without pages ends the thread");
        give_all(rest);
        nova_region_free(lazy);
}

static void out_of_heap(void)
{
        void **list = NULL, **piece;
        size_t count = 0;

        while ((piece = malloc(256 * 1024))) {
                *piece = list;
                list = piece;
                count++;
        }
        check(count > 4 && errno == ENOMEM, "malloc reports that memory has run out");
        while (list) {
                void **const next = *list;

                free(list);
                list = next;
        }
        check((piece = malloc(MIB)) != NULL, "malloc succeeds again after memory was freed");
        free(piece);
}

static void out_of_addresses(void)
{
        void **last = NULL;
        size_t count = 0;
        void *piece[64];

        (void)last;
        while (count < 64 && (piece[count] = nova_region_reserve(512 * (size_t)MIB)))
                count++;
        check(nova_region_reserve(SIZE_MAX) == NULL && nova_region_reserve(0) == NULL &&
                      !nova_region_lazy("", SIZE_MAX),
              "addresses run out");
        while (count)
                nova_region_free(piece[--count]);
}

static void out_of_selectors(void)
{
        nova_sel_t *const held = malloc(64 * sizeof(*held));
        unsigned count = 0;

        while (count < 64 && (held[count] = nova_sel_alloc(15)) != NOVA_SEL_NONE)
                count++;
        check(count > 0 && count < 64 && nova_sel_alloc(16) == NOVA_SEL_NONE, "selectors run out");
        while (count)
                nova_sel_free(held[--count], 15);
        free(held);
}

struct used {
        size_t pages, selectors;
        nova_word_t kernel;
};

/* Returns the kernel memory in use. The kernel frees memory of ended objects later, in batches, so
 * the function ends more objects, and sleeps. */
static nova_word_t kernel_memory(void)
{
        nova_word_t least = (nova_word_t)-1, used, limit = 0;

        for (unsigned i = 0; i < 200; i++) {
                const nova_sel_t sel = nova_sel_alloc(0);

                nova_create_sm(sel, nova_program.pd, 0);
                nova_sel_release(sel, 0);
                if (i % 20 == 0)
                        nova_sleep(1000000);
                nova_quota_query(nova_program.pd, &used, &limit);
                least = used < least ? used : least;
        }
        return least;
}

static struct used used_now(void)
{
        return (struct used){nova_page_free_count(), nova_sel_used(), kernel_memory()};
}

static bool is_back(const struct used *before)
{
        const struct used now = used_now();

        printf("# pages %zu, were %zu; selectors %zu, were %zu; kernel %zu, was %zu\n", now.pages,
               before->pages, now.selectors, before->selectors, (size_t)now.kernel,
               (size_t)before->kernel);
        return now.pages >= before->pages && now.selectors <= before->selectors &&
               now.kernel <= before->kernel + ON_ITS_WAY;
}

static void storms(void)
{
        struct used before = {0};

        /* First allocates everything that is never freed: all RAM is requested, and the first round
         * makes event portals. */
        give_all(take_all());
        for (unsigned round = 0; round < 2; round++) {
                before = used_now();
                check(everywhere(page_storm), "storm of pages on all CPUs");
                check(everywhere(selector_storm), "storm of selectors on all CPUs");
                lazy_memory();
                check(everywhere(region_storm), "storm of regions on all CPUs");
                under_fire();
                dma();
        }
        check(is_back(&before), "after the storms pages, selectors and kernel memory are back");
}

int main(void)
{
        nova_word_t begin, end;

        /* The main thread must continue without pages. */
        nova_thread_stack_bounds(&begin, &end);
        check(nova_region_commit((void *)begin, end - begin) == 0, "a stack is committed");
        storms();
        physical();
        committed();
        out_of_addresses();
        out_of_selectors();

        const struct used before = used_now();

        out_of_pages();
        check(nova_page_free_count() == before.pages, "after the exhaustion all pages are back");
        out_of_heap(); /* last, because the C library keeps the memory of its heap */
        return tap_end();
}
