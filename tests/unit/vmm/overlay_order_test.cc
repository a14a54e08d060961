/* SPDX-License-Identifier: BSD-2-Clause */
/* All orders of the steps of two virtual CPUs: one moves overlay pages, and the other one reads at
 * their places. The library's code for exits, for the table of pages and for mapping is unchanged.
 * The test replaces the kernel: the lock, semaphores, recalls, revocations, and replies, which map
 * a page after the handler has released the lock. */
#include "overlay_order.h"

#include <gtest/gtest.h>
#include <sanitizer/asan_interface.h>
#include <ucontext.h>

#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "interleave.h"
#include "nova/abi/crd.h"
#include "nova/abi/utcb.h"
#include "novavmm/guest_pci.h"
#include "novavmm/overlay.h"

namespace
{

constexpr size_t page_bytes = 0x1000, stack_bytes = 0x20000;
constexpr uint64_t page = 1; /* the page of RAM to which all pages move, and that is read */
constexpr unsigned event_move = 1, event_fault = 2, event_recall = 3;
constexpr int ram = -1, unmapped = -2;

alignas(page_bytes) uint8_t memory[2 * page_bytes], frames[2 * page_bytes];
nova_utcb utcbs[2];
/* Each order uses the same stacks: a new one for each order would take most of the time. */
uint8_t stacks[2][stack_bytes];

nova_guest_pci function;

/* A virtual CPU and the monitor's thread that serves it. */
struct actor {
        ucontext_t context = {};
        std::function<void()> program;
        std::function<bool()> blocked; /* the actor cannot continue while this is true */
        bool done = false, recalled = false;
        int given = unmapped;         /* the frame that its reply maps */
        std::function<void()> action; /* the action of the actor's exit */
};

struct overlay_order;
overlay_order *test;

struct overlay_order : testing::Test {
        explorer ways;
        nova_vm vm;
        std::unique_ptr<actor> actors[2];
        ucontext_t scheduler;
        unsigned running = 0;
        bool locked = false;
        bool has_function = false; /* a function that is passed through uses the RAM, too */
        bool settles = false;      /* the handler of a fault settles after it has mapped the page */
        int mapped = ram;          /* the frame at the page in the guest's page tables */

        /* moves: moves in progress. expected: the topmost overlay after the last move. possible:
         * frames that a read may find, which are more than one while moves are in progress. */
        unsigned moves = 0, finished = 0;
        int expected = ram;
        std::vector<int> possible;
        unsigned reads = 0, faults = 0, waits = 0;

        actor &self()
        {
                return *actors[running];
        }

        /* Lets another virtual CPU run, and continues when @p blocked is false. */
        void yield(const std::function<bool()> &blocked = nullptr)
        {
                self().blocked = blocked;
                swapcontext(&self().context, &scheduler);
                self().blocked = nullptr;
        }

        /* Returns the number of a frame, or ram. */
        static int number_of(const uint8_t *at)
        {
                return at >= frames && at < frames + sizeof(frames)
                               ? int((at - frames) / page_bytes)
                               : ram;
        }

        static int number_of(nova_crd_t crd)
        {
                return number_of(
                        reinterpret_cast<const uint8_t *>(nova_crd_base(crd) * page_bytes));
        }

        /* Returns the topmost overlay. */
        int top() const
        {
                const nova_overlay *const overlay =
                        nova_overlay_find(&vm.memory, page * page_bytes);
                return overlay ? number_of(overlay->frame) : ram;
        }

        /* Makes an exit: the handler, then the kernel's part of the reply, and a recall if one
         * waits. */
        void leave(unsigned event)
        {
                for (unsigned next = event; next; next = self().recalled ? event_recall : 0) {
                        self().recalled = self().recalled && next != event_recall;
                        self().given = unmapped;
                        novavmm_vcpu_serve(next, &utcbs[running], &vm.vcpu[running]);
                        yield();
                        if (self().given != unmapped)
                                mapped = self().given;
                }
        }

