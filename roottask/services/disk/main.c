/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `disk`. Its argument is the name of the boot module with the archive. */
#include <stdio.h>
#include <string.h>

#include "novart/parent.h"
#include "server.h"

int main(int argc, char **argv)
{
        const char *name = argc > 1 ? argv[1] : "disk.tar", *wrong = NULL;
        const void *archive;
        size_t bytes;
        int error = nova_parent_module(name, &archive, &bytes);

        if (error) {
                printf("the module '%s' is not available: %s; pass its name as an argument "
                       "and write `modules %s` into the description.\n",
                       name, strerror(error), name);
                return 1;
        }
        error = disk_service_start(archive, bytes, &wrong);
        if (error) {
                printf("'%s' is not a usable archive: %s\n", name, wrong ? wrong : strerror(error));
                return 1;
        }
        nova_service_sleep();
}
