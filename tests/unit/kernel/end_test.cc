// SPDX-License-Identifier: BSD-2-Clause
// ECs that end in the middle of a hypercall: the caller or the callee.
#include <gtest/gtest.h>

#include <functional>

#include "ways.h"

extern "C" {
#include "arch/x86/resume.h"
#include "arch/x86/tlb.h"
#include "hypercall/dispatch.h"
#include "nova/abi/event.h"
#include "nova/abi/utcb.h"
#include "object/reap.h"
#include "sched/cpu.h"
#include "sched/mail.h"
#include "sched/schedule.h"
#include "thread.h"
}

namespace
{

// The range: 64 pages or selectors, which begin at BASE.
constexpr word_t SEL_PT = 0x20, SEL_PD = 0x21, SEL_EC = 0x22, BASE = 0x400040, SOURCE = 0x10000;
constexpr unsigned ORDER = 6, PAGES = 1u << ORDER, CHILDREN = 40;

ec *dying; // EC that ends while this CPU waits for the other one

// Runs while this CPU waits. This CPU receives the mail before the other CPU has answered.
void wait_for_other_cpu()
{
        struct cpu *other = cpu_by_id(1);

        if (dying) {
                mail_send(cpu_self(), &dying->mail, MAIL_END);
                dying = nullptr;
                return;
        }
        other->flush_done = other->flush_wanted;
        if (other->flush_round & 1) {
                other->flush_round++;
                flushes_begun--;
        }
        reclaim_quiescent(other);
}

// A client runs, a server waits for its calls; another CPU may have loaded the server's PD.
struct End : Kernel {
        pd *client = make_pd(), *server = make_pd();
        ec *caller = make_ec(client, 0x1000), *callee = make_ec(server, 0x1000);

        End()
        {
                make_pt(client, SEL_PT, callee, 0x5000);
                fake_guest_boot(true);
                cpu_self()->current = cpu_self()->current_sc->ec = caller;
        }

        ~End()
        {
                fake_fail_allocation(-1);
                fake_general = false;
                fake_idle();
                // Checks that all resources of the client and the server are free.
                while (!pds.empty())
                        destroy(pds.back());
                fake_guest_boot(false);
        }

        // Makes an EC end during the next flush of TLBs of a PD that another CPU has loaded.
        static void end_in_flush(pd *loaded, ec *one)
        {
                fake_second_cpu(loaded);
                dying = one;
                fake_wait = wait_for_other_cpu;
        }

        nova_status call(nova_crd_t crd, word_t flags)
        {
                const unsigned item = nova_utcb_item_index(0);

                caller->utcb->items = nova_utcb_items(0, 1);
                caller->utcb->word[item] = callee->utcb->delegate_window = crd;
                caller->utcb->word[item + 1] = flags | NOVA_ITEM_DELEGATE;
                REG_P1(caller) = nova_hypercall_id(NOVA_CALL, 0, SEL_PT);
                const nova_status status = fake_hypercall(caller);
                // A preempted caller gets the status when it runs again.
                return caller->cont == continuation_t(resume_woken)
                               ? nova_status(caller->wait_status)
                               : status;
        }

        // Delegates the server's first port, at once or in steps. This flushes TLBs.
        nova_status call_with_port(bool in_steps)
        {
                fake_general = in_steps;
                return call(nova_crd(NOVA_CRD_IO, 0x3f8, 0, NOVA_IO_A), 0);
        }

        // Lets the callee reply to a call or to an event. The reply delegates a page of the server.
        // Ends the EC `one` while this CPU waits for another CPU's flush.
        void reply_with_page(bool in_steps, bool to_event, ec *one)
        {
                const unsigned item = nova_utcb_item_index(0);

                delegate(&kernel_pd, SOURCE, server, BASE, 1, NOVA_CRD_MEM, NOVA_MEM_RWX);
                set_caller(callee, caller);
                if (to_event)
                        callee->caller_kind = CALLER_EVENT;
                caller->event_qual[1] = BASE << PAGE_BITS;
                callee->utcb->items = nova_utcb_items(0, 1);
                callee->utcb->word[item] = caller->utcb->delegate_window =
                        nova_crd(NOVA_CRD_MEM, BASE, 0, NOVA_MEM_RWX);
                callee->utcb->word[item + 1] = NOVA_ITEM_DELEGATE | BASE << NOVA_ITEM_HOTSPOT_SHIFT;
                REG_P1(callee) = nova_hypercall_id(NOVA_REPLY, 0, 0);
                cpu_self()->current = cpu_self()->current_sc->ec = callee;
                end_in_flush(nullptr, one);
                cpu_by_id(1)->flush_round = 1;
                flushes_begun = 1;
                fake_general = in_steps;
                fake_hypercall(callee);
                EXPECT_EQ(dying, nullptr);
        }

