// SPDX-License-Identifier: BSD-2-Clause
// Long operations that are disturbed at each of their preemption points, shoot-downs and
// allocations: their thread or a PD ends, memory is refused, or a more urgent thread changes the
// ranges on which they work or the owner of a device. Afterwards the capabilities of all PDs are
// those of a model, no TLB has a stale translation, devices belong to their owners, and no memory
// is lost.
#include <gtest/gtest.h>

#include "points.h"
#include "points_exact.h"

namespace
{

// The first selector that the client delegates as a disturbance.
constexpr word_t CLIENT_GIVES = 50;

// Minimum numbers for memory, ports and objects.
using Minima = std::array<unsigned, 3>;

// A hypercall of the client, with its meaning for the ranges.
struct Operation {
        const char *name;
        std::function<Effect(Scene &)> prepare;
        Minima points; // minimum numbers of preemption points
        Minima allocations;
        bool calls = false;  // the end of the server's thread aborts the operation
        unsigned item = ALL; // number of selectors of one item
};

// An event at a preemption point. The function happen() returns its effect on the ranges.
struct Disturbance {
        const char *name;
        std::function<Change(Scene &)> happen;
        bool ends_client = false, ends_server = false;
        bool at_once = false; // the end comes even if references are left
};

void nothing(Model &)
{
}

Operation revocation_of(const char *name, unsigned perms, bool self)
{
        return {name,
                [=](Scene &s) {
                        set_arguments(s.caller,
                                      nova_hypercall_id(NOVA_REVOKE, self ? NOVA_REVOKE_SR : 0, 0),
                                      s.crd(0, ORDER, perms), 0, 0, 0);
                        return revocation_by(s, CLIENT, perms, self);
                },
                {8, 8, 16},
                {}};
}

// Delegates a range of the client's to the server by a call, next to the ranges that the server has
// already.
Effect prepare_call_with(Scene &s, word_t at, unsigned order)
{
        const word_t count = word_t{1} << order, target = s.type == NOVA_CRD_IO ? at : at + count;
        const unsigned item = nova_utcb_item_index(0);

        s.caller->utcb->items = nova_utcb_items(0, 1);
        s.caller->utcb->word[item] = s.crd(at, order);
        s.caller->utcb->word[item + 1] = NOVA_ITEM_DELEGATE;
        s.callee->utcb->delegate_window = s.crd(target, order);
        set_arguments(s.caller, nova_hypercall_id(NOVA_CALL, 0, CLIENT_PT), 0, 0, 0, 0);
        return {[=, &s](Model &model) {
                model.delegate(name_of(CLIENT), s.base() + at, name_of(SERVER), s.base() + target,
                               count, s.type, NOVA_PERM_ALL);
        }};
}

Effect prepare_call(Scene &s)
{
        return prepare_call_with(s, 0, ORDER);
}

Effect prepare_large_call(Scene &s)
{
        if (s.type == NOVA_CRD_OBJ)
                return prepare_call(s);
        s.give_home(s.large(), LARGE_COUNT);
        s.note(s.give(HOME, s.large(), CLIENT, s.large(), LARGE_COUNT));
        return prepare_call_with(s, s.large(), LARGE_ORDER);
}

// Delegates four parts of the client's range to the server by one call: each item has its own range
// and its own place in the window.
Effect prepare_transfer(Scene &s)
{
        const word_t target = s.type == NOVA_CRD_IO ? 0 : COUNT;

        s.prepare_parts(target);
        return {[=, &s](Model &model) {
                for (word_t i = 0; i < COUNT; i += PART)
                        model.delegate(name_of(CLIENT), s.base() + i, name_of(SERVER),
                                       s.base() + target + i, PART, s.type, NOVA_PERM_ALL);
        }};
}

// Creates a PD that gets the range of objects.
Effect prepare_create(Scene &s)
{
        set_arguments(s.caller, nova_hypercall_id(NOVA_CREATE_PD, 0, CLIENT_NEW), CLIENT_SELF,
                      s.crd(0, ORDER), 0, 0);
        if (s.type != NOVA_CRD_OBJ)
                return {nothing};
        return {[&s](Model &model) {
                model.delegate(name_of(CLIENT), s.base(), name_of(NEW), s.base(), COUNT, s.type,
                               NOVA_PERM_ALL);
        }};
}

// Ends the third PD, whose last capability the client has.
Effect prepare_end(Scene &s)
{
        set_arguments(s.caller, nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0),
                      nova_crd(NOVA_CRD_OBJ, CLIENT_THIRD, 0, NOVA_PERM_ALL), 0, 0, 0);
        return revocation_by(s, THIRD, NOVA_PERM_ALL, true);
}

