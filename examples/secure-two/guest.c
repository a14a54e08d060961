/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest: it fills its pages, and then checks the page that its VMM names, again and again. */
#include <novauv/guest.h>

#include "tasks.h"

#define SHARED_GFN 0x300 /* page at 3 MiB */

static uint32_t version[PAGES];

static volatile uint32_t *page(uint32_t number)
{
        return (uint32_t *)(PAGES_AT + (unsigned long)number * PAGE_BYTES);
}

static uint32_t content(uint32_t number)
{
        return MARK + number + (version[number] << 16);
}

static void fill(uint32_t number)
{
        for (unsigned i = 0; i < PAGE_BYTES / 4; i++)
                page(number)[i] = content(number);
}

/* Checks a page, and then writes other content to it. */
static uint32_t check(uint32_t number)
{
        for (unsigned i = 0; i < PAGE_BYTES / 4; i++)
                if (page(number)[i] != content(number))
                        return RESULT_WRONG;
        version[number]++;
        fill(number);
        return RESULT_RIGHT;
}

static uint32_t greet(void)
{
        if (nova_guest_share_page(SHARED_GFN, 1) == NOVA_U_SUCCESS)
                nova_guest_secret("greeting", (void *)(SHARED_GFN << 12), 63);
        return SHARED_GFN << 12;
}

static uint32_t perform(uint32_t task)
{
        if (task < PAGES)
                return check(task);
        if (task == TASK_GREET)
                return greet();
        if (task != TASK_INTERRUPTS)
                return RESULT_UNKNOWN;
        __asm__ volatile("sti");
        return RESULT_RIGHT;
}

__attribute__((noreturn)) void _start(void);

void _start(void)
{
        uint32_t task;

        for (uint32_t i = 0; i < PAGES; i++)
                fill(i);
        for (;;) {
                __asm__ volatile("inl %w1, %0" : "=a"(task) : "Nd"(TASK_PORT));
                __asm__ volatile("outl %0, %w1" : : "a"(perform(task)), "Nd"(RESULT_PORT));
        }
}
