/* SPDX-License-Identifier: BSD-2-Clause */
/* Delegation of memory and ports, and the contents of page-fault messages. */
#include "harness.h"

#define PF_PRESENT 1
#define PF_WRITE   2
#define PF_USER    4
#define PF_FETCH   16

static word_t address_of(word_t page)
{
        return page << NOVA_PAGE_BITS;
}

static volatile word_t *word_at(word_t page)
{
        return (volatile word_t *)address_of(page);
}

static struct thread *child_thread(void)
{
        return child_server(child_new(boot_cpu));
}

CASE(memory, a_child_sees_the_same_frame_after_delegation,
     "2.1-01 2.1-07 3.5-09 4.2-02 4.1.2-02 6.1.1-01")
{
        struct thread *t = child_thread();
        volatile word_t *p = (volatile word_t *)memory(0);
        const word_t dst = page_alloc(0);
        *p = 1234;
        EXPECT_EQ(remote_read(t, (word_t)p), 1);
        EXPECT_EQ(remote_read(t, address_of(dst)), 1);
        EXPECT_EQ(give(t, mem(page_of((void *)(word_t)p), 0, NOVA_MEM_RWX), dst),
                  mem(dst, 0, NOVA_MEM_RWX));
        EXPECT_EQ(remote_write(t, address_of(dst), 99), 0);
        EXPECT_EQ(*p, 99);
        EXPECT_EQ(remote_read(t, (word_t)p), 1);
}

CASE(memory, a_page_can_be_mapped_twice_in_one_pd, "2.1-07 3.5-09")
{
        volatile word_t *p = (volatile word_t *)memory(0);
        const word_t dst = page_alloc(0);
        give_self(mem(page_of((void *)(word_t)p), 0, NOVA_MEM_RWX), dst);
        *p = 77;
        EXPECT_EQ(*word_at(dst), 77);
}

CASE(memory, exactly_one_page_is_accessible_after_order_0, "4.1.2-01")
{
        struct thread *t = child_thread();
        const word_t src = page_of(memory(1)), dst = page_alloc(2);
        give(t, mem(src, 0, NOVA_MEM_RWX), dst + 1);
        EXPECT_EQ(remote_read(t, address_of(dst + 1)), 0);
        EXPECT_EQ(remote_read(t, address_of(dst + 2) - sizeof(word_t)), 0);
        EXPECT_EQ(remote_read(t, address_of(dst + 2)), 1);
        EXPECT_EQ(remote_read(t, address_of(dst + 1) - sizeof(word_t)), 1);
}

CASE(memory, an_order_3_range_delegates_8_pages, "4.3.2-01 4.3-03")
{
        struct thread *t = child_thread();
        const word_t src = page_of(memory(3)), dst = page_alloc(3);
        give(t, mem(src, 3, NOVA_MEM_RWX), dst);
        for (unsigned i = 0; i < 8; i++)
                EXPECT_EQ(remote_write(t, address_of(dst + i), 100 + i), 0);
        for (unsigned i = 0; i < 8; i++)
                EXPECT_EQ(*word_at(src + i), 100 + i);
        EXPECT_EQ(remote_read(t, address_of(dst + 8)), 1);
}

CASE(memory, hotspots_move_pages_inside_the_window, "3.5-13 4.6.2.2-07 4.6.2.2-08")
{
        struct thread *t = child_thread();
        const word_t src = page_of(memory(1)), dst = page_alloc(4);
        *word_at(src) = 5;
        windows(t, 0, mem(dst, 4, NOVA_MEM_RWX));
        EXPECT_EQ(send(t, mem(src, 1, NOVA_MEM_RWX), item_upper(NOVA_ITEM_DELEGATE, 10)),
                  mem(dst + 10, 1, NOVA_MEM_RWX));
        EXPECT_EQ(remote_read(t, address_of(dst + 10)), 0);
        EXPECT_EQ(remote_read(t, address_of(dst + 11)), 0);
        EXPECT_EQ(remote_read(t, address_of(dst + 12)), 1);
        EXPECT_EQ(remote_read(t, address_of(dst + 9)), 1);
}