// Destroys the third PD by the extension. Its capability stays.
Effect prepare_destruction(Scene &s)
{
        set_arguments(s.caller, nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, CLIENT_THIRD),
                      NOVA_EXT_PD_DESTROY, 0, 0, 0);
        return revocation_by(s, THIRD, NOVA_PERM_ALL, true);
}

// Assigns a PCI function to the client's PD.
Effect prepare_assignment(Scene &s)
{
        Scene::prepare_assignment(s.caller, CLIENT_SELF, FUNCTION);
        return {nothing};
}

const Operation operations[] = {
        revocation_of("revokes all rights below", NOVA_PERM_ALL, false),
        revocation_of("revokes all rights", NOVA_PERM_ALL, true),
        revocation_of("revokes one right below", NOVA_MEM_R, false),
        {"calls", prepare_call, {2, 2, 8}, {16, 8, 64}, true},
        {"calls with one mapping", prepare_large_call, {3, 1, 8}, {3, 1, 64}, true},
        {"transfers four items", prepare_transfer, {3, 3, 8}, {16, 8, 64}, true, COUNT / 4},
        {"creates a PD", prepare_create, {1, 1, 8}, {3, 3, 64}},
        {"ends a PD", prepare_end, {4, 4, 4}, {}},
        {"destroys a PD", prepare_destruction, {4, 4, 4}, {}},
        {"assigns a function", prepare_assignment, {1, 1, 1}, {}},
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

// Destroys a PD by the extension, unless it has ended.
Change destroy_pd(Scene &s, Who one, word_t sel)
{
        const bool is_there = caps_of(s.who[HOME], NOVA_CRD_OBJ).count(sel);

        if (is_there && !s.who[one]->object.dead)
                s.destroy_pd(sel);
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
        {"the PD is destroyed", [](Scene &s) { return destroy_pd(s, CLIENT, SEL_CLIENT); }, true},
        {"the server's PD is destroyed", [](Scene &s) { return destroy_pd(s, SERVER, SEL_SERVER); },
         false, true, true},
        {"the third PD is destroyed", [](Scene &s) { return destroy_pd(s, THIRD, SEL_THIRD); },
         false},
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
         [](Scene &s) { return s.give(CLIENT, CLIENT_GIVES, OTHER, CLIENT_GIVES, COUNT / 2); },
         false},
};

// Looks for the PDs that the operation has created or ended.
void look_for_pds(Scene &s)
{
        const Caps caps = s.who[CLIENT] ? caps_of(s.who[CLIENT], NOVA_CRD_OBJ) : Caps{};

        if (!caps.count(CLIENT_THIRD))
                s.who[THIRD] = nullptr;
        s.who[NEW] = nullptr;
        if (caps.count(CLIENT_NEW))
                s.who[NEW] = container_of(Scene::object_at(s.who[CLIENT], CLIENT_NEW), pd, object);
}

// Checks that devices use the memory of their owners only, and no memory after the owner's end. The
// client's function has an owner if its assignment was completed.
void check_functions(const Scene &s)
{
        const pd *const one = fake_attached[FUNCTION], *const owner = s.who[s.has_function];

        EXPECT_EQ(fake_attached[GIVEN_FUNCTION], owner && !owner->object.dead ? owner : nullptr);
        if (one) {
                EXPECT_EQ(one, s.who[CLIENT]);
                EXPECT_FALSE(one->object.dead);
                EXPECT_NE(one->dma.domain, 0u);
        }
        check_domains(s);
}

