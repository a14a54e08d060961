// SPDX-License-Identifier: BSD-2-Clause
// Long operations that are disturbed at each of their preemption points and allocations: their
// thread or a PD ends, memory is refused, or a more urgent thread changes the ranges on which they
// work. Afterwards the capabilities of all PDs are those that a model allows, and no memory is
// lost.
#include <gtest/gtest.h>

#include <functional>

#include "model.h"
#include "ways.h"

extern "C" {
#include "arch/x86/resume.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/qpd.h"
#include "nova/abi/utcb.h"
}

namespace
{

// Selectors of the PD "home", which creates everything but the third PD. The PDs are at SEL_CLIENT
// and above. A thread is at CLIENT_THREAD and at SERVER_THREAD, each followed by the object that
// keeps it alive: its scheduling context, or its portal.
constexpr word_t SEL_HOME = 0x20, SEL_SLEEP = 0x21, SEL_CLIENT = 0x24, SEL_SERVER = 0x25,
                 SEL_OTHER = 0x26, CLIENT_THREAD = 0x30, SERVER_THREAD = 0x32;
constexpr unsigned PDS_ORDER = 2;
// Selectors of the client.
constexpr word_t CLIENT_SELF = 0x20, CLIENT_PT = 0x21, CLIENT_THIRD = 0x22, CLIENT_NEW = 0x300001;
// The ranges: frames begin at SOURCE, pages or selectors of each PD at BASE. Ports have the same
// numbers in all PDs.
constexpr word_t SOURCE = 0x4000, BASE = 0x400000, PORTS = 0x2000;
constexpr unsigned ORDER = 7, COUNT = 1u << ORDER, EVERY = 16, PIECE = 9, FROM_HOME = 4;
// A range that is one mapping, whose tables take several steps, at this offset from the base.
constexpr unsigned LARGE_ORDER = 11, LARGE_COUNT = 1u << LARGE_ORDER, LARGE = 0x800;
constexpr unsigned ALL_ORDER = 13, ALL = 1u << ALL_ORDER; // number of the compared offsets

// Owners of a range.
enum Who { HOME, CLIENT, SERVER, THIRD, OTHER, NEW, WHO };

// The model's name of a PD, which outlives the PD.
pd *name_of(unsigned who)
{
        static pd names[WHO];
        return &names[who];
}

// A change of the ranges in the model.
using Change = std::function<void(Model &)>;

class Scene;
Scene *scene; // of the hook

// A client revokes, calls and creates; its PD gets ranges from home, the server's from the client,
// and the third's from the server. The boss sleeps and is more urgent.
class Scene : public World
{
      public:
        explicit Scene(unsigned type_of_ranges) : World(8192), type(type_of_ranges)
        {
                scene = this;
                share(home, SEL_HOME, &home->object);
                ready(fillers, false);
                run(boss, bosses);
                who[HOME] = home;
                for (const auto &[sel, one] :
                     {std::pair{SEL_CLIENT, CLIENT}, std::pair{SEL_SERVER, SERVER},
                      std::pair{SEL_OTHER, OTHER}}) {
                        create(NOVA_CREATE_PD, sel, 0);
                        who[one] = container_of(object_at(home, sel), pd, object);
                }
                create(NOVA_CREATE_SM, SEL_SLEEP, 0);
                bed = container_of(object_at(home, SEL_SLEEP), sm, object);
                make_threads();
                make_third();
                make_ranges();
        }

        ~Scene()
        {
                fake_window = nullptr;
                fake_fail_allocation(-1);
                wake_boss();
                revoke_objects(CLIENT_THREAD, 1);
                revoke_objects(SERVER_THREAD, 1);
                revoke_objects(SEL_CLIENT, PDS_ORDER);
                sleep_boss(); // threads whose calls were aborted end themselves
                wake_boss();
        }

        word_t base() const
        {
                return type == NOVA_CRD_IO ? PORTS : BASE;
        }

        unsigned rights() const
        {
                return type == NOVA_CRD_IO    ? NOVA_IO_A
                       : type == NOVA_CRD_MEM ? NOVA_MEM_RWX
                                              : NOVA_PERM_ALL;
        }

        // A descriptor of selectors of the ranges, beginning at an offset.
        nova_crd_t crd(word_t at, unsigned order, unsigned perms = NOVA_PERM_ALL) const
        {
                return nova_crd(type, base() + at, order, perms);
        }

