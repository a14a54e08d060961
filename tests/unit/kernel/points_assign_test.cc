// SPDX-License-Identifier: BSD-2-Clause
// Assignments of PCI functions and of GSIs that are disturbed at each point at which they let
// interrupts in, including their waits for memory after a refused allocation. Afterwards each
// function belongs to the PD that got it last, each GSI to the function that was routed last, the
// capabilities are unchanged, and no memory is lost.
#include <gtest/gtest.h>

#include "points_refusal.h"

extern "C" {
#include "device/remap.h"
}

namespace
{

// Selectors of the client, and the interrupts of its semaphores.
constexpr word_t CLIENT_OWNER = 0x24, CLIENT_MESSAGE = 0x25, CLIENT_PIN = 0x26;
constexpr unsigned MESSAGE = 100, PIN = 7;

// The loss by a disturbance that makes an assignment fail.
enum Loss { OWNER = 1, PAGE = 2, SEMAPHORE = 4 };

// A scene whose client assigns functions to the PD OTHER, and GSIs. The unit needs memory for each
// function.
class Assignments : public Scene
{
      public:
        Assignments() : Scene(NOVA_CRD_IO)
        {
                delegate(home, SEL_OTHER, who[CLIENT], CLIENT_OWNER, 1, NOVA_CRD_OBJ, 31);
                make_sm(who[CLIENT], CLIENT_MESSAGE)->gsi = MESSAGE;
                make_sm(who[CLIENT], CLIENT_PIN)->gsi = PIN;
                fake_routes[MESSAGE] = {};
                remap_is_on = fake_takes_tables = true;
        }

