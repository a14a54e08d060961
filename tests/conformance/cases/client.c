/* SPDX-License-Identifier: BSD-2-Clause */
/* Behaviour that programs of 2012 rely on, beyond the words of the specification. */
#include "attempt.h"

#define ALL NOVA_PERM_ALL

/* ---- The image ------------------------------------------------------------------------------- */

/* The fields of an ELF file that describe its segments. */
#if __SIZEOF_POINTER__ == 8
struct header {
        uint8_t ident[16];
        uint16_t type, machine;
        uint32_t version;
        uint64_t entry, phoff, shoff;
        uint32_t flags;
        uint16_t ehsize, phentsize, phnum;
};
struct segment {
        uint32_t type, flags;
        uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
#else
struct header {
        uint8_t ident[16];
        uint16_t type, machine;
        uint32_t version, entry, phoff, shoff, flags;
        uint16_t ehsize, phentsize, phnum;
};
struct segment {
        uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};
#endif

static const struct nova_hip_mem *roottask(void)
{
        for (unsigned at = hip->mem_offset; at < hip->length; at += hip->mem_size) {
                const struct nova_hip_mem *m = (const void *)((const char *)hip + at);
                if (m->type == NOVA_MEM_MODULE)
                        return m;
        }
        return NULL;
}

/* Maps a physical page. */
static char *frame(uint64_t address)
{
        const word_t page = page_alloc(0);
        EXPECT(request(mem((word_t)(address >> NOVA_PAGE_BITS), 0, NOVA_MEM_RWX), page) != 0);
        return (char *)(page << NOVA_PAGE_BITS);
}

static volatile char victim[NOVA_PAGE_SIZE] __attribute__((aligned(NOVA_PAGE_SIZE)));

/* Returns the offset in the file of an address of the image. Ends the case as not raised if the
 * kernel must copy the segment to map it. */
static uint64_t place_in_file(const char *file, word_t address)
{
        const struct header *h = (const void *)file;
        for (unsigned i = 0; i < h->phnum; i++) {
                const struct segment *s = (const void *)(file + h->phoff + i * h->phentsize);
                if (s->type != 1 || address < s->vaddr || address - s->vaddr >= s->filesz)
                        continue;
                if (s->filesz != s->memsz || (s->vaddr ^ s->offset) % NOVA_PAGE_SIZE)
                        NOT_RAISED("the suite's own image does not fit in place");
                return s->offset + (address - s->vaddr);
        }
        EXPECT(false);
        return 0;
}

CASE(client, the_image_lies_in_the_module_itself, "C-06 C-03 C-08 6.1.2.1-01")
{
        const struct nova_hip_mem *m = roottask();
        EXPECT(m != NULL);
        const uint64_t at = place_in_file(frame(m->addr), (word_t)victim);
        volatile char *same = frame(m->addr + at);
        for (unsigned i = 0; i < NOVA_PAGE_SIZE; i += 512) {
                same[i] = (char)(i / 512 + 1);
                EXPECT_EQ(victim[i], (char)(i / 512 + 1));
                victim[i] = 77;
                EXPECT_EQ(same[i], 77);
        }
}

/* ---- The memory map -------------------------------------------------------------------------- */

static uint64_t number_at(unsigned offset, unsigned bytes)
{
        const uint8_t *from = (const uint8_t *)hip + offset;
        uint64_t number = 0;
        while (bytes--)
                number = number << 8 | from[bytes];
        return number;
}

/* Programs of 2012 step from descriptor to descriptor by the size that the information page states,
 * and read the fields without alignment. */
CASE(client, memory_descriptors_follow_each_other_by_their_size_up_to_the_length, "C-02 6.2-03")
{
        unsigned at, modules = 0, kernel = 0, available = 0;
        for (at = hip->mem_offset; at < hip->length; at += hip->mem_size) {
                const int type = (int)number_at(at + 16, 4);
                modules += type == NOVA_MEM_MODULE;
                kernel += type == NOVA_MEM_KERNEL;
                available += type == NOVA_MEM_AVAILABLE;
                EXPECT(number_at(at, 8) + number_at(at + 8, 8) >= number_at(at, 8));
        }
        EXPECT_EQ(at, hip->length);
        EXPECT(modules && kernel && available);
}

static bool is_of_the_kernel(uint64_t page)
{
        for (unsigned at = hip->mem_offset; at < hip->length; at += hip->mem_size) {
                const uint64_t begin = number_at(at, 8), end = begin + number_at(at + 8, 8);
                if ((int)number_at(at + 16, 4) == NOVA_MEM_KERNEL &&
                    page < (end + NOVA_PAGE_SIZE - 1) >> NOVA_PAGE_BITS &&
                    page >= begin >> NOVA_PAGE_BITS)
                        return true;
        }
        return false;
}

/* Programs of 2012 also use the pages at the start and at the end of available memory, even if the
 * memory fills them only in part. So the whole of these pages must exist. */
CASE(client, available_memory_may_begin_and_end_inside_of_a_page, "C-02 C-08")
{
        unsigned found = 0;
        for (unsigned at = hip->mem_offset; at < hip->length; at += hip->mem_size) {
                const uint64_t begin = number_at(at, 8), size = number_at(at + 8, 8);
                const uint64_t last = begin + size - 1;
                if ((int)number_at(at + 16, 4) != NOVA_MEM_AVAILABLE || !size ||
                    last >> NOVA_PAGE_BITS > ~(word_t)0 >> NOVA_CRD_BASE_SHIFT)
                        continue;
                if (!is_of_the_kernel(begin >> NOVA_PAGE_BITS))
                        EXPECT_EQ(probe_read(frame(begin)), 0);
                if (!is_of_the_kernel(last >> NOVA_PAGE_BITS))
                        EXPECT_EQ(probe_read(frame(last)), 0);
                found++;
        }
        EXPECT(found);
}

CASE(client, low_memory_and_the_area_of_the_firmware_can_be_read, "C-08")
{
        static const word_t addresses[] = {0, 0xa0000, 0xe0000, 0xf0000, 0xff000};
        for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
                EXPECT_EQ(probe_read(frame(addresses[i])), 0);
}

/* ---- The first thread ------------------------------------------------------------------------ */

CASE(client, segments_have_the_selectors_of_2012, "A-01")
{
        word_t cs, ss, ds;
        __asm__("mov %%cs, %0; mov %%ss, %1; mov %%ds, %2" : "=r"(cs), "=r"(ss), "=r"(ds));
        EXPECT_EQ(cs & 0xffff, sizeof(word_t) == 8 ? 0x2b : 0x1b);
        EXPECT_EQ(ss & 0xffff, 0x23);
        EXPECT_EQ(ds & 0xffff, 0x23);
}

static void ups(struct thread *t)
{
        hc_sm_ctrl(t->value[0], NOVA_SM_UP_OP);
}

/* On a kernel without deadlines for semaphores, the first thread polls while a case runs. On other
 * kernels it sleeps, so there this case does not test a preemption. */
CASE(client, a_thread_of_priority_2_runs_beside_the_first_thread, "A-02")
{
        for (unsigned i = 0; i < 5; i++) {
                struct thread *t = global(boot_cpu, ups, NULL);
                t->value[0] = semaphore(0);
                spin_us(3000);
                const uint64_t begin = tsc();
                thread_start(t, 2, QUANTUM);
                EXPECT_EQ(hc_sm_ctrl(t->value[0], NOVA_SM_DN_OP), NOVA_SUCCESS);
                t->value[1] = (word_t)((tsc() - begin) / (tsc_per_ms() / 1000));
                EXPECT(t->value[1] < 1000000);
        }
}

CASE(client, the_first_threads_events_begin_at_selector_0, "A-03")
{
        struct thread *s = server(boot_cpu);
        s->fn = ups;
        s->value[0] = semaphore(0);
        EXPECT_EQ(look(NOVA_CRD_OBJ, NOVA_EXC_RECALL), 0);
        EXPECT_EQ(hc_create_pt(NOVA_EXC_RECALL, ROOT_PD, s->ec, 0, (word_t)portal_entry),
                  NOVA_SUCCESS);
        EXPECT_EQ(hc_ec_ctrl(NOVA_SEL_ROOT_EC), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(s->value[0], NOVA_SM_DN_OP), NOVA_SUCCESS);
        EXPECT_EQ(s->calls, 1);
        EXPECT_EQ(s->portal, NOVA_EXC_RECALL);
        hc_revoke(obj(NOVA_EXC_RECALL, ALL), NOVA_REVOKE_SR);
}

/* ---- Threads --------------------------------------------------------------------------------- */

static void jumps_out(void)
{
        ((void (*)(void))NOVA_USER_END)();
}

CASE(client, a_jump_to_the_first_address_beyond_is_a_fault_there, "C-22 C-16")
{
        EXPECT_EQ(raised_by(jumps_out), NOVA_EXC_PF);
        EXPECT_EQ(self->state.qual[1], NOVA_USER_END);
        EXPECT_EQ(self->state.ip, NOVA_USER_END);
        EXPECT_EQ(self->state.qual[0] & ~(word_t)1, 4); /* no instruction fetch */
}

static bool notes_and_ends(struct thread *t, unsigned n, struct nova_utcb *u)
{
        if (n != NOVA_EXC_PF || u->state.qual[1] != NOVA_USER_END)
                return false;
        t->value[0] = u->state.qual[0];
        t->value[1] = u->state.qual[1];
        u->state.mtd = NOVA_MTD_EIP | NOVA_MTD_ESP;
        u->state.ip = (word_t)reply_now;
        u->state.sp = t->sp;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
        return true;
}

static void exits_by_a_jump(struct thread *t)
{
        (void)t;
        jumps_out();
}

/* The parent recognizes a child's exit by the error code. The user bit must be set, and all other
 * bits must be clear, except the bit for a present page, which depends on the kernel's tables. */
CASE(client, the_fault_of_a_childs_exit_has_the_user_bit_and_no_fetch_bit, "C-22 C-16")
{
        struct thread *t = child_global(child_new(boot_cpu), exits_by_a_jump, NULL);
        t->on_event = notes_and_ends;
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->value[1], NOVA_USER_END);
        EXPECT_EQ(t->value[0] & ~(word_t)1, 4);
}

