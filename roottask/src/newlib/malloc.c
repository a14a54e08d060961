/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc() and related functions, for programs and for the C library, in place of its own. */
#include <errno.h>
#include <malloc.h>
#include <reent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heap/heap.h"
#include "newlib/borrowed_time.h"
#include "novart/page.h"
#include "novart/sync.h"

#define SPARE_PAGES 64 /* more pages than nova_sbrk() keeps free for stacks and tables */

static bool unmapped; /* the program has free memory, but it could not be mapped */

static void *move_end(ptrdiff_t bytes)
{
        void *const end = sbrk(bytes);

        if (end != (void *)-1)
                return end;
        if (bytes > 0 && nova_page_free_count() > (size_t)bytes / NOVA_PAGE_SIZE + SPARE_PAGES)
                unmapped = true;
        return NULL;
}

static struct heap heap = {.move_end = move_end};
static struct nova_mutex mutex;

/* Prints the reason once, without locks, because the caller may hold the console's lock. */
static void *tell_shortage(bool is_unmapped)
{
        static const char message[] = "malloc: memory is left, but the kernel cannot map it; a "
                                      "larger 'kernel-memory' in the description may help\n";
        static bool told;

        if (is_unmapped && !__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
                novart_console_write_borrowed(message, sizeof(message) - 1);
        errno = ENOMEM;
        return NULL;
}

static void *taken(void *memory)
{
        const bool is_unmapped = unmapped;

        nova_mutex_unlock(&mutex);
        return memory ? memory : tell_shortage(is_unmapped);
}

/* Allocates memory. This function is not malloc() itself, because compilers would turn malloc() and
 * memset() into a call of calloc(). */
static void *take(size_t bytes)
{
        nova_mutex_lock(&mutex);
        return taken(novart_heap_take(&heap, bytes));
}

void *malloc(size_t bytes)
{
        return take(bytes);
}

void *memalign(size_t align, size_t bytes)
{
        if (!align || (align & (align - 1))) {
                errno = EINVAL;
                return NULL;
        }
        nova_mutex_lock(&mutex);
        return taken(novart_heap_take_aligned(&heap, align, bytes));
}

void free(void *memory)
{
        static const char message[] = "free(): this memory is not allocated\n";

        if (!memory)
                return;
        nova_mutex_lock(&mutex);

        const bool good = novart_heap_give(&heap, memory);

        nova_mutex_unlock(&mutex);
        if (good)
                return;
        write(STDERR_FILENO, message, sizeof(message) - 1);
        abort();
}

void *calloc(size_t count, size_t size)
{
        size_t bytes;

        if (__builtin_mul_overflow(count, size, &bytes)) {
                errno = ENOMEM;
                return NULL;
        }

        void *const memory = take(bytes);

        return memory ? memset(memory, 0, bytes) : NULL;
}

void *realloc(void *memory, size_t bytes)
{
        if (!memory)
                return malloc(bytes);
        nova_mutex_lock(&mutex);

        const size_t old = novart_heap_size(memory);
        const bool done = novart_heap_resize(&heap, memory, bytes);
        void *const other = done ? memory : novart_heap_take(&heap, bytes);

        taken(other);
        if (done || !other)
                return other;
        memcpy(other, memory, old < bytes ? old : bytes);
        free(memory);
        return other;
}

size_t malloc_usable_size(void *memory)
{
        return memory ? novart_heap_size(memory) : 0;
}

struct mallinfo mallinfo(void)
{
        nova_mutex_lock(&mutex);
        const struct heap_usage usage = novart_heap_usage(&heap);
        nova_mutex_unlock(&mutex);

        return (struct mallinfo){
                .arena = usage.area,
                .ordblks = usage.free_blocks,
                .uordblks = usage.used,
                .fordblks = usage.free,
                .keepcost = usage.free_at_end,
        };
}

struct mallinfo _mallinfo_r(struct _reent *reent)
{
        (void)reent;
        return mallinfo();
}

void *_malloc_r(struct _reent *reent, size_t bytes)
{
        (void)reent;
        return malloc(bytes);
}

void *_memalign_r(struct _reent *reent, size_t align, size_t bytes)
{
        (void)reent;
        return memalign(align, bytes);
}

void _free_r(struct _reent *reent, void *memory)
{
        (void)reent;
        free(memory);
}

void *_calloc_r(struct _reent *reent, size_t count, size_t size)
{
        (void)reent;
        return calloc(count, size);
}

void *_realloc_r(struct _reent *reent, void *memory, size_t bytes)
{
        (void)reent;
        return realloc(memory, bytes);
}
