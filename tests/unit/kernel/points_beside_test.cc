// SPDX-License-Identifier: BSD-2-Clause
// Ends of threads and PDs whose threads belong to another CPU. At each point, a thread or a PD
// ends, an interrupt is taken, or the other CPU ends these objects itself. The other CPU answers at
// once, after some waits, or after it has left the kernel. Afterwards the database is that of a
// model, the other CPU runs no thread that has ended, and no memory is lost.
#include <gtest/gtest.h>

#include "points_beside.h"
#include "points_refusal.h"

namespace
{

// When the other CPU answers: number of waits before each answer, and number of answers during
// which it is in the kernel.
struct Position {
        unsigned late, busy;
};

constexpr Position positions[] = {{0, 0}, {1, 2}};
constexpr State states[] = {State::QUEUED, State::RUNS, State::WAITS, State::CALLS};

// A hypercall of the client. It revokes a range of selectors, or destroys the third PD.
struct Operation {
        const char *name;
        word_t first;
        unsigned order;
        bool destroys = false, only_portal = false;
        unsigned points = 1; // minimum number, if the other CPU answers at once
};

const Operation operations[] = {
        {"destroys the PD", CLIENT_THIRD, 0, true},
        {"revokes the PD and its threads", CLIENT_SELF, 4},
        {"revokes the threads", CALLEE, THREADS_ORDER},
        {"revokes a thread and its SC", RUNNER, 1},
        {"revokes an SC", RUNNER_SC, 0},
        {"revokes the portal of a thread", CALLEE_PT, 0, false, true},
};

void prepare(Beside &s, const Operation &operation)
{
        if (operation.only_portal)
                s.revoke_elsewhere(CALLEE, 1);
        set_arguments(s.caller,
                      operation.destroys
                              ? nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, CLIENT_THIRD)
                              : nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0),
                      operation.destroys ? NOVA_EXT_PD_DESTROY
                                         : nova_crd(NOVA_CRD_OBJ, operation.first, operation.order,
                                                    NOVA_PERM_ALL),
                      0, 0, 0);
}

// Applies an operation that is complete to the model. If it had begun to destroy a PD before
// another thread destroyed the PD, both hypercalls succeed.
void apply(Beside &s, const Operation &operation, Database &model, bool has_begun = false)
{
        const bool had_ended = operation.destroys && s.is_destroyed && !has_begun;

        EXPECT_EQ(REG_P1(s.caller), had_ended ? NOVA_BAD_CAP : NOVA_SUCCESS);
        s.is_destroyed |= operation.destroys;
        for (word_t i = 0; !operation.destroys && i < word_t{1} << operation.order; i++)
                s.remove(model, operation.first + i);
}

// An event at a point. The boss or the other CPU lets it happen.
struct Disturbance {
        const char *name;
        void (*by_boss)(Beside &);
        void (*elsewhere)(Beside &, OtherCpu &) = nullptr;
};

const Disturbance disturbances[] = {
        {"nothing", [](Beside &) {}},
        {"the thread ends", [](Beside &s) { s.end_client_thread(); }},
        {"the PD ends", [](Beside &s) { s.end_client(); }},
        {"the PD is destroyed", [](Beside &s) { s.destroy_client(); }},
        {"home destroys the third PD",
         [](Beside &s) {
                 s.is_destroyed |=
                         s.hypercall(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, SEL_THIRD),
                                     NOVA_EXT_PD_DESTROY) == NOVA_SUCCESS;
         }},
        {"home recalls the thread",
         [](Beside &s) {
                 s.hypercall(nova_hypercall_id(NOVA_EC_CTRL, 0, HOME_THREADS + RUNNER - CALLEE), 0);
         }},
        {"home wakes the thread",
         [](Beside &s) { s.hypercall(nova_hypercall_id(NOVA_SM_CTRL, 0, SEL_BED), 0); }},
        {"home gives the thread an SC",
         [](Beside &s) {
                 s.hypercall(nova_hypercall_id(NOVA_CREATE_SC, 0, SEL_EXTRA), SEL_HOME,
                             HOME_THREADS + RUNNER - CALLEE, nova_qpd(1000, PRIO));
         }},
        {"the other CPU's thread exits", nullptr,
         [](Beside &s, OtherCpu &other) { s.exit_elsewhere(other); }},
        {"the other CPU destroys the PD", nullptr,
         [](Beside &s, OtherCpu &) { s.destroy_elsewhere(); }},
        {"the other CPU drops the threads", nullptr,
         [](Beside &s, OtherCpu &) { s.revoke_elsewhere(CALLEE, THREADS); }},
};

// Checks a thread of the other CPU: that it does not run if it has ended. If there is still a
// capability of the thread, also checks whether it has ended.
void check_thread(const Beside &s, const Database &model, word_t sel, const ec *one, bool ended)
{
        if (s.is_held(model, sel)) {
                EXPECT_EQ(one->object.dead, ended) << "thread " << sel;
        }
        EXPECT_FALSE(ended && cpu_by_id(1)->current == one) << "an ended thread runs";
}

