// SPDX-License-Identifier: BSD-2-Clause
// A scene with threads of the third PD on the other CPU, and a model of the lives of these threads
// and of their PD.
#ifndef UNIT_KERNEL_POINTS_BESIDE_H
#define UNIT_KERNEL_POINTS_BESIDE_H

#include <set>

#include "points.h"

// The client's selectors: a local thread and its portal, a global thread and its SC. Home has
// copies at HOME_THREADS and above.
constexpr word_t CALLEE = 0x28, CALLEE_PT = 0x29, RUNNER = 0x2a, RUNNER_SC = 0x2b;
constexpr unsigned THREADS = 4, THREADS_ORDER = 2;
constexpr word_t HOME_THREADS = 0x48, SEL_BED = 0x4c, SEL_EXTRA = 0x4d;
// Selectors and pages of the third PD.
constexpr word_t THIRD_BED = 0x20, THIRD_PT = 0x21, CALLEE_PAGE = 0x8000, RUNNER_PAGE = 0x8001;

// State of the global thread: in the run queue, in user mode, in the queue of a semaphore, or in a
// call to the local thread.
enum class State { QUEUED, RUNS, WAITS, CALLS };

// All other capabilities for these objects are delegated from those of the client.
class Beside : public Scene
{
      public:
        Beside() : Scene(NOVA_CRD_MEM)
        {
        }

        ~Beside()
        {
                wake_boss();
                revoke_objects(SEL_EXTRA, 0);
                revoke_objects(SEL_BED, 0);
        }

        void make_elsewhere(OtherCpu &other, State state)
        {
                client_creates(NOVA_CREATE_EC, 0, CALLEE, CLIENT_THIRD,
                               CALLEE_PAGE << PAGE_BITS | 1);
                client_creates(NOVA_CREATE_PT, 0, CALLEE_PT, CLIENT_THIRD, CALLEE, 0, 0x9000);
                client_creates(NOVA_CREATE_EC, NOVA_EC_GLOBAL, RUNNER, CLIENT_THIRD,
                               RUNNER_PAGE << PAGE_BITS | 1);
                client_creates(NOVA_CREATE_SC, 0, RUNNER_SC, CLIENT_THIRD, RUNNER,
                               nova_qpd(1000, PRIO));
                callee = container_of(object_at(who[CLIENT], CALLEE), ec, object);
                runner = container_of(object_at(who[CLIENT], RUNNER), ec, object);
                EXPECT_EQ(hypercall(nova_hypercall_id(NOVA_CREATE_SM, 0, SEL_BED), SEL_HOME),
                          NOVA_SUCCESS);
                delegate(home, SEL_BED, who[THIRD], THIRD_BED, 1, NOVA_CRD_OBJ, NOVA_PERM_ALL);
                delegate(who[CLIENT], CALLEE_PT, who[THIRD], THIRD_PT, 1, NOVA_CRD_OBJ,
                         NOVA_PERM_ALL);
                delegate(who[CLIENT], CALLEE, home, HOME_THREADS, THREADS, NOVA_CRD_OBJ,
                         NOVA_PERM_ALL);
                for (word_t sel = CALLEE; sel < CALLEE + THREADS; sel++)
                        source[sel] = source_at(sel);
                source[CLIENT_THIRD] = source_at(CLIENT_THIRD);
                other.answer();
                run_to(other, state);
        }

        // Lets the local thread reply, if it runs a call.
        void reply_elsewhere(OtherCpu &other)
        {
                other.finish();
                if (cpu_by_id(1)->current != callee)
                        return;
                callee->utcb->items = 0;
                set_arguments(callee, nova_hypercall_id(NOVA_REPLY, 0, 0), 0, 0, 0, 0);
                other.enter(fake_enter, callee);
        }

