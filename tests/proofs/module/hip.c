/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a hypervisor information page with arbitrary content, except for the offsets and sizes in
 * main(). */
#include "nova/hip.h"
#include "../driver.h"

#define CPU_END offsetof(struct nova_hip, cpu)

static char page[NOVA_PAGE_SIZE];

/* Reads a page of @p length bytes whose arrays begin at the offsets @p cpu and @p mem and have
 * descriptors of @p stride bytes. */
static void read(unsigned cpu, unsigned mem, unsigned stride, unsigned length)
{
        struct nova_hip *hip = (struct nova_hip *)page;
        struct nova_hip_cpu cpu_read;
        struct nova_hip_mem mem_read;
        unsigned cursor = any_u32(), number = 0;

        Frama_C_make_unknown(page, sizeof(page));
        hip->cpu_offset = (uint16_t)cpu;
        hip->cpu_size = (uint16_t)stride;
        hip->mem_offset = (uint16_t)mem;
        hip->mem_size = (uint16_t)stride;
        hip->length = (uint16_t)length;
        nova_hip_valid(hip);
        nova_hip_get_cpu(hip, any_u32(), &cpu_read);
        nova_hip_get_mem(hip, any_u32(), &mem_read);
        nova_hip_next_cpu(hip, &cursor, &number);
        nova_hip_get_module(hip, any_u32(), &mem_read);
}

int main(void)
{
        read(CPU_END, 1000, 0, 1100);
        read(CPU_END, 1000, sizeof(struct nova_hip_mem) - 1, 1100);
        read(CPU_END, 1000, sizeof(struct nova_hip_mem), 1100);
        read(CPU_END, 1001, sizeof(struct nova_hip_mem) + 1, NOVA_PAGE_SIZE);
        read(0, NOVA_PAGE_SIZE - 1, 64, NOVA_PAGE_SIZE + 1);
        read(UINT16_MAX, UINT16_MAX, UINT16_MAX, UINT16_MAX);
        read(NOVA_PAGE_SIZE, NOVA_PAGE_SIZE, 1, 0);
        read(NOVA_PAGE_SIZE - 1, 0, 24, UINT16_MAX);
        return 0;
}
