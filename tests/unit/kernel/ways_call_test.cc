// SPDX-License-Identifier: BSD-2-Clause
// Calls and replies: the short ways, for what is mostly so, do what the general ones do.
#include <gtest/gtest.h>

#include "ways.h"

extern "C" {
#include "arch/x86/resume.h"
#include "ipc/event.h"
#include "nova/abi/event.h"
}

namespace
{

constexpr word_t SEL_PT = 0x20, SEL_BACK = 0x21, SEL_SM = 0x30, PAGE = 0x400, PORT = 0x3f8;

// Words and items of a message, by number.
struct Item {
        unsigned type;
        word_t base, flags;
};

struct Message {
        unsigned words;
        std::vector<Item> items;
};

const std::vector<Message> messages = {
        {0, {}},
        {1, {}},
        {8, {}},
        {NOVA_UTCB_WORDS, {}},
        {0, {{NOVA_CRD_OBJ, SEL_SM, NOVA_ITEM_DELEGATE}}},
        {2, {{NOVA_CRD_MEM, PAGE, NOVA_ITEM_DELEGATE}}},
        {0, {{NOVA_CRD_IO, PORT, NOVA_ITEM_DELEGATE}}},
        {0, {{NOVA_CRD_OBJ, SEL_SM, NOVA_ITEM_TRANSLATE}}},
        {0, {{NOVA_CRD_MEM, PAGE + 9, NOVA_ITEM_DELEGATE}}}, // nothing is there
        {0,
         {{NOVA_CRD_OBJ, SEL_SM, NOVA_ITEM_DELEGATE}, {NOVA_CRD_OBJ, SEL_SM, NOVA_ITEM_DELEGATE}}},
        {1,
         {{NOVA_CRD_MEM, PAGE, NOVA_ITEM_DELEGATE}, {NOVA_CRD_MEM, PAGE + 1, NOVA_ITEM_DELEGATE}}},
};

void load_fpu(ec *)
{
        cpu *self = cpu_self();
        self->fpu_owner = self->current;
        self->current->special |= SPECIAL_FPU;
        self->special |= SPECIAL_FPU;
}

// What is to be done before next can go on; first, nothing.
void (*const attentions[])(ec *next) = {
        [](ec *) {},
        [](ec *) { cpu_self()->pending |= CPU_PENDING_GRACE; },
        [](ec *) { sched_decide(cpu_self()); },
        load_fpu,
        [](ec *next) { next->special |= SPECIAL_FPU; },
        [](ec *next) { next->pending |= EC_PENDING_RECALL; },
        [](ec *next) { next->pending |= EC_PENDING_STEP; },
        [](ec *) { sched_bind_current(cpu_self()); },
};
constexpr unsigned NOTHING = 0, ATTENTIONS = std::size(attentions);

struct Ipc : World {
        ec *caller, *callee, *third;
        sc *callers, *thirds;

        // The handler lies in the same PD or in another one.
        Ipc(bool same, word_t ip)
        {
                caller = thread("caller", home, EC_GLOBAL);
                callee = thread("callee", same ? home : away, EC_LOCAL);
                third = thread("third", home, EC_GLOBAL);
                callers = context("caller's", caller);
                thirds = context("third's", third);
                portal(SEL_PT, callee, ip, NOVA_MTD_EXCEPTION);
                make_sm(home, SEL_SM);
                Kernel::delegate(&kernel_pd, 0x300, home, PAGE, 2, NOVA_CRD_MEM, NOVA_MEM_RWX);
                Kernel::delegate(&kernel_pd, PORT, home, PORT, 1, NOVA_CRD_IO, NOVA_IO_A);
                ready(thirds, false);
                run(caller, callers);
        }

        // Each item goes to a place of its own; the first says what kind the receiver allows.
        void put(const Message &message, ec *from, ec *to)
        {
                from->utcb->items = nova_utcb_items(message.words, message.items.size());
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

        // The callee handles a call of the third one.
        void call_by_third()
        {
                run(third, thirds);
                run_queue_remove(&cpu_self()->run_queue, thirds);
                third->utcb->items = 0;
                call(third, 0, true);
        }

        // It does, and the third one's SC is in front of others again.
        void make_busy()
        {
                call_by_third();
                sched_bind_current(cpu_self());
                ready(thirds, true);
                run(caller, callers);
        }

        // It does, too, and waits for the caller, which handles one of it.
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
                call(callee, 0, true, SEL_BACK);
                ASSERT_EQ(cpu_self()->current, caller);
        }