        // The capabilities of a PD in the ranges; none if the PD has been destroyed. A new PD has
        // its range from selector 0 on.
        Caps ranges(unsigned one)
        {
                Caps found;
                if (!who[one])
                        return found;
                const word_t first = one == NEW ? 0 : base();
                for (const auto &[sel, cap] : caps_of(who[one], type))
                        if (sel >= first && sel < first + ALL)
                                found[sel - first + base()] = cap;
                return found;
        }

        // Delegates a part of a PD's range, here and in the model. The PDs have not ended.
        Change give(Who from, word_t at, Who to, word_t target, word_t count)
        {
                delegate(who[from], base() + at, who[to], base() + target, count, type, rights());
                return [=](Model &model) {
                        model.delegate(name_of(from), base() + at, name_of(to), base() + target,
                                       count, type, rights());
                };
        }

        Change take(Who from, unsigned perms, bool self)
        {
                return [=](Model &model) {
                        model.revoke(name_of(from), base(), base() + ALL, type, perms, self);
                };
        }

        // Makes a hypercall of the boss, which is running.
        nova_status hypercall(word_t id, word_t p2, word_t p3 = 0, word_t p4 = 0, word_t p5 = 0)
        {
                set_arguments(boss, id, p2, p3, p4, p5);
                enter(boss, false);
                EXPECT_EQ(cpu_self()->current, boss);
                return nova_status(REG_P1(boss));
        }

        void revoke_objects(word_t sel, unsigned order)
        {
                EXPECT_EQ(hypercall(nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0),
                                    nova_crd(NOVA_CRD_OBJ, sel, order, NOVA_PERM_ALL)),
                          NOVA_SUCCESS);
        }

        static kobject *object_at(pd *owner, word_t sel)
        {
                return reinterpret_cast<kobject *>(caps_of(owner, NOVA_CRD_OBJ).at(sel).source);
        }

        // The boss sleeps. The client's thread makes its hypercall, or continues it, until a thread
        // is in user mode.
        void sleep_boss()
        {
                set_arguments(boss, nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, SEL_SLEEP), 0, 0,
                              0, 0);
                enter(boss, false);
        }

        // As an interrupt does, wakes the boss, which runs from the next preemption point on.
        void ring()
        {
                sm_up(bed);
        }

        // Interrupts the thread in user mode, and runs the boss.
        void wake_boss()
        {
                if (cpu_self()->current == boss)
                        return;
                ring();
                enter(
                        [](ec *self) {
                                self->cont = resume_success;
                                resume_reschedule(self->cpu);
                        },
                        cpu_self()->current, false);
                EXPECT_EQ(cpu_self()->current, boss);
        }

        // Delegates memory or ports to home. No frame allows a large page.
        void give_home(word_t at, word_t count)
        {
                const word_t source = (type == NOVA_CRD_IO ? PORTS : SOURCE + 1) + at;

                delegate(&kernel_pd, source, home, base() + at, count, type, rights());
                note([=](Model &model) {
                        model.insert(name_of(HOME), type, base() + at, count, source, rights());
                });
        }

        void note(const Change &change)
        {
                history.push_back(change);
        }

        const unsigned type;
        std::vector<Change> history;
        pd *who[WHO] = {};
        ec *boss = thread("boss", home, EC_GLOBAL), *filler = thread("filler", home, EC_GLOBAL);
        sc *bosses = context("boss's", boss, PRIO + 1), *fillers = context("f", filler, PRIO - 1);
        ec *caller = nullptr, *callee = nullptr;
        sm *bed = nullptr;

      private:
        void create(nova_hypercall number, word_t sel, word_t p3, word_t p4 = 0, word_t p5 = 0,
                    word_t owner = SEL_HOME, word_t flags = 0)
        {
                EXPECT_EQ(hypercall(nova_hypercall_id(number, flags, sel), owner, p3, p4, p5),
                          NOVA_SUCCESS);
        }

        void make_threads()
        {
                create(NOVA_CREATE_EC, CLIENT_THREAD, 0x5000 << PAGE_BITS, 0, 0, SEL_CLIENT,
                       NOVA_EC_GLOBAL);
                create(NOVA_CREATE_SC, CLIENT_THREAD + 1, CLIENT_THREAD, nova_qpd(1000, PRIO), 0,
                       SEL_CLIENT);
                create(NOVA_CREATE_EC, SERVER_THREAD, 0x6000 << PAGE_BITS, 0, 0, SEL_SERVER);
                create(NOVA_CREATE_PT, SERVER_THREAD + 1, SERVER_THREAD, 0, 0x7000, SEL_SERVER);
                caller = container_of(object_at(home, CLIENT_THREAD), ec, object);
                callee = container_of(object_at(home, SERVER_THREAD), ec, object);
                caller->cont = continuation_t(fake_enter);
                caller->regs.ip = 0x1000;
                delegate(home, SERVER_THREAD + 1, who[CLIENT], CLIENT_PT, 1, NOVA_CRD_OBJ, 31);
                delegate(home, SEL_CLIENT, who[CLIENT], CLIENT_SELF, 1, NOVA_CRD_OBJ, 31);
        }

        // The client has the only capability of the third PD.
        void make_third()
        {
                set_arguments(caller, nova_hypercall_id(NOVA_CREATE_PD, 0, CLIENT_THIRD),
                              CLIENT_SELF, 0, 0, 0);
                sleep_boss();
                wake_boss();
                caller->cont = continuation_t(fake_enter);
                who[THIRD] = container_of(object_at(who[CLIENT], CLIENT_THIRD), pd, object);
        }

        void make_ranges()
        {
                for (word_t i = 0; type == NOVA_CRD_OBJ && i < COUNT; i++)
                        make_sm(home, base() + i, rights());
                if (type != NOVA_CRD_OBJ)
                        give_home(0, COUNT);
                else
                        note([=, caps = ranges(HOME)](Model &model) {
                                for (const auto &[sel, cap] : caps)
                                        model.insert(name_of(HOME), type, sel, 1, cap.source,
                                                     cap.perms);
                        });
                for (word_t i = 0; i < COUNT; i += FROM_HOME)
                        note(give(HOME, i, CLIENT, i, FROM_HOME));
                for (word_t i = 0; i < COUNT; i += EVERY) {
                        note(give(CLIENT, i, SERVER, i, PIECE));
                        note(give(SERVER, i + 2, THIRD, i + 2, 3));
                }
        }
};