        /* Does a step of the guest: it reads the page. */
        void read()
        {
                yield();
                if (self().recalled)
                        leave(event_recall);
                while (mapped == unmapped) {
                        faults++;
                        leave(event_fault);
                }
                reads++;
                for (const int value : possible)
                        if (value == mapped)
                                return;
                ADD_FAILURE() << "reads " << mapped << " instead of " << expected;
        }

        /* Lets the guest move a frame to the page, or away. */
        void move(unsigned frame, bool here)
        {
                yield();
                if (self().recalled)
                        leave(event_recall);
                moves++;
                self().action = [this, frame, here] {
                        nova_vcpu *const vcpu = &vm.vcpu[running];
                        nova_vcpu_settle(vcpu);
                        uint8_t *const at = frames + frame * page_bytes;
                        if (here) {
                                EXPECT_EQ(nova_overlay_map(&vm.memory, page, at, NOVA_MEM_R), 0);
                        } else
                                nova_overlay_unmap(&vm.memory, at);
                        possible.push_back(top());
                };
                leave(event_move);
                /* From here on the move is complete. */
                if (!--moves) {
                        expected = top();
                        possible = {expected};
                }
        }

        void begin()
        {
                memset(&vm, 0, sizeof(vm));
                vm.vcpus = 2;
                vm.memory.base = memory;
                vm.memory.bytes = sizeof(memory);
                vm.memory.frames = frames;
                vm.memory.keeps_cuts = has_function;
                vm.passed = has_function ? &function : nullptr;
                vm.causes[event_move] = NOVA_VM_EXIT_WRMSR;
                vm.causes[event_fault] = NOVA_VM_EXIT_MEMORY;
                vm.causes[event_recall] = NOVA_VM_EXIT_RECALL;
                vm.handler[NOVA_VM_EXIT_WRMSR] = [](nova_vcpu *) { test->self().action(); };
                vm.handler[NOVA_VM_EXIT_MEMORY] = [](nova_vcpu *vcpu) {
                        EXPECT_TRUE(novavmm_overlay_give(vcpu, page * page_bytes));
                        if (test->settles)
                                nova_vcpu_settle(vcpu);
                };
                vm.handler[NOVA_VM_EXIT_RECALL] = [](nova_vcpu *) {};
                for (unsigned i = 0; i < 2; i++) {
                        vm.vcpu[i].vm = &vm;
                        vm.vcpu[i].number = i;
                        vm.vcpu[i].ec = i;
                        vm.vcpu[i].running = true;
                        vm.vcpu[i].activity = NOVA_VCPU_RUNS;
                }
                mapped = expected = ram;
                possible = {ram};
                moves = finished = 0;
                locked = false;
        }

        /* Lets the guest loop until both have finished. The guest can be recalled. */
        void loop()
        {
                while (finished < 2 || self().recalled) {
                        actor &own = self();
                        yield([this, &own] { return finished < 2 && !own.recalled; });
                        if (self().recalled)
                                leave(event_recall);
                }
        }

        static void enter()
        {
                actor &self = test->self();
                self.program();
                test->finished++;
                test->loop();
                self.done = true;
                swapcontext(&self.context, &test->scheduler);
        }

        void start(unsigned vcpu, const std::function<void()> &program)
        {
                actors[vcpu].reset(new actor);
                ucontext_t &context = actors[vcpu]->context;
                actors[vcpu]->program = program;
                /* The previous order may have left parts of the stack poisoned. */
                ASAN_UNPOISON_MEMORY_REGION(stacks[vcpu], stack_bytes);
                ASSERT_EQ(getcontext(&context), 0);
                context.uc_stack.ss_sp = stacks[vcpu];
                context.uc_stack.ss_size = stack_bytes;
                makecontext(&context, enter, 0);
        }

