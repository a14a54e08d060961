/* SPDX-License-Identifier: BSD-2-Clause */
/* The state that an exception's message carries, and the state that the reply writes back. */
#include "harness.h"

#define PATTERN ((word_t)0x5a5a5a5a5a5a5a5aull)
#define VALUE   ((word_t)0x0123456789abcd00ull)

#define FLAG_DF    0x400
#define FLAG_IF    0x200
#define FLAG_TF    0x100
#define FLAG_IOPL  0x3000
#define FLAG_NT    0x4000
#define FLAG_RF    0x10000
#define FLAG_VM    0x20000
#define FLAG_AC    0x40000
#define FLAG_VIF   0x80000
#define FLAG_VIP   0x100000
#define FLAG_ID    0x200000
#define ARITHMETIC 0x8d5

static struct gpr regs;             /* the thread's registers before and after */
static struct nova_utcb_state seen; /* the message */
static word_t seen_items;
static struct nova_utcb_state answer; /* the reply, without ip */
static word_t answer_mtd;

static bool capture(struct thread *t, unsigned n, struct nova_utcb *u)
{
        (void)t;
        if (n != NOVA_EXC_UD)
                return false;
        seen = u->state;
        seen_items = u->items;
        u->state = answer;
        u->state.ip = (word_t)event_ud_at + 2;
        u->state.mtd = answer_mtd | NOVA_MTD_EIP;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
        return true;
}

static void fill_words(void *to, word_t first, word_t step, size_t bytes)
{
        for (size_t i = 0; i < bytes / sizeof(word_t); i++)
                ((word_t *)to)[i] = first + step * i;
}

static void do_ud(struct thread *t)
{
        (void)t;
        event_ud(&regs);
}

/* Raises #UD in a thread whose #UD portal has this MTD, and replies with answer_mtd. */
static struct thread *message(nova_mtd_t mtd)
{
        struct thread *t = server(boot_cpu);
        event_portal(t, NOVA_EXC_UD, mtd);
        t->on_event = capture;
        fill_words(&regs, VALUE, 1, sizeof(regs));
        regs.flags = 0x202;
        fill_words(&event_utcb(boot_cpu)->state, PATTERN, 0, sizeof(struct nova_utcb_state));
        remote(t, do_ud, NULL);
        return t;
}

static void reset_answer(void)
{
        fill_words(&answer, 0x7700, 1, sizeof(answer));
        answer_mtd = 0;
}

/* Expects the pattern in all words of the message except the first one and those at offsets from
 * first up to end. */
static void others_untouched(size_t first, size_t end)
{
        const char *p = (const char *)&seen;
        for (size_t at = sizeof(word_t); at < sizeof(seen); at += sizeof(word_t)) {
                if (at >= first && at < end)
                        continue;
                EXPECT_EQ(*(const word_t *)(p + at), PATTERN);
        }
}

#define FIELD(name) offsetof(struct nova_utcb_state, name)

CASE(mtd, the_message_begins_with_the_portals_descriptor,
     "4.4-01 4.4-02 7.3-01 8.3-01 5.3.4-05 2.4-04")
{
        reset_answer();
        message(NOVA_MTD_ACDB | NOVA_MTD_EIP);
        EXPECT_EQ(seen.mtd, NOVA_MTD_ACDB | NOVA_MTD_EIP);
        message(NOVA_MTD_QUAL);
        EXPECT_EQ(seen.mtd, NOVA_MTD_QUAL);
}

CASE(mtd, the_header_counts_the_words_of_the_state, "7.3-26 8.3-28")
{
        reset_answer();
        message(NOVA_MTD_EXCEPTION);
        EXPECT_EQ(seen_items, nova_utcb_items(sizeof(word_t) == 8 ? 56 : 72, 0));
}

CASE(mtd, descriptor_0_moves_nothing, "4.4-04 4.4-06 7.4-14 8.4-14 A-13")
{
        reset_answer();
        message(0);
        EXPECT_EQ(seen.mtd, 0);
        others_untouched(0, 0);
}

CASE(mtd, ACDB_carries_ax_cx_dx_bx, "7.4-01 8.4-01 7.3-07 8.3-07 4.4-03 4.4-04 D-13")
{
        reset_answer();
        message(NOVA_MTD_ACDB);
        EXPECT_EQ(seen.ax, VALUE + 0);
        EXPECT_EQ(seen.bx, VALUE + 1);
        EXPECT_EQ(seen.cx, VALUE + 2);
        EXPECT_EQ(seen.dx, VALUE + 3);
        others_untouched(FIELD(ax), FIELD(sp));
}

