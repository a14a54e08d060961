// SPDX-License-Identifier: BSD-2-Clause
// Creations that are disturbed at each point at which they let interrupts in, including their waits
// for memory after a refused allocation. At each point, no PD has a part of the new object.
// Afterwards all PDs have their earlier capabilities and, after a success, the new object's
// capabilities. No memory is lost.
#include <gtest/gtest.h>

#include <algorithm>

#include "points_refusal.h"

extern "C" {
#include "object/reap.h"
}

namespace
{

// Selectors of home, of the client, and a page of the owner.
constexpr word_t SEL_GLOBAL = 0x38, SEL_LOCAL = 0x39;
constexpr word_t CLIENT_OWNER = 0x24, CLIENT_GLOBAL = 0x25, CLIENT_LOCAL = 0x26;
constexpr word_t UTCB_PAGE = 0x7000000, NEW_IP = 0x9000, NEW_COUNT = 7, NEW_PRIO = PRIO - 1;
constexpr unsigned SELECTORS_ORDER = 6, ENOUGH = 1;

// The loss by a disturbance that makes a creation fail.
enum Loss { NO_LOSS, OWNER, THREAD, SELECTOR, PAGE };

// A scene whose client creates an object for the PD OTHER, which has two threads.
class Creations : public Scene
{
      public:
        Creations() : Scene(NOVA_CRD_IO)
        {
                delegate(home, SEL_OTHER, who[CLIENT], CLIENT_OWNER, 1, NOVA_CRD_OBJ, 31);
        }

        // Makes the threads on a CPU. The client creates a new thread on this CPU, too.
        void make_threads(unsigned cpu_id)
        {
                cpu = cpu_id;
                make_thread(SEL_GLOBAL, 0x8000, NOVA_EC_GLOBAL);
                make_thread(SEL_LOCAL, 0x8001, 0);
                delegate(home, SEL_GLOBAL, who[CLIENT], CLIENT_GLOBAL, 1, NOVA_CRD_OBJ, 31);
                delegate(home, SEL_LOCAL, who[CLIENT], CLIENT_LOCAL, 1, NOVA_CRD_OBJ, 31);
        }

        ~Creations()
        {
                wake_boss();
                revoke_objects(SEL_GLOBAL, 0);
                revoke_objects(SEL_LOCAL, 0);
        }

        // Sets the arguments of the client's creation.
        void create(nova_hypercall number, word_t flags, word_t p3, word_t p4 = 0, word_t p5 = 0)
        {
                set_arguments(caller, nova_hypercall_id(number, flags, CLIENT_NEW), CLIENT_OWNER,
                              p3, p4, p5);
        }

        unsigned cpu = 0; // of the threads, and of a thread that the client creates

