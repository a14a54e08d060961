/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of hypercalls of enlightened guests, and calls that a monitor adds (see novavmm/hv.h).
 * TLFS, appendix A lists the codes. */
#include <errno.h>
#include <string.h>

#include "hv/page.h"
#include "hv/registers.h"
#include "hv/set.h"
#include "hv/synic.h"

/* Privileges that no guest has: bits of EBX of CPUID leaf 0x40000003, TLFS 4.2.2. */
#define PARENT(bit)       (UINT64_C(1) << (32 + (bit)))
#define CREATE_PARTITIONS PARENT(0)
#define PARTITION_ID      PARENT(1)
#define MEMORY_POOL       PARENT(2)
#define CREATE_PORT       PARENT(6)
#define CONNECT_PORT      PARENT(7)
#define STATISTICS        PARENT(8)
#define DEBUGGING         PARENT(11)
#define CPU_MANAGEMENT    PARENT(12)
#define VSM               PARENT(16)

/* Maximum number of addresses in a list that are handled before the guest runs again. The addresses
 * are not read, because a flush discards all translations. */
#define FLUSH_SLICE     256
#define FLUSH_SET_SLICE 128 /* the set is read again for each address */
/* Maximum number of registers in a list that are handled before the guest runs again. A read
 * costs at most one hypercall of the kernel. A write may move an overlay page, which costs two. */
#define GET_SLICE 32
#define SET_SLICE 4

/* A long spin wait needs no action: the quantum of the virtual CPU's SC ends in any case. */
static enum nova_hv_status notify_long_spin_wait(const struct nova_hv_action *action)
{
        (void)action;
        return NOVA_HV_SUCCESS;
}

/* Returns the set of extended calls of the TLFS that the library has. It is empty, so the output
 * stays 0. */
static enum nova_hv_status query_extended_capabilities(const struct nova_hv_action *action)
{
        (void)action;
        return NOVA_HV_SUCCESS;
}

/* A call that only a parent or root partition may make. No guest is such a partition. */
#define PARENT_CALL(number, needed, words)                               \
        {                                                                \
                .code = (number), .privilege = (needed), .name = (words) \
        }

const struct nova_hv_call nova_hv_calls[] = {
        PARENT_CALL(0x0001, MEMORY_POOL, "switch virtual address space"),
        {.code = 0x0002,
         .input = 24,
         .fast = true,
         .function = novavmm_hv_flush,
         .name = "flush virtual address space"},
        {.code = 0x0003,
         .input = 24,
         .input_element = 8,
         .slice = FLUSH_SLICE,
         .rep = true,
         .fast = true,
         .function = novavmm_hv_flush,
         .name = "flush virtual address list"},
        PARENT_CALL(0x0004, CPU_MANAGEMENT, "get logical processor run time"),
        {.code = 0x0008,
         .input = 8,
         .fast = true,
         .function = notify_long_spin_wait,
         .name = "notify long spin wait"},
        PARENT_CALL(0x0009, CPU_MANAGEMENT, "park virtual processors"),
        {.code = 0x000b,
         .input = 16,
         .fast = true,
         .function = novavmm_hv_ipi,
         .name = "send IPI to a cluster"},
        PARENT_CALL(0x000c, VSM, "modify protection mask of a trust level"),
        PARENT_CALL(0x000d, VSM, "enable trust level of a partition"),
        PARENT_CALL(0x000e, VSM, "disable trust level of a partition"),
        PARENT_CALL(0x000f, VSM, "enable trust level of a virtual processor"),
        PARENT_CALL(0x0010, VSM, "disable trust level of a virtual processor"),
        PARENT_CALL(0x0011, VSM, "call a trust level"),
        PARENT_CALL(0x0012, VSM, "return from a trust level"),
        {.code = 0x0013,
         .input = 32,
         .variable = true,
         .fast = true,
         .function = novavmm_hv_flush_set,
         .name = "flush virtual address space, of a set"},
        {.code = 0x0014,
         .input = 32,
         .input_element = 8,
         .slice = FLUSH_SET_SLICE,
         .rep = true,
         .variable = true,
         .fast = true,
         .function = novavmm_hv_flush_set,
         .name = "flush virtual address list, of a set"},
        {.code = 0x0015,
         .input = 24,
         .variable = true,
         .fast = true,
         .function = novavmm_hv_ipi_set,
         .name = "send IPI to a set"},
        PARENT_CALL(0x0040, CREATE_PARTITIONS, "create partition"),
        PARENT_CALL(0x0041, CREATE_PARTITIONS, "initialize partition"),
        PARENT_CALL(0x0042, CREATE_PARTITIONS, "finalize partition"),
        PARENT_CALL(0x0043, CREATE_PARTITIONS, "delete partition"),
        PARENT_CALL(0x0044, CREATE_PARTITIONS, "get partition property"),
        PARENT_CALL(0x0045, CREATE_PARTITIONS, "set partition property"),
        PARENT_CALL(0x0046, PARTITION_ID, "get partition ID"),
        PARENT_CALL(0x0047, CREATE_PARTITIONS, "get next child partition"),
        PARENT_CALL(0x0048, MEMORY_POOL, "deposit memory"),
        PARENT_CALL(0x0049, MEMORY_POOL, "withdraw memory"),
        PARENT_CALL(0x004a, MEMORY_POOL, "get memory balance"),
        PARENT_CALL(0x004b, CREATE_PARTITIONS, "map guest-physical pages"),
        PARENT_CALL(0x004c, CREATE_PARTITIONS, "unmap guest-physical pages"),
        PARENT_CALL(0x004d, CREATE_PARTITIONS, "install intercept"),
        PARENT_CALL(0x004e, CREATE_PARTITIONS, "create virtual processor"),
        PARENT_CALL(0x004f, CREATE_PARTITIONS, "delete virtual processor"),
        {.code = 0x0050,
         .input = 16,
         .input_element = 4,
         .output_element = 16,
         .slice = GET_SLICE,
         .rep = true,
         .privilege = NOVA_HV_PRIVILEGE_VP_REGISTERS,
         .function = novavmm_hv_get_register,
         .name = "get registers of a virtual processor"},
        {.code = 0x0051,
         .input = 16,
         .input_element = 32,
         .slice = SET_SLICE,
         .rep = true,
         .privilege = NOVA_HV_PRIVILEGE_VP_REGISTERS,
         .function = novavmm_hv_set_register,
         .name = "set registers of a virtual processor"},
        PARENT_CALL(0x0052, CREATE_PARTITIONS, "translate virtual address"),
        PARENT_CALL(0x0053, CREATE_PARTITIONS, "read guest-physical memory"),
        PARENT_CALL(0x0054, CREATE_PARTITIONS, "write guest-physical memory"),
        PARENT_CALL(0x0056, CREATE_PARTITIONS, "clear virtual interrupt"),
        PARENT_CALL(0x0058, CREATE_PORT, "delete port"),
        PARENT_CALL(0x0059, CONNECT_PORT, "connect port"),
        PARENT_CALL(0x005a, CREATE_PORT, "get port property"),
        PARENT_CALL(0x005b, CONNECT_PORT, "disconnect port"),
        {.code = 0x005c,
         .input = 256,
         .privilege = NOVA_HV_PRIVILEGE_POST_MESSAGES,
         .function = novavmm_hv_post,
         .name = "post message"},
        {.code = 0x005d,
         .input = 8,
         .fast = true,
         .privilege = NOVA_HV_PRIVILEGE_SIGNAL_EVENTS,
         .function = novavmm_hv_signal,
         .name = "signal event"},
        PARENT_CALL(0x005e, CREATE_PARTITIONS, "save partition state"),
        PARENT_CALL(0x005f, CREATE_PARTITIONS, "restore partition state"),
        PARENT_CALL(0x0069, DEBUGGING, "post debug data"),
        PARENT_CALL(0x006a, DEBUGGING, "retrieve debug data"),
        PARENT_CALL(0x006b, DEBUGGING, "reset debug session"),
        PARENT_CALL(0x006c, STATISTICS, "map page of statistics"),
        PARENT_CALL(0x006d, STATISTICS, "unmap page of statistics"),
        PARENT_CALL(0x0076, CPU_MANAGEMENT, "add logical processor"),
        PARENT_CALL(0x0077, CPU_MANAGEMENT, "remove logical processor"),
        {.code = 0x8001,
         .output = 8,
         .fast = true,
         .privilege = NOVA_HV_PRIVILEGE_EXTENDED_CALLS,
         .function = query_extended_capabilities,
         .name = "query extended capabilities"},
        {.code = 0},
};