CASE(mtd, BSD_carries_bp_si_di, "7.4-03 8.4-03 7.3-09 8.3-09")
{
        reset_answer();
        message(NOVA_MTD_BSD);
        EXPECT_EQ(seen.si, VALUE + 4);
        EXPECT_EQ(seen.di, VALUE + 5);
        EXPECT_EQ(seen.bp, VALUE + 6);
        others_untouched(FIELD(bp), FIELD(di) + sizeof(word_t));
}

CASE(mtd, ESP_carries_sp, "7.4-05 8.4-05 7.3-08 8.3-08")
{
        reset_answer();
        message(NOVA_MTD_ESP);
        EXPECT_EQ(seen.sp, regs.sp_in);
        others_untouched(FIELD(sp), FIELD(bp));
}

CASE(mtd, EIP_carries_ip, "7.4-07 8.4-07 7.3-03 8.3-03")
{
        reset_answer();
        message(NOVA_MTD_EIP);
        EXPECT_EQ(seen.ip, (word_t)event_ud_at);
        others_untouched(FIELD(inst_len), FIELD(flags));
}

CASE(mtd, EFL_carries_the_flags, "7.4-09 8.4-09 7.3-04 8.3-04")
{
        reset_answer();
        message(NOVA_MTD_EFL);
        EXPECT_EQ(seen.flags & ~(word_t)FLAG_RF, 0x202);
        others_untouched(FIELD(flags), FIELD(intr_state));
}

CASE(mtd, QUAL_carries_two_qualifications, "7.4-11 8.4-11 7.3-10 8.3-11")
{
        reset_answer();
        message(NOVA_MTD_QUAL);
        EXPECT_EQ(seen.qual[0], 0);
        others_untouched(FIELD(qual), FIELD(ctrl));
}

CASE(mtd, the_other_bits_carry_nothing_for_exceptions, "7.4-14 8.4-14 7.4-57 8.4-42")
{
        reset_answer();
        for (unsigned bit = 5; bit < 32; bit++) {
                if (bit == 15 || (nova_mtd_t)1 << bit == NOVA_MTD_R8_R15)
                        continue;
                message((nova_mtd_t)1 << bit);
                others_untouched(0, 0);
        }
}

CASE_ON(mtd, registers_8_to_15_are_not_carried, "D-13.2 8.3-10", needs_x86_64)
{
        reset_answer();
        message(0xfffff);
#if __SIZEOF_POINTER__ == 8
        EXPECT_EQ(seen.r8, PATTERN);
        EXPECT_EQ(seen.r15, PATTERN);
        EXPECT_EQ(seen.cr8, PATTERN);
        EXPECT_EQ(regs.r8, VALUE + 10);
        EXPECT_EQ(regs.r15, VALUE + 17);
#endif
}

__attribute__((unused)) static inline word_t r8_word(const void *r8, unsigned i)
{
        return ((const word_t *)r8)[i];
}

CASE_ON(mtd, R8_R15_carries_and_writes_the_eight_registers, "X-MTD", needs_r8_r15)
{
#if __SIZEOF_POINTER__ == 8
        reset_answer();
        message(NOVA_MTD_R8_R15);
        for (unsigned i = 0; i < 8; i++) {
                EXPECT_EQ(r8_word(&seen.r8, i), VALUE + 10 + i);
                EXPECT_EQ(r8_word(&regs.r8, i), VALUE + 10 + i);
        }
        others_untouched(FIELD(r8), FIELD(qual));
        answer_mtd = NOVA_MTD_R8_R15;
        message(0);
        for (unsigned i = 0; i < 8; i++)
                EXPECT_EQ(r8_word(&regs.r8, i), r8_word(&answer.r8, i));
#endif
}

/* ---- Replies --------------------------------------------------------------------------------- */

/* Returns whether ax, bx, cx and dx are unchanged. */
static bool same_acdb(void)
{
        return regs.ax == VALUE && regs.bx == VALUE + 1 && regs.cx == VALUE + 2 &&
               regs.dx == VALUE + 3;
}

/* Returns whether si, di and bp are unchanged. */
static bool same_bsd(void)
{
        return regs.si == VALUE + 4 && regs.di == VALUE + 5 && regs.bp == VALUE + 6;
}

CASE(mtd, a_reply_with_no_other_bit_leaves_all_registers, "4.4-06 D-12")
{
        reset_answer();
        message(NOVA_MTD_EXCEPTION);
        EXPECT(same_acdb());
        EXPECT(same_bsd());
        EXPECT_EQ(regs.sp, regs.sp_in);
}

