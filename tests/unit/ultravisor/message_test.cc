/* SPDX-License-Identifier: BSD-2-Clause */
/* A secure guest's registers all hold marks. The test checks the words that its VMM gets, for each
 * cause of an exit and for each call, and the words of the VMM's answer that have an effect. */
extern "C" {
#include "exits.h"
}

#include <array>
#include <cstdint>
#include <gtest/gtest.h>
#include <vector>

namespace
{

using words = std::array<uint64_t, MESSAGE_WORDS>;

const uint64_t marks = EXITS_MARKS;
const uint64_t random_call = 0x300;

words words_of(const struct message &message)
{
        words result;

        for (unsigned i = 0; i < MESSAGE_WORDS; i++)
                result[i] = message.word[i];
        return result;
}

/* Returns the calls of an exit to the VMM. */
std::vector<words> calls(enum nova_vm_exit cause, uint64_t ax = marks, uint64_t bx = marks,
                         bool user = false)
{
        std::vector<words> result;

        exits_handle(cause, ax, bx, user);
        for (unsigned i = 0; i < exits_calls && i < EXITS_CALLS; i++)
                result.push_back(words_of(exits_call[i]));
        EXPECT_LE(exits_calls, unsigned(EXITS_CALLS));
        return result;
}

words made(enum nova_h_call call, const std::array<uint64_t, MESSAGE_PARAMETERS> &parameters)
{
        return words_of(message_make(call, parameters.data()));
}

struct message access_of(enum nova_h_call call, unsigned bytes, bool write)
{
        const uint64_t parameters[MESSAGE_PARAMETERS] = {0x60, bytes, write, marks};

        return message_make(call, parameters);
}

class message_test : public testing::Test
{
      protected:
        struct message_answer answer = {};

        bool accept(const struct message &message, std::vector<nova_word_t> sent)
        {
                const unsigned count = sent.size();

                sent.resize(MESSAGE_ANSWER_WORDS, 0x99);
                return message_accept(&message, sent.data(), count, &answer);
        }

        int vector_of(nova_word_t value, bool vector_128 = true)
        {
                const uint64_t nothing[MESSAGE_PARAMETERS] = {};

                EXPECT_TRUE(accept(message_make(NOVA_H_INTERRUPT, nothing), {0, value}));
                return message_vector(&answer, vector_128);
        }
};

} // namespace

TEST_F(message_test, no_exit_but_ports_and_hypercalls_sends_a_register)
{
        for (unsigned i = 0; i < NOVA_VM_EXIT_COUNT; i++) {
                const auto cause = static_cast<enum nova_vm_exit>(i);

                exits_port = {0x8000, 1, false};
                exits_convert = 0;
                EXPECT_TRUE(calls(cause).empty()) << "cause " << i;
        }
}

/* The library ends the guest. The booted tests show this for a triple fault only: a guest in long
 * mode cannot switch tasks, has no state that the CPU refuses, and causes no exit that lacks a row
 * in the table. */
TEST_F(message_test, of_an_exit_that_ends_the_guest_does_not_exist)
{
        for (const auto cause :
             {NOVA_VM_EXIT_OTHER, NOVA_VM_EXIT_TASK, NOVA_VM_EXIT_SHUTDOWN, NOVA_VM_EXIT_INVALID}) {
                EXPECT_TRUE(calls(cause).empty()) << "cause " << cause;
                EXPECT_EQ(exits_left, 1u) << "cause " << cause;
        }
}

TEST_F(message_test, of_a_failed_start_is_its_status)
{
        exits_convert = NOVA_U_PERMISSION;
        EXPECT_EQ(calls(NOVA_VM_EXIT_STARTUP),
                  (std::vector<words>{
                          {NOVA_H_SVM_INIT_ABORT, uint64_t(int64_t(NOVA_U_PERMISSION)), 0, 0, 0}}));
}

TEST_F(message_test, of_a_write_to_a_port_has_the_bytes_that_are_written)
{
        for (const auto &[bytes, value] : std::array<std::pair<unsigned, uint64_t>, 3>{
                     {{1, 0xa5}, {2, 0xa5a5}, {4, 0xa5a5a5a5}}}) {
                exits_port = {0x3f8, bytes, true};
                EXPECT_EQ(calls(NOVA_VM_EXIT_PORT),
                          (std::vector<words>{{NOVA_H_PORT, 0x3f8, bytes, 1, value}}));
        }
}

