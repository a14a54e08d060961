/* SPDX-License-Identifier: BSD-2-Clause */
/* Shortage of memory, kernel memory and selectors.
 *
 * The reports of a service that cannot start name the resource and the place to change its size,
 * because an errno value does not show which resource is exhausted. */
#include <stdio.h>

#include "internal.h"
#include "nova/hypercall.h"
#include "novart/page.h"
#include "novart/selector.h"

/* Kernel memory of a service on each CPU: two handlers, two runners and their portals; on one CPU
 * the worker, too. */
#define CPU_BYTES ((nova_word_t)56 << 10)

/* Number of free bytes below which an account may be too small for the next thread: memory is
 * charged by the frame, and a frame holds objects of one kind. */
#define SHORT_BYTES ((nova_word_t)24 << 10)
#define SHORT_PAGES 8

#define SELECTORS_DEFAULT 1024ul /* for a program without a line `selectors` */

#define KIB(bytes) ((unsigned long)((bytes) >> 10))

static void tell_kernel_memory(const struct nova_service *service, nova_word_t left,
                               nova_word_t limit, nova_word_t used_before)
{
        const nova_word_t cpus = (nova_word_t)__builtin_popcountll(service->cpus);
        const nova_word_t step = (nova_word_t)64 << 10;
        const nova_word_t enough = (used_before + cpus * CPU_BYTES + step) & ~(step - 1);

        fprintf(stderr,
                "service '%s' cannot start: only %lu of %lu KiB of kernel memory are left; ",
                service->config.name, KIB(left), KIB(limit));
        if (nova_program_is_root())
                fprintf(stderr, "boot the kernel with a larger kmem=\n");
        else
                fprintf(stderr, "write 'kernel-memory %luK' for its program\n",
                        KIB(enough > limit ? enough : 2 * limit));
}

nova_word_t novart_service_kernel_memory(nova_word_t *limit)
{
        nova_word_t used = 0;

        *limit = 0;
        nova_quota_query(nova_program.pd, &used, limit);
        return used;
}

/* Returns true if an incomplete service lacks the selectors for a group of its portals, or if the
 * program has no selector left. */
static bool lacks_selectors(const struct nova_service *service)
{
        const nova_sel_t sel = nova_sel_alloc(0);

        if (sel != NOVA_SEL_NONE)
                nova_sel_free(sel, 0);
        return sel == NOVA_SEL_NONE || service->control == NOVA_SEL_NONE ||
               (service->config.share_pages && service->share == NOVA_SEL_NONE) ||
               (service->states && service->table.portals == NOVA_SEL_NONE);
}

static void tell_selectors(const struct nova_service *service)
{
        const unsigned long count = nova_program.start->sel_count;

        fprintf(stderr,
                "service '%s' cannot start: %lu selectors are too few; write 'selectors %lu' for "
                "its program\n",
                service->config.name, count,
                count < SELECTORS_DEFAULT ? SELECTORS_DEFAULT : 2 * count);
}

void novart_service_tell_shortage(const struct nova_service *service, nova_word_t used_before)
{
        nova_word_t limit;
        const nova_word_t used = novart_service_kernel_memory(&limit);

        if (limit - used < SHORT_BYTES)
                tell_kernel_memory(service, limit - used, limit, used_before);
        else if (nova_program_is_root())
                return;
        else if (nova_page_free_count() < SHORT_PAGES)
                fprintf(stderr,
                        "service '%s' cannot start: %lu KiB of memory are used up; write 'memory "
                        "%luK' for its program\n",
                        service->config.name, KIB(nova_program.start->pool_bytes),
                        2 * KIB(nova_program.start->pool_bytes));
        else if (lacks_selectors(service))
                tell_selectors(service);
}
