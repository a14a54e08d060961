/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual CPUs (see vcpu.h). */
#include "virt/vcpu.h"

#include "arch/x86/features.h"
#include "arch/x86/fpu.h"
#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "arch/x86/resume.h"
#include "arch/x86/state.h"
#include "ipc/event.h"
#include "lib/atomic.h"
#include "memory/frame.h"
#include "memory/slab.h"
#include "nova/abi/event.h"
#include "object/ec.h"
#include "object/pd.h"
#include "sched/cpu.h"
#include "sched/pending.h"
#include "sched/schedule.h"
#include "space/second_level.h"
#include "space/space.h"
#include "virt/cpu.h"
#include "virt/svm/svm.h"
#include "virt/vmx/vmx.h"

const struct vcpu_ops *vcpu_ops;

static struct slab_cache vcpu_cache;

static indirect_target word_t vcpu_bytes(void)
{
        return vcpu_cache.size + PAGE_SIZE;
}

static indirect_target struct vcpu *vcpu_alloc(void)
{
        struct vcpu *vcpu = slab_alloc(&vcpu_cache);

        if (!vcpu)
                return NULL;
        *vcpu = (struct vcpu){.control = frame_alloc_zeroed(), .xcr0 = 1};
        if (vcpu->control)
                return vcpu;
        slab_free(&vcpu_cache, vcpu);
        return NULL;
}

static indirect_target void vcpu_init(struct ec *ec, bool counts_stolen_time)
{
        ec->vcpu->counts_stolen_time = counts_stolen_time;
        vcpu_ops->init(ec->vcpu, ec);
}

static indirect_target void vcpu_free(struct vcpu *vcpu)
{
        frame_free(vcpu->control);
        slab_free(&vcpu_cache, vcpu);
}

static indirect_target void vcpu_stop(struct ec *ec)
{
        if (cpu_virt_of(ec->cpu)->debug_owner == ec)
                cpu_virt_of(ec->cpu)->debug_owner = NULL;
        if (vcpu_ops->stop)
                vcpu_ops->stop(ec);
}

void vcpu_cache_boot(void)
{
        static const struct ec_guest_ops ops = {
                .bytes = vcpu_bytes,
                .alloc = vcpu_alloc,
                .init = vcpu_init,
                .free = vcpu_free,
                .stop = vcpu_stop,
        };

        slab_init(&vcpu_cache, sizeof(struct vcpu));
        ec_guest_ops = &ops;
}

bool vcpu_boot(void)
{
        vcpu_cache_boot();
        if (svm_ops.supported())
                vcpu_ops = &svm_ops;
        else if (vmx_ops.supported())
                vcpu_ops = &vmx_ops;
        return !vcpu_ops || vcpu_ops->boot();
}

void vcpu_settle(void)
{
        if (vcpu_ops && !vcpu_ops->supported()) {
                vcpu_ops = NULL;
                guest_format.levels = 0; /* no mapping enters a guest page table */
        }
}

void vcpu_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd)
{
        struct nova_utcb_state *state = &utcb->state;

        utcb->items = NOVA_UTCB_STATE_WORDS; /* guest_more_to_utcb() may raise this number */
        state->mtd = mtd;
        state_put_general(state, &ec->regs, mtd);
        vcpu_ops->to_utcb(ec, utcb, mtd);
}

unsigned vcpu_from_utcb(struct ec *ec, const struct nova_utcb *utcb)
{
        const struct nova_utcb_state *state = &utcb->state;
        const nova_mtd_t mtd = load_once(state->mtd);
        const unsigned typed = state_typed(utcb);

        state_take_general(state, &ec->regs, mtd);
        vcpu_ops->from_utcb(ec, utcb, mtd);
        return typed;
}

indirect_target _Noreturn void block_on_vcpu_startup(struct ec *self)
{
        block_on_event(self, NOVA_VMI_STARTUP, 0, 0);
}

void vcpu_read_debug_registers(const struct ec *ec, uint64_t dr[4])
{
        if (cpu_virt_of(ec->cpu)->debug_owner != ec) {
                for (unsigned i = 0; i < 4; i++)
                        dr[i] = ec->vcpu->dr[i];
                return;
        }
        dr[0] = read_dr0();
        dr[1] = read_dr1();
        dr[2] = read_dr2();
        dr[3] = read_dr3();
}

/* Loads DR0 to DR3 of self. First saves the values of the virtual CPU that used the registers
 * last. */
static void vcpu_load_debug_registers(struct cpu *cpu, struct ec *self)
{
        const uint64_t *dr = self->vcpu->dr;
        struct cpu_virt *virt = cpu_virt_of(cpu);

        if (!self->vcpu->debugging || virt->debug_owner == self)
                return;
        if (virt->debug_owner)
                vcpu_read_debug_registers(virt->debug_owner, virt->debug_owner->vcpu->dr);
        write_dr0((word_t)dr[0]);
        write_dr1((word_t)dr[1]);
        write_dr2((word_t)dr[2]);
        write_dr3((word_t)dr[3]);
        virt->debug_owner = self;
}

/* Loads the register that RDTSCP reads: the guest has its own value; threads read 0. */
static void vcpu_load_tsc_aux(struct cpu *cpu, uint32_t value)
{
        if (cpu_has(FEATURE_RDTSCP))
                wrmsr(MSR_TSC_AUX, value);
        cpu_virt_of(cpu)->tsc_aux = value;
}