TEST_F(message_test, of_a_read_from_a_port_has_no_value)
{
        exits_port = {0xfffc, 4, false};
        EXPECT_EQ(calls(NOVA_VM_EXIT_PORT), (std::vector<words>{{NOVA_H_PORT, 0xfffc, 4, 0, 0}}));
        EXPECT_EQ(exits_ax(), 0x77u);
}

TEST_F(message_test, of_an_access_to_secrets_does_not_exist)
{
        for (const uint64_t port : {0x8000, 0x8fff, 0x9000, 0x9020, 0x902f}) {
                exits_port = {port, 1, true};
                EXPECT_TRUE(calls(NOVA_VM_EXIT_PORT).empty()) << "port " << port;
                exits_port = {port, 1, false};
                EXPECT_TRUE(calls(NOVA_VM_EXIT_PORT).empty()) << "port " << port;
        }
        exits_port = {0x7fff, 1, false};
        EXPECT_EQ(calls(NOVA_VM_EXIT_PORT).size(), 1u);
        exits_port = {0x9030, 1, false};
        EXPECT_EQ(calls(NOVA_VM_EXIT_PORT).size(), 1u);
}

TEST_F(message_test, of_a_write_beside_secrets_has_the_bytes_before_them)
{
        exits_port = {0x7ffe, 4, true};
        EXPECT_EQ(calls(NOVA_VM_EXIT_PORT),
                  (std::vector<words>{{NOVA_H_PORT, 0x7ffe, 1, 1, 0xa5},
                                      {NOVA_H_PORT, 0x7fff, 1, 1, 0xa5}}));
}

TEST_F(message_test, of_a_hypercall_has_its_number_and_three_registers)
{
        exits_handle(NOVA_VM_EXIT_HYPERCALL, 5, 6, false);
        ASSERT_EQ(exits_calls, 1u);
        EXPECT_EQ(words_of(exits_call[0]), (words{NOVA_H_GUEST, 5, 6, marks, marks}));
        EXPECT_EQ(exits_ax(), 0x77u);
}

TEST_F(message_test, of_a_hypercall_from_user_mode_does_not_exist)
{
        EXPECT_TRUE(calls(NOVA_VM_EXIT_HYPERCALL, 5, 6, true).empty());
}

TEST_F(message_test, of_random_does_not_exist)
{
        EXPECT_TRUE(calls(NOVA_VM_EXIT_HYPERCALL, random_call).empty());
}

TEST_F(message_test, of_random_numbers_that_are_missing_does_not_exist)
{
        calls(NOVA_VM_EXIT_HYPERCALL, random_call, 6);
        EXPECT_EQ(exits_ax(), static_cast<uint64_t>(NOVA_H_SUCCESS));
        EXPECT_EQ(exits_bx(), 0x1111111111111111u);
        exits_dry = true;
        EXPECT_TRUE(calls(NOVA_VM_EXIT_HYPERCALL, random_call, 6).empty());
        exits_dry = false;
        EXPECT_EQ(exits_ax(), static_cast<uint64_t>(NOVA_H_FUNCTION));
        EXPECT_EQ(exits_bx(), 6u);
}

TEST_F(message_test, of_an_ultracall_is_at_most_the_page_that_the_guest_unshares)
{
#define CALL(name, function, number, ...) number,
        for (const int number : {NOVA_UV_CALL_ROWS(CALL) 0xffff})
#undef CALL
                for (const auto &sent : calls(NOVA_VM_EXIT_HYPERCALL, number))
                        EXPECT_EQ(sent, (words{NOVA_H_SVM_PAGE_IN, 0, NOVA_H_PAGE_IN_NONSHARED,
                                               NOVA_UV_ORDER_PAGE, 0}))
                                << "ultracall " << number;
}

