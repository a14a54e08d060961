// SPDX-License-Identifier: BSD-2-Clause
// Three PDs below a home, threads, and ranges of capabilities that long operations change, with a
// model of them.
#ifndef UNIT_KERNEL_POINTS_SCENE_H
#define UNIT_KERNEL_POINTS_SCENE_H

#include <gtest/gtest.h>

#include <functional>

#include "model.h"
#include "ways.h"

extern "C" {
#include "arch/x86/resume.h"
#include "device/iommu.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/qpd.h"
#include "nova/abi/utcb.h"
}

// Selectors of the PD "home", which creates everything but the third PD. The PDs are at SEL_CLIENT
// and above. A thread is at CLIENT_THREAD and at SERVER_THREAD, each followed by the object that
// keeps it alive: its scheduling context, or its portal.
constexpr word_t SEL_HOME = 0x20, SEL_SLEEP = 0x21, SEL_CLIENT = 0x24, SEL_SERVER = 0x25,
                 SEL_OTHER = 0x26, SEL_THIRD = 0x27, CLIENT_THREAD = 0x30, SERVER_THREAD = 0x32;
constexpr unsigned PDS_ORDER = 2;
// Selectors of the client.
constexpr word_t CLIENT_SELF = 0x20, CLIENT_PT = 0x21, CLIENT_THIRD = 0x22, CLIENT_NEW = 0x300001;
// The ranges: frames begin at SOURCE, pages or selectors of each PD at BASE. Ports begin at 0 and
// have the same numbers in all PDs.
constexpr word_t SOURCE = 0x4000, BASE = 0x400000;
constexpr unsigned ORDER = 7, COUNT = 1u << ORDER, EVERY = 16, PIECE = 9, FROM_HOME = 4;
constexpr unsigned PARTS = 4, PART_ORDER = ORDER - 2, PART = COUNT / PARTS;
// Order, size and offset from the base of a range that is one mapping, and whose tables take
// several steps. The range of ports is in the other page of the I/O bitmap.
constexpr unsigned LARGE_ORDER = 11, LARGE_COUNT = 1u << LARGE_ORDER;
constexpr word_t LARGE = 0x800, LARGE_PORTS = 0x8000;
constexpr unsigned ALL_ORDER = 16, ALL = 1u << ALL_ORDER; // number of the compared offsets

// A PCI function of the client, and one that the third PD has at first. Their configuration spaces
// are pages of home and of the client.
constexpr unsigned FUNCTION = 8, GIVEN_FUNCTION = 10;
constexpr word_t PCI_PAGES = 0x300000;

// Owners of a range.
enum Who { HOME, CLIENT, SERVER, THIRD, OTHER, NEW, WHO };

// Returns the model's name of a PD, which outlives the PD.
inline pd *name_of(unsigned who)
{
        static pd names[WHO];
        return &names[who];
}

// The capabilities of all PDs.
using Database = std::map<unsigned, std::map<unsigned, Caps>>;

// A change of the ranges in the model.
using Change = std::function<void(Model &)>;

// A client revokes, calls and creates. Its PD gets ranges from home, the server's PD gets them from
// the client's PD, and the third PD gets them from the server's. The boss sleeps, and has a higher
// priority.
class Scene : public World
{
      public:
        explicit Scene(unsigned type_of_ranges) : World(8192), type(type_of_ranges)
        {
                share(home, SEL_HOME, &home->object);
                ready(fillers, false);
                run(boss, bosses);
                who[HOME] = home;
                for (const auto &[sel, one] :
                     {std::pair{SEL_CLIENT, CLIENT}, std::pair{SEL_SERVER, SERVER},
                      std::pair{SEL_OTHER, OTHER}}) {
                        create(NOVA_CREATE_PD, sel, 0);
                        who[one] = container_of(object_at(home, sel), pd, object);
                }
                create(NOVA_CREATE_SM, SEL_SLEEP, 0);
                bed = container_of(object_at(home, SEL_SLEEP), sm, object);
                make_threads();
                make_third();
                make_functions();
                make_ranges();
        }