      private:
        void make_thread(word_t sel, word_t page, word_t flags)
        {
                ASSERT_EQ(hypercall(nova_hypercall_id(NOVA_CREATE_EC, flags, sel), SEL_OTHER,
                                    page << PAGE_BITS | cpu),
                          NOVA_SUCCESS);
        }
};

struct Creation {
        const char *name;
        std::function<void(Creations &)> prepare;
        unsigned kind;
        unsigned needs; // the losses that make it fail, one bit each
        std::function<void(Creations &, kobject *)> check;
};

void check_pd_object(Creations &s, kobject *object)
{
        const pd *made = container_of(object, pd, object);

        EXPECT_EQ(made->object.account, s.who[HOME]->account);
        EXPECT_EQ(made->account, s.who[HOME]->account);
}

void check_own_account(Creations &s, kobject *object)
{
        const pd *made = container_of(object, pd, object);

        EXPECT_EQ(made->object.account, s.who[HOME]->account);
        EXPECT_NE(made->account, s.who[HOME]->account);
}

void check_ec_object(Creations &s, kobject *object)
{
        ec *made = container_of(object, ec, object);

        EXPECT_EQ(made->kind, EC_LOCAL);
        EXPECT_EQ(made->state, EC_REQUEST);
        EXPECT_EQ(made->cpu, cpu_by_id(s.cpu));
        if (s.who[OTHER]) {
                EXPECT_EQ(made->pd, s.who[OTHER]);
                EXPECT_FALSE(mapping_is_free(&made->pd->memory.space, UTCB_PAGE));
        }
}

void check_sc_object(Creations &s, kobject *object)
{
        const sc *made = container_of(object, sc, object);

        EXPECT_EQ(made->prio, NEW_PRIO);
        if (s.who[OTHER]) {
                EXPECT_EQ(&made->owner->object, Scene::object_at(s.home, SEL_GLOBAL));
                EXPECT_NE(made->place, SC_NOWHERE); // it has been started
        }
}

void check_pt_object(Creations &s, kobject *object)
{
        const pt *made = container_of(object, pt, object);

        EXPECT_EQ(made->id, CLIENT_NEW);
        EXPECT_EQ(made->ip, NEW_IP);
        if (s.who[OTHER]) {
                EXPECT_EQ(&made->ec->object, Scene::object_at(s.home, SEL_LOCAL));
        }
}

void check_sm_object(Creations &, kobject *object)
{
        EXPECT_EQ(container_of(object, sm, object)->count, NEW_COUNT);
}

constexpr unsigned ALWAYS = 1u << OWNER | 1u << SELECTOR;

const Creation creations[] = {
        {"create_pd", [](Creations &s) { s.create(NOVA_CREATE_PD, 0, 0); }, OBJECT_PD, ALWAYS,
         check_pd_object},
        {"create_pd with an account",
         [](Creations &s) { s.create(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, 0, account_size()); },
         OBJECT_PD, ALWAYS, check_own_account},
        {"create_pd with capabilities",
         [](Creations &s) {
                 s.create(NOVA_CREATE_PD, 0,
                          nova_crd(NOVA_CRD_OBJ, 0, SELECTORS_ORDER, NOVA_PERM_ALL));
         },
         OBJECT_PD, ALWAYS, check_pd_object},
        {"create_ec",
         [](Creations &s) { s.create(NOVA_CREATE_EC, 0, UTCB_PAGE << PAGE_BITS | s.cpu); },
         OBJECT_EC, ALWAYS | 1u << PAGE, check_ec_object},
        {"create_sc",
         [](Creations &s) { s.create(NOVA_CREATE_SC, 0, CLIENT_GLOBAL, nova_qpd(1000, NEW_PRIO)); },
         OBJECT_SC, ALWAYS | 1u << THREAD, check_sc_object},
        {"create_pt", [](Creations &s) { s.create(NOVA_CREATE_PT, 0, CLIENT_LOCAL, 0, NEW_IP); },
         OBJECT_PT, ALWAYS | 1u << THREAD, check_pt_object},
        {"create_sm", [](Creations &s) { s.create(NOVA_CREATE_SM, 0, NEW_COUNT); }, OBJECT_SM,
         ALWAYS, check_sm_object},
};

struct Disturbance {
        const char *name;
        std::function<void(Creations &)> happen;
        unsigned losses;
};

const Disturbance disturbances[] = {
        {"nothing", [](Creations &) {}, 0},
        {"the thread ends", [](Creations &s) { s.end_client_thread(); }, 0},
        {"the PD ends", [](Creations &s) { s.end_client(); }, 0},
        {"the PD is destroyed", [](Creations &s) { s.destroy_client(); }, 0},
        {"the owner is destroyed",
         [](Creations &s) {
                 s.destroy_pd(SEL_OTHER);
                 s.who[OTHER] = nullptr;
         },
         1u << OWNER | 1u << THREAD},
        {"the owner ends",
         [](Creations &s) {
                 s.revoke_objects(SEL_OTHER, 0);
                 s.who[OTHER] = nullptr;
         },
         1u << OWNER | 1u << THREAD},
        {"home takes the owner's capability",
         [](Creations &s) {
                 EXPECT_EQ(s.hypercall(nova_hypercall_id(NOVA_REVOKE, 0, 0),
                                       nova_crd(NOVA_CRD_OBJ, SEL_OTHER, 0, NOVA_PERM_ALL)),
                           NOVA_SUCCESS);
         },
         1u << OWNER},
        {"the threads end",
         [](Creations &s) {
                 s.revoke_objects(SEL_GLOBAL, 0);
                 s.revoke_objects(SEL_LOCAL, 0);
                 s.make_sm(s.home, SEL_GLOBAL);
                 s.make_sm(s.home, SEL_LOCAL);
         },
         1u << THREAD},
        {"the selector is taken",
         [](Creations &s) {
                 s.delegate(s.home, SEL_SLEEP, s.who[CLIENT], CLIENT_NEW, 1, NOVA_CRD_OBJ, 31);
         },
         1u << SELECTOR},
        {"the page is taken",
         [](Creations &s) {
                 s.delegate(&kernel_pd, SOURCE, s.who[OTHER], UTCB_PAGE, 1, NOVA_CRD_MEM,
                            NOVA_MEM_RWX);
         },
         1u << PAGE},
};

// Expects the status of a creation that was disturbed before it was complete.
void check_status(const Creations &s, const Creation &creation, unsigned losses, bool has_begun,
                  bool refused)
{
        const nova_status status = nova_status(REG_P1(s.caller));
        // a creation in steps has read the owner's capability
        const unsigned matter = creation.needs & losses & (has_begun ? 1u << SELECTOR : ~0u);

        if (matter & 1u << PAGE)
                EXPECT_EQ(status, NOVA_BAD_PAR);
        else if (matter)
                EXPECT_TRUE(status == NOVA_BAD_CAP ||
                            (has_begun && refused && status == NOVA_OUT_OF_MEMORY))
                        << status;
        else
                EXPECT_EQ(status, refused ? NOVA_OUT_OF_MEMORY : NOVA_SUCCESS);
}

// Checks that the database has changed by exactly the new object, or not at all.
void check_database(Creations &s, const Creation &creation, Database expected, bool is_complete)
{
        const bool success = !s.has_ended && nova_status(REG_P1(s.caller)) == NOVA_SUCCESS;
        Database actual = s.database();

        if (success && !is_complete) {
                kobject *object = s.created();
                ASSERT_NE(object, nullptr);
                ASSERT_EQ(object->kind, creation.kind);
                creation.check(s, object);
                expected[CLIENT][NOVA_CRD_OBJ][CLIENT_NEW] =
                        actual[CLIENT][NOVA_CRD_OBJ][CLIENT_NEW];
                EXPECT_EQ(actual[CLIENT][NOVA_CRD_OBJ][CLIENT_NEW].perms, unsigned(NOVA_PERM_ALL));
                if (creation.kind == OBJECT_EC && s.who[OTHER])
                        expected[OTHER][NOVA_CRD_MEM][UTCB_PAGE] =
                                actual[OTHER][NOVA_CRD_MEM][UTCB_PAGE];
        }
        EXPECT_TRUE(actual == expected) << "the database is not the model's";
        for (unsigned i = 0; i < WHO; i++)
                if (s.who[i])
                        check_pd(s.who[i]);
}

// Creates an object without the memory that the refusal takes away. At a point, the boss disturbs
// the creation.
Outcome create(Creations &s, const Creation &creation, const Disturbance &disturbance,
               unsigned point, const Refusal &refusal, OtherCpu *other)
{
        bool is_complete = false, is_there = false, has_begun = false;
        unsigned losses = 0;
        Database expected = s.database();

        creation.prepare(s);
        free_something();
        Outcome outcome = begin_refused(s, refusal, other, point);
        if (outcome.rang) {
                is_there = s.created() != nullptr;
                is_complete = is_there || s.caller->cont == continuation_t(resume_after_reap);
                has_begun = s.caller->created != nullptr;
                EXPECT_TRUE(is_there || s.database() == expected) << "a part is visible";
                disturbance.happen(s);
                losses = disturbance.losses;
                expected = s.database();
                continue_refused(s, refusal, outcome);
        }
        if (!s.has_ended && is_complete)
                EXPECT_EQ(REG_P1(s.caller) == NOVA_SUCCESS, is_there);
        else if (!s.has_ended)
                check_status(s, creation, losses, has_begun, refusal.lasts(outcome));
        settle_refused(s, other);
        check_database(s, creation, expected, is_complete);
        return outcome;
}

Outcome create_alone(const Creation &creation, const Disturbance &disturbance, unsigned point,
                     const Refusal &refusal)
{
        Creations s;

        s.make_threads(0);
        return create(s, creation, disturbance, point, refusal, nullptr);
}

// The owner's PD is loaded on another CPU, to which its threads belong. The creation waits for
// flushes, for work on mail and for grace periods of this CPU.
Outcome create_beside(const Creation &creation, const Disturbance &disturbance, unsigned point,
                      const Refusal &refusal)
{
        Creations s;
        OtherCpu other(s, OTHER);

        Points::answer_for(other);
        s.make_threads(1);
        return create(s, creation, disturbance, point, refusal, &other);
}

using Create = Outcome (*)(const Creation &, const Disturbance &, unsigned, const Refusal &);

void disturb_all(const Create create_one)
{
        for (const Creation &creation : creations)
                for (const Disturbance &disturbance : disturbances)
                        for (const bool rest : {false, true}) {
                                SCOPED_TRACE(testing::Message()
                                             << creation.name << ", " << disturbance.name
                                             << ", rest " << rest);
                                const auto one = [&](unsigned point, const Refusal &refusal) {
                                        return create_one(creation, disturbance, point, refusal);
                                };
                                const unsigned disturbed = refuse_each(one, rest);
                                ASSERT_FALSE(testing::Test::HasFailure());
                                EXPECT_GE(disturbed, ENOUGH);
                        }
}

// An event on the other CPU while the creation allocates memory.
struct Elsewhere {
        const char *name;
        void (*happen)(const Creations &);
        bool (*matters)(const Creation &);
};

// Ends a thread of the other CPU. Its capability stays.
void end_thread(const Creations &s, word_t sel)
{
        EXPECT_TRUE(ec_end(container_of(Scene::object_at(s.home, sel), ec, object)));
}

const Elsewhere events[] = {
        {"the threads end",
         [](const Creations &s) {
                 end_thread(s, SEL_GLOBAL);
                 end_thread(s, SEL_LOCAL);
         },
         [](const Creation &creation) { return (creation.needs & 1u << THREAD) != 0; }},
        {"the owner is destroyed",
         [](const Creations &s) { EXPECT_TRUE(pd_destroy_begin(s.who[OTHER])); },
         [](const Creation &creation) { return creation.kind == OBJECT_EC; }},
};

// Lets an event happen on the other CPU at one allocation.
class AtAllocation
{
      public:
        AtAllocation(const Creations &s, const Elsewhere &event, unsigned number)
        {
                scene = &s;
                happens = &event;
                left = number + 1;
                fake_allocates = count;
        }

