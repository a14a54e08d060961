/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: exits and their handling. The guest reads the TSC itself and keeps the samples. */
#include "guest.h"
#include "bench.h"

#define SAMPLES 0x9000
#define VECTOR  0x80
#define PAGE    0x20

/* Repeats an operation between two readings of the TSC, then halts. EBP counts the repetitions, and
 * EDI points to the next sample. The operation must not change ESI. */
#define LOOP(operation)                        \
        "1: rdtsc; movl %eax, %esi;" operation \
        "; rdtsc; subl %esi, %eax; movl %eax, (%edi); addl $4, %edi; decl %ebp; jnz 1b; hlt"

GUEST(cpuid_32, 32, LOOP("cpuid"));
GUEST(port_32, 32, LOOP("outb %al, $0xe9"));
/* The handler of the interrupt begins with the second reading, so that IRET is not counted. */
GUEST(inject_32, 32,
      "1: sti; rdtsc; movl %eax, %esi; cpuid; 2: jmp 2b;"
      "3: rdtsc; subl %esi, %eax; movl %eax, (%edi); addl $4, %edi; addl $12, %esp; decl %ebp;"
      "jnz 1b; hlt");
/* The page is revoked while the guest halts. */
GUEST(memory_32, 32,
      "1: rdtsc; movl %eax, %esi; movl 0x20000, %ebx; rdtsc; subl %esi, %eax; movl %eax, (%edi);"
      "addl $4, %edi; hlt; jmp 1b");

static struct timed result;

static nova_mtd_t begin(const char *key, struct guest *g)
{
        const nova_mtd_t mtd = guest_flat(g);

        result = (struct timed){.key = key};
        trace_operation(&result);
        g->state->bp = WARM + ROUNDS;
        g->state->di = SAMPLES;
        g->state->ctrl[0] = 1u << 18; /* CPUID */
        g->state->ctrl[1] = 0;
        return mtd | NOVA_MTD_CTRL;
}

static void take_samples(const struct guest *g)
{
        const uint32_t *sample = (const uint32_t *)(const void *)(g->memory + SAMPLES);

        for (unsigned i = 0; i < ROUNDS; i++)
                result.sample[i] = sample[WARM + i];
}

/* Reports the median or the mean of the samples. figure() subtracts the cost of the readings, which
 * the guest's samples contain, too. */
static void report_guest(bool mean)
{
        result.mean = mean;
        report(result.key, figure(&result));
}

/* Measures an instruction of two bytes that exits to a portal. */
static void measure_exit(const char *key, const char *code, const char *end, enum guest_exit exit,
                         nova_mtd_t portal_mtd, const char *entry)
{
        const struct guest_portal own[] = {
                {exit, portal_mtd, server(boot_cpu), entry},
                {EXIT_RECALL, 0, server(boot_cpu), portal_echo},
        };
        struct guest *g = guest_new_portals(boot_cpu, code, end, own, 2);
        const nova_mtd_t mtd = begin(key, g);

        bench_recall = nova_hypercall_id(NOVA_EC_CTRL, 0, g->ec);
        guest_until(g, mtd, EXIT_HLT);
        take_samples(g);
        report_guest(false);
}

CASE_ON(guest, exits, "", needs_virtualization)
{
        const nova_mtd_t mtd = NOVA_MTD_ACDB | NOVA_MTD_BSD | NOVA_MTD_EIP | NOVA_MTD_STA;

        measure_exit("guest_cpuid", cpuid_32, cpuid_32_end, EXIT_CPUID, mtd, portal_skip);
        measure_exit("guest_port", port_32, port_32_end, EXIT_PORT,
                     NOVA_MTD_ACDB | NOVA_MTD_EIP | NOVA_MTD_QUAL, portal_skip);
        measure_exit("guest_recall", cpuid_32, cpuid_32_end, EXIT_CPUID, mtd, portal_recall);
}

CASE_ON(guest, injection, "", needs_virtualization)
{
        const struct guest_portal own = {EXIT_CPUID, NOVA_MTD_EIP | NOVA_MTD_INJ, server(boot_cpu),
                                         portal_inject};
        struct guest *g = guest_new_portals(boot_cpu, inject_32, inject_32_end, &own, 1);
        const word_t handler = GUEST_CODE + 9; /* after "2: jmp 2b" */
        const nova_mtd_t mtd = begin("guest_inject", g);
        uint64_t *idt = (uint64_t *)(void *)(g->memory + GUEST_IDT);

        idt[VECTOR] = (uint64_t)handler | (uint64_t)8 << 16 | (uint64_t)0x8e00 << 32;
        guest_until(g, mtd, EXIT_HLT);
        take_samples(g);
        report_guest(false);
}

CASE_ON(guest, memory, "", needs_virtualization)
{
        struct thread *pager = server(boot_cpu);
        const struct guest_portal own = {EXIT_MEMORY, NOVA_MTD_QUAL, pager, portal_pager};
        struct guest *g = guest_new_portals(boot_cpu, memory_32, memory_32_end, &own, 1);
        const word_t page = page_of(memory(0));
        nova_mtd_t mtd = begin("guest_memory", g);

        pager->utcb->word[nova_utcb_item_index(0)] = mem(page, 0, NOVA_MEM_RWX);
        pager->utcb->word[nova_utcb_item_index(0) + 1] =
                item_upper(NOVA_ITEM_DELEGATE | NOVA_ITEM_G, PAGE);
        guest_give(g, mem(page_of(memory(0)), 0, NOVA_MEM_R), PAGE + 1, NOVA_ITEM_G);
        for (unsigned i = 0; i < WARM + ROUNDS; i++) {
                guest_until(g, mtd, EXIT_HLT);
                hc_revoke(mem(page, 0, NOVA_MEM_RWX), 0);
                move_on(&result, i);
                g->state->ip++;
                mtd = NOVA_MTD_EIP;
        }
        take_samples(g);
        report_guest(true);
}
