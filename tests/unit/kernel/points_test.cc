// SPDX-License-Identifier: BSD-2-Clause
// Long operations that are disturbed at each of their preemption points, shoot-downs and
// allocations: their thread or a PD ends, memory is refused, or a more urgent thread changes the
// ranges on which they work or the owner of a device. Afterwards the capabilities of all PDs are
// those that a model allows, no TLB has a stale translation, devices belong to their owners, and no
// memory is lost.
#include <gtest/gtest.h>

#include "points_cpu.h"

namespace
{

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
        s.give_home(s.large(), LARGE_COUNT);
        s.note(s.give(HOME, s.large(), CLIENT, s.large(), LARGE_COUNT));
        return prepare_call_with(s, s.large(), LARGE_ORDER);
}

// Delegates four parts of the client's range to the server by one call: each item has its own range
// and its own place in the window.
Change prepare_transfer(Scene &s)
{
        constexpr unsigned ITEMS = 4, PART_ORDER = ORDER - 2, PART = COUNT / ITEMS;
        const word_t target = s.type == NOVA_CRD_IO ? 0 : COUNT;

        s.caller->utcb->items = nova_utcb_items(0, ITEMS);
        for (unsigned i = 0; i < ITEMS; i++) {
                const unsigned item = nova_utcb_item_index(i);
                s.caller->utcb->word[item] = s.crd(i * PART, PART_ORDER);
                s.caller->utcb->word[item + 1] = NOVA_ITEM_DELEGATE | (s.base() + i * PART)
                                                                              << PAGE_BITS;
        }
        s.callee->utcb->delegate_window = s.crd(target, ORDER);
        set_arguments(s.caller, nova_hypercall_id(NOVA_CALL, 0, CLIENT_PT), 0, 0, 0, 0);
        return [=, &s](Model &model) {
                for (word_t i = 0; i < COUNT; i += PART)
                        model.delegate(name_of(CLIENT), s.base() + i, name_of(SERVER),
                                       s.base() + target + i, PART, s.type, NOVA_PERM_ALL);
        };
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

// Destroys the third PD by the extension. Its capability stays.
Change prepare_destruction(Scene &s)
{
        set_arguments(s.caller, nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, CLIENT_THIRD),
                      NOVA_EXT_PD_DESTROY, 0, 0, 0);
        return s.take(THIRD, NOVA_PERM_ALL, true);
}