int nova_hv_init(struct nova_hv *hv, struct nova_guest_memory *memory, uint64_t privileges)
{
        if (privileges & NOVA_HV_PRIVILEGES_OF_PARENT)
                return EINVAL;
        memset(hv, 0, sizeof(*hv));
        hv->memory = memory;
        hv->vcpus = 1;
        hv->privileges = privileges;
        for (unsigned i = 0; i < NOVA_HV_VPS; i++)
                for (unsigned n = 0; n < NOVA_HV_SOURCES; n++)
                        hv->vp[i].synic.source[n] = NOVAVMM_HV_SOURCE_MASKED;
        return 0;
}

const struct nova_hv_call *nova_hv_find(const struct nova_hv *hv, uint16_t code)
{
        unsigned low = 0, high = sizeof(nova_hv_calls) / sizeof(*nova_hv_calls) - 1;

        while (low < high) {
                const unsigned middle = (low + high) / 2;

                if (nova_hv_calls[middle].code == code)
                        return &nova_hv_calls[middle];
                if (nova_hv_calls[middle].code < code)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (unsigned i = 0; i < hv->owns; i++)
                if (hv->own[i]->code == code)
                        return hv->own[i];
        return NULL;
}

static bool call_is_valid(const struct nova_hv_call *call)
{
        const bool elements = call->input_element || call->output_element;

        return call->code && call->function && call->rep == elements &&
               call->input <= NOVA_HV_BLOCK_MAX && call->input_element <= NOVA_HV_BLOCK_MAX &&
               call->output <= NOVA_HV_BLOCK_MAX && call->output_element <= NOVA_HV_BLOCK_MAX;
}

int nova_hv_add(struct nova_hv *hv, const struct nova_hv_call *call)
{
        if (!call_is_valid(call))
                return EINVAL;
        if (nova_hv_find(hv, call->code))
                return EEXIST;
        if (hv->owns == NOVA_HV_OWN_CALLS)
                return ENOSPC;
        hv->own[hv->owns++] = call;
        return 0;
}

const char *nova_hv_status_text(enum nova_hv_status status)
{
        switch (status) {
#define STATUS_CASE(number, name, words) \
        case NOVA_HV_##name:             \
                return words;
                NOVA_HV_STATUSES(STATUS_CASE)
#undef STATUS_CASE
        }
        return "unknown status";
}