CASE(memory, hotspots_choose_pages_of_a_larger_range, "3.5-14")
{
        const word_t src = page_of(memory(3)), dst = page_alloc(1);
        for (unsigned i = 0; i < 8; i++)
                *word_at(src + i) = i;
        struct thread *t = server(boot_cpu);
        windows(t, 0, mem(dst, 1, NOVA_MEM_RWX));
        EXPECT_EQ(send(t, mem(src, 3, NOVA_MEM_RWX), item_upper(NOVA_ITEM_DELEGATE, 5)),
                  mem(dst, 1, NOVA_MEM_RWX));
        EXPECT_EQ(*word_at(dst), 4);
        EXPECT_EQ(*word_at(dst + 1), 5);
}

CASE(memory, without_W_a_store_faults, "4.1.2-03 4.1.2-04 7.4-11 7.4-12 8.4-11 8.4-12")
{
        struct thread *t = child_thread();
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        give(t, mem(src, 0, NOVA_MEM_R), dst);
        EXPECT_EQ(remote_read(t, address_of(dst)), 0);
        EXPECT_EQ(remote_write(t, address_of(dst) + 8, 1), 1);
        EXPECT_EQ(t->event, NOVA_EXC_PF);
        EXPECT_EQ(t->state.qual[0], PF_PRESENT | PF_WRITE | PF_USER);
        EXPECT_EQ(t->state.qual[1], address_of(dst) + 8);
}

CASE(memory, an_absent_page_faults_with_address_and_kind_of_access,
     "7.4-11 7.4-12 8.4-11 8.4-12 C-16")
{
        const word_t page = page_alloc(0);
        EXPECT_EQ(probe_read((void *)(address_of(page) + 0x123)), 1);
        EXPECT_EQ(self->event, NOVA_EXC_PF);
        EXPECT_EQ(self->state.qual[0], PF_USER);
        EXPECT_EQ(self->state.qual[1], address_of(page) + 0x123);
        EXPECT_EQ(probe_write((void *)(address_of(page) + 0x456), 0), 1);
        EXPECT_EQ(self->state.qual[0], PF_USER | PF_WRITE);
        EXPECT_EQ(self->state.qual[1], address_of(page) + 0x456);
}

static word_t code_page(void)
{
        volatile char *p = memory(0);
        p[0] = (char)0x31;
        p[1] = (char)0xc0;
        p[2] = (char)0xc3;
        return page_of((void *)(word_t)p);
}

CASE(memory, with_X_a_page_can_be_executed, "4.1.2-05")
{
        struct thread *t = child_thread();
        const word_t src = code_page(), dst = page_alloc(0);
        give(t, mem(src, 0, NOVA_MEM_R | NOVA_MEM_X), dst);
        EXPECT_EQ(remote_exec(t, address_of(dst)), 0);
}

CASE_ON(memory, without_X_a_fetch_faults, "4.1.2-05 D-26", needs_nx)
{
        struct thread *t = child_thread();
        const word_t src = code_page(), dst = page_alloc(0);
        give(t, mem(src, 0, NOVA_MEM_R | NOVA_MEM_W), dst);
        EXPECT_EQ(remote_exec(t, address_of(dst)), 1);
        EXPECT_EQ(t->event, NOVA_EXC_PF);
        EXPECT_EQ(t->state.qual[0], PF_PRESENT | PF_USER | PF_FETCH);
        EXPECT_EQ(t->state.qual[1], address_of(dst));
}

CASE(memory, a_page_with_any_permission_is_readable, "D-26.2")
{
        struct thread *t = child_thread();
        const word_t src = page_of(memory(0));
        for (unsigned perms = 1; perms < 8; perms++) {
                const word_t dst = page_alloc(0);
                give(t, mem(src, 0, perms), dst);
                EXPECT_EQ(remote_read(t, address_of(dst)), 0);
        }
}

CASE(memory, lookup_returns_page_order_and_permissions, "5.3.7-05 5.3.7-03")
{
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        give_self(mem(src, 0, NOVA_MEM_R | NOVA_MEM_X), dst);
        EXPECT_EQ(look(NOVA_CRD_MEM, dst), mem(dst, 0, NOVA_MEM_R | NOVA_MEM_X));
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst), 0);
}

CASE(memory, the_host_mapping_is_made_with_G_and_D_too, "4.6.2.2-26")
{
        struct thread *t = child_thread();
        const word_t src = page_of(memory(2)), dst = page_alloc(2);
        static const word_t flags[] = {0, NOVA_ITEM_D, NOVA_ITEM_G, NOVA_ITEM_D | NOVA_ITEM_G};
        for (unsigned i = 0; i < 4; i++) {
                windows(t, 0, mem(dst + i, 0, NOVA_MEM_RWX));
                send(t, mem(src + i, 0, NOVA_MEM_RWX), NOVA_ITEM_DELEGATE | flags[i]);
                EXPECT_EQ(remote_write(t, address_of(dst + i), i), 0);
                EXPECT_EQ(*word_at(src + i), i);
        }
}

