/* SPDX-License-Identifier: BSD-2-Clause */
/* Rounds of random work: a crowd of suspects runs for a number of hypercalls, then ends. Afterwards
 * the kernel's memory is as before, and no bystander has noticed anything. */
#include "fuzzer.h"

#define CALLS       20000 /* hypercalls of a run, unless its command line says calls=N */
#define ROUND_CALLS 1500  /* minimum of hypercalls of a round; the maximum is three times this */
#define ROUND_MS    400   /* maximum time in which a round makes hypercalls */
#define STALLS      60    /* half milliseconds without a hypercall after which a round ends */
/* Maximum time until memory is freed; an emulator on a busy host is late. */
#define GRACE_MS    10000
#define FIRST       2 /* number of rounds before the kernel's memory is compared */
#define FIRST_MS    300
#define PIT_PORTS   0x40
#define TRIES       50
#define PAUSE_MS    15           /* the kernel frees ended objects within 10 ms */
#define ROUNDS_NONE (~(word_t)0) /* no round has this number */

struct plan plan;
nova_sel_t group;
uint64_t fuzz_seed;

word_t memory_used(void)
{
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, ROOT_PD),
                         NOVA_EXT_QUOTA_QUERY, 0, 0, 0};

        EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        return a.a2;
}

static nova_sel_t sleep; /* a semaphore of the fuzzer only */

static void prepare(void)
{
        sleep = semaphore(0);
        plan.cpus = cpu_count < CPUS_MAX ? cpu_count : CPUS_MAX;
        for (unsigned i = 0; i < plan.cpus; i++)
                plan.cpu[i] = cpu_numbers[i];
        plan.ticks = tsc_per_ms();
        plan.compares = case_argument("compare=", 0);
        plan.guests = !needs_virtualization();
        plan.arenas = (word_t)memory(7);
        plan.shared = (word_t)memory(SHARED_ORDER);
        plan.utcbs = page_alloc(6) << NOVA_PAGE_BITS;
        group = sel_alloc(GROUP_ORDER);
        request(io(PIT_PORTS, 2), PIT_PORTS);
        request(io(PORT, PORT_ORDER), PORT);
        keepers_init();
        bystanders_init();
        watchdog_init();
}

/* Like EXPECT_EQ(), but prints first, because a suspect that has not ended may keep the CPU from
 * the harness. */
static void expect(const char *what, word_t actual, word_t expected)
{
        if (actual == expected)
                return;
        remark(what, actual);
        remark("  expected", expected);
        report_threads();
        bystanders_end();
        EXPECT_EQ(actual, expected);
}

/* Makes no progress in a round that the command line names, so that a test sees the watchdog. */
static void stall(word_t round)
{
        if (round != case_argument("stall=", ROUNDS_NONE))
                return;
        watchdog_beat("stops, as it was told");
        for (;;)
                hc_sm_ctrl(sleep, NOVA_SM_DN_OP);
}

/* For gdb, which reads `comparing` and the round in compare_now(), and sets `compared` if no
 * operation is in progress, or if one stays in progress because its thread has no SC. */
enum comparing { WITH_CROWD = 1, WITHOUT_CROWD, LAST };
volatile word_t compared, comparing, comparing_round;

__attribute__((noinline)) void compare_now(void)
{
        __asm__ volatile("" : : : "memory");
}

/* Lets all other threads wait, and calls compare_now() until gdb lets it continue. */
static void compare(word_t round, enum comparing what)
{
        unsigned tries = 0;

        compared = 0;
        comparing_round = round;
        comparing = what;
        plan.pauses = true;
        for (; tries < TRIES && !compared; tries++) {
                watchdog_beat("lets gdb compare");
                bystanders_poke();
                rest(PAUSE_MS);
                compare_now();
        }
        expect("attempts to find no operation in progress:", compared, true);
}

/* Lets the other threads continue. */
static void compare_end(void)
{
        plan.pauses = false;
        keepers_wake();
}

/* Lets the crowd run until it has made its hypercalls, or has stopped making any. */
static void run_crowd(void)
{
        const uint64_t end = tsc() + plan.ticks * ROUND_MS;
        const word_t most = ROUND_CALLS + random_below(&fuzz_seed, 2 * ROUND_CALLS);
        word_t calls = 0, still = 0;

        while (calls < most && still < STALLS && tsc() < end) {
                hc_sm_until(sleep, 0, tsc() + plan.ticks / 2);
                watchdog_beat("lets the crowd run");
                crowd_poke();
                bystanders_poke();
                bystanders_shoot();
                const word_t now = crowd_calls();
                still = now == calls ? still + 1 : 0;
                calls = now;
        }
}

static void check_suspects(void)
{
        for (unsigned arena = 0; arena < ARENAS; arena++)
                for (unsigned slot = 0; slot < SLOTS; slot++) {
                        const struct suspect *s = suspect_at(arena, slot);
                        if (s->wrong)
                                report_found(arena, slot);
                        expect("what a suspect has found wrong:", s->wrong, 0);
                }
}

/* Waits for the memory of the round. Returns how long it took. */
static word_t memory_back(word_t before, word_t grace)
{
        word_t ms = 0;

        for (; memory_used() != before && ms < grace; ms += 2) {
                rest(2);
                watchdog_beat("waits for memory");
        }
        return ms;
}

static word_t run_round(word_t round, uint64_t seed, word_t before, word_t grace)
{
        const bool compares = round >= FIRST && plan.compares;

        fuzz_seed = (seed * 0x10001 + round + 1) * 0x9e3779b97f4a7c15ull | 1;
        case_seconds(300);
        bystanders_begin();
        keepers_begin(fuzz_seed);
        watchdog_beat("makes the crowd");
        crowd_make();
        run_crowd();
        stall(round);
        if (compares) {
                crowd_thin();
                compare(round, WITH_CROWD);
        }
        watchdog_beat("ends the crowd");
        crowd_end();
        if (compares)
                compare_end();
        check_suspects();
        bystanders_check();
        const word_t ms = memory_back(before, grace);
        if (compares) {
                compare(round, WITHOUT_CROWD);
                compare_end();
        }
        report_round(round, ms);
        return ms;
}

CASE_ON(fuzzer, random_work_of_suspects_leaves_no_trace, "5.1-19 5.1-24", needs_quota)
{
        const word_t calls = case_argument("calls=", CALLS);
        const uint64_t seed = case_argument("seed=", 1);

        prepare();
        bystanders_check();
        remark("seed", (word_t)seed);
        word_t round = 0, before = memory_used();
        /* The first round also fills caches that the kernel keeps. */
        for (; round < FIRST; round++) {
                run_round(round, seed, before, FIRST_MS);
                remark("memory", memory_used());
                before = memory_used();
        }
        for (; report_calls() < calls; round++) {
                run_round(round, seed, before, GRACE_MS);
                expect("bytes of kernel memory:", memory_used(), before);
        }
        report_total();
        bystanders_end();
        comparing = LAST;
        compare_now();
        EXPECT(report_good() * 10 >= report_calls() * 3);
}
