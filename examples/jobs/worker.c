/* SPDX-License-Identifier: BSD-2-Clause */
/* Does jobs until none is left. It crashes when it has taken job 2 or job 4, and does not store its
 * progress. init restarts it, and the server gives it the next job. */
#include <novart/session.h>
#include <stdio.h>

#include "jobs.h"

int main(void)
{
        struct nova_session *desk;
        nova_word_t job = 0;
        struct nova_message message = {.operation = JOBS_TAKE, .answer = &job, .answer_max = 1};

        if (nova_session_open(&desk, "jobs", NULL))
                return 1;
        while (nova_session_call(desk, &message) == 0 && job) {
                if (job % 2 == 0)
                        __builtin_trap();
                printf("job %zu is done\n", (size_t)job);
        }
        return 0;
}
