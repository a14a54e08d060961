/* SPDX-License-Identifier: BSD-2-Clause */
/* Resources of the microhypervisor, requested with the H bit. */
#include "harness.h"

#define LAPIC_PAGE 0xfee00

static const struct nova_hip_mem *kernel_range(void)
{
        for (unsigned at = hip->mem_offset; at < hip->length; at += hip->mem_size) {
                const struct nova_hip_mem *m = (const void *)((const char *)hip + at);
                if (m->type == NOVA_MEM_KERNEL)
                        return m;
        }
        EXPECT(!"a range of the microhypervisor");
        return NULL;
}

/* Requests one frame. Returns whether it became a mapping. */
static bool got(word_t frame)
{
        const word_t page = page_alloc(0);
        request(mem(frame, 0, NOVA_MEM_RWX), page);
        return look(NOVA_CRD_MEM, page) != 0;
}

/* Returns true for a kernel page that an extension lets the root PD read. */
static bool is_announced(word_t page)
{
        for (int type = NOVA_MEM_CMDLINE; type >= NOVA_MEM_BOOT; type--) {
                const struct nova_hip_mem *m = hip_mem(type);
                if (m && page >= m->addr >> NOVA_PAGE_BITS &&
                    page <= (m->addr + m->size - 1) >> NOVA_PAGE_BITS)
                        return true;
        }
        return false;
}

CASE(resource, available_memory_can_be_requested, "6.1.1-01 4.6.2.2-20 C-08 C-10")
{
        volatile word_t *p = (volatile word_t *)memory(0);
        *p = 17;
        EXPECT_EQ(*p, 17);
}

CASE(resource, the_result_descriptor_names_the_destination, "4.6.2.2-18 4.6.2.2-20")
{
        word_t frame;
        if (!frame_alloc(0, &frame))
                NOT_RAISED("no unused memory");
        const word_t page = page_alloc(0);
        EXPECT_EQ(request(mem(frame, 0, NOVA_MEM_R | NOVA_MEM_W), page),
                  mem(page, 0, NOVA_MEM_R | NOVA_MEM_W));
        EXPECT_EQ(look(NOVA_CRD_MEM, page), mem(page, 0, NOVA_MEM_R | NOVA_MEM_W));
}

CASE(resource, no_page_of_the_kernels_range_can_be_requested, "6.1.1-03")
{
        const struct nova_hip_mem *k = kernel_range();
        const word_t first = (word_t)(k->addr >> NOVA_PAGE_BITS);
        const word_t count = (word_t)(k->size >> NOVA_PAGE_BITS);
        EXPECT(!got(first));
        for (word_t i = 1; i < count; i += count / 13 + 1)
                EXPECT(!got(first + i) || is_announced(first + i));
        EXPECT(!got(first + count - 1) || is_announced(first + count - 1));
}

CASE(resource, a_range_around_the_kernel_gives_only_memory_that_is_not_the_kernels,
     "6.1.1-03 3.5-07")
{
        const struct nova_hip_mem *k = kernel_range();
        const word_t first = (word_t)(k->addr >> NOVA_PAGE_BITS), order = 13;
        const word_t base = first & ~(((word_t)1 << order) - 1), page = page_alloc(13);
        request(mem(base, (unsigned)order, NOVA_MEM_R), page);
        EXPECT_EQ(look(NOVA_CRD_MEM, page + (first - base)), 0);
        EXPECT_EQ(probe_read((void *)((page + first - base) << NOVA_PAGE_BITS)), 1);
        hc_revoke(mem(page, (unsigned)order, NOVA_PERM_ALL), NOVA_REVOKE_SR);
}

CASE(resource, the_page_of_the_local_apic_cannot_be_requested, "6.1.1-03")
{
        EXPECT(!got(LAPIC_PAGE));
}

CASE(resource, device_memory_outside_all_descriptors_can_be_requested, "D-32.2 C-08")
{
        EXPECT(got(0xb8000 >> NOVA_PAGE_BITS));
        EXPECT(got(0xfed00));
}

CASE_ON(resource, memory_beyond_4_GiB_can_be_requested, "D-32", needs_x86_64)
{
        EXPECT(got((word_t)0x100000000 >> NOVA_PAGE_BITS));
}