CASE(mtd, a_reply_with_ACDB_writes_ax_cx_dx_bx, "7.4-02 8.4-02 4.4-05")
{
        reset_answer();
        answer_mtd = NOVA_MTD_ACDB;
        message(NOVA_MTD_EXCEPTION);
        EXPECT_EQ(regs.ax, answer.ax);
        EXPECT_EQ(regs.bx, answer.bx);
        EXPECT_EQ(regs.cx, answer.cx);
        EXPECT_EQ(regs.dx, answer.dx);
        EXPECT(same_bsd());
}

CASE(mtd, a_reply_with_BSD_writes_bp_si_di, "7.4-04 8.4-04 4.4-05")
{
        reset_answer();
        answer_mtd = NOVA_MTD_BSD;
        message(NOVA_MTD_EXCEPTION);
        EXPECT_EQ(regs.si, answer.si);
        EXPECT_EQ(regs.di, answer.di);
        EXPECT_EQ(regs.bp, answer.bp);
        EXPECT(same_acdb());
}

CASE(mtd, a_reply_may_write_state_that_the_message_did_not_carry, "D-12 D-12.2 A-12")
{
        reset_answer();
        answer_mtd = NOVA_MTD_ACDB;
        message(0);
        EXPECT_EQ(regs.ax, answer.ax);
        EXPECT_EQ(regs.dx, answer.dx);
}

static word_t other_stack[64];

static bool moves_stack(struct thread *t, unsigned n, struct nova_utcb *u)
{
        (void)t;
        if (n != NOVA_EXC_UD)
                return false;
        other_stack[32] = *(word_t *)u->state.sp;
        u->state.sp = (word_t)&other_stack[32];
        u->state.ip = (word_t)probe_failed;
        u->state.mtd = NOVA_MTD_ESP | NOVA_MTD_EIP;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
        return true;
}

static word_t stack_after;

static inline word_t stack_pointer(void)
{
        word_t here;
        __asm__ volatile("mov %%" STACK_POINTER ", %0" : "=r"(here));
        return here;
}

/* Must not use its stack frame after the event, because the reply changes the stack pointer. */
static void faults_then_exits(struct thread *t)
{
        (void)t;
        raise_ud();
        stack_after = stack_pointer();
        thread_exit();
}

CASE(mtd, a_reply_with_ESP_writes_sp, "7.4-06 8.4-06")
{
        struct thread *t = global(boot_cpu, faults_then_exits, NULL);
        event_portal(t, NOVA_EXC_UD, NOVA_MTD_EXCEPTION);
        stack_after = 0;
        t->on_event = moves_stack;
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT(stack_after > (word_t)other_stack);
        EXPECT(stack_after < (word_t)other_stack + sizeof(other_stack));
}

CASE(mtd, a_reply_with_EIP_writes_ip, "7.4-08 8.4-08 D-10.2 3.3-10")
{
        reset_answer();
        answer.inst_len = 77;
        message(NOVA_MTD_EXCEPTION);
        EXPECT_EQ(regs.sp, regs.sp_in);
}

CASE(mtd, a_reply_with_QUAL_or_another_bit_writes_nothing,
     "7.4-13 8.4-13 7.4-14 8.4-14 7.4-57 8.4-42")
{
        for (unsigned bit = 5; bit < 32; bit++) {
                if ((nova_mtd_t)1 << bit == NOVA_MTD_R8_R15)
                        continue;
                reset_answer();
                answer_mtd = (nova_mtd_t)1 << bit;
                message(NOVA_MTD_EXCEPTION);
                EXPECT(same_acdb() && same_bsd());
                EXPECT_EQ(regs.sp, regs.sp_in);
                EXPECT_EQ(regs.flags & ~(word_t)FLAG_RF, 0x202);
        }
}

/* ---- Flags ----------------------------------------------------------------------------------- */

/* Returns the thread's flags after a reply that wrote these flags. */
static word_t flags_after(word_t flags)
{
        reset_answer();
        answer_mtd = NOVA_MTD_EFL;
        answer.flags = flags;
        message(NOVA_MTD_EXCEPTION);
        return regs.flags & ~(word_t)FLAG_RF;
}

CASE(mtd, a_reply_with_EFL_writes_the_arithmetic_flags, "7.4-10 8.4-10")
{
        EXPECT_EQ(flags_after(ARITHMETIC | FLAG_IF) & ARITHMETIC, ARITHMETIC);
        EXPECT_EQ(flags_after(FLAG_IF) & ARITHMETIC, 0);
        EXPECT_EQ(flags_after(FLAG_IF | 1) & ARITHMETIC, 1);
}

CASE(mtd, DF_is_written_back, "D-09")
{
        EXPECT_EQ(flags_after(FLAG_IF | FLAG_DF), 0x202 | FLAG_DF);
}

