/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread of a VMM that repeats one ultracall on another CPU. Most of the calls succeed. */
#ifndef NOVA_TESTS_SECURE_REPEAT_H
#define NOVA_TESTS_SECURE_REPEAT_H

#include "novart/time.h"

#include "honest.h"

#define FRESH      0x500000u
#define REPEATS    3u /* calls before the guest ends */
#define REPEAT_CPU 1u
#define REPEAT_NS  100000u

/* Values of the parameters, by their kinds. The library itself passes the first parameter, the
 * lpid. */
enum {
        VALUE_NONE = 0,
        VALUE_NORMAL = FRESH,
        VALUE_GPA = FRESH,
        VALUE_START = MEMORY,
        VALUE_SIZE = MEMORY / 2,
        VALUE_NO_FLAG = 0,
        VALUE_OUT_FLAGS = 0,
        VALUE_IN_FLAGS = 0,
        VALUE_PAGE_ORDER = NOVA_UV_ORDER_PAGE,
        VALUE_AREA_ORDER = NOVA_UV_ORDER_PAGE,
        VALUE_NEW_SLOT = 1,
        VALUE_SLOT = 1,
        VALUE_DW0 = 0,
        VALUE_DW1 = MEMORY,
        VALUE_GFN = 0,
        VALUE_COUNT = 0,
        VALUE_BLOB = 0,
        VALUE_TREE = 0
};

static const struct repeat_row {
        const char *name;
        unsigned number;
        enum nova_uv_caller caller;
        uint64_t value[4];
} repeat_row[] = {
#define CALL(name, function, number, caller, elsewhere, p1, p2, p3, p4, p5) \
        {#name, number, NOVA_UV_##caller, {VALUE_##p2, VALUE_##p3, VALUE_##p4, VALUE_##p5}},
        NOVA_UV_CALL_ROWS(CALL)
#undef CALL
};

#define REPEAT_ROWS (sizeof(repeat_row) / sizeof(repeat_row[0]))

/* Returns the ultracall that undoes the effect of @p number, and that must therefore precede each
 * repetition of @p number. Returns @p number if there is none. */
static inline unsigned repeat_opposite(unsigned number)
{
        switch (number) {
        case NOVA_UV_PAGE_OUT:
                return NOVA_UV_PAGE_IN;
        case NOVA_UV_PAGE_IN:
                return NOVA_UV_PAGE_OUT;
        case NOVA_UV_REGISTER_MEM_SLOT:
                return NOVA_UV_UNREGISTER_MEM_SLOT;
        case NOVA_UV_UNREGISTER_MEM_SLOT:
                return NOVA_UV_REGISTER_MEM_SLOT;
        default:
                return number;
        }
}

static inline enum nova_u_status repeat_call(unsigned number)
{
        unsigned i = 0;

        while (repeat_row[i].number != number)
                i++;
        return nova_uv_call(&uv, number, repeat_row[i].value[0], repeat_row[i].value[1],
                            repeat_row[i].value[2], repeat_row[i].value[3]);
}

static unsigned repeat_number;            /* number of the ultracall */
static unsigned repeat_made, repeat_good; /* numbers of its calls, and of those that succeeded;
                                           * atomic */
static bool repeat_quits;                 /* atomic */

/* Repeats an ultracall until its guest has ended. */
static inline void *repeat_run(void *unused)
{
        (void)unused;
        while (!__atomic_load_n(&repeat_quits, __ATOMIC_ACQUIRE)) {
                if (repeat_opposite(repeat_number) != repeat_number)
                        repeat_call(repeat_opposite(repeat_number));
                if (repeat_call(repeat_number) == NOVA_U_SUCCESS)
                        __atomic_add_fetch(&repeat_good, 1, __ATOMIC_RELEASE);
                __atomic_add_fetch(&repeat_made, 1, __ATOMIC_RELEASE);
        }
        return NULL;
}

/* Lets a guest become secure and use the page FRESH, so that the VMM can move the page out. For
 * UV_PAGE_INVAL, the guest shares the page, so that the VMM can take it back. */
static inline bool repeat_prepare(void)
{
        return !honest_become_secure() && guest(PROBE_WRITE, FRESH, 1) == 0 &&
               (repeat_number != NOVA_UV_PAGE_INVAL ||
                (guest_call(NOVA_UV_SHARE_PAGE, FRESH / PAGE, 1) == 0 &&
                 guest(PROBE_READ, FRESH, 0) == 0));
}

/* Lets a guest become secure, and a thread repeat an ultracall. @return NULL: that failed */
static inline struct nova_thread *repeat_start(unsigned number)
{
        const struct nova_thread_attr attr = {.name = "repeat", .cpu = REPEAT_CPU};
        struct nova_thread *thread;

        repeat_number = number;
        repeat_made = repeat_good = 0;
        repeat_quits = false;
        if (!repeat_prepare() || nova_thread_create(&thread, &attr, repeat_run, NULL))
                return NULL;
        return thread;
}

/* Waits until the thread has made some calls. */
static inline void repeat_wait(unsigned calls)
{
        while (__atomic_load_n(&repeat_made, __ATOMIC_ACQUIRE) < calls)
                nova_sleep(REPEAT_NS);
}

#endif
