// SPDX-License-Identifier: BSD-2-Clause
// Creations that are disturbed at each point at which they let interrupts in, also while they wait
// for memory that each of their allocations was refused. At each point, no PD has a part of the new
// object. Afterwards the capabilities of all PDs are the earlier ones and, after a success, those
// of the new object, and no memory is lost.
#include <gtest/gtest.h>

#include <algorithm>

#include "points_cpu.h"

extern "C" {
#include "object/reap.h"
}

namespace
{

// Selectors of home, of the client, and a page of the owner.
constexpr word_t SEL_GLOBAL = 0x38, SEL_LOCAL = 0x39;
constexpr word_t CLIENT_OWNER = 0x24, CLIENT_GLOBAL = 0x25, CLIENT_LOCAL = 0x26;
constexpr word_t UTCB_PAGE = 0x7000000, NEW_IP = 0x9000, NEW_COUNT = 7, NEW_PRIO = PRIO - 1;
constexpr unsigned SELECTORS_ORDER = 6, ENOUGH = 32;

// The capabilities of all PDs.
using Database = std::map<unsigned, std::map<unsigned, Caps>>;

// Why a disturbance lets a creation fail.
enum Loss { NO_LOSS, OWNER, THREAD, SELECTOR, PAGE };

// A scene whose client creates an object for the PD OTHER, to which also two threads belong.
class Creations : public Scene
{
      public:
        Creations() : Scene(NOVA_CRD_IO)
        {
                make_thread(SEL_GLOBAL, 0x8000, NOVA_EC_GLOBAL);
                make_thread(SEL_LOCAL, 0x8001, 0);
                delegate(home, SEL_OTHER, who[CLIENT], CLIENT_OWNER, 1, NOVA_CRD_OBJ, 31);
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

        // Memory comes back soon: one object is dying, another one waits for all CPUs.
        static void free_something()
        {
                for (const bool reaped : {true, false}) {
                        sm *ended = nullptr;
                        ASSERT_EQ(sm_create(&account_root, 0, &ended), NOVA_SUCCESS);
                        object_put(&ended->object);
                        if (reaped)
                                object_reap();
                }
        }

        Database database() const
        {
                Database found;
                for (unsigned i = 0; i < WHO; i++)
                        for (const unsigned kind : {NOVA_CRD_MEM, NOVA_CRD_IO, NOVA_CRD_OBJ})
                                if (who[i])
                                        found[i][kind] = caps_of(who[i], kind);
                return found;
        }

        // The new object, if the client has its capability.
        kobject *created() const
        {
                if (!who[CLIENT])
                        return nullptr;
                const Caps caps = caps_of(who[CLIENT], NOVA_CRD_OBJ);
                const auto found = caps.find(CLIENT_NEW);
                return found == caps.end() ? nullptr
                                           : reinterpret_cast<kobject *>(found->second.source);
        }

        bool has_ended = false; // the client's thread

      private:
        void make_thread(word_t sel, word_t page, word_t flags)
        {
                ASSERT_EQ(hypercall(nova_hypercall_id(NOVA_CREATE_EC, flags, sel), SEL_OTHER,
                                    page << PAGE_BITS),
                          NOVA_SUCCESS);
        }
};

struct Creation {
        const char *name;
        std::function<void(Creations &)> prepare;
        unsigned kind;
        unsigned needs; // the losses at which it fails, one bit each
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
        EXPECT_EQ(made->cpu, cpu_self());
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
        {"create_ec", [](Creations &s) { s.create(NOVA_CREATE_EC, 0, UTCB_PAGE << PAGE_BITS); },
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

void end_client(Creations &s)
{
        s.revoke_objects(SEL_CLIENT, 0);
        s.revoke_objects(CLIENT_THREAD, 1);
        s.who[CLIENT] = s.who[THIRD] = nullptr;
        s.has_ended = true;
}

const Disturbance disturbances[] = {
        {"nothing", [](Creations &) {}, 0},
        {"the thread ends",
         [](Creations &s) {
                 s.revoke_objects(CLIENT_THREAD, 1);
                 s.has_ended = true;
         },
         0},
        {"the PD ends", end_client, 0},
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

// A refusal of memory: of one allocation, or of it and all later ones.
struct Refusal {
        long number; // < 0: none
        bool rest;

        // Begins after a number of the creation's allocations.
        void begin(long done) const
        {
                const long left = number - done;
                if (number >= 0 && rest)
                        fake_fail_allocations_from(std::max(left, 0l));
                else
                        fake_fail_allocation(left);
        }
};

// The hook's scene, the point that is disturbed, and the number of points so far.
Creations *scene;
unsigned points, disturbed_point;
bool rang;
OtherCpu *other_cpu;

void count_point()
{
        if (points++ == disturbed_point) {
                rang = true;
                scene->ring();
        }
}

void answer_other()
{
        if (OtherCpu::is_asked())
                other_cpu->answer();
        else
                OtherCpu::rest();
}

void count_wait()
{
        if (OtherCpu::is_asked() || OtherCpu::is_awaited())
                count_point();
        answer_other();
}

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

// Checks that exactly the new object, or nothing, is new in the database.
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

struct Outcome {
        bool rang;
        long allocations;
};

// Begins a creation, and stops to wait for points after it.
long begin_creation(Creations &s, const Creation &creation, unsigned point, const Refusal &refusal)
{
        creation.prepare(s);
        Creations::free_something();
        scene = &s;
        points = 0;
        disturbed_point = point;
        rang = false;
        refusal.begin(0);
        if (other_cpu)
                fake_wait = count_wait;
        else
                fake_window = count_point;
        s.sleep_boss();
        const long allocations = fake_allocations();
        fake_window = nullptr;
        fake_wait = other_cpu ? answer_other : nullptr;
        fake_fail_allocation(-1);
        return allocations;
}

// Creates an object without the memory of a refusal. At a point, the boss disturbs the creation.
Outcome create(Creations &s, const Creation &creation, const Disturbance &disturbance,
               unsigned point, const Refusal &refusal)
{
        bool is_complete = false, is_there = false, has_begun = false;
        unsigned losses = 0;
        Database expected = s.database();
        long allocations = begin_creation(s, creation, point, refusal);

        if (rang) {
                EXPECT_EQ(cpu_self()->current, s.boss);
                is_there = s.created() != nullptr;
                is_complete = is_there || s.caller->cont == continuation_t(resume_after_reap);
                has_begun = s.caller->created != nullptr;
                EXPECT_TRUE(is_there || s.database() == expected) << "a part is visible";
                disturbance.happen(s);
                losses = disturbance.losses;
                expected = s.database();
                refusal.begin(allocations);
                s.sleep_boss();
                allocations += fake_allocations();
                fake_fail_allocation(-1);
        }
        if (!s.has_ended && is_complete)
                EXPECT_EQ(REG_P1(s.caller) == NOVA_SUCCESS, is_there);
        else if (!s.has_ended)
                check_status(s, creation, losses, has_begun,
                             refusal.rest && refusal.number >= 0 && allocations > refusal.number);
        s.wake_boss();
        if (other_cpu)
                other_cpu->leave();
        fake_settle();
        check_database(s, creation, expected, is_complete);
        return {rang, allocations};
}

Outcome create_alone(const Creation &creation, const Disturbance &disturbance, unsigned point,
                     const Refusal &refusal)
{
        Creations s;

        other_cpu = nullptr;
        return create(s, creation, disturbance, point, refusal);
}

// The owner's PD is loaded on another CPU, for whose flushes and grace periods the creation waits.
Outcome create_beside(const Creation &creation, const Disturbance &disturbance, unsigned point,
                      const Refusal &refusal)
{
        Creations s;
        OtherCpu other(s, OTHER);

        other_cpu = &other;
        fake_wait = answer_other;
        return create(s, creation, disturbance, point, refusal);
}

using Create = Outcome (*)(const Creation &, const Disturbance &, unsigned, const Refusal &);

// Disturbs a creation at each point, first with memory for all its allocations, then without memory
// for each. Returns the number of disturbances.
unsigned disturb_each(const Create create_one, const Creation &creation,
                      const Disturbance &disturbance, bool rest)
{
        unsigned disturbed = 0;
        long most = 0;

        for (long number = -1; number <= most; number++)
                for (unsigned point = 0;; point++) {
                        const Outcome one =
                                create_one(creation, disturbance, point, {number, rest});
                        if (number < 0)
                                most = std::max(most, one.allocations);
                        if (testing::Test::HasFailure()) {
                                ADD_FAILURE() << "allocation " << number << ", point " << point;
                                return disturbed;
                        }
                        if (!one.rang)
                                break;
                        disturbed++;
                }
        return disturbed;
}

void disturb_all(const Create create_one)
{
        for (const Creation &creation : creations) {
                unsigned disturbed = 0;
                for (const Disturbance &disturbance : disturbances)
                        for (const bool rest : {false, true}) {
                                SCOPED_TRACE(testing::Message()
                                             << creation.name << ", " << disturbance.name
                                             << ", rest " << rest);
                                disturbed += disturb_each(create_one, creation, disturbance, rest);
                                ASSERT_FALSE(testing::Test::HasFailure());
                        }
                EXPECT_GT(disturbed, ENOUGH) << creation.name;
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
