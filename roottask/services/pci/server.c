/* SPDX-License-Identifier: BSD-2-Clause */
/* The service pci: describes the functions that its scan has found, and reads their registers. */
#include "server.h"

#include <errno.h>
#include <stdio.h>

#include "config.h"
#include "scan.h"

#define FUNCTIONS_MAX 256

static struct nova_pci_function functions[FUNCTIONS_MAX]; /* fixed once the service has started */
static unsigned function_count;

static int describe(struct nova_request *request)
{
        if (request->word[0] >= function_count)
                return ENOENT;
        nova_request_answer_bytes(request, &functions[request->word[0]], sizeof(functions[0]));
        return 0;
}

static int read_register(struct nova_request *request)
{
        const nova_word_t address = request->word[0], offset = request->word[1];
        const nova_word_t bytes = request->word[2];

        if ((bytes != 1 && bytes != 2 && bytes != 4) || offset % bytes || offset >= CONFIG_BYTES)
                return EINVAL;
        if (address > UINT16_MAX || !scan_find(functions, function_count, (uint16_t)address))
                return ENOENT;
        if (!config_reaches((uint16_t)address, (unsigned)offset))
                return ENOTSUP;

        const uint32_t value = config_read((uint16_t)address, (unsigned)offset & ~3u);

        nova_request_answer(request, value >> offset % 4 * 8 & (UINT32_MAX >> (32 - 8 * bytes)));
        return 0;
}

int pci_service_start(void)
{
        static const struct nova_service_operation operations[] = {
                {describe, 1, 1, false},
                {read_register, 3, 3, false},
        };
        const struct nova_service_config config = {
                .name = "pci",
                .operations = operations,
                .operation_count = sizeof(operations) / sizeof(operations[0]),
        };

        function_count = scan_buses(functions, FUNCTIONS_MAX);
        if (function_count > FUNCTIONS_MAX) {
                printf("pci: the machine has %u functions; those after the first %u are ignored.\n",
                       function_count, FUNCTIONS_MAX);
                function_count = FUNCTIONS_MAX;
        }
        return nova_service_start(NULL, &config);
}