void vcpu_leave(struct cpu *cpu)
{
        fpu_leave_guest(cpu);
        if (unlikely(cpu_virt_of(cpu)->tsc_aux))
                vcpu_load_tsc_aux(cpu, 0);
        if (vcpu_ops->leave)
                vcpu_ops->leave(cpu);
}

bool vcpu_take_tag(struct cpu *cpu, struct ec *ec)
{
        struct vcpu *vcpu = ec->vcpu;
        struct cpu_virt *virt = cpu_virt_of(cpu);
        const word_t generation = load_once(ec->pd->guest.generation);

        if (likely(vcpu->tag_round == virt->tag_round && vcpu->guest_generation == generation))
                return false;
        if (virt->tag_next == virt->tag_end) {
                virt->tag_next = 1;
                virt->tag_round++;
                virt->tag_flush = true;
        }
        vcpu->tag = virt->tag_next++;
        vcpu->tag_round = virt->tag_round;
        /* With x86-32, a program can reach the last generation: then each entry takes a new tag. */
        vcpu->guest_generation = generation == GENERATION_LAST ? 0 : generation;
        return true;
}

void vcpu_forget_translations(struct ec *ec)
{
        ec->vcpu->tag_round = 0;
}

/* Adds the time since the virtual CPU was preempted, if it was, to its stolen time. */
static void vcpu_count_stolen_time(struct vcpu *vcpu)
{
        if (!vcpu->ready_since)
                return;
        vcpu->stolen += rdtsc() - vcpu->ready_since;
        vcpu->ready_since = 0;
}

uint64_t vcpu_take_stolen_time(struct vcpu *vcpu)
{
        if (likely(!(vcpu->ready_since | vcpu->stolen)))
                return 0;
        vcpu_count_stolen_time(vcpu);
        const uint64_t stolen = vcpu->stolen;

        vcpu->stolen = 0;
        return stolen;
}

static bool vcpu_owns_ports(const struct pd *pd, unsigned port, unsigned count)
{
        for (unsigned i = port; i < port + count; i++) {
                const word_t *bitmap = i < 0x10000 ? pd->io.bitmap[i >> 15] : NULL;
                if (!bitmap || bitmap[(i & 0x7fff) / NOVA_WORD_BITS] >> i % NOVA_WORD_BITS & 1)
                        return false;
        }
        return true;
}

static void vcpu_do_port(word_t *ax, uint16_t port, unsigned bytes, bool in)
{
        if (!in && bytes == 1)
                outb(port, (uint8_t)*ax);
        else if (!in && bytes == 2)
                outw(port, (uint16_t)*ax);
        else if (!in)
                outl(port, (uint32_t)*ax);
        else if (bytes == 1)
                *ax = (*ax & ~(word_t)0xff) | inb(port);
        else if (bytes == 2)
                *ax = (*ax & ~(word_t)0xffff) | inw(port);
        else
                *ax = inl(port);
}

/* Holds the lock that revocations take, so that no access reaches the port after a revocation has
 * returned. */
bool vcpu_access_port(struct ec *self, unsigned port, unsigned bytes, bool in)
{
        if (likely(!vcpu_owns_ports(self->pd, port, bytes)))
                return false;
        spin_lock(&space_lock[NOVA_CRD_IO]);
        const bool owns = vcpu_owns_ports(self->pd, port, bytes);
        if (likely(owns))
                vcpu_do_port(&self->regs.ax, (uint16_t)port, bytes, in);
        spin_unlock(&space_lock[NOVA_CRD_IO]);
        return owns;
}

/* Ends a single step before an event that is not an exit. */
static void vcpu_end_step(struct vcpu *vcpu)
{
        if (vcpu_ops->end_step)
                vcpu_ops->end_step(vcpu);
}

/* Blocks self on an event. The time until the VMM's reply is not stolen time. */
static _Noreturn void vcpu_block(struct ec *self, unsigned event)
{
        vcpu_count_stolen_time(self->vcpu);
        vcpu_end_step(self->vcpu);
        block_on_event(self, event, 0, 0);
}

/* Does the pending work before self can enter the guest. */
static cold_path void vcpu_do_work(struct ec *self)
{
        struct vcpu *vcpu = self->vcpu;

        vcpu_count_stolen_time(vcpu); /* a preemption may follow another one */
        self->cont = resume_guest;
        interrupt_window(self->cpu);
        if ((self->cpu->pending | (self->pending & EC_PENDING_END)) && !vcpu->counts_stolen_time)
                vcpu->ready_since = rdtsc(); /* the work itself may cause a preemption */
        const bool recalled = do_pending_work(self, resume_guest);
        vcpu->ready_since = 0; /* self was not preempted */
        if (recalled)
                vcpu_block(self, NOVA_VMI_RECALL);
}

indirect_target _Noreturn void resume_guest(struct ec *self)
{
        struct cpu *cpu = self->cpu;

        if (unlikely(cpu->pending | self->pending))
                vcpu_do_work(self);
        /* The CPU must record that it uses the PD's tables before it enters the guest, because
         * tables that no CPU uses are freed. */
        if (unlikely(cpu->current_pd != self->pd))
                resume_ec(cpu, self);
        if (unlikely(self->vcpu->refused)) {
                self->vcpu->refused &= ~REFUSED_ONCE;
                vcpu_block(self, vcpu_ops->refused_event);
        }
        if (unlikely(cpu_virt_of(cpu)->tsc_aux != self->vcpu->tsc_aux))
                vcpu_load_tsc_aux(cpu, self->vcpu->tsc_aux);
        vcpu_load_debug_registers(cpu, self);
        fpu_enter_guest(cpu, self, self->vcpu->xcr0);
        vcpu_ops->enter(self);
}
