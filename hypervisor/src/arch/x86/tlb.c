/* SPDX-License-Identifier: BSD-2-Clause */
/* TLB shoot-down (see tlb.h). The CPU that flushes first changes the tables, then executes a fence,
 * and only then reads the current_pd of each other CPU. A CPU stores its current_pd before it
 * writes CR3, so a CPU whose store comes too late for this read loads the new tables. */
#include "arch/x86/tlb.h"

#include "arch/x86/insn.h"
#include "arch/x86/ipi.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "memory/frame.h"
#include "pcid.h"
#include "sched/cpu.h"
#include "sched/mail.h"
#include "sched/wake.h"
#include "space/second_level.h"

void flush_add(struct flush *flush, struct pd *pd)
{
        for (unsigned i = 0; i < flush->count && i < FLUSH_PDS; i++)
                if (flush->pd[i] == pd)
                        return;
        if (flush->count < FLUSH_PDS)
                flush->pd[flush->count] = pd;
        if (flush->count <= FLUSH_PDS)
                flush->count++;
}

void flush_add_frame(struct flush *flush, void *frame)
{
        frame_info(frame)->next = flush->frames;
        flush->frames = frame_index(frame);
}

/* Returns true if a CPU that has loaded the address space of pd must flush it. */
static bool tlb_is_affected(const struct flush *flush, const struct pd *pd)
{
        if (!pd || flush->count > FLUSH_PDS)
                return pd;
        for (unsigned i = 0; i < flush->count; i++)
                if (flush->pd[i] == pd)
                        return true;
        return false;
}

static void tlb_flush_others(const struct flush *flush, const struct cpu *self)
{
        uint32_t wanted[NOVA_CPU_MAX];
        uint64_t asked = 0;
        unsigned mails = MAIL_STEP; /* interrupts are off until all CPUs have answered */
        /* PDs without an entry in flush may have left translations on CPUs where they are not
         * loaded. */
        const bool all = flush->count > FLUSH_PDS && pcid_used();

        for (uint64_t left = cpu_online; left; left &= left - 1) {
                const unsigned id = bit_lowest_u64(left);
                struct cpu *cpu = cpu_by_id(id);
                if (cpu == self || !(all || tlb_is_affected(flush, load_once(cpu->current_pd))))
                        continue;
                if (all)
                        store_once(cpu->flush_all, true);
                wanted[id] = atomic_fetch_add_u32(&cpu->flush_wanted, 1) + 1;
                asked |= (uint64_t)1 << id;
                ipi_send(cpu);
        }
        for (; asked; asked &= asked - 1) {
                const unsigned id = bit_lowest_u64(asked);
                while ((int32_t)(load_once(cpu_by_id(id)->flush_done) - wanted[id]) < 0)
                        cpu_wait(&mails);
        }
}

void flush_perform(struct flush *flush)
{
        struct cpu *cpu = cpu_self();

        assert_no_lock();
        if (flush->count) {
                atomic_fence();
                pcid_note(flush, cpu);
                if (flush->count > FLUSH_PDS && pcid_used())
                        pcid_flush_all();
                else if (tlb_is_affected(flush, cpu->current_pd))
                        write_cr3(read_cr3());
                if (cpu_count > 1)
                        tlb_flush_others(flush, cpu);
        }
        if (flush->dma)
                dma_format.flush(flush->dma);
        while (flush->frames) { /* the frame with index 0 is not a page table */
                void *frame = frame_by_index(flush->frames);
                flush->frames = frame_info(frame)->next;
                frame_free(frame);
        }
}

void flush_answer(struct cpu *cpu)
{
        const uint32_t wanted = load_once(cpu->flush_wanted);

        assert((int32_t)(wanted - cpu->flush_done) >= 0);
        if (wanted == cpu->flush_done)
                return;
        if (load_once(cpu->flush_all)) {
                store_once(cpu->flush_all, false); /* before the flush, so that a request
                                                    * during the flush is not lost */
                pcid_flush_all();
        } else {
                write_cr3(read_cr3());
        }
        store_once(cpu->flush_done, wanted);
}
