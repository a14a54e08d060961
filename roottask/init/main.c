/* SPDX-License-Identifier: BSD-2-Clause */
/* init: the roottask that starts the programs of a system description. Its argument is the name of
 * the description's module; without an argument it uses the first module whose name ends with
 * .nova. */
#include <stdio.h>
#include <stdlib.h>

#include "init.h"
#include "novart/program.h"
#include "novart/thread.h"

struct init init;

/* Starts and restarts the programs. The thread's priority is above those of all programs, so no
 * program can keep init from running. */
static void *run(void *status)
{
        *(int *)status = programs_run();
        return NULL;
}

int main(int argc, char **argv)
{
        status_begin();

        const unsigned mistakes = modules_read_description(argc > 1 ? argv[1] : NULL);

        if (mistakes) {
                printf("init: %u mistake%s; the system does not start.\n", mistakes,
                       mistakes == 1 ? "" : "s");
                return EXIT_FAILURE;
        }

        const struct nova_thread_attr attr = {
                .name = "programs", .cpu = NOVA_CPU_SELF, .priority = nova_program.priority};
        struct nova_thread *thread;
        int status = EXIT_FAILURE;

        if (nova_thread_create(&thread, &attr, run, &status)) {
                puts("init: too little memory is left for the thread that starts programs; give "
                     "the machine more.");
                return EXIT_FAILURE;
        }
        nova_thread_join(thread, NULL);
        return status;
}
