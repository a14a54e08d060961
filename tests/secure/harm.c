/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that harm themselves: they access devices across the boundary of both views, execute code
 * of shared pages, and have page tables, descriptors and gates there. Meanwhile a thread of the VMM
 * changes a shared page. Each guest computes correctly or ends. Then an honest VM runs. */
#include "../runtime/tap.h"
#include "honest.h"

#define SHARED 0x500000u
#define OWN    0x510000u   /* a secure page */
#define DEVICE 0xfed00000u /* answers each byte with 0x5a */
#define NORMAL 1u          /* flag of an operand of PROBE_PAIR: the normal view */
#define ANSWER 0x5a5a5a5au
#define ROUNDS 500u
#define WAITS  2000u /* milliseconds */

/* The two values that the thread writes in turn, and their place. */
static uint64_t flipped[2];
static volatile uint64_t *place;
static bool runs;
static unsigned accesses;

static void *flip(void *unused)
{
        (void)unused;
        for (unsigned i = 0; __atomic_load_n(&runs, __ATOMIC_ACQUIRE); i++)
                *place = flipped[i & 1]; /* one store: secure guests need the x86_64 kernel */
        return NULL;
}

/* Starts a thread on another CPU that changes eight bytes of the shared page again and again. */
static struct nova_thread *start_flip(uint32_t offset, uint64_t first, uint64_t second)
{
        const struct nova_thread_attr attr = {.name = "flip", .cpu = 1};
        struct nova_thread *thread = NULL;

        place = (volatile uint64_t *)(memory.base + SHARED + offset);
        flipped[0] = first;
        flipped[1] = second;
        runs = true;
        nova_thread_create(&thread, &attr, flip, NULL);
        return thread;
}

static void stop_flip(struct nova_thread *thread)
{
        __atomic_store_n(&runs, false, __ATOMIC_RELEASE);
        if (thread)
                nova_thread_join(thread, NULL);
}

static void device(struct call *call)
{
        if (call->number != NOVA_H_MEMORY)
                return;
        accesses++;
        call->words = 2;
        call->value = ANSWER;
}

/* Ends the guest, and lets an honest VM run. */
static void end(void)
{
        check(honest_next_runs(), "and the next VM runs");
}

/* Begins a guest that shares a page. */
static bool begin(void)
{
        accesses = 0;
        honest_attack = device;
        return honest_become_secure() == NOVA_U_SUCCESS &&
               guest_call(NOVA_UV_SHARE_PAGE, SHARED / PAGE, 1) == 0 &&
               guest(PROBE_WRITE, SHARED, 0) == 0;
}

static void operands(void)
{
        struct nova_thread *thread;
        uint32_t outcomes;

        check(begin() && guest(PROBE_PAIR, SHARED | NORMAL, DEVICE | NORMAL) == 0,
              "a guest maps a shared page and a device beside it");
        thread = start_flip(PAGE - 8, 0, UINT64_C(1) << 32);
        outcomes = guest(PROBE_PAIR_EXCHANGE, ROUNDS, ANSWER);
        stop_flip(thread);
        printf("%u comparisons succeeded, %u failed; %u accesses.\n", outcomes & 0xffff,
               outcomes >> 16, accesses);
        check(outcomes != PROBE_UNKNOWN && outcomes & 0xffff && outcomes >> 16 &&
                      (outcomes & 0xffff) + (outcomes >> 16) == ROUNDS,
              "an operand that crosses their boundary is read once, while the VMM changes it");
        check(guest(PROBE_WRITE, OWN + PAGE - 4, 0x1234567) == 0 &&
                      guest(PROBE_WRITE, OWN, 0x89abcde) == 0 &&
                      guest(PROBE_PAIR, OWN, DEVICE | NORMAL) == 0 &&
                      guest(PROBE_PAIR_READ, 0, 0) == 0x1234567 &&
                      guest(PROBE_PAIR_READ, 1, 0) == ANSWER &&
                      guest(PROBE_PAIR, DEVICE | NORMAL, OWN) == 0 &&
                      guest(PROBE_PAIR_READ, 0, 0) == ANSWER &&
                      guest(PROBE_PAIR_READ, 1, 0) == 0x89abcde,
              "an operand crosses from a secure page to a device, and back");
        end();
}