// Checks the state. settled: no revocation was given up. If a revocation of objects was given up,
// mappings without rights may remain, with other mappings below them.
void check_state(Scene &s, const Ranges &expected, bool settled)
{
        check_functions(s);
        check_ranges(ranges_now(s), expected);
        for (unsigned i = 0; i < WHO; i++)
                if (s.who[i])
                        check_pd(s.who[i], settled);
}

void settle(Scene &s)
{
        fake_window = nullptr;
        s.wake_boss();
        fake_settle();
        look_for_pds(s);
}

// Returns the number of selectors that an operation handles as one part.
unsigned part_of(const Scene &s, const Effect &does)
{
        return does.revokes && s.type != NOVA_CRD_OBJ ? FROM_HOME : 1;
}

// Lets the boss disturb an operation. Returns what the model expects at the end.
Ranges disturb_at_point(Scene &s, const Operation &operation, const Effect &does,
                        const Disturbance &disturbance)
{
        // the client's delegation makes one mapping of each part that the client got from home;
        // the function returns the first selector of the mapping that is made from a selector
        const Reached reached = look(s, [&s](word_t sel) {
                return s.type == NOVA_CRD_OBJ
                               ? sel
                               : std::max(sel & ~word_t{FROM_HOME - 1}, s.base() + CLIENT_GIVES);
        });
        const bool aborts = operation.calls && disturbance.ends_server &&
                            (disturbance.at_once || !reached.is_calling);
        const bool is_ending = does.from == THIRD && reached.is_ending;
        const bool goes_on = is_ending || !(disturbance.ends_client || aborts);

        check_reached(reached.ranges, after(s, nothing), after(s, does.change), part_of(s, does),
                      ALL);
        const Change disturbs = disturbance.happen(s);
        s.sleep_boss();
        return expect(s, does, reached, disturbs, goes_on);
}

// Lets the boss disturb an operation at a preemption point, or during a flush of the other CPU.
// Returns false if the operation has no such point.
bool disturb(Scene &s, const Operation &operation, const Disturbance &disturbance, unsigned point,
             OtherCpu *other)
{
        const Effect does = operation.prepare(s);

        Points::begin(s, other, point);
        s.sleep_boss();
        const bool rang = Points::end();
        const Ranges expected =
                rang ? disturb_at_point(s, operation, does, disturbance) : after(s, does.change);
        s.reply();
        if (other) {
                other->finish();
                other->leave();
        }
        settle(s);
        check_state(s, expected, !disturbance.ends_client || s.type != NOVA_CRD_OBJ);
        return rang;
}

// Disturbs an operation at a preemption point.
bool disturb_window(const Operation &operation, unsigned type, const Disturbance &disturbance,
                    unsigned point)
{
        Scene s(type);

        return disturb(s, operation, disturbance, point, nullptr);
}

// Disturbs an operation during a shoot-down on another CPU, which has loaded a PD and answers after
// a number of waits.
bool disturb_flush(const Operation &operation, unsigned type, const Disturbance &disturbance,
                   unsigned point, Who loaded, unsigned late)
{
        Scene s(type);
        OtherCpu other(s, loaded);

        Points::answer_for(other, late);
        return disturb(s, operation, disturbance, point, &other);
}

const std::pair<const char *, unsigned> types[] = {
        {"memory", NOVA_CRD_MEM}, {"ports", NOVA_CRD_IO}, {"objects", NOVA_CRD_OBJ}};

unsigned minimum_of(const Minima &minima, unsigned type)
{
        for (unsigned i = 0; i < minima.size(); i++)
                if (types[i].second == type)
                        return minima[i];
        return 0;
}

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
                                EXPECT_GE(point, minimum_of(operation.points, type));
                                ASSERT_FALSE(HasFailure()) << "at point " << point;
                        }
}

