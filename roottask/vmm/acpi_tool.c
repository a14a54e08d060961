/* SPDX-License-Identifier: BSD-2-Clause */
/* The program nova-acpi, which runs on the host: `nova-acpi VCPUS` writes the ACPI tables of a PC
 * with VCPUS virtual CPUs to the standard output. novavmm writes the same bytes into a guest's
 * memory, and `nova seal` measures them. */
#include <stdio.h>
#include <stdlib.h>

#include "novavmm/acpi.h"

#define VCPUS_MAX 8
#define RAM_BYTES 0x100000u

int main(int argc, char **argv)
{
        static uint8_t ram[RAM_BYTES];
        const struct nova_guest_memory memory = {.base = ram, .bytes = RAM_BYTES};
        const unsigned long vcpus = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
        const struct nova_acpi_config config = {.vcpus = (unsigned)vcpus, .local_apics = true};
        size_t end = RAM_BYTES;

        if (!vcpus || vcpus > VCPUS_MAX) {
                fprintf(stderr, "nova-acpi: give the number of virtual CPUs, 1 to %d.\n",
                        VCPUS_MAX);
                return 2;
        }

        const uint64_t begin = nova_acpi_tables(&memory, &config);

        while (end > begin && !ram[end - 1])
                end--;
        return fwrite(ram + begin, 1, end - begin, stdout) != end - begin || fflush(stdout);
}