CASE(mtd, AC_is_written_back, "D-09.3")
{
        EXPECT_EQ(flags_after(FLAG_IF | FLAG_AC), 0x202 | FLAG_AC);
}

CASE(mtd, ID_is_written_back, "D-09.4")
{
        EXPECT_EQ(flags_after(FLAG_IF | FLAG_ID), 0x202 | FLAG_ID);
}

CASE(mtd, RF_does_no_harm, "D-09.5")
{
        EXPECT_EQ(flags_after(FLAG_IF | FLAG_RF), 0x202);
}

CASE(mtd, IF_cannot_be_cleared, "D-09.6")
{
        EXPECT_EQ(flags_after(0), 0x202);
}

CASE(mtd, IOPL_cannot_be_raised, "D-09.7")
{
        EXPECT_EQ(flags_after(FLAG_IF | FLAG_IOPL), 0x202);
        EXPECT_EQ(probe_in(0x2f8), 1);
}

CASE(mtd, NT_cannot_be_set, "D-09.8")
{
        EXPECT_EQ(flags_after(FLAG_IF | FLAG_NT), 0x202);
}

CASE(mtd, VM_cannot_be_set, "D-09.9")
{
        EXPECT_EQ(flags_after(FLAG_IF | FLAG_VM), 0x202);
}

CASE(mtd, VIF_and_VIP_cannot_be_set, "D-09.10")
{
        EXPECT_EQ(flags_after(FLAG_IF | FLAG_VIF | FLAG_VIP), 0x202);
}

CASE(mtd, any_flags_word_is_survived, "D-09.6 D-09.7 D-09.8 D-09.9 D-09.10")
{
        const word_t flags = flags_after(~(word_t)FLAG_TF);
        EXPECT_EQ(flags & ~(word_t)(ARITHMETIC | FLAG_DF | FLAG_AC | FLAG_ID), 0x202);
}

static bool steps(struct thread *t, unsigned n, struct nova_utcb *u)
{
        if (n == NOVA_EXC_DB) {
                t->value[0]++;
                t->value[1] = u->state.ip;
                u->state.flags &= ~(word_t)FLAG_TF;
                u->state.mtd = NOVA_MTD_EFL;
                u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
                return true;
        }
        u->state.flags |= FLAG_TF;
        u->state.ip = (word_t)event_ud_at + 2;
        u->state.mtd = NOVA_MTD_EFL | NOVA_MTD_EIP;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
        return true;
}

CASE(mtd, TF_is_written_back_and_steps_one_instruction, "D-09.2")
{
        struct thread *t = server(boot_cpu);
        t->on_event = steps;
        fill_words(&regs, VALUE, 1, sizeof(regs));
        regs.flags = 0x202;
        remote(t, do_ud, NULL);
        EXPECT_EQ(t->value[0], 1);
        EXPECT(t->value[1] > (word_t)event_ud_at + 2);
        EXPECT(t->value[1] < (word_t)event_ud_at + 16);
}

static bool bad_ip(struct thread *t, unsigned n, struct nova_utcb *u)
{
        t->value[0]++;
        t->value[1] = n;
        u->state.ip = t->value[0] == 1 ? t->value[2] : (word_t)probe_failed;
        u->state.mtd = NOVA_MTD_EIP;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
        return true;
}

static void do_raise(struct thread *t)
{
        (void)t;
        raise_ud();
}

CASE(mtd, an_instruction_pointer_into_the_kernel_gives_the_thread_a_fault, "7.4-08 8.4-08")
{
        static const word_t targets[] = {NOVA_USER_END, ~(word_t)0 - 0xfffff, ~(word_t)0};
        for (unsigned i = 0; i < 3; i++) {
                struct thread *t = server(boot_cpu);
                t->on_event = bad_ip;
                t->value[2] = targets[i];
                remote(t, do_raise, NULL);
                EXPECT_EQ(t->value[0], 2);
                EXPECT(t->value[1] == NOVA_EXC_PF || t->value[1] == NOVA_EXC_GP);
        }
}

CASE_ON(mtd, a_non_canonical_instruction_pointer_gives_the_thread_a_fault, "8.4-08", needs_x86_64)
{
        struct thread *t = server(boot_cpu);
        t->on_event = bad_ip;
        t->value[2] = (word_t)1 << (NOVA_WORD_BITS - 4);
        remote(t, do_raise, NULL);
        EXPECT_EQ(t->value[0], 2);
        EXPECT(t->value[1] == NOVA_EXC_PF || t->value[1] == NOVA_EXC_GP);
}
