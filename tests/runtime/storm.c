/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads come and go, joined and detached, on all CPUs; at the end all resources are free. The
 * argument is the number of threads. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "cpu.h"
#include "nova/hypercall.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define AT_ONCE 8
#define WARM_UP 64

/* Bytes of kernel memory of objects that ended after the kernel's last grace period, and wait for
 * the next grace period. */
#define WAITING 0x10000

static struct nova_semaphore detached_ended;
static unsigned ran;

static void *body(void *argument)
{
        char *const memory = malloc(300);
        volatile char deep[9000];

        deep[0] = deep[8999] = 1;
        CHECK(memory && deep[0]);
        memset(memory, 1, 300);
        free(memory);
        __atomic_fetch_add(&ran, 1, __ATOMIC_RELAXED);
        return argument;
}

static void *detached(void *argument)
{
        body(argument);
        nova_semaphore_up(&detached_ended);
        return NULL;
}

/* Runs @p threads threads. Detaches every fourth thread, which may have ended already. */
static void run(unsigned threads)
{
        struct nova_thread *thread[AT_ONCE];
        struct nova_thread_attr attr = {.name = "storm"};
        void *result;

        for (unsigned done = 0; done < threads; done += AT_ONCE) {
                for (unsigned i = 0; i < AT_ONCE; i++) {
                        attr.cpu = next_cpu(attr.cpu);
                        CHECK(!nova_thread_create(&thread[i], &attr, i % 4 ? body : detached,
                                                  (void *)(uintptr_t)i));
                        if (i % 4 == 0)
                                CHECK(!nova_thread_detach(thread[i]));
                }
                for (unsigned i = 0; i < AT_ONCE; i++) {
                        if (i % 4 == 0)
                                nova_semaphore_down(&detached_ended);
                        else
                                CHECK(!nova_thread_join(thread[i], &result) &&
                                      result == (void *)(uintptr_t)i);
                }
        }
}

struct stock {
        size_t selectors, pages;
        nova_word_t kernel;
};

/* Counts the free resources. The last detached threads may still be ending, and later threads free
 * their resources. */
static struct stock take_stock(void)
{
        struct stock stock;
        nova_word_t limit = 0;

        nova_sleep(20000000);
        run(1);
        nova_sleep(20000000);
        run(1);
        stock.selectors = nova_sel_used();
        stock.pages = nova_page_free_count();
        CHECK(nova_quota_query(nova_program.pd, &stock.kernel, &limit) == NOVA_SUCCESS);
        return stock;
}

int main(int argc, char **argv)
{
        const unsigned threads = argc > 1 ? (unsigned)atoi(argv[1]) : 200;

        run(WARM_UP);

        const struct stock before = take_stock();

        run(threads);

        struct stock after = take_stock();

        for (int i = 0;
             i < 50 && (after.selectors > before.selectors || after.pages < before.pages); i++)
                after = take_stock();
        printf("selectors %zu %zu, free pages %zu %zu, kernel memory %zu %zu\n", before.selectors,
               after.selectors, before.pages, after.pages, (size_t)before.kernel,
               (size_t)after.kernel);
        CHECK(after.selectors <= before.selectors && after.pages >= before.pages);
        CHECK(after.kernel <= before.kernel + WAITING);
        CHECK(ran >= threads + WARM_UP);
        printf("%u threads left nothing behind\n", threads);
        return 0;
}
