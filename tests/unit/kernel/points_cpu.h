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

// Another CPU, which has loaded a PD. Its TLB has all translations of the PD that were there when
// it last flushed. A scene has it during an operation.
class OtherCpu
{
        static constexpr unsigned RESTS = 64; // enough for the memory of a grace period

      public:
        OtherCpu(Scene &s, Who has_loaded) : scene(s), loaded(has_loaded)
        {
                fake_second_cpu(s.who[loaded]);
                cpu_by_id(1)->current = cpu_self()->idle_ec;
                cpu_by_id(1)->grace_seen = cpu_self()->grace_seen;
                load();
        }

        static bool is_asked()
        {
                return cpu_by_id(1)->flush_done != cpu_by_id(1)->flush_wanted;
        }

        // True if a grace period has begun since this CPU was quiescent.
        static bool is_awaited()
        {
                return cpu_by_id(1)->grace_seen != cpu_self()->grace_seen;
        }

        // The CPU is idle: it is quiescent, and frees a part of the memory whose period has ended.
        static void rest()
        {
                reclaim_quiescent(cpu_by_id(1));
        }

        void answer()
        {
                cpu_by_id(1)->flush_done = cpu_by_id(1)->flush_wanted;
                load();
        }

        // The CPU ends the grace period that has begun, and goes, and with it its TLB, which has
        // only translations that are valid.
        void leave() const
        {
                for (unsigned i = 0; i < RESTS; i++)
                        rest();
                fake_wait = nullptr;
                cpu_count = 1;
                cpu_online = 1;
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
};

#endif