        ~AtAllocation()
        {
                fake_allocates = nullptr;
        }

        AtAllocation(const AtAllocation &) = delete;
        AtAllocation &operator=(const AtAllocation &) = delete;

        static bool has_happened()
        {
                return !left;
        }

      private:
        static void count()
        {
                if (!left || --left)
                        return;
                const OnCpu there(1);
                happens->happen(*scene);
        }

        static inline const Creations *scene;
        static inline const Elsewhere *happens;
        static inline unsigned left; // number of allocations up to the event
};

// A thread or PD may end after the look-up of its capability, and before the new object refers to
// it. The first allocation comes between the two.
bool create_during(const Creation &creation, const Elsewhere &event, unsigned number)
{
        Creations s;
        OtherCpu other(s, OTHER);

        Points::answer_for(other);
        s.make_threads(1);
        creation.prepare(s);
        const AtAllocation at(s, event, number);
        s.sleep_boss();
        if (!AtAllocation::has_happened())
                return false;
        const nova_status status = nova_status(REG_P1(s.caller));
        EXPECT_TRUE(status == NOVA_BAD_CAP || (number && status == NOVA_SUCCESS))
                << "status " << status << " at allocation " << number;
        EXPECT_EQ(s.created() == nullptr, status == NOVA_BAD_CAP);
        s.wake_boss();
        other.finish();
        other.leave();
        fake_settle();
        return true;
}

TEST(points, of_creations_may_see_the_end_of_objects_on_another_cpu)
{
        for (const Creation &creation : creations)
                for (const Elsewhere &event : events) {
                        unsigned number = 0;
                        if (!event.matters(creation))
                                continue;
                        SCOPED_TRACE(testing::Message() << creation.name << ", " << event.name);
                        while (!HasFailure() && create_during(creation, event, number))
                                number++;
                        EXPECT_GE(number, 1u);
                        ASSERT_FALSE(HasFailure());
                }
}

TEST(points, of_creations_may_be_disturbed)
{
        disturb_all(create_alone);
}

TEST(points, of_creations_beside_another_cpu_may_be_disturbed)
{
        disturb_all(create_beside);
}

} // namespace
