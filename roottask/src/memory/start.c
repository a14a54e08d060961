/* SPDX-License-Identifier: BSD-2-Clause */
/* Initialises the parts of the memory management, each after the parts that it needs. */
#include <errno.h>

#include "memory/mapper.h"
#include "memory/memory.h"
#include "memory/page.h"
#include "memory/region.h"
#include "selector/selector.h"

int novart_memory_start(void)
{
        int error = novart_selector_start();

        if (!error)
                error = novart_page_start();
        if (!error)
                error = novart_region_start();
        if (error)
                return error;

        void *const utcb = nova_region_reserve(NOVA_PAGE_SIZE);

        return utcb ? novart_mapper_start((nova_word_t)utcb) : ENOMEM;
}
