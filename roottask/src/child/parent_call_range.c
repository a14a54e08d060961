/* SPDX-License-Identifier: BSD-2-Clause */
/* The child's side of modules and devices, which arrive as memory, ports and semaphores. */
#include <errno.h>

#include "child/parent_call.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/region.h"
#include "novart/thread.h"

/* Maximum number of answers that together deliver a range. */
#define PARTS_MAX 4096

/* Returns the smallest window for a number of pages at an address that is aligned to the window's
 * size. */
static nova_crd_t window_of(void *addr, size_t pages)
{
        return nova_crd_mem((nova_word_t)addr >> NOVA_PAGE_BITS, nova_crd_order_for(pages),
                            NOVA_MEM_RWX);
}

/* Requests memory, beginning at page number `page`, until all of it has arrived. */
static int fetch_pages(void *addr, size_t pages, int (*ask)(void *context, size_t page, nova_crd_t),
                       void *context)
{
        const nova_crd_t window = window_of(addr, pages);
        size_t page = 0;

        for (unsigned i = 0; page < pages && i < PARTS_MAX; i++) {
                const int error = ask(context, page, window);
                nova_word_t given = 0;

                if (error)
                        return error;
                nova_utcb_get(nova_thread_utcb(), 2, &given);
                if (!given || given > pages - page)
                        return EIO;
                page += given;
                if (!novart_parent_call_arrived(NOVA_CRD_MEM, nova_crd_base(window) + page - 1))
                        return ENOMEM;
        }
        return page < pages ? EIO : 0;
}

/* Reserves addresses for a window that holds these bytes. A window's size is a power of two. */
static void *reserve(size_t bytes, size_t *pages)
{
        size_t size = NOVA_PAGE_SIZE;

        *pages = (bytes + NOVA_PAGE_SIZE - 1) / NOVA_PAGE_SIZE;
        while (size < bytes && size << 1)
                size <<= 1;
        return size < bytes ? NULL : nova_region_reserve(size);
}

int novart_parent_call_fetch(size_t bytes,
                             int (*ask)(void *context, size_t page, nova_crd_t window),
                             void *context, void **out)
{
        size_t pages;

        if (!bytes)
                return EIO;
        *out = reserve(bytes, &pages);
        if (!*out)
                return ENOMEM;

        const int error = fetch_pages(*out, pages, ask, context);

        if (error)
                nova_region_free(*out);
        return error;
}

static int call_for_module(void *name, size_t page, nova_crd_t window)
{
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_MODULE);

        nova_utcb_put(utcb, page);
        return novart_parent_call_put_name(utcb, name) ? novart_parent_call_send(utcb, window)
                                                       : EINVAL;
}

int nova_parent_module(const char *name, const void **data, size_t *bytes)
{
        void *mapped;
        nova_word_t size = 0;
        int error = call_for_module((void *)name, 0, 0);

        if (error)
                return error;
        nova_utcb_get(nova_thread_utcb(), 1, &size);
        error = novart_parent_call_fetch(size, call_for_module, (void *)name, &mapped);
        if (error)
                return error;
        *data = mapped;
        *bytes = size;
        return 0;
}

struct device_question {
        const char *name;
        unsigned kind, index;
};

static int call_for_device(void *context, size_t page, nova_crd_t window)
{
        const struct device_question *question = context;
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_DEVICE);

        nova_utcb_put(utcb, question->kind);
        nova_utcb_put(utcb, question->index);
        nova_utcb_put(utcb, page);
        return novart_parent_call_put_name(utcb, question->name)
                       ? novart_parent_call_send(utcb, window)
                       : EINVAL;
}

/* Requests a range. Its first and its last number arrive in two words each, low and high. */
static int call_for_range(struct device_question *question, nova_crd_t window, uint64_t *first,
                          uint64_t *last)
{
        const int error = call_for_device(question, 0, window);
        nova_word_t word[4] = {0};

        for (unsigned i = 0; i < 4; i++)
                nova_utcb_get(nova_thread_utcb(), 3 + i, &word[i]);
        *first = (uint64_t)word[1] << 32 | (uint32_t)word[0];
        *last = (uint64_t)word[3] << 32 | (uint32_t)word[2];
        return error;
}

int nova_parent_ports(const char *device, unsigned index, uint16_t *first, uint16_t *last)
{
        struct device_question question = {device, NOVA_PARENT_PORTS, index};
        uint64_t from, to;
        const int error = call_for_range(&question, nova_crd_all(NOVA_CRD_IO), &from, &to);

        if (error)
                return error;
        if (to < from || to > UINT16_MAX)
                return EIO;
        *first = (uint16_t)from;
        *last = (uint16_t)to;
        return novart_parent_call_arrived(NOVA_CRD_IO, *first) ? 0 : ENOMEM;
}

int nova_parent_memory(const char *device, unsigned index, void **memory, size_t *bytes)
{
        struct device_question question = {device, NOVA_PARENT_MEMORY, index};
        uint64_t first, last;
        const int error = call_for_range(&question, 0, &first, &last);

        if (error)
                return error;
        if (last < first || last - first >= SIZE_MAX / 2)
                return EIO;
        *bytes = (size_t)(last - first + 1);
        return novart_parent_call_fetch(*bytes, call_for_device, &question, memory);
}

int nova_parent_console(const char *device, nova_sel_t sel)
{
        struct device_question question = {device, NOVA_PARENT_CONSOLE, 0};
        const int error = call_for_device(&question, 0, nova_crd_obj(sel, 0, NOVA_PERM_ALL));

        if (error)
                return error;
        return novart_parent_call_arrived(NOVA_CRD_OBJ, sel) ? 0 : ENOMEM;
}

int nova_parent_interrupt(const char *device, unsigned index, nova_sel_t sel, unsigned *gsi)
{
        struct device_question question = {device, NOVA_PARENT_INTERRUPT, index};
        uint64_t first, last;
        const int error =
                call_for_range(&question, nova_crd_obj(sel, 0, NOVA_PERM_ALL), &first, &last);

        if (error)
                return error;
        *gsi = (unsigned)first;
        return novart_parent_call_arrived(NOVA_CRD_OBJ, sel) ? 0 : ENOMEM;
}