        /* Runs both to their ends. @return false: they wait for each other */
        bool schedule()
        {
                for (;;) {
                        unsigned ready[2], count = 0, done = 0;
                        for (unsigned i = 0; i < 2; i++) {
                                done += actors[i]->done;
                                if (!actors[i]->done &&
                                    !(actors[i]->blocked && actors[i]->blocked()))
                                        ready[count++] = i;
                        }
                        if (done == 2 || !count)
                                return done == 2;
                        running = ready[ways.choose(count)];
                        swapcontext(&scheduler, &actors[running]->context);
                }
        }

        void explore(const std::function<void()> &first, const std::function<void()> &second)
        {
                test = this;
                do {
                        begin();
                        start(0, first);
                        start(1, second);
                        ASSERT_TRUE(schedule()) << "they wait for each other";
                        ASSERT_FALSE(HasFailure());
                        ASSERT_EQ(top(), expected);
                } while (ways.next());
                EXPECT_GT(ways.runs, 1000u);
                EXPECT_GT(faults, ways.runs / 10);
                EXPECT_GT(waits, 0u);
                RecordProperty("runs", std::to_string(ways.runs));
        }
};

TEST_F(overlay_order, no_order_of_a_move_and_reads_leaves_a_stale_translation)
{
        explore([this] { move(0, true), move(0, false), read(); }, [this] { read(), read(); });
}

TEST_F(overlay_order, no_order_of_two_frames_at_one_page_leaves_a_stale_translation)
{
        explore([this] { move(0, true), move(1, true), read(); },
                [this] { read(), read(), read(); });
}

TEST_F(overlay_order, a_functions_dma_finds_the_ram_in_all_orders_after_a_page_has_left_it)
{
        has_function = true;
        explore(
                [this] {
                        move(0, true), move(0, false);
                        EXPECT_EQ(mapped, ram);
                        read();
                },
                [this] { read(), read(); });
}

TEST_F(overlay_order, two_that_move_frames_to_one_page_do_not_wait_for_each_other)
{
        explore([this] { move(0, true), read(); }, [this] { move(1, true), read(); });
}

TEST_F(overlay_order, a_handler_that_has_mapped_a_page_does_not_wait_for_its_own_reply)
{
        settles = true;
        explore([this] { move(0, true), move(0, false); }, [this] { read(), read(); });
}

} // namespace

extern "C" {

nova_word_t overlay_order_revoke(nova_crd_t crd)
{
        if (test->mapped == overlay_order::number_of(crd))
                test->mapped = unmapped;
        return 0;
}

nova_word_t overlay_order_recall(nova_sel_t ec)
{
        test->actors[ec]->recalled = true;
        return 0;
}

bool overlay_order_delegate(nova_crd_t crd, nova_sel_t hot)
{
        EXPECT_EQ(hot, page);
        test->self().given = overlay_order::number_of(crd);
        return true;
}

void nova_mutex_lock(nova_mutex *)
{
        test->yield([] { return test->locked; });
        test->locked = true;
}

void nova_vm_unlock(nova_vm *)
{
        test->locked = false;
}

void nova_semaphore_up(nova_semaphore *semaphore)
{
        semaphore->count++;
}

void nova_semaphore_down(nova_semaphore *semaphore)
{
        test->waits++;
        test->yield([semaphore] { return semaphore->count <= 0; });
        semaphore->count--;
}

/* Parts that these exits do not use. */
void novavmm_vcpu_take_priority(nova_vcpu *)
{
}
void novavmm_vcpu_give_priority(nova_vcpu *)
{
}
void novavmm_vcpu_deliver(nova_vcpu *)
{
}
void nova_hv_assist_begin(nova_hv *, unsigned)
{
}
void nova_hv_assist_end(nova_hv *, unsigned)
{
}
void novavmm_vcpu_recalled(nova_vcpu *)
{
}
void overlay_order_recall_for(nova_vcpu *, unsigned)
{
}
bool novavmm_vcpu_has_interrupt(const nova_vcpu *)
{
        return false;
}
bool novavmm_vcpu_wakes_by_nmi(const nova_vcpu *)
{
        return false;
}
}