// A hypercall of the client, with its meaning for the ranges.
struct Operation {
        const char *name;
        std::function<Change(Scene &)> prepare;
        unsigned points; // minimum number of its preemption points
        bool takes;      // without memory, it takes more than it was asked to, never less
        bool calls;      // the end of the server's thread aborts it
};

// An event at a preemption point. The function happen() returns its effect on the ranges.
struct Disturbance {
        const char *name;
        std::function<Change(Scene &)> happen;
        bool ends_client = false, ends_server = false;
};

Operation revocation_of(const char *name, unsigned perms, bool self)
{
        return {name,
                [=](Scene &s) {
                        set_arguments(s.caller,
                                      nova_hypercall_id(NOVA_REVOKE, self ? NOVA_REVOKE_SR : 0, 0),
                                      s.crd(0, ORDER, perms), 0, 0, 0);
                        return s.take(CLIENT, perms, self);
                },
                2, true, false};
}

// Delegates a range of the client's to the server by a call, next to the ranges that the server has
// already.
Change prepare_call_with(Scene &s, word_t at, unsigned order)
{
        const word_t count = word_t{1} << order, target = s.type == NOVA_CRD_IO ? at : at + count;
        const unsigned item = nova_utcb_item_index(0);

        s.caller->utcb->items = nova_utcb_items(0, 1);
        s.caller->utcb->word[item] = s.crd(at, order);
        s.caller->utcb->word[item + 1] = NOVA_ITEM_DELEGATE;
        s.callee->utcb->delegate_window = s.crd(target, order);
        set_arguments(s.caller, nova_hypercall_id(NOVA_CALL, 0, CLIENT_PT), 0, 0, 0, 0);
        return [=, &s](Model &model) {
                model.delegate(name_of(CLIENT), s.base() + at, name_of(SERVER), s.base() + target,
                               count, s.type, NOVA_PERM_ALL);
        };
}

Change prepare_call(Scene &s)
{
        return prepare_call_with(s, 0, ORDER);
}

Change prepare_large_call(Scene &s)
{
        if (s.type == NOVA_CRD_OBJ)
                return prepare_call(s);
        s.give_home(LARGE, LARGE_COUNT);
        s.note(s.give(HOME, LARGE, CLIENT, LARGE, LARGE_COUNT));
        return prepare_call_with(s, LARGE, LARGE_ORDER);
}

// Creates a PD that gets the range of objects.
Change prepare_create(Scene &s)
{
        set_arguments(s.caller, nova_hypercall_id(NOVA_CREATE_PD, 0, CLIENT_NEW), CLIENT_SELF,
                      s.crd(0, ORDER), 0, 0);
        if (s.type != NOVA_CRD_OBJ)
                return [](Model &) {};
        return [&s](Model &model) {
                model.delegate(name_of(CLIENT), s.base(), name_of(NEW), s.base(), COUNT, s.type,
                               NOVA_PERM_ALL);
        };
}

