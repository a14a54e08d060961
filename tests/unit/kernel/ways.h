// SPDX-License-Identifier: BSD-2-Clause
// Runs one input on the fast path and on the general path, and compares the visible states after
// the two runs.
#ifndef UNIT_KERNEL_WAYS_H
#define UNIT_KERNEL_WAYS_H

#include <initializer_list>
#include <string>

#include "kernel.h"

extern "C" {
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "thread.h"
}

// A bit of pending work that stands for no work. While it is set, the CPU takes only general paths.
constexpr uint8_t ATTENTION_FOR_NOTHING = 0x80;

constexpr unsigned PRIO = 100;

// Describes an input for the reader of a failure: the names and values of its parts.
std::string describe(std::initializer_list<const char *> names,
                     std::initializer_list<unsigned> values);

// Threads of two PDs on one CPU. In the text of state(), objects made here have names.
class World : public Kernel
{
      public:
        explicit World(unsigned frames = 2048);
        ~World();

        ec *thread(const char *name, pd *owner, ec_kind kind);
        sc *context(const char *name, ec *owner, unsigned prio = PRIO);
        // Makes a portal of a thread, in the space of home.
        pt *portal(word_t sel, ec *owner, word_t ip, nova_mtd_t mtd = 0);

        // Lets the CPU run an EC on an SC.
        void run(ec *one, sc *on);
        // Makes an SC ready, before or after others of its priority.
        void ready(sc *one, bool head);
        // Enters the kernel and continues until an EC returns to user mode.
        void enter(ec *one, bool general);
        void enter(void (*function)(ec *), ec *one, bool general);

        // Returns the whole state. If check is true, it also checks that the tables agree with the
        // state, which they need not do while a revocation is in progress.
        std::string state(bool check = true);

        std::map<const void *, std::string> names;

        pd *home = make_pd(), *away = make_pd();

      private:
        std::string name(const void *one) const;
        void show_ec(std::ostream &out, const std::string &who, const ec *one) const;
        void show_queue(std::ostream &out) const;
        void show_caps(std::ostream &out, pd *owner) const;
        void check_settled() const;

        std::vector<ec *> threads;
        std::vector<sc *> contexts;
        word_t next = 0x80;
};

#endif
