/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest of `nova bench secure` that marks its operations. It runs as a secure guest and as a
 * normal one. */
#include "marks.h"
#include "novart/service/ultravisor_calls.h"

#include <stdint.h>

#define PAGE        4096u
#define ALL_AT      0x400000u /* SECURE_PAGES pages that are shared at once */
#define ONE_AT      0x600000u /* pages that are shared one by one */
#define MOVE_AT     0x800000u /* pages that the VMM moves */
#define FRESH_AT    0xa00000u /* blocks of which the guest uses one page each */
#define BLOCK       0x200000u
#define FRESH_COUNT 2
#define H_RANDOM    0x300
#define UNKNOWN     0xf7fc

static uint32_t in(unsigned port)
{
        uint32_t value;

        __asm__ volatile("inl %w1, %0" : "=a"(value) : "Nd"(port) : "memory");
        return value;
}

static void out(unsigned port, uint32_t value)
{
        __asm__ volatile("outl %0, %w1" : : "a"(value), "Nd"(port) : "memory");
}

static long call(unsigned long number, unsigned long p1, unsigned long p2)
{
        long status;

        __asm__ volatile("vmmcall" : "=a"(status), "+b"(p1), "+c"(p2) : "a"(number) : "memory");
        return status;
}

static void must(long status)
{
        if (status)
                out(SECURE_PORT_END, (uint32_t)status);
}

static void touch(unsigned at)
{
        *(volatile uint32_t *)(uintptr_t)at = at;
}

static void exit_often(void)
{
        for (unsigned i = 0; i < SECURE_ROUNDS; i++) {
                uint32_t eax = 1, ebx, ecx = 0, edx;

                SECTION_BEGIN(SECURE_CPUID);
                __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx) : : "memory");
                SECTION_BEGIN(SECURE_NONE);
        }
        for (unsigned i = 0; i < SECURE_ROUNDS; i++) {
                SECTION_BEGIN(SECURE_PORT);
                in(SECURE_PORT_DATA);
                SECTION_BEGIN(SECURE_NONE);
        }
}

static void call_often(void)
{
        for (unsigned i = 0; i < SECURE_ROUNDS; i++) {
                long status;

                SECTION_BEGIN(SECURE_REFUSED);
                status = call(UNKNOWN, 0, 0);
                SECTION_BEGIN(SECURE_NONE);
                must(status != NOVA_U_FUNCTION);
        }
        for (unsigned i = 0; i < SECURE_ROUNDS; i++) {
                long status;

                SECTION_BEGIN(SECURE_RANDOM);
                status = call(H_RANDOM, 0, 0);
                SECTION_BEGIN(SECURE_NONE);
                must(status);
        }
}

/* Shares a page that has content, uses it, and takes it back. */
static void share_one(unsigned at)
{
        long status;

        touch(at);
        SECTION_BEGIN(SECURE_SHARE);
        status = call(NOVA_UV_SHARE_PAGE, at / PAGE, 1);
        SECTION_BEGIN(SECURE_TOUCH);
        touch(at);
        SECTION_BEGIN(SECURE_NONE);
        must(status);
        SECTION_BEGIN(SECURE_UNSHARE);
        status = call(NOVA_UV_UNSHARE_PAGE, at / PAGE, 1);
        SECTION_BEGIN(SECURE_NONE);
        must(status);
}

static void touch_all(void)
{
        for (unsigned i = 0; i < SECURE_PAGES; i++)
                touch(ALL_AT + i * PAGE);
}

static void share_all(void)
{
        long status;

        touch_all();
        SECTION_BEGIN(SECURE_SHARE_ALL);
        status = call(NOVA_UV_SHARE_PAGE, ALL_AT / PAGE, SECURE_PAGES);
        SECTION_BEGIN(SECURE_TOUCH_ALL);
        touch_all();
        SECTION_BEGIN(SECURE_NONE);
        must(status);
        must(call(NOVA_UV_UNSHARE_PAGE, ALL_AT / PAGE, SECURE_PAGES));
}

static void use_pages(void)
{
        for (unsigned i = 0; i < FRESH_COUNT; i++) {
                SECTION_BEGIN(SECURE_FRESH);
                touch(FRESH_AT + i * BLOCK);
                SECTION_BEGIN(SECURE_NONE);
        }
        for (unsigned i = 0; i < SECURE_ROUNDS; i++)
                share_one(ONE_AT + i * PAGE);
        for (unsigned i = 0; i < SECURE_TWICE; i++)
                share_all();
        for (unsigned i = 0; i < SECURE_ROUNDS; i++)
                touch(MOVE_AT + i * PAGE);
        out(SECURE_PORT_MOVE, MOVE_AT);
}

__attribute__((noreturn, section(".entry"))) void _start(void)
{
        SECTION_BEGIN(SECURE_NONE);
        exit_often();
        if (in(SECURE_PORT_MODE)) {
                call_often();
                use_pages();
        }
        for (;;)
                out(SECURE_PORT_END, 0);
}