// Ends the third PD, whose last capability the client has.
Change prepare_end(Scene &s)
{
        set_arguments(s.caller, nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0),
                      nova_crd(NOVA_CRD_OBJ, CLIENT_THIRD, 0, NOVA_PERM_ALL), 0, 0, 0);
        return s.take(THIRD, NOVA_PERM_ALL, true);
}

void nothing(Model &)
{
}

const Operation operations[] = {
        revocation_of("revokes all rights below", NOVA_PERM_ALL, false),
        revocation_of("revokes all rights", NOVA_PERM_ALL, true),
        revocation_of("revokes one right below", NOVA_MEM_R, false),
        {"calls", prepare_call, 1, false, true},
        {"calls with one mapping", prepare_large_call, 1, false, true},
        {"creates a PD", prepare_create, 0, false, false},
        {"ends a PD", prepare_end, 0, false, false},
};

// Ends a PD and the thread in it. The third PD ends with the client's.
Change end_pd(Scene &s, Who one, word_t sel, word_t thread)
{
        s.revoke_objects(sel, 0);
        s.revoke_objects(thread, 1);
        s.who[one] = nullptr;
        return [=, &s](Model &model) {
                s.take(one, NOVA_PERM_ALL, true)(model);
                if (one == CLIENT)
                        s.take(THIRD, NOVA_PERM_ALL, true)(model);
        };
}

Change revoke_from_home(Scene &s, unsigned perms, bool self)
{
        EXPECT_EQ(s.hypercall(nova_hypercall_id(NOVA_REVOKE, self ? NOVA_REVOKE_SR : 0, 0),
                              s.crd(0, ALL_ORDER, perms)),
                  NOVA_SUCCESS);
        return s.take(HOME, perms, self);
}

const Disturbance disturbances[] = {
        {"nothing", [](Scene &) { return nothing; }, false},
        {"the thread ends",
         [](Scene &s) {
                 s.revoke_objects(CLIENT_THREAD, 1);
                 return nothing;
         },
         true},
        {"the server's thread ends",
         [](Scene &s) {
                 s.revoke_objects(SERVER_THREAD, 1);
                 return nothing;
         },
         false, true},
        {"the PD ends", [](Scene &s) { return end_pd(s, CLIENT, SEL_CLIENT, CLIENT_THREAD); },
         true},
        {"the server's PD ends",
         [](Scene &s) { return end_pd(s, SERVER, SEL_SERVER, SERVER_THREAD); }, false, true},
        {"home revokes all below",
         [](Scene &s) { return revoke_from_home(s, NOVA_PERM_ALL, false); }, false},
        {"home revokes one right", [](Scene &s) { return revoke_from_home(s, NOVA_MEM_R, true); },
         false},
        {"the server delegates", [](Scene &s) { return s.give(SERVER, 3, OTHER, 3, COUNT / 2); },
         false},
        {"the client's PD delegates",
         [](Scene &s) { return s.give(CLIENT, 50, OTHER, 50, COUNT / 2); }, false},
};

// The capabilities of each PD after changes in this order.
std::array<Caps, WHO> after(const Scene &s, std::initializer_list<Change> changes)
{
        std::array<Caps, WHO> found;
        Model model;

        for (const Change &change : s.history)
                change(model);
        for (const Change &change : changes)
                change(model);
        for (unsigned i = 0; i < WHO; i++)
                found[i] = model.caps(name_of(i), s.type);
        return found;
}

// Checks that a PD has at least the permissions of all results, and at most those of any.
void check_caps(const Caps &actual, const std::vector<Caps> &results)
{
        Caps low = results[0], high = results[0];

        for (const Caps &one : results) {
                for (auto &[sel, cap] : low) {
                        const auto found = one.find(sel);
                        cap.perms &= found == one.end() ? 0 : found->second.perms;
                }
                for (const auto &[sel, cap] : one) {
                        const auto [found, is_new] = high.insert({sel, cap});
                        found->second.perms |= cap.perms;
                }
        }
        for (const auto &[sel, cap] : actual) {
                const auto most = high.find(sel);
                ASSERT_TRUE(most != high.end() && most->second.source == cap.source &&
                            !(cap.perms & ~most->second.perms))
                        << "selector " << std::hex << sel << " has " << cap;
        }
        for (const auto &[sel, cap] : low) {
                const auto found = actual.find(sel);
                ASSERT_TRUE(!cap.perms ||
                            (found != actual.end() && !(cap.perms & ~found->second.perms)))
                        << "selector " << std::hex << sel << " has lost " << cap;
        }
}