CASE(memory, an_occupied_page_keeps_its_frame, "D-21 C-15")
{
        const word_t a = page_of(memory(0)), b = page_of(memory(0));
        *word_at(a) = 1;
        *word_at(b) = 2;
        give_self(mem(a, 0, NOVA_MEM_RWX), b);
        EXPECT_EQ(*word_at(b), 2);
        *word_at(b) = 3;
        EXPECT_EQ(*word_at(a), 1);
}

CASE(memory, pages_beside_an_occupied_one_are_mapped, "D-21 3.5-06")
{
        const word_t src = page_of(memory(2)), other = page_of(memory(0)), dst = page_alloc(2);
        for (unsigned i = 0; i < 4; i++)
                *word_at(src + i) = 10 + i;
        *word_at(other) = 5;
        give_self(mem(other, 0, NOVA_MEM_RWX), dst + 2);
        give_self(mem(src, 2, NOVA_MEM_RWX), dst);
        EXPECT_EQ(*word_at(dst), 10);
        EXPECT_EQ(*word_at(dst + 1), 11);
        EXPECT_EQ(*word_at(dst + 2), 5);
        EXPECT_EQ(*word_at(dst + 3), 13);
}

CASE(memory, a_utcb_page_cannot_be_delegated, "6.1.2.1-04 A-05")
{
        struct thread *t = server(boot_cpu);
        const word_t dst = page_alloc(0);
        give_self(mem(page_of(t->utcb), 0, NOVA_MEM_RWX), dst);
        EXPECT_EQ(probe_read((void *)address_of(dst)), 1);
}

CASE(memory, nothing_can_be_mapped_over_a_utcb, "5.3.2-28 D-21 A-05")
{
        struct thread *t = server(boot_cpu);
        const word_t src = page_of(memory(0));
        t->utcb->tls = 0x5151;
        *word_at(src) = 0;
        give_self(mem(src, 0, NOVA_MEM_RWX), page_of(t->utcb));
        EXPECT_EQ(t->utcb->tls, 0x5151);
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
}

CASE(memory, nothing_is_mapped_beyond_user_memory, "5.3.2-27 A-06")
{
        const word_t src = page_of(memory(0));
        give_self(mem(src, 0, NOVA_MEM_RWX), NOVA_USER_END >> NOVA_PAGE_BITS);
        EXPECT_EQ(probe_read((void *)NOVA_USER_END), 1);
}

CASE(memory, threads_of_one_pd_share_its_memory, "2.1-06")
{
        struct child *c = child_new(boot_cpu);
        struct thread *a = child_server(c), *b = child_server(c);
        const word_t src = page_of(memory(0)), dst = page_alloc(0);
        give(a, mem(src, 0, NOVA_MEM_RWX), dst);
        EXPECT_EQ(remote_write(b, address_of(dst), 321), 0);
        EXPECT_EQ(*word_at(src), 321);
}

CASE(memory, large_ranges_are_delegated_and_work_at_both_ends, "4.3-03 3.5-09")
{
        struct thread *t = child_thread();
        const word_t src = page_of(memory(10)), dst = page_alloc(10);
        give(t, mem(src, 10, NOVA_MEM_RWX), dst);
        EXPECT_EQ(remote_write(t, address_of(dst), 1), 0);
        EXPECT_EQ(remote_write(t, address_of(dst + 1023), 2), 0);
        EXPECT_EQ(*word_at(src), 1);
        EXPECT_EQ(*word_at(src + 1023), 2);
        EXPECT_EQ(remote_read(t, address_of(dst + 1024)), 1);
}

/* ---- Ports ----------------------------------------------------------------------------------- */

