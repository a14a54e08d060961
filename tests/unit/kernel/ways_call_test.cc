// SPDX-License-Identifier: BSD-2-Clause
// Calls, events and replies: the fast paths, for the common cases, do exactly what the general ones
// do.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "ways.h"

extern "C" {
#include "arch/x86/resume.h"
#include "ipc/event.h"
#include "nova/abi/event.h"
}

namespace
{

constexpr word_t SEL_PT = 0x20, SEL_BACK = 0x21, SEL_SM = 0x30, PAGE = 0x400, PORT = 0x3f8;

struct Item {
        unsigned type;
        word_t base, flags;
};

// A message's header, and its prepared items. If the header counts more items, the rest are
// whatever the UTCB holds.
struct Message {
        word_t header;
        std::vector<Item> items;
};

constexpr Item SEMAPHORE = {NOVA_CRD_OBJ, SEL_SM, NOVA_ITEM_DELEGATE},
               MEMORY = {NOVA_CRD_MEM, PAGE, NOVA_ITEM_DELEGATE},
               PORTS = {NOVA_CRD_IO, PORT, NOVA_ITEM_DELEGATE};
constexpr unsigned MOST = NOVA_UTCB_COUNT_MASK; // the largest possible count

const std::vector<Message> messages = {
        {0, {}},
        {1, {}},
        {8, {}},
        {NOVA_UTCB_WORDS, {}},
        {nova_utcb_items(0, 1), {SEMAPHORE}},
        {nova_utcb_items(2, 1), {MEMORY}},
        {nova_utcb_items(0, 1), {PORTS}},
        {nova_utcb_items(0, 1), {{NOVA_CRD_OBJ, SEL_SM, NOVA_ITEM_TRANSLATE}}},
        {nova_utcb_items(0, 1), {{NOVA_CRD_MEM, PAGE + 9, NOVA_ITEM_DELEGATE}}}, // nothing is there
        {nova_utcb_items(0, 2), {SEMAPHORE, SEMAPHORE}},
        {nova_utcb_items(1, 2), {MEMORY, {NOVA_CRD_MEM, PAGE + 1, NOVA_ITEM_DELEGATE}}},
        // Bits that belong to no count.
        {word_t{1} << 32, {}},
        // As much as fits, and more.
        {nova_utcb_items(NOVA_UTCB_WORDS - 2, 1), {SEMAPHORE}},
        {nova_utcb_items(NOVA_UTCB_WORDS - 1, 1), {SEMAPHORE}},
        {nova_utcb_items(0, NOVA_UTCB_TYPED_MAX), {PORTS}},
        {nova_utcb_items(1, NOVA_UTCB_TYPED_MAX), {SEMAPHORE}},
        // More than a UTCB holds.
        {NOVA_UTCB_WORDS + 1, {}},
        {MOST, {}},
        {nova_utcb_items(MOST, 1), {MEMORY}},
        {nova_utcb_items(0, NOVA_UTCB_TYPED_MAX + 1), {PORTS}},
        {nova_utcb_items(MOST, MOST), {SEMAPHORE}},
};

// Checks that the message arrived as far as it fits, items first, and that nothing else was
// written.
void check_message(const nova_utcb &sent, const nova_utcb &before, const nova_utcb &now)
{
        const word_t typed = std::min<word_t>(nova_utcb_typed(sent.items), NOVA_UTCB_TYPED_MAX);
        const word_t room = NOVA_UTCB_WORDS - 2 * typed;
        const word_t untyped = std::min<word_t>(nova_utcb_untyped(sent.items), room);

        EXPECT_EQ(now.items, untyped | typed << NOVA_UTCB_TYPED_SHIFT);
        EXPECT_TRUE(std::equal(sent.word, sent.word + untyped, now.word));
        EXPECT_TRUE(std::equal(before.word + untyped, before.word + room, now.word + untyped));
}

void load_fpu(ec *)
{
        cpu *self = cpu_self();
        self->arch.fpu_owner = self->current;
        self->current->special |= SPECIAL_FPU;
        self->special |= SPECIAL_FPU;
}

// Each function makes work that the kernel must do before `next` continues; the first one makes
// none.
void (*const attentions[])(ec *next) = {
        [](ec *) {},
        [](ec *) { cpu_self()->pending |= CPU_PENDING_GRACE; },
        [](ec *) { sched_decide(cpu_self()); },
        load_fpu,
        [](ec *next) { next->special |= SPECIAL_FPU; },
        [](ec *next) { next->pending |= EC_PENDING_RECALL; },
        [](ec *next) { next->pending |= EC_PENDING_STEP; },
        [](ec *) { sched_bind_current(cpu_self()); },
        [](ec *) { sc_end(cpu_self()->current_sc); },
};
constexpr unsigned NOTHING = 0, ATTENTIONS = std::size(attentions);

// State of the callee of a call or an event.
enum Callee {
        WAITS,
        BUSY,
        ENDED,
        WAITS_FOR_CALLER,
        ELSEWHERE, // on another CPU
        BUSY_ELSEWHERE,
        NO_PORTAL,
        CALLEES
};

struct Ipc : World {
        ec *caller, *callee, *third;
        sc *callers, *thirds;

