// SPDX-License-Identifier: BSD-2-Clause
// One input, two paths (see ways.h).
#include "ways.h"

#include <gtest/gtest.h>

#include <cstring>
#include <sstream>
#include <string_view>

extern "C" {
#include "arch/x86/resume.h"
#include "space/mapping_tree.h"
}

namespace
{

constexpr uint64_t NOW = 1000000;

size_t hash_of(const void *at, size_t size)
{
        return std::hash<std::string_view>()({static_cast<const char *>(at), size});
}

// Queues the SCs that woke together, as a decision does before it can choose one of them.
void queue_woken(cpu *self)
{
        while (!list_is_empty(&self->woken)) {
                sc *one = container_of(list_take(&self->woken), sc, link);
                one->place = SC_READY;
                run_queue_insert(&self->run_queue, one, !sc_refill(one));
        }
}

} // namespace

std::string describe(std::initializer_list<const char *> names,
                     std::initializer_list<unsigned> values)
{
        std::string text;
        const unsigned *value = values.begin();
        for (const char *name : names)
                text += std::string(text.empty() ? "" : ", ") + name + ' ' +
                        std::to_string(*value++);
        return text;
}

World::World(unsigned frames) : Kernel(frames)
{
        cpu *self = cpu_self();
        fake_tsc = self->slice_start = NOW;
        names = {{nullptr, "-"},
                 {home, "home"},
                 {away, "away"},
                 {self->idle_ec, "idle"},
                 {self->idle_sc, "idle's"}};
}

World::~World()
{
        cpu *self = cpu_self();
        self->current_sc->place = SC_NOWHERE;
        self->current_sc = self->idle_sc;
        self->pending = self->special = 0;
        self->arch.fpu_owner = nullptr;
        fake_general = false;
        fake_tsc = 0;
        fake_idle();
}

ec *World::thread(const char *name, pd *owner, ec_kind kind)
{
        ec *made = make_ec(owner, 0x1000 + next, kind);
        next++;
        made->cont = resume_success;
        made->help_link = {};
        made->event_base = 0;
        std::memset(made->event_qual, 0, sizeof(made->event_qual));
        made->event_number = 0;
        made->transfer = {};
        made->wait_status = 0;
        for (unsigned i = 0; i < NOVA_UTCB_WORDS; i++)
                made->utcb->word[i] = next << 16 | i;
        made->utcb->items = next << 4 & 0xff;
        made->regs.bx = next;
        made->regs.ip = next << 12;
        thread_frame_from_hypercall(made);
        names[made] = name;
        threads.push_back(made);
        return made;
}

sc *World::context(const char *name, ec *owner, unsigned prio)
{
        sc *made = nullptr;
        EXPECT_EQ(sc_create(&account_root, owner, prio, 1000, &made), NOVA_SUCCESS);
        EXPECT_EQ(object_space_insert(&home->object_space, next++, &made->object, NOVA_PERM_ALL),
                  NOVA_SUCCESS);
        names[made] = name;
        names[&made->object] = name;
        contexts.push_back(made);
        return made;
}

pt *World::portal(word_t sel, ec *owner, word_t ip, nova_mtd_t mtd)
{
        pt *made = make_pt(home, sel, owner, ip, mtd);
        names[made] = names[&made->object] = "portal";
        return made;
}

void World::run(ec *one, sc *on)
{
        cpu *self = cpu_self();
        one->state = EC_READY;
        on->ec = on->owner;
        on->place = SC_READY;
        self->current_sc = on;
        self->current = one;
        self->current_pd = one->pd;
        self->pending = 0;
        self->special = one->special;
}

void World::ready(sc *one, bool head)
{
        one->place = SC_READY;
        run_queue_insert(&cpu_self()->run_queue, one, head);
}

void World::enter(void (*function)(ec *), ec *one, bool general)
{
        if (general)
                cpu_self()->pending |= ATTENTION_FOR_NOTHING;
        fake_general = general;
        fake_run_to_user(function, one);
        fake_general = false;
        cpu_self()->pending &= ~ATTENTION_FOR_NOTHING;
}

void World::enter(ec *one, bool general)
{
        enter(fake_enter, one, general);
}

std::string World::name(const void *one) const
{
        const auto found = names.find(one);
        return found == names.end() ? "?" : found->second;
}

