/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical memory that a description cannot give to a device (see memory.h). If a device had a
 * range of RAM, its program could access the memory of other programs, such as secure guests, and
 * boot modules, such as the machine's key. */
#include "memory.h"

#include <stddef.h>

/* Types 2 to 4 may contain registers and tables of the firmware, which drivers need. All types
 * below 0 are memory of the kernel, except the types that this function names.
 *
 * A program with PCI's configuration space can move the registers of each function and start its
 * DMA. A description may give the ports of this configuration space to a program, but never its
 * memory, not even on a machine with an I/O MMU. The device pci-config gives that memory to the
 * service pci. Its addresses depend on the machine, so nova_system_read() cannot detect that a
 * second program has the same memory. */
static const char *content_of(int32_t type)
{
        if (type == NOVA_MEM_AVAILABLE)
                return "RAM";
        if (type == NOVA_MEM_PCI)
                return "PCI's configuration space";
        if (type == NOVA_MEM_MODULE)
                return "a boot module";
        return type < 0 ? "the kernel's memory" : NULL;
}

const char *memory_content(const struct nova_hip *hip, uint64_t first, uint64_t last)
{
        struct nova_hip_mem mem;
        const char *content = NULL;

        for (unsigned i = 0; !content && nova_hip_get_mem(hip, i, &mem); i++)
                if (mem.size && mem.addr <= last && first < nova_hip_mem_end(&mem))
                        content = content_of(mem.type);
        return content;
}