        // The handler lies in the caller's PD or in another one.
        Ipc(bool same, word_t ip, nova_mtd_t mtd = NOVA_MTD_EXCEPTION)
        {
                caller = thread("caller", home, EC_GLOBAL);
                callee = thread("callee", same ? home : away, EC_LOCAL);
                third = thread("third", home, EC_GLOBAL);
                callers = context("caller's", caller);
                thirds = context("third's", third);
                portal(SEL_PT, callee, ip, mtd);
                make_sm(home, SEL_SM);
                Kernel::delegate(&kernel_pd, 0x300, home, PAGE, 2, NOVA_CRD_MEM, NOVA_MEM_RWX);
                Kernel::delegate(&kernel_pd, PORT, home, PORT, 1, NOVA_CRD_IO, NOVA_IO_A);
                ready(thirds, false);
                run(caller, callers);
        }

        ~Ipc()
        {
                set_cpu(callee, cpu_self());
        }

        static void set_cpu(ec *one, cpu *its)
        {
                one->cpu = its;
                one->place = its->number;
        }

        // Puts a message into a UTCB. Each item goes to a different place; the first one decides
        // which type the receiver allows.
        void put(const Message &message, ec *from, ec *to)
        {
                from->utcb->items = message.header;
                for (unsigned i = 0; i < message.items.size(); i++) {
                        const Item &one = message.items[i];
                        word_t *word = from->utcb->word + nova_utcb_item_index(i);
                        word[0] = nova_crd(one.type, one.base, 0, NOVA_PERM_ALL);
                        word[1] = one.flags | (0x700 + i) << NOVA_ITEM_HOTSPOT_SHIFT;
                }
                if (!message.items.empty())
                        to->utcb->delegate_window = to->utcb->translate_window =
                                nova_crd(message.items[0].type, 0, 31, NOVA_PERM_ALL);
        }

        void call(ec *from, unsigned flags, bool general, word_t sel = SEL_PT)
        {
                REG_P1(from) = nova_hypercall_id(NOVA_CALL, flags, sel);
                enter(from, general);
        }

        // Lets the callee handle a call of the third thread.
        void call_by_third()
        {
                run(third, thirds);
                run_queue_remove(&cpu_self()->run_queue, thirds);
                third->utcb->items = 0;
                call(third, 0, true);
        }

        // Lets the callee handle a call of the third thread, whose SC is at the head of the queue
        // again.
        void make_busy()
        {
                call_by_third();
                sched_bind_current(cpu_self());
                ready(thirds, true);
                run(caller, callers);
        }

        // Lets the callee handle a call of the third thread, too, and wait for the caller, which
        // handles a call of the callee.
        void make_cycle()
        {
                caller->kind = EC_LOCAL;
                caller->state = EC_REQUEST;
                callers->place = SC_NOWHERE;
                portal(SEL_BACK, caller, 0x6000);
                if (callee->pd != home)
                        Kernel::delegate(home, SEL_BACK, callee->pd, SEL_BACK, 1, NOVA_CRD_OBJ,
                                         NOVA_PERM_ALL);
                call_by_third();
                callee->utcb->items = 0;
                /* The callee's entry may be an address to which hypercalls do not return. */
                callee->regs.ip = 0x7000;
                call(callee, 0, true, SEL_BACK);
                ASSERT_EQ(cpu_self()->current, caller);
        }

        void set_callee(unsigned what)
        {
                if (what == BUSY)
                        make_busy();
                else if (what == WAITS_FOR_CALLER)
                        make_cycle();
                else if (what == ENDED)
                        ec_shut_down(callee);
                if (what == ELSEWHERE || what == BUSY_ELSEWHERE)
                        set_cpu(callee, cpu_by_id(1));
                if (what == BUSY_ELSEWHERE)
                        callee->state = EC_READY;
        }

        void reply(bool general)
        {
                REG_P1(callee) = nova_hypercall_id(NOVA_REPLY, 0, 0);
                enter(callee, general);
        }

