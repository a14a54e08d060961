/* SPDX-License-Identifier: BSD-2-Clause */
/* The service partitions, for a program that contains it. */
#ifndef NOVART_PARTITIONS_SERVER_H
#define NOVART_PARTITIONS_SERVER_H

#include "novart/service.h"
#include "table.h"

#define GRANTS 32 /* maximum number of grants */

/* A partition that a client may open. */
struct grant {
        const char *client; /* its name in the description */
        const struct partition *partition;
        uint32_t requests; /* maximum number of requests at once; 0: the disk's maximum */
        bool read_only;
};

/* Starts the service for a disk, which the service @p disk provides.
 * @return 0 or an errno value */
int partitions_service_start(const char *disk, const struct table *of, const struct grant *list,
                             unsigned count);

/* Returns the partition with a number or a name, or NULL. */
const struct partition *partition_find(const struct table *of, const char *text);

#endif