        ~Assignments()
        {
                remap_forget(FUNCTION);
                fake_free_tables();
        }
};

// An assignment of a function, or of a GSI.
struct Assignment {
        const char *name;
        void (*prepare)(Assignments &);
        unsigned needs;    // the losses that make it fail
        unsigned function; // 0: none
        unsigned gsi;      // 0: none
        long allocations;  // minimum number
};

void prepare_gsi(Assignments &s, word_t sel)
{
        set_arguments(s.caller, nova_hypercall_id(NOVA_ASSIGN_GSI, 0, sel),
                      (PCI_PAGES + FUNCTION) << PAGE_BITS, 0, 0, 0);
}

const Assignment assignments[] = {
        {"assigns a function",
         [](Assignments &s) { Scene::prepare_assignment(s.caller, CLIENT_OWNER, FUNCTION); },
         OWNER | PAGE, FUNCTION, 0, 2},
        {"assigns a PD's function",
         [](Assignments &s) { Scene::prepare_assignment(s.caller, CLIENT_OWNER, GIVEN_FUNCTION); },
         OWNER, GIVEN_FUNCTION, 0, 2},
        {"assigns the GSI of a message", [](Assignments &s) { prepare_gsi(s, CLIENT_MESSAGE); },
         PAGE | SEMAPHORE, 0, MESSAGE, 1},
        {"assigns the GSI of a pin", [](Assignments &s) { prepare_gsi(s, CLIENT_PIN); }, SEMAPHORE,
         0, PIN, 0},
};

// The owner of a function, and whether a message is routed.
struct Result {
        Who owner; // WHO: none
        bool routed;
};

Result result_now(const Assignments &s, const Assignment &assignment)
{
        Result found = {WHO,
                        assignment.gsi == PIN ? fake_assigned_gsi == PIN : fake_routes[MESSAGE].on};
        for (unsigned i = 0; i < WHO; i++)
                if (s.who[i] && fake_attached[assignment.function] == s.who[i])
                        found.owner = Who(i);
        return found;
}

struct Disturbance {
        const char *name;
        std::function<void(Assignments &)> happen;
        unsigned losses = 0;
        std::vector<Who> ends = {}; // these PDs lose their functions
        bool takes = false;         // home gets the client's function
};

void take_function(Assignments &s)
{
        EXPECT_EQ(s.hypercall(nova_hypercall_id(NOVA_ASSIGN_PCI, 0, SEL_HOME),
                              (PCI_PAGES + FUNCTION) << PAGE_BITS, FUNCTION),
                  NOVA_SUCCESS);
}

const Disturbance disturbances[] = {
        {"nothing", [](Assignments &) {}},
        {"the thread ends", [](Assignments &s) { s.end_client_thread(); }},
        {"the PD ends", [](Assignments &s) { s.end_client(); }, 0, {THIRD}},
        {"the PD is destroyed", [](Assignments &s) { s.destroy_client(); }, 0, {THIRD}},
        {"the owner is destroyed", [](Assignments &s) { s.destroy_pd(SEL_OTHER); }, OWNER, {OTHER}},
        {"the owner ends",
         [](Assignments &s) {
                 s.revoke_objects(SEL_OTHER, 0);
                 s.who[OTHER] = nullptr;
         },
         OWNER,
         {OTHER}},
        {"the third PD is destroyed", [](Assignments &s) { s.destroy_pd(SEL_THIRD); }, 0, {THIRD}},
        {"home takes the owner's capability",
         [](Assignments &s) {
                 s.hypercall(nova_hypercall_id(NOVA_REVOKE, 0, 0),
                             nova_crd(NOVA_CRD_OBJ, SEL_OTHER, 0, NOVA_PERM_ALL));
         },
         OWNER},
        {"the function's page is taken",
         [](Assignments &s) {
                 s.revoke(s.who[CLIENT], PCI_PAGES + FUNCTION, PCI_PAGES + FUNCTION, NOVA_CRD_MEM,
                          NOVA_PERM_ALL, true);
         },
         PAGE},
        {"the semaphores are taken",
         [](Assignments &s) {
                 s.revoke(s.who[CLIENT], CLIENT_MESSAGE, CLIENT_PIN, NOVA_CRD_OBJ, NOVA_PERM_ALL,
                          true);
         },
         SEMAPHORE},
        {"home takes the function", take_function, 0, {}, true},
};

// Applies a disturbance to the model.
void apply(const Assignment &assignment, const Disturbance &disturbance, Result &model)
{
        for (const Who one : disturbance.ends)
                if (model.owner == one)
                        model.owner = WHO;
        if (disturbance.takes && assignment.function == FUNCTION)
                model.owner = HOME;
        if (disturbance.takes && assignment.gsi == MESSAGE)
                model.routed = false;
}

bool has(const Assignment &assignment, const Result &result)
{
        return assignment.gsi ? result.routed : result.owner == OTHER;
}

// Checks the status of an assignment that is complete, and applies it to the model. done: it was
// complete at the disturbance.
void finish(const Assignments &s, const Assignment &assignment, const Disturbance *disturbance,
            bool refused, bool done, Result &model)
{
        const unsigned matter = assignment.needs & (disturbance ? disturbance->losses : 0);
        // the unit may have got the function's table when home took the function
        const bool needs_none = disturbance && disturbance->takes;
        nova_status expected = NOVA_SUCCESS;

        if (!done && matter)
                expected = matter == PAGE ? NOVA_BAD_DEV : NOVA_BAD_CAP;
        else if (!done && refused && !needs_none)
                expected = NOVA_OUT_OF_MEMORY;
        const nova_status status = nova_status(REG_P1(s.caller));

        EXPECT_TRUE(status == expected || (refused && !done && status == NOVA_OUT_OF_MEMORY))
                << "status " << status << ", not " << expected;
        if (status != NOVA_SUCCESS || done)
                return;
        if (assignment.function)
                model.owner = OTHER;
        else
                model.routed = true;
        EXPECT_TRUE(assignment.gsi != MESSAGE || REG_P3(s.caller) == 0x30 + MESSAGE);
}

void check(Assignments &s, const Assignment &assignment, const Result &model,
           const Database &expected)
{
        const Result found = result_now(s, assignment);

        EXPECT_TRUE(s.database() == expected) << "the capabilities have changed";
        EXPECT_EQ(found.owner, model.owner);
        EXPECT_EQ(found.routed, model.routed);
        check_domains(s);
        for (unsigned i = 0; i < WHO; i++)
                if (s.who[i])
                        check_pd(s.who[i]);
}

// Assigns without the memory that the refusal takes away. At a point, the boss disturbs the
// assignment.
Outcome assign(Assignments &s, const Assignment &assignment, const Disturbance &disturbance,
               unsigned point, const Refusal &refusal, OtherCpu *other)
{
        const Disturbance *happened = nullptr;
        bool done = false;
        Database expected = s.database();
        Result model = result_now(s, assignment);

        assignment.prepare(s);
        free_something();
        Outcome outcome = begin_refused(s, refusal, other, point);
        if (outcome.rang) {
                model = result_now(s, assignment);
                done = has(assignment, model);
                disturbance.happen(s);
                happened = &disturbance;
                apply(assignment, disturbance, model);
                expected = s.database();
                continue_refused(s, refusal, outcome);
        }
        if (!s.has_ended)
                finish(s, assignment, happened, refusal.lasts(outcome), done, model);
        settle_refused(s, other);
        check(s, assignment, model, expected);
        return outcome;
}

// Assigns, alone or beside another CPU, which has loaded the PD of the function.
Outcome assign_on(bool beside, const Assignment &assignment, const Disturbance &disturbance,
                  unsigned point, const Refusal &refusal)
{
        Assignments s;

        if (!beside)
                return assign(s, assignment, disturbance, point, refusal, nullptr);
        OtherCpu other(s, OTHER);
        Points::answer_for(other, 1);
        return assign(s, assignment, disturbance, point, refusal, &other);
}

void disturb_all(bool beside)
{
        for (const Assignment &assignment : assignments)
                for (const Disturbance &disturbance : disturbances)
                        for (const bool rest : {false, true}) {
                                long allocations = 0;
                                SCOPED_TRACE(testing::Message()
                                             << assignment.name << ", " << disturbance.name
                                             << ", rest " << rest);
                                const auto one = [&](unsigned point, const Refusal &refusal) {
                                        const Outcome outcome = assign_on(
                                                beside, assignment, disturbance, point, refusal);
                                        allocations = std::max(allocations, outcome.allocations);
                                        return outcome;
                                };
                                const unsigned disturbed = refuse_each(one, rest);
                                EXPECT_GE(disturbed, beside && !assignment.allocations ? 0u : 1u);
                                EXPECT_GE(allocations, assignment.allocations);
                                ASSERT_FALSE(testing::Test::HasFailure());
                        }
}

TEST(points, of_assignments_may_be_disturbed)
{
        disturb_all(false);
}

TEST(points, of_assignments_beside_another_cpu_may_be_disturbed)
{
        disturb_all(true);
}

} // namespace