        // Lets the busy callee, which the caller helps, reply. Then the caller's turn comes.
        void reply_if_helped(bool general)
        {
                if (caller->helping == callee && cpu_self()->current == callee)
                        reply(general);
        }
};

// Every mix of NOVA_CALL_DB, DD and DL.
constexpr unsigned MIXES = 8;

struct Call {
        unsigned flags, message, callee, attention;
        bool same, by_iret;
};

// Returns the status of a call that does not reach its callee; SUCCESS: the call reaches it.
nova_status refusal(const Call &one)
{
        switch (one.callee) {
        case BUSY:
                return one.flags & NOVA_CALL_DB ? NOVA_COM_TIM : NOVA_SUCCESS;
        case ENDED:
                return NOVA_COM_TIM;
        case WAITS_FOR_CALLER:
                return (one.flags & (NOVA_CALL_DB | NOVA_CALL_DL)) == NOVA_CALL_DL ? NOVA_DEADLOCK
                                                                                   : NOVA_COM_TIM;
        case ELSEWHERE:
        case BUSY_ELSEWHERE:
                return NOVA_BAD_CPU;
        case NO_PORTAL:
                return NOVA_BAD_CAP;
        default:
                return NOVA_SUCCESS;
        }
}

void check_call(const Ipc &w, const Call &one, const nova_utcb &before)
{
        const nova_status status = refusal(one);

        if (status == NOVA_SUCCESS) {
                EXPECT_EQ(w.callee->caller, w.caller);
                check_message(*w.caller->utcb, before, *w.callee->utcb);
                return;
        }
        EXPECT_EQ(cpu_self()->current, w.caller);
        EXPECT_EQ(REG_P1(w.caller), word_t(status));
        EXPECT_EQ(std::memcmp(&before, w.callee->utcb, sizeof(before)), 0);
}

std::string after_call(const Call &one, bool general)
{
        Ipc w(one.same, one.by_iret ? NOVA_USER_END : 0x5000);
        w.set_callee(one.callee);
        w.put(messages[one.message], w.caller, w.callee);
        attentions[one.attention](w.callee);
        const nova_utcb before = *w.callee->utcb;
        w.call(w.caller, one.flags, general, one.callee == NO_PORTAL ? SEL_SM : SEL_PT);
        w.reply_if_helped(general);
        if (one.attention == NOTHING)
                check_call(w, one, before);
        return w.state();
}

TEST(ways, of_a_call_are_the_same)
{
        for (unsigned message = 0; message < messages.size(); message++)
                for (unsigned more = 0; more < MIXES * CALLEES * ATTENTIONS * 4 && !HasFailure();
                     more++) {
                        const Call one = {more / 4 / ATTENTIONS / CALLEES * NOVA_CALL_DB,
                                          message,
                                          more / 4 / ATTENTIONS % CALLEES,
                                          more / 4 % ATTENTIONS,
                                          more % 2 != 0,
                                          more / 2 % 2 != 0};
                        SCOPED_TRACE(describe(
                                {"flags", "message", "callee", "attention", "same PD", "by IRET"},
                                {one.flags, one.message, one.callee, one.attention, one.same,
                                 one.by_iret}));
                        ASSERT_EQ(after_call(one, false), after_call(one, true));
                }
}

// Place of a register of the caller in the message of an event.
struct Field {
        nova_mtd_t group;
        word_t regs::*from;
        word_t nova_utcb_state::*to;
};

const Field fields[] = {
        {NOVA_MTD_ACDB, &regs::ax, &nova_utcb_state::ax},
        {NOVA_MTD_ACDB, &regs::cx, &nova_utcb_state::cx},
        {NOVA_MTD_ACDB, &regs::dx, &nova_utcb_state::dx},
        {NOVA_MTD_ACDB, &regs::bx, &nova_utcb_state::bx},
        {NOVA_MTD_BSD, &regs::bp, &nova_utcb_state::bp},
        {NOVA_MTD_BSD, &regs::si, &nova_utcb_state::si},
        {NOVA_MTD_BSD, &regs::di, &nova_utcb_state::di},
        {NOVA_MTD_ESP, &regs::sp, &nova_utcb_state::sp},
        {NOVA_MTD_EIP, &regs::ip, &nova_utcb_state::ip},
        {NOVA_MTD_EFL, &regs::flags, &nova_utcb_state::flags},
        {NOVA_MTD_R8_R15, &regs::r8, &nova_utcb_state::r8},
        {NOVA_MTD_R8_R15, &regs::r9, &nova_utcb_state::r9},
        {NOVA_MTD_R8_R15, &regs::r10, &nova_utcb_state::r10},
        {NOVA_MTD_R8_R15, &regs::r11, &nova_utcb_state::r11},
        {NOVA_MTD_R8_R15, &regs::r12, &nova_utcb_state::r12},
        {NOVA_MTD_R8_R15, &regs::r13, &nova_utcb_state::r13},
        {NOVA_MTD_R8_R15, &regs::r14, &nova_utcb_state::r14},
        {NOVA_MTD_R8_R15, &regs::r15, &nova_utcb_state::r15},
};

// Groups that a portal requests: none, one, all of the specification, all bits.
const nova_mtd_t mtds[] = {0,
                           NOVA_MTD_ACDB,
                           NOVA_MTD_BSD,
                           NOVA_MTD_ESP,
                           NOVA_MTD_EIP,
                           NOVA_MTD_EFL,
                           NOVA_MTD_QUAL,
                           NOVA_MTD_R8_R15,
                           NOVA_MTD_EXCEPTION,
                           ~nova_mtd_t{0}};
constexpr unsigned MTDS = std::size(mtds);
constexpr word_t ERROR = 6, ADDRESS = PAGE << 12 | 0x123;

struct Event {
        unsigned mtd, callee, attention;
        bool same, by_iret;
};

// Checks that the handler runs and has the state that its portal requests, or, without a handler,
// that the thread has ended.
void check_event(const Ipc &w, const Event &one, const nova_utcb &before)
{
        const nova_mtd_t mtd = mtds[one.mtd];
        nova_utcb expected = before;

        if (one.callee == WAITS || one.callee == BUSY) {
                expected.items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
                expected.state.mtd = mtd;
                for (const Field &field : fields)
                        if (mtd & field.group)
                                expected.state.*field.to = w.caller->regs.*field.from;
                if (mtd & NOVA_MTD_QUAL) {
                        expected.state.qual[0] = ERROR;
                        expected.state.qual[1] = ADDRESS;
                }
                EXPECT_EQ(cpu_self()->current, w.callee);
                EXPECT_EQ(REG_P1(w.callee), SEL_PT);
                EXPECT_EQ(w.callee->caller, w.caller);
                EXPECT_EQ(w.callee->caller_kind, CALLER_EVENT);
                EXPECT_EQ(w.caller->state, EC_REPLY);
        } else {
                EXPECT_EQ(w.caller->state, EC_DEAD);
        }
        EXPECT_EQ(std::memcmp(&expected, w.callee->utcb, sizeof(expected)), 0);
}

std::string after_event(const Event &one, bool general)
{
        Ipc w(one.same, one.by_iret ? NOVA_USER_END : 0x5000, mtds[one.mtd]);
        w.set_callee(one.callee);
        for (const Field &field : fields)
                w.caller->regs.*field.from = 0x1100 + word_t(&field - fields);
        w.caller->event_base = (one.callee == NO_PORTAL ? SEL_SM : SEL_PT) - NOVA_EXC_PF;
        attentions[one.attention](w.callee);
        const nova_utcb before = *w.callee->utcb;
        w.enter([](ec *self) { block_on_event(self, NOVA_EXC_PF, ERROR, ADDRESS); }, w.caller,
                general);
        w.reply_if_helped(general);
        if (one.attention == NOTHING)
                check_event(w, one, before);
        return w.state();
}

TEST(ways, of_an_event_are_the_same)
{
        for (unsigned i = 0; i < MTDS * CALLEES * ATTENTIONS * 4 && !HasFailure(); i++) {
                const Event one = {i / 4 / ATTENTIONS / CALLEES, i / 4 / ATTENTIONS % CALLEES,
                                   i / 4 % ATTENTIONS, i % 2 != 0, i / 2 % 2 != 0};
                SCOPED_TRACE(describe({"MTD", "callee", "attention", "same PD", "by IRET"},
                                      {one.mtd, one.callee, one.attention, one.same, one.by_iret}));
                ASSERT_EQ(after_event(one, false), after_event(one, true));
        }
}

// Receiver of a reply: a call, a call without donation, a page fault, or none any more.
enum Caller { DONATED, ALONE, EVENT, GONE, CALLERS };

struct Reply {
        unsigned caller, message, attention;
        bool same, sleeper;
};

// Runs up to the handler, before its reply.
void begin(Ipc &w, const Reply &one)
{
        w.caller->utcb->items = 0;
        if (one.caller == EVENT) {
                w.caller->event_base = SEL_PT - NOVA_EXC_PF;
                w.enter([](ec *self) { block_on_event(self, NOVA_EXC_PF, 6, PAGE << 12); },
                        w.caller, true);
                nova_utcb_state &state = w.callee->utcb->state;
                state.mtd = one.message % 3 ? NOVA_MTD_EXCEPTION : 0;
                state.ip = one.message % 3 == 2 ? word_t{1} << 47 : 0x7000; // #GP or nothing
                state.bx = 0x1234;
        } else {
                w.call(w.caller, one.caller == ALONE ? NOVA_CALL_DD : 0, true);
        }
        if (one.caller == ALONE) { // the next caller helps
                ASSERT_EQ(cpu_self()->current, w.third);
                w.call(w.third, 0, true);
        }
        ASSERT_EQ(cpu_self()->current, w.callee);
        if (one.caller == GONE)
                ec_shut_down(w.caller);
        w.caller->utcb->items = 0x33;
}

unsigned windows;

std::string after_reply(const Reply &one, bool general)
{
        Ipc w(one.same, 0x5000);
        begin(w, one);
        if (one.sleeper) { // a second SC waits with the caller
                sc *second = w.context("second", w.caller, PRIO + 1);
                second->place = SC_SLEEPING;
                w.caller->sleepers_top = second->prio;
                list_append(&w.caller->sleepers, &second->link);
        }
        w.put(messages[one.message], w.callee, w.caller);
        attentions[one.attention](w.caller);
        const nova_utcb sent = *w.callee->utcb, before = *w.caller->utcb;
        windows = 0;
        fake_window = [] { windows++; };
        w.reply(general);
        if (one.attention == NOTHING && one.caller == EVENT)
                EXPECT_LE(windows, NOVA_UTCB_TYPED_MAX + 1); // between two items, and in a decision
        else if (one.attention == NOTHING && one.caller != GONE)
                check_message(sent, before, *w.caller->utcb);
        return w.state();
}

TEST(ways, of_a_reply_are_the_same)
{
        for (unsigned message = 0; message < messages.size(); message++)
                for (unsigned more = 0; more < CALLERS * ATTENTIONS * 4 && !HasFailure(); more++) {
                        const Reply one = {more / 4 / ATTENTIONS, message, more / 4 % ATTENTIONS,
                                           more % 2 != 0, more / 2 % 2 != 0};
                        /* SCs can wait only with a thread that has donated none. */
                        if (one.sleeper && one.caller != ALONE)
                                continue;
                        SCOPED_TRACE(describe(
                                {"caller", "message", "attention", "same PD", "sleeper"},
                                {one.caller, one.message, one.attention, one.same, one.sleeper}));
                        ASSERT_EQ(after_reply(one, false), after_reply(one, true));
                }
}

// The receiver of the reply is ready, but the SC of its call has ended and runs no EC.
TEST(ways, of_a_reply_do_not_continue_with_an_sc_that_has_ended)
{
        for (const unsigned caller : {DONATED, ALONE, EVENT}) {
                Ipc w(true, 0x5000);
                begin(w, {caller, 0, NOTHING, true, false});
                sc *ended = cpu_self()->current_sc;
                sc_end(ended);
                REG_P1(w.callee) = nova_hypercall_id(NOVA_REPLY, 0, 0);
                EXPECT_EQ(fake_run(fake_enter, w.callee), caller == ALONE ? w.caller : w.third);
                EXPECT_NE(cpu_self()->current_sc, ended);
                EXPECT_EQ(w.caller->state, EC_READY);
        }
}

ec *ends_in_item;

// A reply's page was delegated at once; the faulting thread ended meanwhile.
TEST(ways, of_an_answer_notice_the_end_of_its_receiver)
{
        const Reply one = {EVENT, 5, NOTHING, true, false};
        Ipc w(one.same, 0x5000);
        begin(w, one);
        w.callee->utcb->state.mtd = 0;
        w.put(messages[one.message], w.callee, w.caller);
        ends_in_item = w.caller;
        fake_answered = [] {
                ec_shut_down(ends_in_item);
                ends_in_item = nullptr;
        };
        w.reply(false);
        fake_answered = nullptr;
        EXPECT_EQ(ends_in_item, nullptr);
        EXPECT_EQ(w.caller->state, EC_DEAD);
        EXPECT_EQ(w.callee->state, EC_REQUEST);
        EXPECT_EQ(w.callee->caller, nullptr);
        EXPECT_EQ(cpu_self()->current, w.third);
        w.state();
}

} // namespace
