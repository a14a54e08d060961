/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor information page. */
#include "harness.h"

static unsigned mem_count(void)
{
        return (unsigned)(hip->length - hip->mem_offset) / hip->mem_size;
}

static const struct nova_hip_mem *mem_at(unsigned i)
{
        return (const void *)((const char *)hip + hip->mem_offset + i * hip->mem_size);
}

static const struct nova_hip_mem *mem_of(int type)
{
        for (unsigned i = 0; i < mem_count(); i++) {
                if (mem_at(i)->type == type)
                        return mem_at(i);
        }
        return NULL;
}

static bool covered_by_available(const struct nova_hip_mem *range)
{
        for (unsigned i = 0; i < mem_count(); i++) {
                const struct nova_hip_mem *m = mem_at(i);
                if (m->type == NOVA_MEM_AVAILABLE && m->addr <= range->addr &&
                    m->addr + m->size >= range->addr + range->size)
                        return true;
        }
        return false;
}

CASE(hip, the_signature_reads_NOVA, "6.2-01")
{
        EXPECT_EQ(hip->signature, 0x41564f4e);
}

CASE(hip, the_sum_of_all_16_bit_words_is_zero, "6.2-02")
{
        const uint16_t *p = (const uint16_t *)hip;
        uint16_t sum = 0;
        EXPECT_EQ(hip->length % 2, 0);
        for (unsigned i = 0; i < hip->length / 2u; i++)
                sum = (uint16_t)(sum + p[i]);
        EXPECT_EQ(sum, 0);
}

CASE(hip, the_length_covers_all_descriptors_and_stays_inside_the_page, "6.2-03")
{
        EXPECT(hip->length > hip->mem_offset);
        EXPECT(hip->length <= NOVA_PAGE_SIZE);
        EXPECT_EQ((hip->length - hip->mem_offset) % hip->mem_size, 0);
}

CASE(hip, the_cpu_array_begins_at_0x38_with_descriptors_of_8_bytes, "6.2-04 6.2-05")
{
        EXPECT_EQ(hip->cpu_offset, 0x38);
        EXPECT_EQ(hip->cpu_size, 8);
}

CASE(hip, the_memory_array_begins_at_0x238_with_descriptors_of_24_bytes, "6.2-06 6.2-07 C-02")
{
        EXPECT_EQ(hip->mem_offset, 0x238);
        EXPECT_EQ(hip->mem_size, 24);
}

CASE(hip, the_feature_flags_name_at_most_one_kind_of_virtualization, "6.2-08")
{
        EXPECT((hip->features & (NOVA_HIP_VMX | NOVA_HIP_SVM)) != (NOVA_HIP_VMX | NOVA_HIP_SVM));
        EXPECT_EQ(hip->features & 1, 0);
}

CASE(hip, the_api_version_is_5, "6.2-11")
{
        EXPECT_EQ(hip->version, NOVA_HIP_VERSION);
}

CASE(hip, the_number_of_object_selectors_is_that_of_the_architecture, "6.2-12")
{
        EXPECT_EQ(hip->sel, (word_t)1 << NOVA_SEL_ORDER);
}

CASE(hip, there_are_32_exception_and_256_intercept_selectors, "6.2-14 6.2-15")
{
        EXPECT_EQ(hip->exc, 32);
        EXPECT_EQ(hip->vmi, 256);
}

CASE(hip, there_are_128_global_system_interrupts, "6.2-16")
{
        EXPECT_EQ(hip->gsi, 128);
}

CASE(hip, pages_of_4_KiB_are_announced, "6.2-17 D-33")
{
        EXPECT(hip->page_sizes & 1u << 12);
        EXPECT_EQ(hip->page_sizes & 0xfff, 0);
}

CASE(hip, utcbs_of_4_KiB_are_announced, "6.2-18")
{
        EXPECT_EQ(hip->utcb_sizes, 1u << 12);
}

CASE(hip, the_tsc_and_bus_frequencies_are_plausible, "6.2-19 6.2-20")
{
        EXPECT(hip->tsc_khz > 10000 && hip->tsc_khz < 20000000);
        EXPECT(hip->bus_khz > 1000 && hip->bus_khz < 20000000);
}

CASE(hip, there_are_64_cpu_descriptors, "6.2-21 C-01")
{
        EXPECT_EQ((hip->mem_offset - hip->cpu_offset) / hip->cpu_size, 64);
}

CASE(hip, the_boot_cpu_is_marked_enabled, "6.2-22 6.2-24")
{
        EXPECT(boot_cpu < NOVA_CPU_MAX);
        EXPECT(hip->cpu[boot_cpu].flags & NOVA_CPU_ENABLED);
}

