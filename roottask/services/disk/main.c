/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `disk`. Its argument is the name of the boot module with the archive. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../start.h"
#include "novart/parent.h"
#include "server.h"

/* Reports why the archive's module cannot be used. */
static void report_module(const char *name, int error)
{
        if (error == ENOMEM)
                printf("the module '%s' does not fit into the memory that is left; " START_ENLARGE
                       "\n",
                       name);
        else
                printf("the module '%s' is not available: %s; pass its name as an argument "
                       "and write `modules %s` into the description.\n",
                       name, strerror(error), name);
}

int main(int argc, char **argv)
{
        const char *name = argc > 1 ? argv[1] : "disk.tar", *wrong = NULL;
        const void *archive;
        size_t bytes;
        int error = nova_parent_module(name, &archive, &bytes);

        if (error) {
                report_module(name, error);
                return 1;
        }
        error = disk_service_start(archive, bytes, &wrong);
        if (error) {
                if (wrong)
                        printf("'%s' is not a usable archive: %s\n", name, wrong);
                else
                        start_failed(error);
                return 1;
        }
        nova_service_sleep();
}