// Shows the visible state of an EC. Shows its continuation only if the kernel will call it.
void World::show_ec(std::ostream &out, const std::string &who, const ec *one) const
{
        out << who << ": state " << +one->state << ", of kind " << +one->caller_kind << " "
            << name(one->caller) << ", calls " << name(one->callee) << ", helps "
            << name(one->helping) << ", has " << name(one->donated) << ", pending " << one->pending
            << ", special " << +one->special << ", sends to " << name(one->transfer.to) << " by "
            << (one->calling ? name(one->calling) : "-") << ", sleepers";
        for (const list *link = one->sleepers.next; link != &one->sleepers; link = link->next)
                if (container_of(link, sc, link)->owner->state != EC_DEAD)
                        out << " " << name(container_of(link, sc, link));
        out << ", helpers";
        for (const list *link = one->helpers.next; link != &one->helpers; link = link->next)
                out << " " << name(container_of(link, ec, help_link));
        const bool goes_on =
                one->state == EC_BLOCKED || (one->state == EC_READY && cpu_self()->current != one);
        if (goes_on)
                out << ", continues at " << reinterpret_cast<void *>(one->cont);
        if (goes_on && one->cont == continuation_t(resume_woken))
                out << " with " << +one->wait_status;
        out << ", event " << one->event_number << " " << one->event_qual[0] << " "
            << one->event_qual[1] << ", registers " << one->regs.ip << " " << one->regs.sp << " "
            << REG_P1(one) << " " << hash_of(&one->regs, sizeof(one->regs));
        if (one->utcb)
                out << ", UTCB " << one->utcb->items << " " << one->utcb->word[0] << " "
                    << hash_of(one->utcb, sizeof(*one->utcb));
        out << "\n";
}

// Shows the SCs of the run queue, except those whose owners have ended: these run no EC.
void World::show_queue(std::ostream &out) const
{
        const run_queue *queue = &cpu_self()->run_queue;
        const auto show = [&](const sc *one) {
                if (one->owner->state != EC_DEAD)
                        out << " " << name(one);
        };
        out << "queue:";
        if (queue->first)
                show(queue->first);
        for (unsigned prio = RUN_QUEUE_PRIORITIES; prio--;) {
                const sc *one = queue->head[prio];
                while (one) {
                        show(one);
                        one = one->next == queue->head[prio] ? nullptr : one->next;
                }
        }
        out << "\n";
}

void World::show_caps(std::ostream &out, pd *owner) const
{
        for (unsigned type : {NOVA_CRD_MEM, NOVA_CRD_IO, NOVA_CRD_OBJ})
                for (const auto &[sel, cap] : caps_of(owner, type)) {
                        out << " " << sel << "=";
                        if (type == NOVA_CRD_OBJ) {
                                out << name(reinterpret_cast<void *>(cap.source)) << "/"
                                    << cap.perms;
                                continue;
                        }
                        const mapping *one = mapping_find(pd_space(owner, type), sel, sel);
                        out << cap.source << "/" << cap.perms << "/" << +one->attr << "/"
                            << one->depth;
                }
        out << "\n";
}

// Checks that an EC which returns to user mode leaves no pending work, and has its own state
// loaded.
void World::check_settled() const
{
        const cpu *self = cpu_self();
        const ec *one = self->current;
        const sc *on = self->current_sc;
        const uint8_t loaded = SPECIAL_FPU | SPECIAL_TLS | SPECIAL_VCPU;

        EXPECT_EQ(self->pending &
                          (CPU_PENDING_RESCHEDULE | CPU_PENDING_HAND_OVER | CPU_PENDING_GRACE),
                  0u);
        for (const ec *awake : threads) // no SC sleeps with a thread that can run
                EXPECT_TRUE(awake->state != EC_READY || list_is_empty(&awake->sleepers))
                        << name(awake);
        if (one->kind == EC_IDLE)
                return;
        EXPECT_EQ(on->place, SC_READY);
        EXPECT_EQ(one->state, EC_READY);
        EXPECT_EQ(one->pending, 0u);
        EXPECT_EQ(self->special & loaded, one->special & loaded);
        EXPECT_EQ(self->current_pd, one->pd);
        EXPECT_TRUE(on->ec == on->owner || self->special & SPECIAL_LENT);
}

std::string World::state(bool check)
{
        cpu *self = cpu_self();
        std::ostringstream out;

        check_settled();
        queue_woken(self);
        out << std::hex << "runs " << name(self->current) << " of " << name(self->current_pd)
            << " on " << name(self->current_sc) << ", special " << +self->special << ", dying "
            << self->dying_count << "\n";
        show_queue(out);
        for (const sc *one : contexts)
                if (one->owner->state != EC_DEAD)
                        out << name(one) << ": for " << name(one->ec) << ", place " << +one->place
                            << ", round ends at " << one->round_end << ", used " << one->used
                            << "\n";
        for (const ec *one : threads)
                show_ec(out, name(one), one);
        fake_settle();
        for (pd *one : pds) {
                show_caps(out, one);
                if (check)
                        check_pd(one);
        }
        out << std::dec << taken_now() << "\n";
        return out.str();
}