static void ends_by_a_jump(struct thread *t)
{
        t->value[0] = 1;
        jumps_out();
        t->value[0] = 2;
}

CASE(client, a_thread_ends_by_a_jump_without_a_handler, "C-22")
{
        uint64_t before, after;
        struct thread *t = global(boot_cpu, ends_by_a_jump, NULL);
        event_remove(t, NOVA_EXC_PF);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->value[0], 1);
        EXPECT_EQ(hc_sc_ctrl(t->sc, &before), NOVA_SUCCESS);
        spin_us(5000);
        EXPECT_EQ(hc_sc_ctrl(t->sc, &after), NOVA_SUCCESS);
        EXPECT_EQ(before, after);
        EXPECT_EQ(t->value[0], 1);
}

CASE(client, a_utcb_page_is_found_without_permissions, "A-15 A-05")
{
        const struct thread *t = server(boot_cpu);
        EXPECT_EQ(look(NOVA_CRD_MEM, page_of(t->utcb)), mem(page_of(t->utcb), 0, 0));
}

CASE(client, windows_written_before_the_first_request_hold_for_it, "C-13")
{
        struct thread *t = server(boot_cpu);
        const nova_sel_t sm = semaphore(0), dst = sel_alloc(0);
        for (unsigned i = 0; i < NOVA_UTCB_WORDS; i++)
                EXPECT_EQ(t->utcb->word[i], 0);
        t->utcb->delegate_window = t->win_d = obj(dst, ALL);
        EXPECT_EQ(send(t, obj(sm, ALL), NOVA_ITEM_DELEGATE), obj(dst, ALL));
        EXPECT_EQ(look(NOVA_CRD_OBJ, dst), obj(dst, ALL));
}