TEST_F(message_test, has_no_words_but_those_that_its_call_declares)
{
        const std::array<uint64_t, MESSAGE_PARAMETERS> all = {marks, marks, marks, marks};
        const uint64_t page = marks & ~UINT64_C(0xfff);

        EXPECT_EQ(made(NOVA_H_SVM_PAGE_IN, all),
                  (words{NOVA_H_SVM_PAGE_IN, page, marks, marks, 0}));
        EXPECT_EQ(made(NOVA_H_SVM_PAGE_OUT, all),
                  (words{NOVA_H_SVM_PAGE_OUT, page, marks, marks, 0}));
        EXPECT_EQ(made(NOVA_H_SVM_INIT_START, all), (words{NOVA_H_SVM_INIT_START, 0, 0, 0, 0}));
        EXPECT_EQ(made(NOVA_H_SVM_INIT_DONE, all), (words{NOVA_H_SVM_INIT_DONE, 0, 0, 0, 0}));
        EXPECT_EQ(made(NOVA_H_SVM_INIT_ABORT, all), (words{NOVA_H_SVM_INIT_ABORT, marks, 0, 0, 0}));
        EXPECT_EQ(made(NOVA_H_INTERRUPT, all), (words{NOVA_H_INTERRUPT, marks, 0, 0, 0}));
        EXPECT_EQ(made(NOVA_H_PORT, {marks, 8, marks, marks}),
                  (words{NOVA_H_PORT, 0xa5a5, 8, 1, marks}));
        EXPECT_EQ(made(NOVA_H_MEMORY, {marks, 2, marks, marks}),
                  (words{NOVA_H_MEMORY, marks, 2, 1, 0xa5a5}));
        EXPECT_EQ(made(NOVA_H_MEMORY, {marks, 2, 0, marks}),
                  (words{NOVA_H_MEMORY, marks, 2, 0, 0}));
}

TEST_F(message_test, has_an_answer_of_at_least_two_words)
{
        const struct message read = access_of(NOVA_H_PORT, 4, false);

        EXPECT_FALSE(accept(read, {}));
        EXPECT_FALSE(accept(read, {0}));
        EXPECT_EQ(answer.status, NOVA_H_FUNCTION);
        EXPECT_EQ(answer.value, UINT64_MAX);
        EXPECT_TRUE(accept(read, {1, 2}));
        EXPECT_EQ(answer.status, 1);
        EXPECT_EQ(answer.value, 2u);
        EXPECT_FALSE(answer.more);
}

TEST_F(message_test, has_a_third_word_that_announces_an_interrupt)
{
        const struct message read = access_of(NOVA_H_PORT, 4, false);

        EXPECT_TRUE(accept(read, {0, 0, 0}));
        EXPECT_FALSE(answer.more);
        EXPECT_TRUE(accept(read, {0, 0, UINT64_C(1) << 63}));
        EXPECT_TRUE(answer.more);
}

TEST_F(message_test, has_an_answer_with_no_more_bytes_than_the_access)
{
        for (const auto call : {NOVA_H_PORT, NOVA_H_MEMORY}) {
                EXPECT_TRUE(accept(access_of(call, 1, false), {0, marks}));
                EXPECT_EQ(answer.value, 0xa5u);
                EXPECT_TRUE(accept(access_of(call, 4, false), {0, marks}));
                EXPECT_EQ(answer.value, 0xa5a5a5a5u);
                EXPECT_TRUE(accept(access_of(call, 8, false), {0, marks}));
                EXPECT_EQ(answer.value, marks);
        }
}

TEST_F(message_test, has_vectors_from_32_to_255)
{
        EXPECT_EQ(vector_of(UINT32_MAX), MESSAGE_NO_VECTOR);
        EXPECT_EQ(vector_of(32), 32);
        EXPECT_EQ(vector_of(255), 255);
        for (const nova_word_t value :
             {UINT64_C(0), UINT64_C(2), UINT64_C(31), UINT64_C(256), UINT64_C(0x120),
              UINT64_C(0x100000020), UINT64_MAX, UINT64_MAX - 1})
                EXPECT_EQ(vector_of(value), MESSAGE_BAD_VECTOR) << value;
}

TEST_F(message_test, has_vector_128_only_if_the_policy_permits_it)
{
        EXPECT_EQ(vector_of(128, true), 128);
        EXPECT_EQ(vector_of(128, false), MESSAGE_BAD_VECTOR);
        for (const nova_word_t value : {32u, 127u, 129u, 255u})
                EXPECT_EQ(vector_of(value, false), int(value));
}
