/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `partitions`. Arguments: the service with the disk; then, for each client and each
 * partition that it may open, CLIENT=PARTITION, with `,read-only` and `,requests=NUMBER`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../start.h"
#include "novart/program.h"
#include "novart/service/block.h"
#include "server.h"

#define REQUESTS_MAX 65536u /* maximum number of requests that an argument may permit */

static struct nova_block *disk;
static struct table table;
static struct grant grants[GRANTS];
static unsigned grant_count;

static bool unreadable; /* a block could not be read; a later attempt may succeed */

static bool read_block(uint64_t block, void *to)
{
        const int error = nova_block_read(disk, block, 1, to);

        unreadable = unreadable || error;
        return !error;
}

/* Reads a number of requests in flight. 0 is refused, because it would mean no limit. */
static bool set_requests(struct grant *grant, const char *text)
{
        char *end;
        const unsigned long number = strtoul(text, &end, 10);

        grant->requests = (uint32_t)number;
        return *text >= '0' && *text <= '9' && !*end && number && number <= REQUESTS_MAX;
}

static bool set_option(struct grant *grant, const char *option)
{
        if (strncmp(option, "requests=", 9) == 0)
                return set_requests(grant, option + 9);
        if (strcmp(option, "read-only") == 0)
                grant->read_only = true;
        else
                return false;
        return true;
}

/* Reads CLIENT=PARTITION[,OPTION...]. Cuts the argument into its parts. */
static bool read_grant(char *argument)
{
        struct grant *grant = &grants[grant_count];
        char *partition = strchr(argument, '='), *option;

        if (!partition || partition == argument || grant_count == GRANTS) {
                printf("'%s' is not CLIENT=PARTITION, or there are more than %u of them.\n",
                       argument, GRANTS);
                return false;
        }
        *partition++ = '\0';
        option = strchr(partition, ',');
        if (option)
                *option++ = '\0';
        grant->client = argument;
        grant->partition = partition_find(&table, partition);
        if (!grant->partition) {
                printf("the disk has no partition '%s', which is for '%s'.\n", partition, argument);
                return false;
        }
        while (option) {
                char *next = strchr(option, ',');

                if (next)
                        *next++ = '\0';
                if (!set_option(grant, option)) {
                        printf("there is no option '%s'; there are read-only and "
                               "requests=NUMBER, with a number from 1 to %u.\n",
                               option, REQUESTS_MAX);
                        return false;
                }
                option = next;
        }
        grant_count++;
        return true;
}

static void tell_partition(const struct partition *partition)
{
        printf("%s %u, blocks %llu to %llu%s%s\n", table.kind, partition->number,
               (unsigned long long)partition->first,
               (unsigned long long)(partition->first + partition->count - 1),
               *partition->name ? " " : "", partition->name);
}

/* Reads the partition table. @return 0, or the status with which the program ends */
static int read_table(const char *service)
{
        const int error = nova_block_open(&disk, service, NULL, 0);
        const char *wrong;

        if (error) {
                printf("the service '%s' cannot be opened: %s.\n", service, strerror(error));
                return error == EACCES ? NOVA_EXIT_FINAL : EXIT_FAILURE;
        }

        const struct nova_block_info *info = nova_block_get_info(disk);
        const struct table_disk source = {info->blocks, info->block_bytes, read_block};

        wrong = table_read(&source, &table);
        table.identity = info->identity;
        nova_block_close(disk);
        if (wrong) {
                printf("'%s' has no usable partition table: %s%s\n", service, wrong,
                       unreadable ? "" : " Make one on the host with sfdisk.");
                return unreadable ? EXIT_FAILURE : NOVA_EXIT_FINAL;
        }
        if (table.note)
                printf("%s\n", table.note);
        for (unsigned i = 0; i < table.count; i++)
                tell_partition(&table.partition[i]);
        return 0;
}

int main(int argc, char **argv)
{
        int error;

        if (argc < 2 || !*argv[1]) {
                printf("write the service with the disk as the first argument.\n");
                return NOVA_EXIT_FINAL;
        }

        const int status = read_table(argv[1]);

        if (status)
                return status;
        for (int i = 2; i < argc; i++)
                if (!read_grant(argv[i]))
                        return NOVA_EXIT_FINAL;
        error = partitions_service_start(argv[1], &table, grants, grant_count);
        if (error) {
                start_failed(error);
                return 1;
        }
        nova_service_sleep();
}
