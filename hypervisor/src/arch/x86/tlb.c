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

uint32_t flushes_begun;

/* Begins a request, unless it has an entry already. */
static void tlb_begin(const struct flush *flush)
{
        if (flush->any)
                return;
        struct cpu *cpu = cpu_self();
        assert(!(cpu->flush_round & 1));
        store_once(cpu->flush_round, cpu->flush_round + 1);
        atomic_fetch_add_u32(&flushes_begun, 1);
}

void flush_add(struct flush *flush, struct pd *pd)
{
        tlb_begin(flush);
        for (unsigned i = 0; i < flush->count && i < FLUSH_PDS; i++)
                if (flush->pd[i] == pd)
                        return;
        if (flush->count < FLUSH_PDS)
                flush->pd[flush->count] = pd;
        if (flush->count <= FLUSH_PDS)
                flush->count++;
}

void flush_add_dma(struct flush *flush, unsigned domain)
{
        if (!domain)
                return;
        tlb_begin(flush);
        flush->dma = !flush->dma || flush->dma == domain ? (uint16_t)domain : FLUSH_DMA_ALL;
}

void flush_add_frame(struct flush *flush, void *frame)
{
        tlb_begin(flush);
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

/* Requests a flush from each CPU that needs it. Returns these CPUs as bits. */
static uint64_t tlb_ask_others(const struct flush *flush, const struct cpu *self)
{
        uint64_t asked = 0;
        /* There may be more PDs than flush->pd has entries. Each of these PDs may have left
         * translations on a CPU that has loaded another PD. */
        const bool all = flush->count > FLUSH_PDS && pcid_used();

        for (uint64_t left = cpu_online; left; left &= left - 1) {
                const unsigned id = bit_lowest_u64(left);
                struct cpu *cpu = cpu_by_id(id);
                if (cpu == self || !(all || tlb_is_affected(flush, load_once(cpu->current_pd))))
                        continue;
                if (all)
                        store_once(cpu->flush_all, true);
                atomic_fetch_add_u32(&cpu->flush_wanted, 1);
                asked |= (uint64_t)1 << id;
                ipi_send(cpu);
        }
        return asked;
}

/* Waits until these CPUs have answered the requests that they have now. Later requests do not
 * count, so that the waits for several CPUs overlap. */
static cold_path void tlb_await(uint64_t cpus, unsigned *mails)
{
        uint32_t wanted[NOVA_CPU_MAX];

        for (uint64_t left = cpus; left; left &= left - 1) {
                const unsigned id = bit_lowest_u64(left);
                wanted[id] = load_once(cpu_by_id(id)->flush_wanted);
        }
        for (uint64_t left = cpus; left; left &= left - 1) {
                const unsigned id = bit_lowest_u64(left);
                while ((int32_t)(load_once(cpu_by_id(id)->flush_done) - wanted[id]) < 0)
                        cpu_wait(mails);
        }
}

/* Waits for the flushes that other CPUs have begun. A CPU with an odd flush_round does not wait for
 * another CPU, except for a lock. So this wait ends, even if this CPU was already waiting for
 * answers when it received the mail that it now processes. */
static cold_path void tlb_wait_for_others(unsigned *mails)
{
        struct cpu *const self = cpu_self();
        const uint64_t others = cpu_online & ~((uint64_t)1 << self->id);
        uint32_t round[NOVA_CPU_MAX];

        for (uint64_t left = others; left; left &= left - 1) {
                const unsigned id = bit_lowest_u64(left);
                round[id] = load_once(cpu_by_id(id)->flush_round);
        }
        for (uint64_t left = others; left; left &= left - 1) {
                const unsigned id = bit_lowest_u64(left);
                while (round[id] & 1 && load_once(cpu_by_id(id)->flush_round) == round[id])
                        cpu_wait(mails);
        }
        flush_answer(self);
        tlb_await(others, mails);
}

void flush_perform(struct flush *flush)
{
        struct cpu *cpu = cpu_self();
        unsigned mails = MAIL_STEP; /* interrupts are off until all CPUs have answered */
        uint64_t asked = 0;

        assert_no_lock();
        if (unlikely(!flush->any)) {
                tlb_wait_for_others(&mails);
                return;
        }
        assert(cpu->flush_round & 1);
        if (flush->count) {
                atomic_fence();
                pcid_note(flush, cpu);
                if (flush->count > FLUSH_PDS && pcid_used())
                        pcid_flush_all();
                else if (tlb_is_affected(flush, cpu->current_pd))
                        write_cr3(read_cr3());
                if (cpu_count > 1)
                        asked = tlb_ask_others(flush, cpu);
        }
        if (flush->dma)
                dma_format.flush(flush->dma);
        store_once(cpu->flush_round, cpu->flush_round + 1);
        if (asked)
                tlb_await(asked, &mails); /* the mails may begin further flushes */
        if (unlikely(atomic_fetch_add_u32(&flushes_begun, (uint32_t)-1) != 1))
                tlb_wait_for_others(&mails);
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