CASE(hip, the_other_flag_bits_and_reserved_bytes_of_cpu_descriptors_are_zero, "6.2-25")
{
        for (unsigned i = 0; i < NOVA_CPU_MAX; i++) {
                EXPECT_EQ(hip->cpu[i].flags & ~NOVA_CPU_ENABLED, 0);
                for (unsigned n = 0; n < 4; n++)
                        EXPECT_EQ(hip->cpu[i].reserved[n], 0);
        }
}

CASE(hip, a_disabled_cpu_descriptor_is_all_zero, "6.2-24")
{
        for (unsigned i = 0; i < NOVA_CPU_MAX; i++) {
                const struct nova_hip_cpu *c = &hip->cpu[i];
                if (!(c->flags & NOVA_CPU_ENABLED))
                        EXPECT_EQ(c->thread | c->core | c->package, 0);
        }
}

CASE_ON(hip, no_two_cpus_have_the_same_thread_core_and_package, "6.2-26 6.2-27 6.2-28",
        needs_2_cpus)
{
        for (unsigned i = 0; i < cpu_count; i++) {
                for (unsigned n = 0; n < i; n++) {
                        const struct nova_hip_cpu *a = &hip->cpu[cpu_numbers[i]];
                        const struct nova_hip_cpu *b = &hip->cpu[cpu_numbers[n]];
                        EXPECT(a->thread != b->thread || a->core != b->core ||
                               a->package != b->package);
                }
        }
}

CASE(hip, the_first_module_is_the_roottask_image_at_a_page,
     "6.2-29 6.2-30 6.2-31 6.2-32 6.2-34 C-03")
{
        const struct nova_hip_mem *m = mem_of(NOVA_MEM_MODULE);
        EXPECT(m != NULL);
        EXPECT(m->size > NOVA_PAGE_SIZE);
        const word_t page = page_alloc(0);
        request(mem((word_t)(m->addr >> NOVA_PAGE_BITS), 0, NOVA_MEM_R), page);
        const uint32_t *p =
                (const uint32_t *)((page << NOVA_PAGE_BITS) + (word_t)m->addr % NOVA_PAGE_SIZE);
        EXPECT_EQ(*p, 0x464c457f);
}

CASE(hip, the_auxiliary_field_of_a_module_is_the_address_of_its_command_line, "6.2-33 C-04")
{
        const struct nova_hip_mem *m = mem_of(NOVA_MEM_MODULE);
        EXPECT(m != NULL);
        EXPECT(m->aux != 0);
        const word_t page = page_alloc(1);
        request(mem(m->aux >> NOVA_PAGE_BITS, 0, NOVA_MEM_R), page);
        request(mem((m->aux >> NOVA_PAGE_BITS) + 1, 0, NOVA_MEM_R), page + 1);
        const char *s = (const char *)((page << NOVA_PAGE_BITS) + m->aux % NOVA_PAGE_SIZE);
        for (unsigned i = 0; i < 256 && s[i]; i++)
                EXPECT(s[i] >= ' ' && s[i] <= '~');
}

CASE(hip, a_range_belongs_to_the_microhypervisor, "6.2-35 C-02")
{
        unsigned n = 0;
        for (unsigned i = 0; i < mem_count(); i++)
                n += mem_at(i)->type == NOVA_MEM_KERNEL;
        EXPECT(n >= 1);
        EXPECT(mem_of(NOVA_MEM_KERNEL)->size >= 0x10000);
}

CASE(hip, available_and_reserved_memory_is_listed, "6.2-36 6.2-37 C-02")
{
        EXPECT(mem_of(NOVA_MEM_AVAILABLE) != NULL);
        EXPECT(mem_of(NOVA_MEM_RESERVED) != NULL);
}

static const char *needs_acpi_memory(void)
{
        return mem_of(NOVA_MEM_ACPI_RECLAIM) ? NULL : "needs a firmware that lists its ACPI tables";
}

static const char *needs_nvs_memory(void)
{
        return mem_of(NOVA_MEM_ACPI_NVS) ? NULL : "needs a firmware that lists its own ACPI memory";
}

static bool begins(const char *at, const char *name)
{
        for (unsigned i = 0; i < 4; i++) {
                if (at[i] != name[i])
                        return false;
        }
        return true;
}

