/* SPDX-License-Identifier: BSD-2-Clause */
/* The function that aligned_alloc() uses and that the C library's heap lacks. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

int posix_memalign(void **memory, size_t align, size_t size)
{
        if (align % sizeof(void *) || !align || (align & (align - 1)))
                return EINVAL;

        void *const new = memalign(align, size ? size : 1);

        if (!new)
                return ENOMEM;
        *memory = new;
        return 0;
}