CASE(memory, a_delegated_port_is_open_and_its_neighbours_are_not,
     "2.1-03 3.5-10 4.1.3-01 4.3.3-01 4.2-03 2.1-08")
{
        struct thread *t = child_thread();
        EXPECT_EQ(remote_in(t, 0x3fd), 1);
        EXPECT_EQ(t->event, NOVA_EXC_GP);
        windows(t, 0, io(0x3fc, 2));
        EXPECT_EQ(send(t, io(0x3fc, 1), NOVA_ITEM_DELEGATE), io(0x3fc, 1));
        EXPECT_EQ(remote_in(t, 0x3fc), 0);
        EXPECT_EQ(remote_in(t, 0x3fd), 0);
        EXPECT_EQ(remote_in(t, 0x3fe), 1);
        EXPECT_EQ(remote_in(t, 0x3fb), 1);
}

CASE(memory, ports_keep_their_number, "D-22 4.2-03")
{
        struct thread *t = child_thread();
        windows(t, 0, io(0, 16));
        EXPECT_EQ(send(t, io(0x3fc, 2), item_upper(NOVA_ITEM_DELEGATE, 0x777)), io(0x3fc, 2));
        EXPECT_EQ(remote_in(t, 0x3fd), 0);
        EXPECT_EQ(remote_in(t, 0x777), 1);
}

CASE(memory, port_ranges_meet_in_their_intersection, "D-22")
{
        struct thread *t = child_thread();
        windows(t, 0, io(0x3fc, 1));
        EXPECT_EQ(send(t, io(0x3f8, 3), item_upper(NOVA_ITEM_DELEGATE, 0x3f8)), io(0x3fc, 1));
        EXPECT_EQ(remote_in(t, 0x3fd), 0);
        EXPECT_EQ(remote_in(t, 0x3fb), 1);
        EXPECT_EQ(remote_in(t, 0x3fe), 1);
}

CASE(memory, port_ranges_that_do_not_meet_give_the_null_descriptor, "D-22.2")
{
        struct thread *t = child_thread();
        windows(t, 0, io(0x100, 3));
        EXPECT_EQ(send(t, io(0x3f8, 3), NOVA_ITEM_DELEGATE), 0);
        EXPECT_EQ(remote_in(t, 0x3fd), 1);
        EXPECT_EQ(remote_in(t, 0x100), 1);
}

CASE(memory, a_port_without_the_A_bit_stays_closed, "D-25 4.1.3-03")
{
        struct thread *t = child_thread();
        const nova_crd_t all = nova_crd(NOVA_CRD_IO, 0x80, 3, NOVA_PERM_ALL);
        request(all, 0x80);
        EXPECT(nova_crd_perms(look(NOVA_CRD_IO, 0x80)) != NOVA_IO_A);
        windows(t, 0, all);
        send(t, nova_crd(NOVA_CRD_IO, 0x80, 3, 0x1e), NOVA_ITEM_DELEGATE);
        EXPECT(nova_crd_perms(remote_look(t, NOVA_CRD_IO, 0x80)) != 0);
        EXPECT_EQ(remote_in(t, 0x84), 1);
        hc_revoke(all, NOVA_REVOKE_SR);
}

CASE(memory, a_port_without_the_A_bit_stays_closed_beside_an_open_one, "D-25 4.1.3-03")
{
        struct thread *t = child_thread();
        const nova_crd_t all = nova_crd(NOVA_CRD_IO, 0x80, 3, NOVA_PERM_ALL);
        request(all, 0x80);
        windows(t, 0, nova_crd(NOVA_CRD_IO, 0, 16, NOVA_PERM_ALL));
        EXPECT_EQ(send(t, io(0x3fc, 1), item_upper(NOVA_ITEM_DELEGATE, 0x3fc)), io(0x3fc, 1));
        EXPECT_EQ(remote_in(t, 0x3fd), 0);
        send(t, nova_crd(NOVA_CRD_IO, 0x80, 3, 0x1e), item_upper(NOVA_ITEM_DELEGATE, 0x80));
        EXPECT(nova_crd_perms(remote_look(t, NOVA_CRD_IO, 0x80)) != 0);
        EXPECT_EQ(remote_in(t, 0x84), 1);
        EXPECT_EQ(remote_in(t, 0x3fd), 0);
        hc_revoke(all, NOVA_REVOKE_SR);
}

CASE(memory, port_0xffff_and_the_one_beyond_are_distinguished, "4.3.3-01")
{
        request(io(0xffff, 0), 0xffff);
        EXPECT(look(NOVA_CRD_IO, 0xffff) != 0);
        EXPECT_EQ(probe_in(0xffff), 0);
        request(io(0x10000, 0), 0x10000);
        EXPECT_EQ(look(NOVA_CRD_IO, 0x10000), 0);
}