CASE(client, many_objects_can_lie_below_the_first_free_selector, "C-12")
{
        /* Two sets of event portals for each of 64 CPUs: the layout of a runtime of 2012. */
        struct thread *t = server(boot_cpu);
        const nova_sel_t far = sel_far(12);
        for (nova_sel_t i = 0; i < 64 * 2 * 32; i += 61)
                EXPECT_EQ(hc_create_pt(far + i, ROOT_PD, t->ec, 0, (word_t)portal_entry),
                          NOVA_SUCCESS);
        for (nova_sel_t i = 0; i < 64 * 2 * 32; i++)
                EXPECT_EQ(look(NOVA_CRD_OBJ, far + i) != 0, i % 61 == 0);
        hc_revoke(nova_crd(NOVA_CRD_OBJ, far, 12, ALL), NOVA_REVOKE_SR);
}

/* ---- Shared pages ---------------------------------------------------------------------------- */

static word_t shared_page;

/* Answers a page fault: the parent delegates the page again. */
static bool gives_again(struct thread *t, unsigned n, struct nova_utcb *u)
{
        if (n != NOVA_EXC_PF || u->state.qual[1] != t->value[0])
                return false;
        t->value[4] = u->state.qual[0];
        t->value[5]++;
        u->state.mtd = 0;
        u->word[nova_utcb_item_index(0)] = mem(shared_page, 0, NOVA_MEM_R);
        u->word[nova_utcb_item_index(0) + 1] =
                item_upper(NOVA_ITEM_DELEGATE, t->value[0] >> NOVA_PAGE_BITS);
        u->items = nova_utcb_items(1, 1);
        return true;
}

