/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts many children, one by one. They end by themselves, or are killed while they start, make a
 * call or fault. They must leave no resources in use. */
#include "family.h"
#include "tap.h"

#ifndef CHILDREN
#define CHILDREN 200
#endif

static const char *const deeds[] = {"return", "flood", "sleep", "fault", "spin"};

/* Returns one of the program's CPUs, in turn. */
static uint64_t one_cpu(unsigned number)
{
        uint64_t left = nova_program.cpus;

        for (unsigned skip = number % (unsigned)__builtin_popcountll(left); skip; skip--)
                left &= left - 1;
        return left & -left;
}

/* Starts a child, and ends it after a time that varies, so that the ends hit each phase of a
 * child's life. */
static bool live(unsigned number)
{
        family_config.cpus = one_cpu(number);

        struct nova_child *const child = family_start(deeds[number % 5], "0");
        int status = -1;

        if (!child)
                return false;
        if (number % 4)
                nova_sleep(number % 97 * UINT64_C(20000));
        if (number % 5)
                nova_child_kill(child, 5);
        nova_child_wait(child, &status);
        return status == 5 || number % 5 == 0 || number % 5 == 3;
}

static bool live_all(void)
{
        for (unsigned i = 0; i < CHILDREN; i++) {
                if (!live(i))
                        return false;
                if (i % 1000 == 999)
                        printf("%u children\n", i + 1);
        }
        return true;
}

int main(void)
{
        struct family_balance before;
        bool good = true, balanced = false;

        if (!family_begin("runtime-child"))
                return 1;
        /* Performs each action on each CPU, with many different delays. Afterwards the stacks of
         * the parent's threads that answer calls have all their pages, so the count of resources
         * can begin. */
        for (unsigned i = 0; i < 400; i++)
                good = live(i) && good;
        /* One child in thousands may let a stack reach a new depth. A real leak recurs with later
         * children. */
        for (unsigned i = 0; i < 3 && good && !balanced; i++) {
                before = family_balance();
                good = live_all();
                balanced = family_balanced(&before, 0);
        }
        check(good, "all children started and ended");
        check(balanced, "they leave no byte and no selector in use");
        check(nova_child_count() == 0, "no child is left");
        return tap_end();
}