/* Maps the page at a physical address, and the page after it. */
static const char *two_pages(uint64_t address)
{
        const word_t page = page_alloc(1);
        for (word_t i = 0; i < 2; i++)
                request(mem((word_t)(address >> NOVA_PAGE_BITS) + i, 0, NOVA_MEM_R), page + i);
        return look(NOVA_CRD_MEM, page) ? (const char *)(page << NOVA_PAGE_BITS) : NULL;
}

/* Finds an ACPI table in memory of type 3. */
static const char *find_table(const char *name)
{
        for (unsigned i = 0; i < mem_count(); i++) {
                const struct nova_hip_mem *m = mem_at(i);
                if (m->type != NOVA_MEM_ACPI_RECLAIM)
                        continue;
                for (uint64_t at = 0; at < m->size && at < 256 * NOVA_PAGE_SIZE;
                     at += NOVA_PAGE_SIZE) {
                        const char *page = two_pages(m->addr + at);
                        for (unsigned n = 0; page && n < NOVA_PAGE_SIZE; n += 4) {
                                if (begins(page + n, name))
                                        return page + n;
                        }
                }
        }
        return NULL;
}

CASE_ON(hip, memory_of_type_3_holds_the_acpi_tables, "6.2-38", needs_acpi_memory)
{
        EXPECT(find_table("FACP") != NULL);
}

/* Offset of the FACS's address in the fixed table (FACP). The firmware and the system share the
 * FACS. */
#define FACP_FACS 36

CASE_ON(hip, memory_of_type_4_holds_what_the_firmware_keeps, "6.2-39", needs_nvs_memory)
{
        const char *facp = find_table("FACP");
        bool inside = false;
        EXPECT(facp != NULL);
        const uint32_t facs = *(const uint32_t *)(const void *)(facp + FACP_FACS);
        for (unsigned i = 0; i < mem_count(); i++) {
                const struct nova_hip_mem *m = mem_at(i);
                inside |=
                        m->type == NOVA_MEM_ACPI_NVS && facs >= m->addr && facs < m->addr + m->size;
        }
        EXPECT(inside);
        EXPECT(begins(two_pages(facs) + facs % NOVA_PAGE_SIZE, "FACS"));
}

CASE(hip, virtual_cpus_are_announced_if_and_only_if_they_can_be_made, "6.2-09 6.2-10")
{
        const uint32_t announced = hip->features & (NOVA_HIP_VMX | NOVA_HIP_SVM);
        const nova_sel_t ec = sel_alloc(0);
        uint32_t intel[4], amd[4];
        const word_t status = hc_create_ec(ec, ROOT_PD, boot_cpu, 0, 0, NOVA_EC_GLOBAL);
        EXPECT_EQ(status, announced ? NOVA_SUCCESS : NOVA_BAD_FTR);
        cpuid(1, 0, intel);
        cpuid(0x80000001, 0, amd);
        EXPECT(!(announced & NOVA_HIP_VMX) || intel[2] & 1u << 5);
        EXPECT(!(announced & NOVA_HIP_SVM) || amd[2] & 1u << 2);
}

CASE(hip, available_ranges_do_not_overlap_each_other, "6.2-36")
{
        for (unsigned i = 0; i < mem_count(); i++) {
                for (unsigned n = 0; n < i; n++) {
                        const struct nova_hip_mem *a = mem_at(i), *b = mem_at(n);
                        if (a->type == NOVA_MEM_AVAILABLE && b->type == NOVA_MEM_AVAILABLE)
                                EXPECT(a->addr + a->size <= b->addr ||
                                       b->addr + b->size <= a->addr);
                }
        }
}

CASE(hip, kernel_and_modules_lie_in_available_memory, "6.2-40")
{
        EXPECT(covered_by_available(mem_of(NOVA_MEM_KERNEL)));
        EXPECT(covered_by_available(mem_of(NOVA_MEM_MODULE)));
}

CASE(hip, the_page_cannot_be_written, "6.1.2.1-03")
{
        self->exec_target = 0;
        EXPECT_EQ(probe_read(hip), 0);
        EXPECT_EQ(probe_write((void *)(word_t)hip, 0), 1);
        EXPECT_EQ(self->event, NOVA_EXC_PF);
}

CASE(hip, another_pd_sees_the_page_only_after_its_delegation, "D-34")
{
        struct thread *t = child_server(child_new(boot_cpu));
        const word_t page = page_alloc(0);
        EXPECT_EQ(remote_read(t, (word_t)hip), 1);
        give(t, mem(page_of(hip), 0, NOVA_MEM_R), page);
        EXPECT_EQ(remote_read(t, page << NOVA_PAGE_BITS), 0);
        EXPECT_EQ(remote_write(t, page << NOVA_PAGE_BITS, 0), 1);
}