// Looks for the PDs that the operation has created or ended.
void look_for_pds(Scene &s)
{
        const Caps caps = s.who[CLIENT] ? caps_of(s.who[CLIENT], NOVA_CRD_OBJ) : Caps{};

        if (!caps.count(CLIENT_THIRD))
                s.who[THIRD] = nullptr;
        if (caps.count(CLIENT_NEW))
                s.who[NEW] = container_of(Scene::object_at(s.who[CLIENT], CLIENT_NEW), pd, object);
}

// settled: no revocation was given up. One of objects leaves mappings without rights above others.
void check_results(Scene &s, const std::vector<std::array<Caps, WHO>> &results, bool settled)
{
        fake_window = nullptr;
        s.wake_boss();
        fake_settle();
        look_for_pds(s);
        for (unsigned i = 0; i < WHO; i++) {
                SCOPED_TRACE(testing::Message() << "PD " << i);
                std::vector<Caps> of_pd;
                for (const auto &one : results)
                        of_pd.push_back(one[i]);
                check_caps(s.ranges(i), of_pd);
                if (s.who[i])
                        check_pd(s.who[i], settled);
        }
}

unsigned points, disturbed_point;
bool rang;

void count_point()
{
        if (points++ == disturbed_point) {
                rang = true;
                scene->ring();
        }
}

// Disturbs an operation at a point. Returns false if it has no such point.
bool disturb(const Operation &operation, unsigned type, const Disturbance &disturbance,
             unsigned point)
{
        Scene s(type);
        const Change does = operation.prepare(s);
        Change disturbs = nothing;

        points = 0;
        disturbed_point = point;
        rang = false;
        fake_window = count_point;
        s.sleep_boss();
        fake_window = nullptr;
        if (rang) {
                EXPECT_EQ(cpu_self()->current, s.boss);
                disturbs = disturbance.happen(s);
                s.sleep_boss();
        }
        std::vector<std::array<Caps, WHO>> results = {after(s, {does, disturbs}),
                                                      after(s, {disturbs, does})};
        if (rang && (disturbance.ends_client || (disturbance.ends_server && operation.calls)))
                results.push_back(after(s, {disturbs}));
        check_results(s, results, !disturbance.ends_client || type != NOVA_CRD_OBJ);
        return rang;
}

const std::pair<const char *, unsigned> types[] = {
        {"memory", NOVA_CRD_MEM}, {"ports", NOVA_CRD_IO}, {"objects", NOVA_CRD_OBJ}};

TEST(points, of_long_operations_may_be_disturbed)
{
        for (const auto &[name, type] : types)
                for (const Operation &operation : operations)
                        for (const Disturbance &disturbance : disturbances) {
                                unsigned point = 0;
                                SCOPED_TRACE(testing::Message() << name << ": " << operation.name
                                                                << ", " << disturbance.name);
                                while (!HasFailure() &&
                                       disturb(operation, type, disturbance, point))
                                        point++;
                                EXPECT_GE(point, operation.points);
                                ASSERT_FALSE(HasFailure()) << "at point " << point;
                        }
}

// Without memory for one allocation, or for it and all later ones. Returns the number of
// allocations.
long refuse(const Operation &operation, unsigned type, long number, bool rest)
{
        Scene s(type);
        const Change does = operation.prepare(s);

        rest ? fake_fail_allocations_from(number) : fake_fail_allocation(number);
        s.sleep_boss();
        const long allocations = fake_allocations();
        fake_fail_allocation(-1);
        std::vector<std::array<Caps, WHO>> results = {after(s, {does})};
        if (operation.takes)
                results.push_back({});
        else
                results.push_back(after(s, {}));
        if (allocations <= number)
                results.resize(1);
        check_results(s, results, true);
        return allocations;
}

TEST(points, of_long_operations_may_find_no_memory)
{
        for (const auto &[name, type] : types)
                for (const Operation &operation : operations)
                        for (const bool rest : {false, true}) {
                                long number = 0;
                                SCOPED_TRACE(testing::Message() << name << ": " << operation.name
                                                                << ", rest " << rest);
                                while (!HasFailure() &&
                                       refuse(operation, type, number, rest) > number)
                                        number++;
                                ASSERT_FALSE(HasFailure()) << "at allocation " << number;
                        }
}

} // namespace