void check(Beside &s, Database &model)
{
        s.end(model);
        if (!model.count(THIRD))
                s.who[THIRD] = nullptr;
        EXPECT_TRUE(s.database() == model) << "the database is not the model's";
        for (unsigned i = 0; i < WHO; i++)
                if (s.who[i])
                        check_pd(s.who[i], !s.has_ended);
        EXPECT_EQ(fake_attached[GIVEN_FUNCTION], s.is_destroyed ? nullptr : s.who[THIRD]);
        check_thread(s, model, RUNNER, s.runner,
                     s.is_destroyed || s.has_exited || !s.runner_lives(model));
        check_thread(s, model, CALLEE, s.callee, s.is_destroyed || !s.callee_lives(model));
}

// Disturbs an operation that makes no allocations, at a point. Returns true if the operation has
// the point.
bool disturb(const Operation &operation, State state, const Disturbance &disturbance,
             const Position &position, unsigned point)
{
        Beside s;
        OtherCpu other(s, THIRD);
        std::function<void()> elsewhere;

        Points::answer_for(other);
        s.make_elsewhere(other, state);
        prepare(s, operation);
        Points::answer_for(other, position.late);
        other.stay_in_kernel(position.busy);
        bool has_begun = false;
        if (disturbance.elsewhere)
                elsewhere = [&] {
                        has_begun = operation.destroys;
                        disturbance.elsewhere(s, other);
                };
        Database model = s.now();
        Outcome outcome = begin_refused(s, {-1, false}, &other, point, &elsewhere);
        if (outcome.rang && disturbance.by_boss) {
                has_begun = operation.destroys && s.who[THIRD]->object.dead;
                disturbance.by_boss(s);
                model = s.now();
                continue_refused(s, {-1, false}, outcome);
        }
        if (!s.has_ended)
                apply(s, operation, model, has_begun);
        s.is_destroyed |= has_begun;
        s.reply_elsewhere(other);
        settle_refused(s, &other);
        check(s, model);
        return outcome.rang;
}

TEST(points, of_ends_of_threads_of_another_cpu_may_be_disturbed)
{
        for (const Operation &operation : operations)
                for (const State state : states)
                        for (const Disturbance &disturbance : disturbances)
                                for (const Position &position : positions) {
                                        unsigned point = 0;
                                        SCOPED_TRACE(testing::Message()
                                                     << operation.name << ", " << disturbance.name
                                                     << ", state " << int(state) << ", late "
                                                     << position.late);
                                        while (!HasFailure() &&
                                               disturb(operation, state, disturbance, position,
                                                       point))
                                                point++;
                                        EXPECT_GE(point, operation.points + position.late);
                                        ASSERT_FALSE(HasFailure()) << "at point " << point;
                                }
}

// The client creates a semaphore while threads of the other CPU are dying on this CPU. Without
// memory for an allocation, the creation first ends these threads.
Outcome create(State state, const Disturbance &disturbance, const Position &position,
               unsigned point, const Refusal &refusal)
{
        Beside s;
        OtherCpu other(s, THIRD);
        const std::function<void()> nothing;

        Points::answer_for(other);
        s.make_elsewhere(other, state);
        s.revoke_elsewhere(CALLEE, THREADS); // executed by this CPU
        Points::answer_for(other, position.late);
        other.stay_in_kernel(position.busy);
        set_arguments(s.caller, nova_hypercall_id(NOVA_CREATE_SM, 0, CLIENT_NEW), CLIENT_SELF, 0, 0,
                      0);
        Database model = s.now();
        Outcome outcome = begin_refused(s, refusal, &other, point, &nothing);
        if (outcome.rang) {
                disturbance.by_boss(s);
                model = s.now();
                continue_refused(s, refusal, outcome);
        }
        EXPECT_TRUE(s.has_ended || REG_P1(s.caller) == (refusal.lasts(outcome) ? NOVA_OUT_OF_MEMORY
                                                                               : NOVA_SUCCESS));
        if (s.created())
                model[CLIENT][NOVA_CRD_OBJ][CLIENT_NEW] = {reinterpret_cast<word_t>(s.created()),
                                                           NOVA_PERM_ALL};
        EXPECT_TRUE(s.has_ended || !s.created() == refusal.lasts(outcome));
        s.reply_elsewhere(other);
        settle_refused(s, &other);
        check(s, model);
        return outcome;
}

TEST(points, of_creations_that_end_threads_of_another_cpu_may_be_disturbed)
{
        for (const State state : {State::QUEUED, State::CALLS})
                for (const Disturbance &disturbance : disturbances)
                        for (const Position &position : positions)
                                for (const bool rest : {false, true}) {
                                        if (!disturbance.by_boss)
                                                continue;
                                        SCOPED_TRACE(testing::Message()
                                                     << disturbance.name << ", state " << int(state)
                                                     << ", late " << position.late << ", rest "
                                                     << rest);
                                        const auto one = [&](unsigned point,
                                                             const Refusal &refusal) {
                                                return create(state, disturbance, position, point,
                                                              refusal);
                                        };
                                        EXPECT_GE(refuse_each(one, rest), 1u);
                                        ASSERT_FALSE(HasFailure());
                                }
}

} // namespace