        ~Scene()
        {
                fake_window = nullptr;
                fake_fail_allocation(-1);
                wake_boss();
                revoke_objects(CLIENT_THREAD, 1);
                revoke_objects(SERVER_THREAD, 1);
                revoke_objects(SEL_CLIENT, PDS_ORDER);
                sleep_boss(); // threads whose calls were aborted end themselves
                wake_boss();
                fake_settle(); // while a second CPU can still do its part
        }

        word_t base() const
        {
                return type == NOVA_CRD_IO ? 0 : BASE;
        }

        word_t large() const
        {
                return type == NOVA_CRD_IO ? LARGE_PORTS : LARGE;
        }

        unsigned rights() const
        {
                return type == NOVA_CRD_IO    ? NOVA_IO_A
                       : type == NOVA_CRD_MEM ? NOVA_MEM_RWX
                                              : NOVA_PERM_ALL;
        }

        // Returns a descriptor of selectors of the ranges, beginning at an offset.
        nova_crd_t crd(word_t at, unsigned order, unsigned perms = NOVA_PERM_ALL) const
        {
                return nova_crd(type, base() + at, order, perms);
        }

        // Returns the capabilities of a PD in the ranges, or none if the PD has been destroyed. A
        // new PD has its range from selector 0 on.
        Caps ranges(unsigned one)
        {
                Caps found;
                if (!who[one])
                        return found;
                const word_t first = one == NEW ? 0 : base();
                for (const auto &[sel, cap] : caps_of(who[one], type))
                        if (sel >= first && sel < first + ALL)
                                found[sel - first + base()] = cap;
                return found;
        }

        // Returns the capabilities of the PDs that are there.
        Database database() const
        {
                Database found;
                for (unsigned i = 0; i < WHO; i++)
                        for (const unsigned kind : {NOVA_CRD_MEM, NOVA_CRD_IO, NOVA_CRD_OBJ})
                                if (who[i])
                                        found[i][kind] = caps_of(who[i], kind);
                return found;
        }

        // Returns the new object, if the client has its capability.
        kobject *created() const
        {
                if (!who[CLIENT])
                        return nullptr;
                const Caps caps = caps_of(who[CLIENT], NOVA_CRD_OBJ);
                const auto found = caps.find(CLIENT_NEW);
                return found == caps.end() ? nullptr
                                           : reinterpret_cast<kobject *>(found->second.source);
        }

        // Prepares the assignment of a function. The EC's PD has the configuration space.
        static void prepare_assignment(ec *self, word_t sel, unsigned function)
        {
                set_arguments(self, nova_hypercall_id(NOVA_ASSIGN_PCI, 0, sel),
                              (PCI_PAGES + function) << PAGE_BITS, function, 0, 0);
        }

        // Lets home assign the third PD's function to a PD.
        void move_function(word_t sel, Who owner)
        {
                EXPECT_EQ(hypercall(nova_hypercall_id(NOVA_ASSIGN_PCI, 0, sel),
                                    (PCI_PAGES + GIVEN_FUNCTION) << PAGE_BITS, GIVEN_FUNCTION),
                          NOVA_SUCCESS);
                has_function = owner;
        }

        // Delegates a part of a PD's range, here and in the model. The PDs have not ended.
        Change give(Who from, word_t at, Who to, word_t target, word_t count)
        {
                delegate(who[from], base() + at, who[to], base() + target, count, type, rights());
                return [=](Model &model) {
                        model.delegate(name_of(from), base() + at, name_of(to), base() + target,
                                       count, type, rights());
                };
        }

        Change take(Who from, unsigned perms, bool self) const
        {
                return [=](Model &model) {
                        model.revoke(name_of(from), base(), base() + ALL, type, perms, self);
                };
        }

        // Makes a hypercall of the boss, which is running.
        nova_status hypercall(word_t id, word_t p2, word_t p3 = 0, word_t p4 = 0, word_t p5 = 0)
        {
                set_arguments(boss, id, p2, p3, p4, p5);
                enter(boss, false);
                EXPECT_EQ(cpu_self()->current, boss);
                return nova_status(REG_P1(boss));
        }

