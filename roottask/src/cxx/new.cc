/* SPDX-License-Identifier: BSD-2-Clause */
/* operator new and delete. There are no exceptions, so an ordinary new that finds no memory ends
 * the program. */
#include <stdlib.h>
#include <unistd.h>

#include <new>

/* Ends the program if there is no memory, because exceptions are not supported. */
static void *checked(void *memory)
{
        static const char message[] = "operator new: out of memory\n";

        if (memory)
                return memory;
        write(STDERR_FILENO, message, sizeof(message) - 1);
        abort();
}

static void *allocate(size_t size)
{
        return checked(malloc(size ? size : 1));
}

static void *allocate_aligned(size_t size, std::align_val_t align)
{
        return checked(aligned_alloc(static_cast<size_t>(align), size ? size : 1));
}

const std::nothrow_t std::nothrow;

void *operator new(size_t size)
{
        return allocate(size);
}

void *operator new[](size_t size)
{
        return allocate(size);
}

void *operator new(size_t size, const std::nothrow_t &) noexcept
{
        return malloc(size ? size : 1);
}

void *operator new[](size_t size, const std::nothrow_t &) noexcept
{
        return malloc(size ? size : 1);
}

void *operator new(size_t size, std::align_val_t align)
{
        return allocate_aligned(size, align);
}

void *operator new[](size_t size, std::align_val_t align)
{
        return allocate_aligned(size, align);
}

void operator delete(void *memory) noexcept
{
        free(memory);
}

void operator delete[](void *memory) noexcept
{
        free(memory);
}

void operator delete(void *memory, size_t) noexcept
{
        free(memory);
}

void operator delete[](void *memory, size_t) noexcept
{
        free(memory);
}

void operator delete(void *memory, std::align_val_t) noexcept
{
        free(memory);
}

void operator delete[](void *memory, std::align_val_t) noexcept
{
        free(memory);
}

void operator delete(void *memory, size_t, std::align_val_t) noexcept
{
        free(memory);
}

void operator delete[](void *memory, size_t, std::align_val_t) noexcept
{
        free(memory);
}
