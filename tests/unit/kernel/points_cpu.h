// SPDX-License-Identifier: BSD-2-Clause
// Another CPU that has loaded a PD of the scene, and its TLB.
#ifndef UNIT_KERNEL_POINTS_CPU_H
#define UNIT_KERNEL_POINTS_CPU_H

#include "points_scene.h"

extern "C" {
#include "arch/x86/pte.h"
#include "arch/x86/tlb.h"
#include "arch/x86/window.h"
#include "object/reclaim.h"
#include "sched/cpu.h"
#include "sched/mail.h"
#include "sched/schedule.h"
}

// Translations of a PD: page -> entry of its table. Those of the I/O bitmap are in the window; 0
// stands for the page that PDs without ports share.
constexpr word_t BITMAP_PAGE = IO_BITMAP >> PAGE_BITS;
using Translations = std::map<word_t, uint64_t>;

inline void collect_translations(const uint64_t *table, unsigned level, word_t page,
                                 Translations &out)
{
        const unsigned count = level == 3 ? 256 : 512;

        for (word_t i = 0; i < count; i++) {
                const uint64_t entry = table[i];
                const word_t at = page | i << 9 * level;
                if (!level && entry)
                        out[at] = entry & (PTE_ADDRESS | PTE_WRITE | PTE_NOEXECUTE);
                else if (entry && !(entry & PTE_LARGE))
                        collect_translations(
                                static_cast<uint64_t *>(phys_to_pool(entry & PTE_ADDRESS)),
                                level - 1, at, out);
        }
}

// While an object of this class exists, the CPU with this number executes the kernel.
class OnCpu
{
      public:
        explicit OnCpu(unsigned id) : before(fake_cpu)
        {
                fake_cpu = id;
        }

        ~OnCpu()
        {
                fake_cpu = before;
        }

        OnCpu(const OnCpu &) = delete;
        OnCpu &operator=(const OnCpu &) = delete;

      private:
        const unsigned before;
};

// Another CPU, which has loaded a PD. Its TLB has all translations of the PD that were there when
// it last flushed. A test adds this CPU to a scene when an operation begins. Threads of the scene
// may belong to the CPU.
class OtherCpu
{
        static constexpr unsigned RESTS = 64; // enough for the memory of a grace period

      public:
        OtherCpu(Scene &s, Who has_loaded) : scene(s), loaded(has_loaded)
        {
                fake_second_cpu(s.who[loaded]);
                cpu_by_id(1)->grace_seen = cpu_self()->grace_seen;
                load();
        }

        ~OtherCpu()
        {
                fake_wait = work_for_others;
        }

        OtherCpu(const OtherCpu &) = delete;
        OtherCpu &operator=(const OtherCpu &) = delete;

        static bool is_asked()
        {
                return cpu_by_id(1)->flush_done != cpu_by_id(1)->flush_wanted;
        }

        // Returns true if a grace period has begun since this CPU was quiescent.
        static bool is_awaited()
        {
                return cpu_by_id(1)->grace_seen != cpu_self()->grace_seen;
        }

        static bool has_mail()
        {
                return cpu_by_id(1)->mail || cpu_by_id(1)->mail_rest;
        }

        // Answers a request for a flush and receives mail. If no flush was requested, and the CPU
        // is not busy in the kernel, it also makes a decision if one is due, ends an object, is
        // quiescent, and frees a part of the memory whose period has ended.
        void answer()
        {
                const unsigned writes = fake_cr3_writes;
                work(is_asked() || busy);
                busy -= busy != 0;
                if (fake_cr3_writes != writes)
                        load();
        }

        // Keeps the CPU in the kernel for a number of answers.
        void stay_in_kernel(unsigned answers)
        {
                busy = answers;
        }

        // Lets the CPU execute a function for an EC of its own, until it is in user mode.
        void enter(void (*function)(ec *), ec *one)
        {
                const OnCpu here(1);
                const unsigned writes = fake_cr3_writes;
                fake_run_to_user(function, one);
                if (fake_cr3_writes != writes)
                        load();
        }

        // Lets the CPU, which is in user mode, choose an EC.
        void choose()
        {
                sched_decide(cpu_by_id(1));
                answer();
        }

        // Lets the first CPU answer while this one waits for it.
        static void answer_by_first()
        {
                const OnCpu there(0);
                const unsigned writes = fake_cr3_writes;
                flush_answer(cpu_self());
                receive();
                fake_cr3_writes = writes; // only the writes of this CPU count
        }

        // Does all remaining work of the CPU.
        void finish()
        {
                for (unsigned i = 0; i < RESTS; i++)
                        answer();
                EXPECT_FALSE(has_mail() || cpu_by_id(1)->dying);
        }

        // Checks that the TLB has only valid translations. From now on the CPU has no TLB, and only
        // works for others.
        void leave() const
        {
                fake_wait = work_for_others;
                if (!scene.who[loaded] || scene.who[loaded]->object.dead)
                        return;
                const Translations valid = translations();
                for (const auto &[page, entry] : tlb) {
                        const auto found = valid.find(page);
                        ASSERT_TRUE(found != valid.end() && found->second == entry)
                                << "a TLB has a stale translation of page " << std::hex << page;
                }
        }

      private:
        static void receive()
        {
                if (!cpu_self()->in_mail)
                        mail_receive(cpu_self(), MAIL_STEP);
        }

        static void reschedule(ec *self)
        {
                self->cont = self == self->cpu->idle_ec ? nullptr : continuation_t(resume_success);
                resume_reschedule(self->cpu);
        }

        // Does the pending work before the current EC is in user mode again.
        static void decide(cpu *self)
        {
                if (self->dying && self->current != self->idle_ec)
                        sched_decide(self); // a decision ends an object
                if (self->pending & CPU_PENDING_RESCHEDULE)
                        fake_run_to_user(reschedule, self->current);
                else if (self->current != self->idle_ec && self->current->pending)
                        fake_run_to_user(resume_success, self->current);
        }

        static void work(bool only_requests)
        {
                const OnCpu here(1);
                flush_answer(cpu_self());
                receive();
                if (only_requests)
                        return;
                decide(cpu_self());
                if (cpu_self()->current == cpu_self()->idle_ec)
                        object_reap();
                if (!cpu_holds_pointers(cpu_self()))
                        reclaim_quiescent(cpu_self());
        }

        static void work_for_others()
        {
                if (fake_cpu)
                        answer_by_first();
                else
                        work(is_asked());
        }

        Translations translations() const
        {
                Translations found;
                const uint64_t *window = scene.who[loaded]->memory.tables.window;
                for (unsigned half = 0; half < 2; half++)
                        found[BITMAP_PAGE + half] = window ? window[(BITMAP_PAGE & 511) + half] : 0;
                collect_translations(scene.who[loaded]->memory.tables.root, 3, 0, found);
                return found;
        }

        void load()
        {
                if (scene.who[loaded])
                        tlb = translations();
        }

        Scene &scene;
        Who loaded;
        Translations tlb;
        unsigned busy = 0;
};

#endif