// Assigns a PCI function to the client's PD.
Change prepare_assignment(Scene &s)
{
        Scene::prepare_assignment(s.caller, CLIENT_SELF, FUNCTION);
        return [](Model &) {};
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
        {"transfers four items", prepare_transfer, 3, false, true},
        {"creates a PD", prepare_create, 0, false, false},
        {"ends a PD", prepare_end, 0, false, false},
        {"destroys a PD", prepare_destruction, 1, false, false},
        {"assigns a function", prepare_assignment, 0, false, false},
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
        {"home takes the third PD's function",
         [](Scene &s) {
                 s.move_function(SEL_OTHER, OTHER);
                 return nothing;
         },
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

// Checks that devices use the memory of their owners only, and no memory after the owner's end. The
// client's function has an owner if the assignment came to its end.
void check_functions(const Scene &s)
{
        const pd *const one = fake_attached[FUNCTION], *const owner = s.who[s.has_function];

        EXPECT_EQ(fake_attached[GIVEN_FUNCTION], owner && !owner->object.dead ? owner : nullptr);
        if (one) {
                EXPECT_EQ(one, s.who[CLIENT]);
                EXPECT_NE(one->dma.domain, 0u);
        }
        for (unsigned i = 0; i < WHO; i++)
                EXPECT_TRUE(!s.who[i] || !s.who[i]->dma.domain ||
                            s.who[i] == fake_attached[FUNCTION] ||
                            s.who[i] == fake_attached[GIVEN_FUNCTION])
                        << "PD " << i << " keeps a domain without a function";
}

// settled: no revocation was given up. One of objects leaves mappings without rights above others.
void check_results(Scene &s, const std::vector<std::array<Caps, WHO>> &results, bool settled)
{
        fake_window = nullptr;
        s.wake_boss();
        fake_settle();
        look_for_pds(s);
        check_functions(s);
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

Scene *scene; // of the hooks
OtherCpu *other_cpu;
unsigned points, disturbed_point;
bool rang;

void count_point()
{
        if (points++ == disturbed_point) {
                rang = true;
                scene->ring();
        }
}

void answer_flush()
{
        if (OtherCpu::is_asked())
                other_cpu->answer();
}

// While this CPU waits for the flush of the other one, it may get mail that wakes the boss.
void count_flush()
{
        if (OtherCpu::is_asked())
                count_point();
        answer_flush();
}

// The boss disturbs an operation at a preemption point, or during a flush of the other CPU. Returns
// false if the operation has no such point.
bool disturb(Scene &s, const Operation &operation, const Disturbance &disturbance, unsigned point,
             OtherCpu *other)
{
        const Change does = operation.prepare(s);
        Change disturbs = nothing;

        scene = &s;
        points = 0;
        disturbed_point = point;
        rang = false;
        if (other)
                fake_wait = count_flush;
        else
                fake_window = count_point;
        s.sleep_boss();
        fake_window = nullptr;
        fake_wait = other ? answer_flush : nullptr;
        if (rang) {
                EXPECT_EQ(cpu_self()->current, s.boss);
                disturbs = disturbance.happen(s);
                s.sleep_boss();
        }
        s.reply();
        if (other)
                other->leave();
        std::vector<std::array<Caps, WHO>> results = {after(s, {does, disturbs}),
                                                      after(s, {disturbs, does})};
        if (rang && (disturbance.ends_client || (disturbance.ends_server && operation.calls)))
                results.push_back(after(s, {disturbs}));
        check_results(s, results, !disturbance.ends_client || s.type != NOVA_CRD_OBJ);
        return rang;
}

// Disturbs an operation at a preemption point.
bool disturb_window(const Operation &operation, unsigned type, const Disturbance &disturbance,
                    unsigned point)
{
        Scene s(type);

        return disturb(s, operation, disturbance, point, nullptr);
}

// Disturbs an operation during a shoot-down on another CPU, which has loaded a PD.
bool disturb_flush(const Operation &operation, unsigned type, const Disturbance &disturbance,
                   unsigned point, Who loaded)
{
        Scene s(type);
        OtherCpu other(s, loaded);

        other_cpu = &other;
        fake_wait = answer_flush;
        return disturb(s, operation, disturbance, point, &other);
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
                                       disturb_window(operation, type, disturbance, point))
                                        point++;
                                EXPECT_GE(point, operation.points);
                                ASSERT_FALSE(HasFailure()) << "at point " << point;
                        }
}

// Returns the number of flushes.
unsigned disturb_each_flush(const Operation &operation, unsigned type,
                            const Disturbance &disturbance, Who loaded)
{
        unsigned point = 0;

        while (!testing::Test::HasFailure() &&
               disturb_flush(operation, type, disturbance, point, loaded))
                point++;
        EXPECT_FALSE(testing::Test::HasFailure())
                << "PD " << loaded << ": " << operation.name << ", " << disturbance.name
                << ", at flush " << point;
        return point;
}

unsigned disturb_flushes(unsigned type, Who loaded)
{
        unsigned flushes = 0;

        for (const Operation &operation : operations)
                for (const Disturbance &disturbance : disturbances)
                        if (!testing::Test::HasFailure())
                                flushes += disturb_each_flush(operation, type, disturbance, loaded);
        return flushes;
}

TEST(points, of_shoot_downs_may_be_disturbed)
{
        for (const Who loaded : {CLIENT, SERVER, THIRD})
                EXPECT_GT(disturb_flushes(NOVA_CRD_MEM, loaded), 0u);
}

// TLBs are flushed when a PD gets a page of the I/O bitmap.
TEST(points, of_shoot_downs_for_ports_may_be_disturbed)
{
        EXPECT_GT(disturb_flushes(NOVA_CRD_IO, SERVER), 0u);
        disturb_flushes(NOVA_CRD_IO, OTHER);
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