/* Lets a guest execute an instruction that crosses the boundary of two pages. */
static void boundary(uint32_t first, uint32_t second, const char *name)
{
        check(begin() && guest(PROBE_PAIR, first, second) == 0, "a guest maps two pages");
        drive_begin(PROBE_PAIR_CODE, DEVICE, 0);
        check(honest_ends(WAITS) && !accesses, name);
        end();
}

static void code(void)
{
        check(begin(), "a guest shares a page");
        drive_begin(PROBE_IMAGE, SHARED, 0);
        check(honest_ends(WAITS), "it ends when it jumps into the shared page");
        end();
        boundary(OWN, SHARED | NORMAL, "it ends at an instruction that ends in a shared page");
        boundary(SHARED | NORMAL, OWN, "it ends at an instruction that begins in a shared page");
}

static void page_tables(void)
{
        const uint64_t entry = DEVICE | 3, other = entry + PAGE;
        struct nova_thread *thread;

        check(begin() && guest(PROBE_WRITE, OWN + PAGE - 4, 0x1234567) == 0 &&
                      guest(PROBE_PAIR, OWN, DEVICE | NORMAL) == 0 &&
                      guest(PROBE_PAIR_TABLE, SHARED, 0) == 0,
              "a guest has a page table in a shared page");
        thread = start_flip(8, entry, other);
        drive_begin(PROBE_PAIR_READ, 1, 0);
        check(honest_ends(WAITS) && !accesses,
              "it ends when it accesses a device by a page table that the VMM changes");
        stop_flip(thread);
        end();
}

static void descriptors(void)
{
        check(begin() && guest(PROBE_GDT, SHARED, 1) == 1, "a guest has its GDT in a shared page");
        check(guest(PROBE_READ, KERNEL, 0), "it runs on");
        for (unsigned i = 0; i < 32; i++)
                memory.base[SHARED + i] = 0;
        drive_begin(PROBE_GDT, SHARED, 0);
        check(honest_ends(WAITS), "it ends when it loads descriptors that the VMM has removed");
        end();
}

/* Tests a guest whose gates the VMM removes. */
static void gates(void)
{
        nova_word_t taken;

        check(begin() && guest(PROBE_IDT, SHARED, 1) == 1, "a guest has its IDT in a shared page");
        taken = guest(PROBE_BREAK, 0, 0);
        check(taken == 1 && guest(PROBE_BREAK, 0, 0) == 2, "it takes exceptions by it");
        for (unsigned i = 0; i < 64; i++)
                memory.base[SHARED + i] = 0;
        drive_begin(PROBE_BREAK, 0, 0);
        check(honest_ends(WAITS), "it ends at an exception whose gate the VMM has removed");
        end();
}

/* Tests a guest whose gate the VMM changes to lead to code of the VMM in the shared page. */
static void gate_to_shared(void)
{
        check(begin() && guest(PROBE_IDT, SHARED, 1) == 1, "a guest has its IDT in a shared page");
        memory.base[SHARED + 48] = 0x80;
        memory.base[SHARED + 49] = 0;
        memory.base[SHARED + 54] = SHARED >> 16;
        memory.base[SHARED + 55] = 0;
        drive_begin(PROBE_BREAK, 0, 0);
        check(honest_ends(WAITS), "it ends at an exception whose handler is in the shared page");
        end();
}

int main(void)
{
        if (!honest_start_on(3, 0))
                return 1;
        operands();
        code();
        page_tables();
        descriptors();
        gates();
        gate_to_shared();
        return tap_end();
}
