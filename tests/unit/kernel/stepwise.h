// SPDX-License-Identifier: BSD-2-Clause
// Revocations in steps. Also random delegations and revocations, several at a time, whose steps
// come in any order.
#ifndef UNIT_KERNEL_STEPWISE_H
#define UNIT_KERNEL_STEPWISE_H

#include <memory>
#include <random>
#include <vector>

#include "kernel.h"

// A revocation; finish() returns the number of its steps.
struct Step {
        revocation r;

        Step(pd *from, word_t first, word_t last, unsigned perms, bool self,
             unsigned type = NOVA_CRD_MEM)
        {
                revocation_begin(&r, pd_space(from, type), first, last, perms, self);
        }

        step_result once()
        {
                return revocation_step(&r);
        }

        unsigned finish()
        {
                unsigned steps = 1;
                while (once() == STEP_AGAIN)
                        steps++;
                return steps;
        }
};

class Stepwise
{
      public:
        virtual ~Stepwise() = default;

        // Begins and continues operations for a number of steps, then finishes those in progress.
        void run(unsigned steps)
        {
                for (unsigned i = 0; i < steps; i++) {
                        if (work.size() < most && source() % 3 == 0)
                                add();
                        if (!work.empty())
                                step(source() % work.size());
                }
                may_give_up = false;
                while (!work.empty())
                        step(work.size() - 1);
        }

      protected:
        struct Work {
                bool delegates;
                unsigned tries; // how often a delegation without memory is repeated
                delegation d;
                revocation r;
        };

        // most_at_a_time: maximum number of operations in progress. give_up: on average, one step
        // out of this number abandons its operation; 0: no step does.
        Stepwise(std::mt19937_64 &numbers, unsigned most_at_a_time, unsigned give_up)
            : source(numbers), most(most_at_a_time), give_up_one_of(give_up),
              may_give_up(give_up != 0)
        {
        }

        // Chooses an operation and begins it. Returns false if it is complete at once.
        virtual bool begin(Work *one) = 0;

        // Called before and after each step.
        virtual void prepare_step()
        {
        }

        virtual void finish_step()
        {
        }

        bool gave_up = false; // a revocation: rights may be left below

      private:
        void add()
        {
                auto one = std::make_unique<Work>();

                one->tries = 0;
                if (begin(one.get()))
                        work.push_back(std::move(one));
        }

        // Makes a step of an operation. Returns true if the operation has ended.
        bool continue_one(Work *one)
        {
                const step_result result =
                        one->delegates ? delegation_step(&one->d) : revocation_step(&one->r);

                // A hypercall that lacks memory is repeated after some may have been freed.
                if (one->delegates && result == STEP_FAILED && one->tries > 0) {
                        one->tries--;
                        return false;
                }
                return result != STEP_AGAIN;
        }

        void give_up(Work *one)
        {
                gave_up |= !one->delegates;
                if (one->delegates)
                        abandon(&one->d);
                else
                        abandon(&one->r);
        }

        void step(size_t i)
        {
                Work *one = work[i].get();
                bool done = true;

                prepare_step();
                if (may_give_up && source() % give_up_one_of == 0)
                        give_up(one);
                else
                        done = continue_one(one);
                finish_step();
                if (done)
                        work.erase(work.begin() + long(i));
        }

        std::mt19937_64 &source;
        const unsigned most, give_up_one_of;
        bool may_give_up;
        std::vector<std::unique_ptr<Work>> work;
};

#endif