        // Lets the global thread end itself, if it is in user mode. Executed by the other CPU.
        void exit_elsewhere(OtherCpu &other)
        {
                if (cpu_by_id(1)->current != runner)
                        return;
                set_arguments(runner, nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_THREAD, 0),
                              NOVA_EXT_THREAD_EXIT, 0, 0, 0);
                other.enter(fake_enter, runner);
                has_exited = true;
        }

        // Lets a thread of home destroy the PD, if home still has the PD. Executed by the other
        // CPU.
        void destroy_elsewhere()
        {
                if (caps_of(home, NOVA_CRD_OBJ).count(SEL_THIRD))
                        is_destroyed |= pd_destroy_begin(who[THIRD]);
        }

        // Lets another thread of the client revoke capabilities. Executed by the other CPU.
        void revoke_elsewhere(word_t sel, word_t count)
        {
                revoke(who[CLIENT], sel, sel + count - 1, NOVA_CRD_OBJ, NOVA_PERM_ALL, true);
                for (word_t one = sel; one < sel + count; one++)
                        lost.insert(one);
        }

        // Returns the current database. It omits the third PD if that PD has ended.
        Database now()
        {
                pd *const third = who[THIRD];
                who[THIRD] = nullptr;
                Database found = database();
                if (third && third_lives(found)) {
                        who[THIRD] = third;
                        found = database();
                }
                return found;
        }

        // Removes a selector of the client in the model, and all that is delegated from it.
        void remove(Database &model, word_t sel) const
        {
                const auto root = source.find(sel);
                if (model.count(CLIENT))
                        model[CLIENT][NOVA_CRD_OBJ].erase(sel);
                if (root == source.end())
                        return;
                for (auto &[one, spaces] : model)
                        remove_source(spaces[NOVA_CRD_OBJ], root->second);
        }

        // Removes from the model everything that was revoked or has ended.
        void end(Database &model) const
        {
                for (const word_t sel : lost)
                        remove(model, sel);
                if (!third_lives(model))
                        model.erase(THIRD);
                if (!model.count(THIRD))
                        return;
                if (is_destroyed)
                        for (auto &[type, caps] : model[THIRD])
                                caps.clear();
                if (has_exited || !runner_lives(model))
                        model[THIRD][NOVA_CRD_MEM].erase(RUNNER_PAGE);
                if (!callee_lives(model))
                        model[THIRD][NOVA_CRD_MEM].erase(CALLEE_PAGE);
        }

        bool is_held(const Database &model, word_t sel) const
        {
                for (const auto &[one, spaces] : model)
                        for (const auto &[at, cap] : spaces.at(NOVA_CRD_OBJ))
                                if (cap.source == source.at(sel) && cap.perms)
                                        return true;
                return false;
        }

        bool runner_lives(const Database &model) const
        {
                return is_held(model, RUNNER) || is_held(model, RUNNER_SC) ||
                       model.at(HOME).at(NOVA_CRD_OBJ).count(SEL_EXTRA);
        }

        bool callee_lives(const Database &model) const
        {
                return is_held(model, CALLEE) || is_held(model, CALLEE_PT);
        }

        bool third_lives(const Database &model) const
        {
                return is_held(model, CLIENT_THIRD) || runner_lives(model) || callee_lives(model);
        }

        ec *runner = nullptr, *callee = nullptr;
        // Whether the third PD is destroyed, and whether the global thread has exited.
        bool is_destroyed = false, has_exited = false;

      private:
        word_t source_at(word_t sel) const
        {
                return reinterpret_cast<word_t>(object_at(who[CLIENT], sel));
        }

        static void remove_source(Caps &caps, word_t object)
        {
                for (auto at = caps.begin(); at != caps.end();)
                        at = at->second.source == object ? caps.erase(at) : std::next(at);
        }

        // Lets the other CPU execute the global thread up to a state.
        void run_to(OtherCpu &other, State state)
        {
                runner->cont = continuation_t(resume_success);
                runner->regs.ip = 0x1000;
                if (state == State::QUEUED)
                        return;
                other.choose();
                ASSERT_EQ(cpu_by_id(1)->current, runner);
                if (state == State::RUNS)
                        return;
                const bool waits = state == State::WAITS;
                set_arguments(runner,
                              waits ? nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, THIRD_BED)
                                    : nova_hypercall_id(NOVA_CALL, 0, THIRD_PT),
                              0, 0, 0, 0);
                runner->utcb->items = 0;
                other.enter(fake_enter, runner);
                ASSERT_EQ(cpu_by_id(1)->current, waits ? cpu_by_id(1)->idle_ec : callee);
        }

        std::map<word_t, word_t> source; // the objects at the client's selectors
        std::set<word_t> lost;           // selectors that the other CPU has revoked
};

#endif