        // Revokes the client's capabilities, one derived capability after the other.
        nova_status revoke(unsigned type)
        {
                for (word_t i = 0; i < CHILDREN; i++)
                        delegate(client, type == NOVA_CRD_OBJ ? BASE : BASE + i, server, BASE + i,
                                 1, type, NOVA_MEM_RWX);
                REG_P1(caller) = nova_hypercall_id(NOVA_REVOKE, 0, 0);
                REG_P2(caller) = nova_crd(type, BASE, ORDER, NOVA_PERM_ALL);
                return fake_hypercall(caller);
        }
};

TEST(end, of_the_callee_while_tlbs_are_flushed_for_its_item_aborts_the_call)
{
        for (const bool in_steps : {false, true}) {
                End e;
                e.delegate(&kernel_pd, 0x3f8, e.client, 0x3f8, 1, NOVA_CRD_IO, NOVA_IO_A);
                e.end_in_flush(e.server, e.callee);
                EXPECT_EQ(e.call_with_port(in_steps), NOVA_COM_ABT);
                EXPECT_EQ(dying, nullptr);
                EXPECT_EQ(e.callee->state, EC_DEAD);
                EXPECT_EQ(e.caller->state, EC_READY);
        }
}

TEST(end, of_the_caller_while_tlbs_are_flushed_for_its_item_leaves_the_callee_its_message)
{
        for (const bool in_steps : {false, true}) {
                End e;
                e.delegate(&kernel_pd, 0x3f8, e.client, 0x3f8, 1, NOVA_CRD_IO, NOVA_IO_A);
                e.end_in_flush(e.server, e.caller);
                e.call_with_port(in_steps);
                EXPECT_EQ(dying, nullptr);
                EXPECT_EQ(e.caller->state, EC_DEAD);
                EXPECT_EQ(e.callee->state, EC_READY); // it gets the message, whose item has arrived
                EXPECT_EQ(e.callee->caller_kind, CALLER_NONE);
        }
}

// Lets one of the two ECs end during the flush of each kind of reply.
void end_during_answers(ec *End::*one, const std::function<void(End &, bool to_event)> &check)
{
        for (const bool to_event : {false, true})
                for (const bool in_steps : {false, true}) {
                        End e;
                        e.reply_with_page(in_steps, to_event, e.*one);
                        EXPECT_EQ((e.*one)->state, EC_DEAD);
                        check(e, to_event);
                }
}

TEST(end, of_the_callee_while_tlbs_are_flushed_for_its_answer_leaves_the_caller_the_answer)
{
        end_during_answers(&End::callee, [](End &e, bool to_event) {
                EXPECT_EQ(e.caller->state, EC_READY);
                EXPECT_EQ(e.caller->cont,
                          continuation_t(to_event ? resume_interrupted : resume_success));
                EXPECT_EQ(caps_of(e.client, NOVA_CRD_MEM).count(BASE), 1u);
        });
}

TEST(end, of_the_caller_while_tlbs_are_flushed_for_its_answer_leaves_the_callee_free)
{
        end_during_answers(&End::caller, [](End &e, bool) {
                EXPECT_EQ(e.callee->state, EC_REQUEST);
                EXPECT_EQ(e.callee->caller_kind, CALLER_NONE);
        });
}

// A page needs several tables. When memory runs out after some of them, the entered mappings are
// taken back, and TLBs are flushed although nothing was delegated.
TEST(end, in_a_call_whose_item_finds_no_memory_is_noticed)
{
        for (const bool of_caller : {false, true}) {
                unsigned ended = 0;
                for (long tables = 0; tables < 10; tables++) {
                        End e;
                        e.delegate(&kernel_pd, SOURCE, e.client, BASE, 1, NOVA_CRD_MEM, 7);
                        fake_settle();
                        e.end_in_flush(e.server, of_caller ? e.caller : e.callee);
                        fake_fail_allocations_from(tables);
                        const nova_status status =
                                e.call(nova_crd(NOVA_CRD_MEM, BASE, 0, 7), NOVA_ITEM_G);
                        if (dying)
                                continue; // nothing was flushed
                        ended++;
                        EXPECT_EQ(e.caller->state, of_caller ? EC_DEAD : EC_READY);
                        EXPECT_EQ(e.callee->state, of_caller ? EC_REQUEST : EC_DEAD);
                        EXPECT_TRUE(of_caller || status == NOVA_COM_ABT);
                }
                EXPECT_GT(ended, 0u);
        }
}

TEST(end, of_a_revoker_that_was_preempted_leaves_nothing)
{
        for (const unsigned type : {NOVA_CRD_MEM, NOVA_CRD_OBJ}) {
                End e;
                if (type == NOVA_CRD_OBJ)
                        e.make_sm(e.client, BASE);
                else
                        e.delegate(&kernel_pd, SOURCE, e.client, BASE, PAGES, type, 7);
                fake_window = [] {
                        if (cpu_self()->current->revocation.pin) // between two steps
                                sched_decide(cpu_self());
                };
                e.revoke(type);
                EXPECT_NE(e.caller->revocation.pin, nullptr);
                ec_end(e.caller);
                while (!ec_finish_step(e.caller))
                        ;
                EXPECT_EQ(e.caller->revocation.pin, nullptr);
        }
}

TEST(end, of_a_revoker_while_tlbs_are_flushed_leaves_nothing)
{
        End e;
        e.delegate(&kernel_pd, SOURCE, e.client, BASE, PAGES, NOVA_CRD_MEM, 7);
        e.end_in_flush(e.server, e.caller);
        e.revoke(NOVA_CRD_MEM);
        EXPECT_EQ(dying, nullptr);
        while (!ec_finish_step(e.caller))
                ;
        EXPECT_EQ(e.caller->revocation.pin, nullptr);
}

// One CPU destroys a caller, which ends on another CPU. The call holds the last reference to its
// portal. The destroying CPU must free the portal, because its hypercall ends all objects that it
// has dropped before it returns.
TEST(end, of_a_caller_leaves_its_portal_to_the_cpu_that_destroys_it)
{
        End e;
        for (word_t i = 0; i < PAGES; i++)
                e.make_sm(e.client, BASE + i);
        fake_window = [] { sched_decide(cpu_self()); };
        e.call(nova_crd(NOVA_CRD_OBJ, BASE, ORDER, NOVA_PERM_ALL), 0);
        ASSERT_NE(e.caller->calling, nullptr) << "the call was not preempted";
        fake_window = nullptr;
        e.Kernel::revoke(e.client, SEL_PT, SEL_PT, NOVA_CRD_OBJ, NOVA_PERM_ALL, true);
        ASSERT_EQ(cpu_self()->dying, nullptr) << "the call does not hold the portal";

        kobject *portal = &e.caller->calling->object;
        EXPECT_TRUE(ec_end(e.caller)); // what the caller's CPU does
        EXPECT_EQ(cpu_self()->dying, nullptr);
        EXPECT_TRUE(ec_has_left_work(e.caller));
        while (!ec_finish_step(e.caller)) // what the destroying CPU does
                ;
        EXPECT_EQ(cpu_self()->dying, portal);
        EXPECT_FALSE(ec_has_left_work(e.caller));
}

// Between two steps of an end, the partner's memory may be reused for another thread.
TEST(end, of_a_sender_forgets_its_partner)
{
        End e;
        e.caller->transfer = {};
        e.caller->transfer.to = e.callee;
        e.callee->state = EC_REPLY;
        e.callee->callee = e.callee->caller = e.caller;
        e.callee->caller_kind = CALLER_CALL;
        ec_shut_down(e.caller);
        EXPECT_EQ(e.callee->state, EC_REQUEST);
        EXPECT_EQ(e.caller->transfer.to, nullptr);
}

// A thread of a PD that is being destroyed runs until it ends. Until then, its pager must see only
// those page faults that the PD's tables cause.
TEST(end, of_a_pd_leaves_its_tables_to_its_running_thread)
{
        End e;
        cpu *here = cpu_self();
        here->current_pd = e.client;
        e.client->object.dead = true;
        reclaim_frame(frame_alloc());
        EXPECT_TRUE(fake_free());
        EXPECT_EQ(here->current_pd, e.client);
        // The idle thread does not need the PD's tables.
        here->current = here->idle_ec;
        reclaim_frame(frame_alloc());
        EXPECT_TRUE(fake_free());
        EXPECT_EQ(here->current_pd, nullptr);
        e.client->object.dead = false;
}

// Another CPU sends the wake before the end; this CPU receives it after the end.
TEST(end, of_a_thread_is_not_undone_by_a_wake_that_was_sent_before_it)
{
        End e;
        mail_send(cpu_self(), &e.callee->mail, MAIL_WAKE);
        ec_end(e.callee);
        EXPECT_EQ(e.callee->state, EC_DEAD);
        mail_receive(cpu_self(), 16);
        EXPECT_EQ(e.callee->state, EC_DEAD);
}

// A CPU that receives only a part of its mail interrupts itself for the rest.
TEST(end, of_a_step_leaves_an_interrupt_for_the_rest_of_the_mail)
{
        End e;
        mail_send(cpu_self(), &e.callee->mail, MAIL_WAKE);
        mail_send(cpu_self(), &e.caller->mail, MAIL_WAKE);
        const unsigned before = fake_ipis;
        mail_receive(cpu_self(), 1);
        EXPECT_EQ(fake_ipis, before + 1);
        mail_receive(cpu_self(), 16);
        EXPECT_EQ(fake_ipis, before + 1);
}

// The kernel may have to wait for a flush when it creates an EC: work that arrives meanwhile is
// done before the caller resumes, whatever the status.
TEST(end, of_the_creator_of_an_ec_is_noticed)
{
        End e;
        e.caller->state = EC_READY;
        e.share(e.client, SEL_PD, &e.server->object);
        for (const nova_status status : {NOVA_SUCCESS, NOVA_BAD_CAP, NOVA_BAD_PAR}) {
                REG_P1(e.caller) = nova_hypercall_id(NOVA_CREATE_EC, 0,
                                                     status == NOVA_BAD_PAR ? SEL_EC + 1 : SEL_EC);
                REG_P2(e.caller) = SEL_PD;
                REG_P3(e.caller) = word_t{status == NOVA_BAD_CAP ? 0x3000u : 0x2000u} << PAGE_BITS;
                sched_decide(cpu_self());
                EXPECT_EQ(hypercall_create_ec(REG_P1(e.caller), e.caller), RESULT_CONTINUE);
                EXPECT_EQ(e.caller->wait_status, status);
                cpu_self()->pending = 0;
        }
        fake_fail_allocation(0); // the dispatcher has to handle this
        sched_decide(cpu_self());
        REG_P1(e.caller) = nova_hypercall_id(NOVA_CREATE_EC, 0, SEL_EC + 1);
        REG_P3(e.caller) = word_t{0x3000} << PAGE_BITS;
        EXPECT_EQ(hypercall_create_ec(REG_P1(e.caller), e.caller), NOVA_OUT_OF_MEMORY);
}

// A grace period is answered before the thread continues. The CPU then frees memory, may wait for
// another CPU, and receives mail meanwhile.
TEST(end, of_a_recalled_thread_comes_while_its_cpu_frees_memory)
{
        World w;
        ec *self = w.thread("self", w.home, EC_GLOBAL), *next = w.thread("next", w.away, EC_GLOBAL);
        sc *selfs = w.context("self's", self);

        w.portal(NOVA_EXC_RECALL, w.thread("handler", w.away, EC_LOCAL), 0x7000);
        next->state = EC_READY;
        w.ready(w.context("next's", next, PRIO - 1), false);
        w.run(self, selfs);
        const unsigned ipis = fake_ipis;
        while (fake_ipis == ipis)
                reclaim_frame(frame_alloc());
        cpu_self()->pending |= CPU_PENDING_GRACE; // as interrupt_ipi() while pointers are held
        atomic_or_u16(&self->pending, EC_PENDING_RECALL);
        dying = self;
        fake_freed = [] {
                ec *const one = dying;

                dying = nullptr;
                if (one) {
                        EXPECT_TRUE(ec_end(one)); // as mail_receive() for MAIL_END
                }
        };
        w.enter(resume_interrupted, self, false);
        fake_freed = nullptr;
        EXPECT_EQ(dying, nullptr) << "no memory was freed";
        EXPECT_EQ(self->state, EC_DEAD);
        EXPECT_EQ(cpu_self()->current, next);
}

// The last flush of a revocation may bring the mail that ends its thread.
TEST(end, of_a_revoker_leaves_the_end_of_its_objects_to_other_threads)
{
        World w;
        ec *self = w.thread("self", w.home, EC_GLOBAL);

        w.run(self, w.context("self's", self));
        cpu_self()->dying_orphans = true;
        EXPECT_TRUE(ec_end(self));
        w.enter(resume_after_reap, self, false);
        EXPECT_TRUE(cpu_self()->dying_orphans);
        cpu_self()->dying_orphans = false;
}

} // namespace