// Returns the number of waits for flushes.
unsigned disturb_each_flush(const Operation &operation, unsigned type,
                            const Disturbance &disturbance, Who loaded, unsigned late)
{
        unsigned point = 0;

        while (!testing::Test::HasFailure() &&
               disturb_flush(operation, type, disturbance, point, loaded, late))
                point++;
        EXPECT_FALSE(testing::Test::HasFailure())
                << "PD " << loaded << ": " << operation.name << ", " << disturbance.name
                << ", at flush " << point;
        return point;
}

// Minimum number of flushes of an operation while another CPU has loaded a PD.
struct Flushes {
        unsigned type;
        Who loaded;
        std::string operation;
        unsigned minimum;
};

const Flushes flushes[] = {
        {NOVA_CRD_MEM, CLIENT, "revokes all rights", 6},
        {NOVA_CRD_MEM, SERVER, "revokes all rights", 6},
        {NOVA_CRD_MEM, SERVER, "revokes all rights below", 6},
        {NOVA_CRD_MEM, SERVER, "revokes one right below", 6},
        {NOVA_CRD_MEM, THIRD, "revokes all rights", 6},
        {NOVA_CRD_MEM, THIRD, "revokes all rights below", 6},
        {NOVA_CRD_MEM, THIRD, "revokes one right below", 6},
        {NOVA_CRD_MEM, THIRD, "ends a PD", 1},
        {NOVA_CRD_MEM, THIRD, "destroys a PD", 1},
        {NOVA_CRD_IO, SERVER, "calls with one mapping", 1},
};

unsigned minimum_of_flushes(const Operation &operation, unsigned type, Who loaded)
{
        for (const Flushes &one : flushes)
                if (one.type == type && one.loaded == loaded && one.operation == operation.name)
                        return one.minimum;
        return 0;
}

// Disturbs each flush of all operations. An operation without flushes has nothing to disturb.
void disturb_flushes(unsigned type, Who loaded, unsigned late = 0)
{
        for (const Operation &operation : operations) {
                const unsigned minimum = minimum_of_flushes(operation, type, loaded);
                for (const Disturbance &disturbance : disturbances) {
                        const unsigned found =
                                disturb_each_flush(operation, type, disturbance, loaded, late);
                        ASSERT_FALSE(testing::Test::HasFailure());
                        if (!minimum) {
                                ASSERT_EQ(found, 0u) << operation.name << " needs a minimum";
                                break;
                        }
                        ASSERT_GE(found, minimum * (1 + late))
                                << operation.name << ", " << disturbance.name;
                }
        }
}

TEST(points, of_shoot_downs_may_be_disturbed)
{
        for (const Who loaded : {CLIENT, SERVER, THIRD})
                disturb_flushes(NOVA_CRD_MEM, loaded);
}

TEST(points, of_shoot_downs_that_are_answered_late_may_be_disturbed)
{
        disturb_flushes(NOVA_CRD_MEM, THIRD, 2);
}

// TLBs are flushed when a PD gets a page of the I/O bitmap.
TEST(points, of_shoot_downs_for_ports_may_be_disturbed)
{
        for (const Who loaded : {SERVER, OTHER})
                disturb_flushes(NOVA_CRD_IO, loaded);
}

// Runs an operation in which one allocation fails, or this one and all later ones. Returns the
// number of allocations.
long refuse(const Operation &operation, unsigned type, long number, bool rest)
{
        Scene s(type);
        const Effect does = operation.prepare(s);
        const Ranges before = after(s, nothing), full = after(s, does.change);

        rest ? fake_fail_allocations_from(number) : fake_fail_allocation(number);
        s.sleep_boss();
        const long allocations = fake_allocations();
        fake_fail_allocation(-1);
        settle(s);
        const Ranges now = ranges_now(s);
        check_reached(now, before, full, 1, operation.item);
        check_state(s, allocations <= number ? full : now, true);
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
                                EXPECT_GE(number, minimum_of(operation.allocations, type));
                                ASSERT_FALSE(HasFailure()) << "at allocation " << number;
                        }
}

} // namespace
