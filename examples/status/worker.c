/* SPDX-License-Identifier: BSD-2-Clause */
/* A program that the page shows at work: it computes for a while, pauses, and fails every few
 * seconds. Without the grant `status` it cannot read the state of others. */
#include <errno.h>

#include "novart/parent.h"
#include "novart/parent_status.h"
#include "novart/time.h"

#define ROUNDS   50
#define WORK_NS  20000000
#define PAUSE_NS 80000000

int main(void)
{
        struct nova_parent_program program;
        struct nova_parent_cpu cpu;

        if (nova_parent_program_describe(0, &program) != EACCES ||
            nova_parent_cpu_describe(&cpu) != EACCES)
                return 4;
        for (unsigned i = 0; i < ROUNDS; i++) {
                const uint64_t end = nova_time_ns() + WORK_NS;

                while (nova_time_ns() < end)
                        ;
                nova_sleep(PAUSE_NS);
        }
        return 3;
}
