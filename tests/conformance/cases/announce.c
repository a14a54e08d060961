/* SPDX-License-Identifier: BSD-2-Clause */
/* Extensions of the information page: command line, log and boot information of the kernel. */
#include "harness.h"

#define RW (NOVA_MEM_R | NOVA_MEM_W)

/* Maps read-only the memory that a descriptor names. Returns its address. */
static const char *map(const struct nova_hip_mem *m)
{
        const word_t first = (word_t)(m->addr >> NOVA_PAGE_BITS);
        const word_t last = (word_t)((m->addr + m->size - 1) >> NOVA_PAGE_BITS);
        const word_t page = page_alloc(4);
        EXPECT(last - first < 16);
        for (word_t i = 0; first + i <= last; i++) {
                request(mem(first + i, 0, NOVA_MEM_RWX), page + i);
                EXPECT_EQ(nova_crd_perms(look(NOVA_CRD_MEM, page + i)), NOVA_MEM_R);
        }
        return (const char *)(page << NOVA_PAGE_BITS) + m->addr % NOVA_PAGE_SIZE;
}

static bool contains(const char *text, size_t size, const char *word)
{
        for (size_t at = 0; at < size; at++) {
                size_t n = 0;
                while (word[n] && at + n < size && text[at + n] == word[n])
                        n++;
                if (!word[n])
                        return true;
        }
        return false;
}

static bool in_kernel_memory(const struct nova_hip_mem *m)
{
        for (unsigned at = hip->mem_offset; at < hip->length; at += hip->mem_size) {
                const struct nova_hip_mem *k = (const void *)((const char *)hip + at);
                if (k->type == NOVA_MEM_KERNEL && m->addr >= k->addr &&
                    m->addr + m->size <= k->addr + k->size)
                        return true;
        }
        return false;
}

CASE_ON(announce, the_command_line_is_a_string_in_kernel_memory, "X-BOOT", needs_boot_info)
{
        const struct nova_hip_mem *m = hip_mem(NOVA_MEM_CMDLINE);
        EXPECT(m && in_kernel_memory(m));
        const char *text = map(m);
        EXPECT(m->size >= 1);
        for (size_t i = 0; i < m->size - 1; i++)
                EXPECT(text[i] != 0);
        EXPECT_EQ(text[m->size - 1], 0);
        EXPECT(contains(text, m->size, "nova"));
}

CASE_ON(announce, the_boot_information_names_loader_and_times, "X-BOOT", needs_boot_info)
{
        const struct nova_hip_mem *m = hip_mem(NOVA_MEM_BOOT);
        EXPECT(m && in_kernel_memory(m));
        EXPECT(m->size >= offsetof(struct nova_boot, flaws));
        const struct nova_boot *boot = (const struct nova_boot *)(const void *)map(m);
        EXPECT_EQ(boot->size, m->size);
        EXPECT(boot->tsc_start < boot->tsc_zero);
        EXPECT(boot->tsc_zero - boot->tsc_start < tsc_per_ms() * 60000);
        EXPECT(boot->tsc_root > 0);
        EXPECT(boot->tsc_root < tsc());
        EXPECT(boot->loader[0] != 0);
        EXPECT_EQ(boot->loader[sizeof(boot->loader) - 1], 0);
}

/* Flaws of CPUs, and the words for each in the log. */
static const struct {
        uint32_t bit;
        const char *name;
} flaws[] = {
        {NOVA_FLAW_BRANCHES, "(Spectre v2)"}, {NOVA_FLAW_RETURNS, "(Retbleed)"},
        {NOVA_FLAW_HISTORY, "(BHI)"},         {NOVA_FLAW_STACK, "(SRSO)"},
        {NOVA_FLAW_MELTDOWN, " Meltdown"},    {NOVA_FLAW_L1TF, "(L1TF)"},
        {NOVA_FLAW_BUFFERS, "(MDS,"},         {NOVA_FLAW_LAZY_FPU, "(LazyFP)"},
        {NOVA_FLAW_GATHER, "(GDS)"},          {NOVA_FLAW_STORES, "(SSB)"},
        {NOVA_FLAW_MONITOR, "(VMSCAPE)"},     {NOVA_FLAW_TARGETS, "(ITS)"},
        {NOVA_FLAW_UPPER, "(Zenbleed)"},      {NOVA_FLAW_DIVIDER, "(DIV0)"},
        {NOVA_FLAW_RANDOM, "(SRBDS)"},
};