static void waits_and_reads(struct thread *t)
{
        while (hc_sm_ctrl(CHILD_FREE_SEL, NOVA_SM_DN_OP) == NOVA_SUCCESS) {
                t->value[1] = *(volatile word_t *)t->value[0];
                t->value[2]++;
        }
}

/* The client sleeps in a down while its page is revoked; then it touches the page. */
CASE(client, a_client_that_waits_faults_on_a_page_that_was_revoked_meanwhile, "C-14 C-16 7.2-11")
{
        struct child *c = child_new(boot_cpu);
        struct thread *s = child_server(c), *t = child_global(c, waits_and_reads, NULL);
        volatile word_t *page = (volatile word_t *)memory(0);
        const nova_sel_t ready = semaphore(0);

        shared_page = page_of((const void *)(word_t)page);
        t->value[0] = page_alloc(0) << NOVA_PAGE_BITS;
        t->on_event = gives_again;
        give(s, mem(shared_page, 0, NOVA_MEM_R), t->value[0] >> NOVA_PAGE_BITS);
        give(s, obj(ready, ALL), CHILD_FREE_SEL);
        *page = 1000;
        thread_start(t, PRIO_HIGH, QUANTUM);
        for (word_t round = 0; round < 20; round++) {
                EXPECT_EQ(hc_sm_ctrl(ready, NOVA_SM_UP_OP), NOVA_SUCCESS);
                EXPECT(wait_for(&t->value[2], 2 * round + 1));
                EXPECT_EQ(t->value[5], round);
                EXPECT_EQ(t->value[1], 1000 + round);
                EXPECT_EQ(hc_revoke(mem(shared_page, 0, NOVA_PERM_ALL), 0), NOVA_SUCCESS);
                *page = 1001 + round;
                EXPECT_EQ(hc_sm_ctrl(ready, NOVA_SM_UP_OP), NOVA_SUCCESS);
                EXPECT(wait_for(&t->value[2], 2 * round + 2));
                EXPECT_EQ(t->value[5], round + 1);
                EXPECT_EQ(t->value[4], 4); /* a user's read of a page that is not present */
                EXPECT_EQ(t->value[1], 1001 + round);
        }
}
