// SPDX-License-Identifier: BSD-2-Clause
// A system description that is read, and the messages about its errors.
#ifndef DESCRIPTION_TEXT_H
#define DESCRIPTION_TEXT_H

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "system/description.h"

// The beginning of most texts.
#define A "program a\n"

struct Description {
        std::unique_ptr<nova_system> system{new nova_system};
        std::vector<std::string> mistakes;

        static void report(void *context, unsigned line, const char *sentence)
        {
                static_cast<Description *>(context)->mistakes.push_back(std::to_string(line) +
                                                                        ": " + sentence);
        }

        explicit Description(const std::string &text)
        {
                // Memory of the exact size, so that the sanitizer sees an access beyond the end.
                const std::vector<char> exact(text.begin(), text.end());
                const unsigned count =
                        nova_system_read(system.get(), exact.data(), exact.size(), report, this);
                EXPECT_EQ(count, mistakes.size());
        }

        const nova_system_program &program(unsigned i) const
        {
                return system->program[i];
        }

        std::vector<std::string> words(nova_system_list list) const
        {
                return {&system->word[list.first], &system->word[list.first] + list.count};
        }

        std::string all() const
        {
                std::string text;
                for (const auto &mistake : mistakes)
                        text += mistake + "\n";
                return text;
        }
};

using Words = std::vector<std::string>;

#endif