CASE_ON(announce, the_boot_information_names_the_flaws_of_the_cpus, "X-BOOT", needs_boot_info)
{
        const struct nova_hip_mem *m = hip_mem(NOVA_MEM_BOOT);
        const struct nova_boot *boot = (const struct nova_boot *)(const void *)map(m);
        EXPECT(m->size >= sizeof(struct nova_boot));
        EXPECT_EQ(boot->treated & ~boot->flaws, 0);
        uint32_t known = 0;
        /* The log names each of these flaws, too. */
        const struct nova_hip_mem *l = hip_mem(NOVA_MEM_LOG);
        const struct nova_log *log = (const struct nova_log *)(const void *)map(l);
        const char *ring = (const char *)log + log->offset;
        const uint32_t kept = log->written < log->size ? log->written : log->size;
        for (size_t i = 0; i < sizeof(flaws) / sizeof(flaws[0]); i++) {
                EXPECT_EQ(contains(ring, kept, flaws[i].name), !!(boot->flaws & flaws[i].bit));
                known |= flaws[i].bit;
        }
        EXPECT_EQ(boot->flaws & ~known, 0);
}

CASE_ON(announce, the_log_contains_the_kernels_output, "X-LOG", needs_log)
{
        const struct nova_hip_mem *m = hip_mem(NOVA_MEM_LOG);
        EXPECT(m && in_kernel_memory(m));
        EXPECT_EQ(m->addr % NOVA_PAGE_SIZE, 0);
        EXPECT_EQ(m->size % NOVA_PAGE_SIZE, 0);
        const struct nova_log *log = (const struct nova_log *)(const void *)map(m);
        EXPECT(log->size && !(log->size & (log->size - 1)));
        EXPECT(log->offset + log->size <= m->size);
        EXPECT(log->written > 0);
        const char *ring = (const char *)log + log->offset;
        const uint32_t kept = log->written < log->size ? log->written : log->size;
        for (uint32_t i = 0; i < kept; i++)
                EXPECT(ring[i] == '\n' || (ring[i] >= ' ' && ring[i] <= '~'));
        EXPECT(contains(ring, kept, cpu_count == 1 ? "NOVA: 1 CPU; TSC" : " CPUs; TSC"));
        for (size_t i = sizeof(*log); i < log->offset; i++)
                EXPECT_EQ(((const char *)log)[i], 0);
        for (size_t i = kept; i < log->size; i++)
                EXPECT_EQ(ring[i], 0);
}

CASE_ON(announce, the_log_cannot_be_written, "X-LOG", needs_log)
{
        char *page = (char *)(word_t)map(hip_mem(NOVA_MEM_LOG));
        EXPECT_EQ(probe_read(page), 0);
        EXPECT_EQ(probe_write(page, 0), 1);
}

/* The pages before and after the log belong to the kernel, unless the information page announces
 * them, too. */
CASE_ON(announce, no_page_beside_the_log_can_be_requested, "X-LOG", needs_log)
{
        const struct nova_hip_mem *m = hip_mem(NOVA_MEM_LOG), *b = hip_mem(NOVA_MEM_BOOT);
        const word_t first = (word_t)(m->addr >> NOVA_PAGE_BITS);
        const word_t behind = first + (word_t)(m->size >> NOVA_PAGE_BITS);
        const word_t beside[] = {first - 1, behind};
        for (unsigned i = 0; i < 2; i++) {
                const word_t page = page_alloc(0);
                request(mem(beside[i], 0, RW), page);
                EXPECT(look(NOVA_CRD_MEM, page) == 0 ||
                       (b && beside[i] == b->addr >> NOVA_PAGE_BITS));
        }
}

CASE_ON(announce, the_log_is_seen_by_others_only_if_the_root_delegates_it, "X-LOG", needs_log)
{
        struct thread *t = child_server(child_new(boot_cpu));
        const word_t page = page_alloc(0);
        EXPECT_EQ(remote_read(t, page << NOVA_PAGE_BITS), 1);
        const char *log = map(hip_mem(NOVA_MEM_LOG));
        give(t, mem(page_of(log), 0, NOVA_MEM_RWX), page);
        EXPECT_EQ(remote_read(t, page << NOVA_PAGE_BITS), 0);
        EXPECT_EQ(remote_write(t, page << NOVA_PAGE_BITS, 0), 1);
}

static const char *need_names_in_log(void)
{
        const char *lacks = needs_log();
        return lacks ? lacks : needs_names();
}

static void dies(struct thread *t)
{
        (void)t;
        raise_ud();
}

CASE_ON(announce, the_end_of_a_thread_with_a_name_is_reported, "X-NAME X-LOG", need_names_in_log)
{
        struct thread *t = global(boot_cpu, dies, NULL);
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, t->ec),
                         NOVA_EXT_NAME_SET, 0, 0, 0};
        const char name[NOVA_NAME_SIZE] = "vi\001tim";
        for (unsigned i = 0; i < NOVA_NAME_SIZE; i++)
                ((char *)(i < sizeof(word_t) ? &a.a3 : &a.a4))[i % sizeof(word_t)] = name[i];
        EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        const struct nova_log *log =
                (const struct nova_log *)(const void *)map(hip_mem(NOVA_MEM_LOG));
        const char *ring = (const char *)log + log->offset;
        EXPECT(!contains(ring, log->size, "'vi?tim'"));
        event_remove(t, NOVA_EXC_UD);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT(contains(ring, log->size, "'vi?tim' of PD '"));
}