        void revoke_objects(word_t sel, unsigned order)
        {
                EXPECT_EQ(hypercall(nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0),
                                    nova_crd(NOVA_CRD_OBJ, sel, order, NOVA_PERM_ALL)),
                          NOVA_SUCCESS);
        }

        // Destroys a PD, whose capabilities stay.
        void destroy_pd(word_t sel)
        {
                EXPECT_EQ(hypercall(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, sel),
                                    NOVA_EXT_PD_DESTROY),
                          NOVA_SUCCESS);
        }

        // Fills a message with items that delegate the parts of the sender's range.
        void put_parts(const ec *sender) const
        {
                sender->utcb->items = nova_utcb_items(0, PARTS);
                for (unsigned i = 0; i < PARTS; i++) {
                        const unsigned item = nova_utcb_item_index(i);

                        sender->utcb->word[item] = crd(i * PART, PART_ORDER);
                        sender->utcb->word[item + 1] = NOVA_ITEM_DELEGATE | (base() + i * PART)
                                                                                    << PAGE_BITS;
                }
        }

        // Prepares a call of the client whose items delegate the parts of its range.
        void prepare_parts(word_t target)
        {
                put_parts(caller);
                callee->utcb->delegate_window = crd(target, ORDER);
                set_arguments(caller, nova_hypercall_id(NOVA_CALL, 0, CLIENT_PT), 0, 0, 0, 0);
        }

        void end_client_thread()
        {
                revoke_objects(CLIENT_THREAD, 1);
                has_ended = true;
        }

        // Ends the client's PD; the third PD ends with it.
        void end_client()
        {
                revoke_objects(SEL_CLIENT, 0);
                end_client_thread();
                who[CLIENT] = who[THIRD] = nullptr;
        }

        // Destroys the client's PD, which then has no capabilities, but stays.
        void destroy_client()
        {
                destroy_pd(SEL_CLIENT);
                who[CLIENT] = who[THIRD] = nullptr;
                has_ended = true;
        }

        // Lets the client create an object at a selector, with another PD as owner and with more
        // arguments.
        void client_creates(nova_hypercall number, word_t flags, word_t sel, word_t owner,
                            word_t p3, word_t p4 = 0, word_t p5 = 0)
        {
                set_arguments(caller, nova_hypercall_id(number, flags, sel), owner, p3, p4, p5);
                sleep_boss();
                EXPECT_EQ(REG_P1(caller), NOVA_SUCCESS);
                wake_boss();
                caller->cont = continuation_t(fake_enter);
        }

        static kobject *object_at(pd *owner, word_t sel)
        {
                return reinterpret_cast<kobject *>(caps_of(owner, NOVA_CRD_OBJ).at(sel).source);
        }

        // Lets the boss sleep. The client's thread makes its hypercall, or continues it, until a
        // thread is in user mode.
        void sleep_boss()
        {
                set_arguments(boss, nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, SEL_SLEEP), 0, 0,
                              0, 0);
                enter(boss, false);
        }

        // Lets the server's thread reply without items, if it runs a call. A caller whose last
        // reference was dropped during the call ends then.
        void reply()
        {
                if (cpu_self()->current != callee)
                        return;
                callee->utcb->items = 0;
                set_arguments(callee, nova_hypercall_id(NOVA_REPLY, 0, 0), 0, 0, 0, 0);
                enter(callee, false);
        }

        // As an interrupt does, wakes the boss, which runs from the next preemption point on.
        void ring()
        {
                sm_up(bed);
        }

        // Interrupts the thread in user mode, and runs the boss.
        void wake_boss()
        {
                if (cpu_self()->current == boss)
                        return;
                ring();
                enter(
                        [](ec *self) {
                                self->cont = resume_success;
                                resume_reschedule(self->cpu);
                        },
                        cpu_self()->current, false);
                EXPECT_EQ(cpu_self()->current, boss);
        }

        // Delegates memory or ports to home. No frame allows a large page.
        void give_home(word_t at, word_t count)
        {
                const word_t source = (type == NOVA_CRD_IO ? 0 : SOURCE + 1) + at;

                delegate(&kernel_pd, source, home, base() + at, count, type, rights());
                note([=](Model &model) {
                        model.insert(name_of(HOME), type, base() + at, count, source, rights());
                });
        }

        void note(const Change &change)
        {
                history.push_back(change);
        }

        const unsigned type;
        std::vector<Change> history;
        pd *who[WHO] = {};
        Who has_function = THIRD;
        bool has_ended = false; // the client's thread has ended
        ec *boss = thread("boss", home, EC_GLOBAL), *filler = thread("filler", home, EC_GLOBAL);
        sc *bosses = context("boss's", boss, PRIO + 1), *fillers = context("f", filler, PRIO - 1);
        ec *caller = nullptr, *callee = nullptr;
        sm *bed = nullptr;

      private:
        void create(nova_hypercall number, word_t sel, word_t p3, word_t p4 = 0, word_t p5 = 0,
                    word_t owner = SEL_HOME, word_t flags = 0)
        {
                EXPECT_EQ(hypercall(nova_hypercall_id(number, flags, sel), owner, p3, p4, p5),
                          NOVA_SUCCESS);
        }

        void make_threads()
        {
                create(NOVA_CREATE_EC, CLIENT_THREAD, 0x5000 << PAGE_BITS, 0, 0, SEL_CLIENT,
                       NOVA_EC_GLOBAL);
                create(NOVA_CREATE_SC, CLIENT_THREAD + 1, CLIENT_THREAD, nova_qpd(1000, PRIO), 0,
                       SEL_CLIENT);
                create(NOVA_CREATE_EC, SERVER_THREAD, 0x6000 << PAGE_BITS, 0, 0, SEL_SERVER);
                create(NOVA_CREATE_PT, SERVER_THREAD + 1, SERVER_THREAD, 0, 0x7000, SEL_SERVER);
                caller = container_of(object_at(home, CLIENT_THREAD), ec, object);
                callee = container_of(object_at(home, SERVER_THREAD), ec, object);
                caller->cont = continuation_t(fake_enter);
                caller->regs.ip = 0x1000;
                caller->revocation = {};
                delegate(home, SERVER_THREAD + 1, who[CLIENT], CLIENT_PT, 1, NOVA_CRD_OBJ, 31);
                delegate(home, SEL_CLIENT, who[CLIENT], CLIENT_SELF, 1, NOVA_CRD_OBJ, 31);
        }

        // Lets the client create the third PD. Home's capability is derived from the client's, and
        // ends with it.
        void make_third()
        {
                client_creates(NOVA_CREATE_PD, 0, CLIENT_THIRD, CLIENT_SELF, 0);
                who[THIRD] = container_of(object_at(who[CLIENT], CLIENT_THIRD), pd, object);
                delegate(who[CLIENT], CLIENT_THIRD, home, SEL_THIRD, 1, NOVA_CRD_OBJ, 31);
        }

        void make_functions()
        {
                for (const unsigned one : {FUNCTION, GIVEN_FUNCTION})
                        for (pd *owner : {home, who[CLIENT]})
                                delegate(&kernel_pd, FAKE_PCI + one, owner, PCI_PAGES + one, 1,
                                         NOVA_CRD_MEM, NOVA_MEM_R);
                EXPECT_EQ(iommu_assign(who[THIRD], GIVEN_FUNCTION), NOVA_SUCCESS);
        }

        void make_ranges()
        {
                for (word_t i = 0; type == NOVA_CRD_OBJ && i < COUNT; i++)
                        make_sm(home, base() + i, rights());
                if (type != NOVA_CRD_OBJ)
                        give_home(0, COUNT);
                else
                        note([=, caps = ranges(HOME)](Model &model) {
                                for (const auto &[sel, cap] : caps)
                                        model.insert(name_of(HOME), type, sel, 1, cap.source,
                                                     cap.perms);
                        });
                for (word_t i = 0; i < COUNT; i += FROM_HOME)
                        note(give(HOME, i, CLIENT, i, FROM_HOME));
                for (word_t i = 0; i < COUNT; i += EVERY) {
                        note(give(CLIENT, i, SERVER, i, PIECE));
                        note(give(SERVER, i + 2, THIRD, i + 2, 3));
                }
        }
};

// Checks that exactly the PDs with functions have domains.
inline void check_domains(const Scene &s)
{
        for (unsigned i = 0; i < WHO; i++) {
                const pd *const one = s.who[i];
                EXPECT_TRUE(!one || !one->dma.domain == (one != fake_attached[FUNCTION] &&
                                                         one != fake_attached[GIVEN_FUNCTION]))
                        << "PD " << i << " has domain " << one->dma.domain;
        }
}

#endif
