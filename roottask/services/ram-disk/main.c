/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `ram-disk`. Arguments: `size=KIB` or `image=MODULE`, and the others below. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "novart/parent.h"
#include "novart/service.h"

static struct ram_disk disk = {
        .name = "ram-disk", .block_bytes = 512, .depth = 32, .timeout_ms = 5000};

static const struct number {
        const char *name;
        unsigned *value;
} numbers[] = {
        {"block=", &disk.block_bytes},
        {"depth=", &disk.depth},
        {"hold=", &disk.hold},
        {"crash-after=", &disk.crash_after},
        {"hang-after=", &disk.hang_after},
        {"loop-after=", &disk.loop_after},
        {"timeout-ms=", &disk.timeout_ms},
};

static bool set_number(const char *argument)
{
        for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                const size_t length = strlen(numbers[i].name);

                if (strncmp(argument, numbers[i].name, length) != 0)
                        continue;
                *numbers[i].value = (unsigned)strtoul(argument + length, NULL, 10);
                return true;
        }
        return false;
}

/* Copies a boot module, because modules are read-only. */
static bool load(const char *name)
{
        const void *data;
        size_t bytes;
        const int error = nova_parent_module(name, &data, &bytes);

        if (error) {
                printf("the module '%s' is not available: %s; write `modules %s` into "
                       "the description.\n",
                       name, strerror(error), name);
                return false;
        }
        disk.bytes = bytes;
        disk.memory = malloc(disk.bytes);
        if (disk.memory)
                memcpy(disk.memory, data, disk.bytes);
        return true;
}

static bool set(const char *argument)
{
        if (strncmp(argument, "image=", 6) == 0)
                return load(argument + 6);
        if (strncmp(argument, "size=", 5) == 0) {
                const unsigned long kib = strtoul(argument + 5, NULL, 10);

                disk.bytes = kib <= SIZE_MAX / 1024 ? kib * 1024 : 0;
                disk.memory = disk.bytes ? calloc(1, disk.bytes) : NULL;
                return true;
        }
        if (strcmp(argument, "read-only") == 0) {
                disk.read_only = true;
                return true;
        }
        if (set_number(argument))
                return true;
        printf("there is no argument '%s'; there are size=KIB, image=MODULE, read-only, "
               "block=BYTES and depth=REQUESTS.\n",
               argument);
        return false;
}

static bool valid(void)
{
        const unsigned bytes = disk.block_bytes;

        if (bytes < 512 || bytes > 4096 || (bytes & (bytes - 1)) || !disk.depth) {
                printf("block must be 512, 1024, 2048 or 4096, and depth must not be 0.\n");
                return false;
        }
        if (!disk.memory) {
                printf("there is no memory for the blocks; write size=KIB or "
                       "image=MODULE as an argument, and a larger `memory` into the "
                       "description.\n");
                return false;
        }
        return true;
}

int main(int argc, char **argv)
{
        for (int i = 1; i < argc; i++)
                if (!set(argv[i]))
                        return 1;
        if (!valid())
                return 1;

        const int error = ram_disk_start(&disk);

        if (error) {
                printf("the service cannot start: %s.\n", strerror(error));
                return 1;
        }
        nova_service_sleep();
}
