/* SPDX-License-Identifier: BSD-2-Clause */
/* Children on all CPUs with little kernel memory, which grows by one step in each round. Each
 * request succeeds or is refused, regardless of where the memory runs out, and no child hangs or
 * faults. */
#include "scarce.h"
#include "family.h"
#include "novart/parent.h"
#include "tap.h"

#define KIB      ((size_t)1 << 10)
#define FIRST    64 /* KiB: a child's minimum */
#define LAST     200
#define STEP     2 /* KiB: so small that only the capability of an SC lacks room in one round */
#define PATIENCE UINT64_C(20000000000) /* ns, for a child that takes some ms */

/* Starts a service that no client opens. */
static int serve(void *context, const char *name, nova_sel_t control)
{
        (void)context;
        (void)name;
        nova_sel_release(control, NOVA_PARENT_SERVICE_ORDER);
        return 0;
}

static struct nova_child *start(const char *deed, size_t kernel_memory)
{
        const char *const arguments[] = {deed, NULL};
        struct nova_child_config config = family_config;
        struct nova_child *child;
        const char *sentence;

        config.arguments = arguments;
        config.grants.serve = serve;
        config.cpus = nova_program.cpus;
        config.memory = 512 * KIB;
        config.kernel_memory = kernel_memory;
        if (!nova_child_start(&child, &config, &sentence))
                return child;
        printf("the child %s\n", sentence);
        return NULL;
}

/* Returns the child's status; -1: it did not start or hung. */
static int run(const char *deed, size_t kernel_memory)
{
        struct nova_child *const child = start(deed, kernel_memory);
        int status = -1;

        if (!child || !nova_child_wait_until(child, &status, nova_deadline_in(PATIENCE)))
                return status;
        nova_child_kill(child, 0);
        nova_child_wait(child, NULL);
        return -1;
}

/* Tries all amounts. Returns true if some amounts were too little, some were enough, and none
 * caused an error. */
static bool sweep(const char *deed)
{
        unsigned done = 0, refused = 0, bad = 0;

        for (size_t amount = FIRST; amount <= LAST; amount += STEP) {
                const int status = run(deed, amount * KIB);

                done += status == SCARCE_DONE;
                refused += status == SCARCE_REFUSED;
                if (status == SCARCE_DONE || status == SCARCE_REFUSED)
                        continue;
                printf("%s with %zu KiB: status %d\n", deed, amount, status);
                bad++;
        }
        printf("%s: %u done, %u refused\n", deed, done, refused);
        return done && refused && !bad;
}

int main(void)
{
        if (!family_begin("runtime-scarce-child"))
                return 1;
        check(sweep("threads"), "threads are made or refused, whatever kernel memory there is");
        check(sweep("service"), "services start or do not, whatever kernel memory there is");
        check(sweep("last"),
              "a program ends with its last thread, whatever kernel memory there is");
        return tap_end();
}