CASE(resource, the_same_frame_can_be_requested_twice, "6.1.1-01")
{
        word_t frame;
        if (!frame_alloc(0, &frame))
                NOT_RAISED("no unused memory");
        const word_t a = page_alloc(0), b = page_alloc(0);
        request(mem(frame, 0, NOVA_MEM_RWX), a);
        request(mem(frame, 0, NOVA_MEM_RWX), b);
        *(volatile word_t *)(a << NOVA_PAGE_BITS) = 55;
        EXPECT_EQ(*(volatile word_t *)(b << NOVA_PAGE_BITS), 55);
}

CASE(resource, all_65536_ports_can_be_requested, "6.1.1-02 C-09")
{
        for (word_t port = 0; port < 0x10000; port += 0x1111)
                request(io(port, 0), port);
        for (word_t port = 0; port < 0x10000; port += 0x1111)
                EXPECT(look(NOVA_CRD_IO, port) != 0);
        EXPECT_EQ(probe_in(0x1111), 0);
        for (word_t port = 0; port < 0x10000; port += 0x1111)
                hc_revoke(io(port, 0), NOVA_REVOKE_SR);
        EXPECT_EQ(probe_in(0x1111), 1);
}

CASE(resource, a_range_of_ports_can_be_requested_at_once, "6.1.1-02 4.3.3-01")
{
        EXPECT_EQ(request(io(0x200, 5), 0x200), io(0x200, 5));
        for (word_t port = 0x200; port < 0x220; port++)
                EXPECT_EQ(probe_in(port), 0);
        EXPECT_EQ(probe_in(0x220), 1);
        EXPECT_EQ(probe_in(0x1ff), 1);
        hc_revoke(io(0x200, 5), NOVA_REVOKE_SR);
}

CASE(resource, each_cpu_has_an_idle_sc_with_control_permission, "6.1.1-04 6.1.1-05 C-09 A-16")
{
        uint64_t time;
        for (unsigned i = 0; i < cpu_count; i++) {
                const nova_sel_t sc = sel_alloc(0);
                request(obj(NOVA_SEL_IDLE_SC + cpu_numbers[i], NOVA_PERM_ALL), sc);
                EXPECT_EQ(look(NOVA_CRD_OBJ, sc), obj(sc, NOVA_SC_CT));
                EXPECT_EQ(hc_sc_ctrl(sc, &time), NOVA_SUCCESS);
        }
}

CASE(resource, an_absent_cpu_has_no_idle_sc, "6.1.1-04")
{
        for (unsigned i = 0; i < NOVA_CPU_MAX; i++) {
                if (hip->cpu[i].flags & NOVA_CPU_ENABLED)
                        continue;
                const nova_sel_t sc = sel_alloc(0);
                request(obj(NOVA_SEL_IDLE_SC + i, NOVA_PERM_ALL), sc);
                EXPECT_EQ(look(NOVA_CRD_OBJ, sc), 0);
        }
}

CASE_ON(resource, the_idle_time_of_an_idle_cpu_grows, "6.1.1-05", needs_2_cpus)
{
        uint64_t before, after;
        const nova_sel_t sc = sel_alloc(0);
        request(obj(NOVA_SEL_IDLE_SC + cpu_numbers[1], NOVA_PERM_ALL), sc);
        struct thread *t = run_thread(cpu_numbers[1], PRIO_LOW, thread_exit_fn, NULL);
        EXPECT(wait_for(&t->done, 1));
        EXPECT_EQ(hc_sc_ctrl(sc, &before), NOVA_SUCCESS);
        spin_us(20000);
        t = run_thread(cpu_numbers[1], PRIO_LOW, thread_exit_fn, NULL);
        EXPECT(wait_for(&t->done, 1));
        EXPECT_EQ(hc_sc_ctrl(sc, &after), NOVA_SUCCESS);
        EXPECT(after > before + 5000);
}

CASE(resource, there_is_a_semaphore_for_each_interrupt, "3.4-01 6.1.1-06 C-09")
{
        const nova_sel_t base = sel_alloc(7);
        for (unsigned g = 0; g < hip->gsi; g++)
                request(obj(NOVA_SEL_GSI_SM + g, NOVA_PERM_ALL), base + g);
        for (unsigned g = 0; g < hip->gsi; g++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, base + g), obj(base + g, NOVA_PERM_ALL));
}