        void reply(bool general)
        {
                REG_P1(callee) = nova_hypercall_id(NOVA_REPLY, 0, 0);
                enter(callee, general);
        }
};

enum Callee { WAITS, BUSY, ENDED, WAITS_FOR_CALLER, CALLEES };

// Every mix of NOVA_CALL_DB, DD and DL.
constexpr unsigned MIXES = 8;

struct Call {
        unsigned flags, message, callee, attention;
        bool same, by_iret;
};

std::ostream &operator<<(std::ostream &out, const Call &one)
{
        return out << "flags " << one.flags << ", message " << one.message << ", callee "
                   << one.callee << ", attention " << one.attention << ", same PD " << one.same
                   << ", by IRET " << one.by_iret;
}

std::string after_call(const Call &one, bool general)
{
        Ipc w(one.same, one.by_iret ? NOVA_USER_END : 0x5000);
        if (one.callee == BUSY)
                w.make_busy();
        else if (one.callee == WAITS_FOR_CALLER)
                w.make_cycle();
        else if (one.callee == ENDED)
                ec_shut_down(w.callee);
        w.put(messages[one.message], w.caller, w.callee);
        attentions[one.attention](w.callee);
        w.call(w.caller, one.flags, general);
        if (one.callee == WAITS_FOR_CALLER && one.attention == NOTHING) {
                const bool told = one.flags & NOVA_CALL_DL && !(one.flags & NOVA_CALL_DB);
                EXPECT_EQ(REG_P1(w.caller), word_t(told ? NOVA_DEADLOCK : NOVA_COM_TIM));
        }
        return w.state();
}

TEST(ways, of_a_call_are_the_same)
{
        for (unsigned message = 0; message < messages.size(); message++)
                for (unsigned more = 0; more < MIXES * CALLEES * ATTENTIONS * 4; more++) {
                        const Call one = {more / 4 / ATTENTIONS / CALLEES * NOVA_CALL_DB,
                                          message,
                                          more / 4 / ATTENTIONS % CALLEES,
                                          more / 4 % ATTENTIONS,
                                          more % 2 != 0,
                                          more / 2 % 2 != 0};
                        SCOPED_TRACE(testing::Message() << one);
                        ASSERT_EQ(after_call(one, false), after_call(one, true));
                }
}

// To whom a reply goes: to a call, one without donation, a page fault; or to nobody any more.
enum Caller { DONATED, ALONE, EVENT, GONE, CALLERS };

struct Reply {
        unsigned caller, message, attention;
        bool same, sleeper;
};

std::ostream &operator<<(std::ostream &out, const Reply &one)
{
        return out << "caller " << one.caller << ", message " << one.message << ", attention "
                   << one.attention << ", same PD " << one.same << ", sleeper " << one.sleeper;
}

// The handler runs, with the reply still to be made.
void begin(Ipc &w, const Reply &one)
{
        w.caller->utcb->items = 0;
        if (one.caller == EVENT) {
                w.caller->event_base = SEL_PT - NOVA_EXC_PF;
                w.enter([](ec *self) { block_on_event(self, NOVA_EXC_PF, 6, PAGE << 12); },
                        w.caller, true);
                nova_utcb_state &state = w.callee->utcb->state;
                state.mtd = one.message % 3 ? NOVA_MTD_EXCEPTION : 0;
                state.ip = one.message % 3 == 2 ? word_t{1} << 47 : 0x7000; // #GP, or none
                state.bx = 0x1234;
        } else {
                w.call(w.caller, one.caller == ALONE ? NOVA_CALL_DD : 0, true);
        }
        if (one.caller == ALONE) { // whoever comes next helps
                ASSERT_EQ(cpu_self()->current, w.third);
                w.call(w.third, 0, true);
        }
        ASSERT_EQ(cpu_self()->current, w.callee);
        if (one.caller == GONE)
                ec_shut_down(w.caller);
        w.caller->utcb->items = 0x33;
}

std::string after_reply(const Reply &one, bool general)
{
        Ipc w(one.same, 0x5000);
        begin(w, one);
        if (one.sleeper) { // a second SC waits with the caller
                sc *second = w.context("second", w.caller, PRIO + 1);
                second->place = SC_SLEEPING;
                list_append(&w.caller->sleepers, &second->link);
        }
        w.put(messages[one.message], w.callee, w.caller);
        attentions[one.attention](w.caller);
        w.reply(general);
        return w.state();
}

TEST(ways, of_a_reply_are_the_same)
{
        for (unsigned message = 0; message < messages.size(); message++)
                for (unsigned more = 0; more < CALLERS * ATTENTIONS * 4; more++) {
                        const Reply one = {more / 4 / ATTENTIONS, message, more / 4 % ATTENTIONS,
                                           more % 2 != 0, more / 2 % 2 != 0};
                        /* SCs wait with a thread that has given none away. */
                        if (one.sleeper && one.caller != ALONE)
                                continue;
                        SCOPED_TRACE(testing::Message() << one);
                        ASSERT_EQ(after_reply(one, false), after_reply(one, true));
                }
}

ec *ends_in_item;

// An answer's page was delegated at once; whoever had the page fault ended meanwhile.
TEST(ways, of_an_answer_notice_the_end_of_whom_it_is_for)
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
