/* SPDX-License-Identifier: BSD-2-Clause */
/* Configurations of the hypercall interface: each rule that is broken alone gives its own error and
 * its own sentence. */
#include "novavmm/hv.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <set>
#include <string>

namespace
{

struct request {
        nova_hv_config config = {};
        nova_hv_machine machine = {};
};

/* A valid configuration, and a change that breaks one rule. */
struct rule {
        const char *sentence;
        int error;
        std::function<void(request &)> good, broken;
};

constexpr uint64_t calls = NOVA_HV_PRIVILEGE_HYPERCALLS;
constexpr uint64_t timers = NOVA_HV_PRIVILEGE_TIMERS | NOVA_HV_PRIVILEGE_REFERENCE_COUNTER;

/* Returns a function that sets privileges and hints, on a machine with all parts. */
std::function<void(request &)> with(uint64_t privileges, uint32_t hints = 0, bool direct = false)
{
        return [=](request &it) {
                it.config.privileges = privileges;
                it.config.hints = hints;
                it.config.direct_timers = direct;
                it.machine.same_tsc = it.machine.local_apic = true;
        };
}

std::function<void(request &)> add(uint64_t privileges)
{
        return [=](request &it) { it.config.privileges |= privileges; };
}

std::function<void(request &)> remove(uint64_t privileges)
{
        return [=](request &it) { it.config.privileges &= ~privileges; };
}

std::function<void(request &)> recommend(uint32_t hints)
{
        return [=](request &it) { it.config.hints |= hints; };
}

void lose_apics(request &it)
{
        it.machine.local_apic = false;
}

const rule rules[] = {
        {"privileges of a partition that runs or debugs others are not for guests "
         "(NOVA_HV_PRIVILEGES_OF_PARENT)",
         EINVAL, with(calls), add(uint64_t{1} << 43)},
        {"the library does not offer all of these privileges (NOVA_HV_PRIVILEGES_ALL has those "
         "that it offers)",
         ENOTSUP, with(calls), add(uint64_t{1} << 63)},
        {"extended calls need hypercalls (NOVA_HV_PRIVILEGE_HYPERCALLS)", EINVAL,
         with(calls | NOVA_HV_PRIVILEGE_EXTENDED_CALLS), remove(calls)},
        {"the page of reference time needs a TSC that counts stolen time "
         "(nova_vm_config.same_tsc, and a kernel with NOVA_HIP_TSC)",
         ENOTSUP, with(NOVA_HV_PRIVILEGE_REFERENCE_TSC),
         [](request &it) { it.machine.same_tsc = false; }},
        {"messages and events are sent by hypercalls (NOVA_HV_PRIVILEGE_HYPERCALLS)", EINVAL,
         with(calls | NOVA_HV_PRIVILEGE_POST_MESSAGES), remove(calls)},
        {"messages and events are sent by hypercalls (NOVA_HV_PRIVILEGE_HYPERCALLS)", EINVAL,
         with(calls | NOVA_HV_PRIVILEGE_SIGNAL_EVENTS), remove(calls)},
        {"synthetic interrupts need local APICs (nova_vm_config.local_apic, and nova_pc_create() "
         "before)",
         ENOTSUP, with(NOVA_HV_PRIVILEGE_SYNIC), lose_apics},
        {"registers of the local APIC need one (nova_vm_config.local_apic, and nova_pc_create() "
         "before)",
         ENOTSUP, with(NOVA_HV_PRIVILEGE_APIC_REGISTERS), lose_apics},
        {"the library does not offer all of these recommendations (NOVA_HV_HINTS_ALL has those "
         "that it offers)",
         ENOTSUP, with(calls), recommend(1)},
        {"the guest has no registers of the local APIC to recommend "
         "(NOVA_HV_PRIVILEGE_APIC_REGISTERS)",
         EINVAL, with(NOVA_HV_PRIVILEGE_APIC_REGISTERS, NOVA_HV_HINT_APIC_REGISTERS),
         remove(NOVA_HV_PRIVILEGE_APIC_REGISTERS)},
        {"the guest has no hypercalls to recommend (NOVA_HV_PRIVILEGE_HYPERCALLS)", EINVAL,
         with(calls, NOVA_HV_HINT_REMOTE_FLUSH), remove(calls)},
        {"the guest has no hypercalls to recommend (NOVA_HV_PRIVILEGE_HYPERCALLS)", EINVAL,
         with(calls, NOVA_HV_HINT_IPI), remove(calls)},
        {"the guest has no hypercalls to recommend (NOVA_HV_PRIVILEGE_HYPERCALLS)", EINVAL,
         with(calls, NOVA_HV_HINT_SETS), remove(calls)},
        {"calls that send interrupts need local APICs (nova_vm_config.local_apic, and "
         "nova_pc_create() before)",
         ENOTSUP, with(calls, NOVA_HV_HINT_IPI), lose_apics},
        {"direct timers need synthetic timers (NOVA_HV_PRIVILEGE_TIMERS)", EINVAL,
         with(timers, 0, true), remove(NOVA_HV_PRIVILEGE_TIMERS)},
        {"synthetic timers need messages (NOVA_HV_PRIVILEGE_SYNIC), or raise interrupts themselves "
         "(direct_timers)",
         EINVAL, with(timers, 0, true), [](request &it) { it.config.direct_timers = false; }},
        {"synthetic timers need reference time (NOVA_HV_PRIVILEGE_REFERENCE_COUNTER)", EINVAL,
         with(timers, 0, true), remove(NOVA_HV_PRIVILEGE_REFERENCE_COUNTER)},
        {"synthetic timers need local APICs (nova_vm_config.local_apic, and nova_pc_create() "
         "before)",
         ENOTSUP, with(timers, 0, true), lose_apics},
};

TEST(hv_check, each_rule_broken_alone_has_its_error_and_its_sentence)
{
        for (const auto &rule : rules) {
                request it;
                const char *why = "";

                rule.good(it);
                EXPECT_EQ(nova_hv_check(&it.config, &it.machine, &why), 0) << rule.sentence;
                EXPECT_STREQ(why, "") << rule.sentence;
                rule.broken(it);
                EXPECT_EQ(nova_hv_check(&it.config, &it.machine, &why), rule.error) << why;
                EXPECT_STREQ(why, rule.sentence);
        }
}

TEST(hv_check, each_of_these_configurations_needs_no_part_of_the_machine)
{
        request it;
        const char *why = "";

        it.config.privileges = NOVA_HV_PRIVILEGES_USUAL | NOVA_HV_PRIVILEGE_RUN_TIME |
                               NOVA_HV_PRIVILEGE_IDLE | NOVA_HV_PRIVILEGE_VP_REGISTERS |
                               NOVA_HV_PRIVILEGE_POST_MESSAGES | NOVA_HV_PRIVILEGE_SIGNAL_EVENTS;
        it.config.hints = NOVA_HV_HINT_REMOTE_FLUSH | NOVA_HV_HINT_SETS;
        EXPECT_EQ(nova_hv_check(&it.config, &it.machine, &why), 0) << why;
        it = {};
        EXPECT_EQ(nova_hv_check(&it.config, &it.machine, &why), 0) << why;
}

/* Any combination is accepted, or refused with a sentence of the table. */
TEST(hv_check, any_combination_is_accepted_or_refused_with_a_sentence_of_the_table)
{
        static const uint64_t privileges[] = {calls,
                                              NOVA_HV_PRIVILEGE_EXTENDED_CALLS,
                                              NOVA_HV_PRIVILEGE_REFERENCE_COUNTER,
                                              NOVA_HV_PRIVILEGE_REFERENCE_TSC,
                                              NOVA_HV_PRIVILEGE_TIMERS,
                                              NOVA_HV_PRIVILEGE_SYNIC,
                                              NOVA_HV_PRIVILEGE_APIC_REGISTERS,
                                              NOVA_HV_PRIVILEGE_POST_MESSAGES,
                                              NOVA_HV_PRIVILEGE_SIGNAL_EVENTS};
        static const uint32_t hints[] = {NOVA_HV_HINT_REMOTE_FLUSH, NOVA_HV_HINT_APIC_REGISTERS,
                                         NOVA_HV_HINT_IPI, NOVA_HV_HINT_SETS};
        std::set<std::string> known, seen;
        unsigned accepted = 0;

        for (const auto &rule : rules)
                known.insert(rule.sentence);
        for (unsigned bits = 0; bits < 1u << 16; bits++) {
                request it;
                const char *why = "";
                for (unsigned i = 0; i < 9; i++)
                        it.config.privileges |= bits >> i & 1 ? privileges[i] : 0;
                for (unsigned i = 0; i < 4; i++)
                        it.config.hints |= bits >> (9 + i) & 1 ? hints[i] : 0;
                it.config.direct_timers = bits >> 13 & 1;
                it.machine.same_tsc = bits >> 14 & 1;
                it.machine.local_apic = bits >> 15 & 1;
                if (!nova_hv_check(&it.config, &it.machine, &why)) {
                        accepted++;
                        continue;
                }
                ASSERT_EQ(known.count(why), 1u) << why;
                seen.insert(why);
        }
        EXPECT_GT(accepted, 100u);
        /* The three other sentences are about bits that the library does not offer. */
        EXPECT_EQ(seen.size() + 3, known.size());
}

} // namespace