CASE(resource, an_interrupt_semaphore_counts_like_any_other, "6.1.1-07")
{
        const nova_sel_t sm = sel_alloc(0);
        request(obj(NOVA_SEL_GSI_SM + 120, NOVA_PERM_ALL), sm);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
}

CASE(resource, kernel_selectors_beyond_the_interrupts_are_null, "6.1.1-06")
{
        const nova_sel_t sel = sel_alloc(0);
        request(obj(NOVA_SEL_GSI_SM + hip->gsi, NOVA_PERM_ALL), sel);
        EXPECT_EQ(look(NOVA_CRD_OBJ, sel), 0);
        request(obj(0x3ffffff, NOVA_PERM_ALL), sel);
        EXPECT_EQ(look(NOVA_CRD_OBJ, sel), 0);
}

CASE(resource, without_H_the_source_is_the_sender, "4.6.2.2-21")
{
        const nova_sel_t dst = sel_alloc(0);
        give_self(obj(NOVA_SEL_GSI_SM + 120, NOVA_PERM_ALL), dst);
        const nova_crd_t mine = look(NOVA_CRD_OBJ, NOVA_SEL_GSI_SM + 120);
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst) != 0, mine != 0);
}

CASE(resource, H_is_ignored_for_other_pds, "4.6.2.2-22 6.1.1-09")
{
        struct thread *t = child_server(child_new(boot_cpu)), *s = server(boot_cpu);
        const nova_sel_t dst = sel_alloc(0);
        const word_t page = page_alloc(0), frame_page = 0xb8;
        give(t, obj(s->pt, NOVA_PERM_ALL), CHILD_FREE_SEL);
        windows(s, 0, obj(dst, NOVA_PERM_ALL));
        send_from(t, CHILD_FREE_SEL, s, obj(NOVA_SEL_GSI_SM + 121, NOVA_PERM_ALL),
                  NOVA_ITEM_DELEGATE | NOVA_ITEM_H);
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst), 0);
        windows(s, 0, mem(page, 0, NOVA_MEM_RWX));
        send_from(t, CHILD_FREE_SEL, s, mem(frame_page, 0, NOVA_MEM_R),
                  NOVA_ITEM_DELEGATE | NOVA_ITEM_H);
        EXPECT_EQ(look(NOVA_CRD_MEM, page), 0);
        windows(s, 0, io(0x2e8, 0));
        send_from(t, CHILD_FREE_SEL, s, io(0x2e8, 0), NOVA_ITEM_DELEGATE | NOVA_ITEM_H);
        EXPECT_EQ(look(NOVA_CRD_IO, 0x2e8), 0);
}

CASE(resource, a_child_gets_requested_memory_directly_from_the_root, "6.1.1-01 4.6.2.2-20")
{
        struct thread *t = child_server(child_new(boot_cpu));
        word_t frame;
        if (!frame_alloc(0, &frame))
                NOT_RAISED("no unused memory");
        const word_t page = page_alloc(0);
        windows(t, 0, mem(page, 0, NOVA_MEM_RWX));
        EXPECT_EQ(send(t, mem(frame, 0, NOVA_MEM_RWX), NOVA_ITEM_DELEGATE | NOVA_ITEM_H),
                  mem(page, 0, NOVA_MEM_RWX));
        EXPECT_EQ(remote_write(t, page << NOVA_PAGE_BITS, 1), 0);
}

static void replies_request(struct thread *t)
{
        t->utcb->word[nova_utcb_item_index(0)] = t->value[0];
        t->utcb->word[nova_utcb_item_index(0) + 1] = NOVA_ITEM_DELEGATE | NOVA_ITEM_H;
        t->utcb->items = nova_utcb_items(0, 1);
}

CASE(resource, H_also_works_in_a_reply_of_the_root_pd, "4.6.2.2-20")
{
        struct thread *t = server(boot_cpu);
        const nova_sel_t dst = sel_alloc(0);
        t->fn = replies_request;
        t->value[0] = obj(NOVA_SEL_GSI_SM + 122, NOVA_PERM_ALL);
        self->utcb->delegate_window = obj(dst, NOVA_PERM_ALL);
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
        self->utcb->delegate_window = 0;
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst), obj(dst, NOVA_PERM_ALL));
}
