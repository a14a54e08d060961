/* SPDX-License-Identifier: BSD-2-Clause */
/* The slots of a board: when devices continue work that they have paused. */
#include "virtio.h"

extern "C" {
#include "slots.h"

#include "apic.h"
#include "console.h"
#include "report.h"
}

namespace
{

uint64_t now;
unsigned kicks;

} // namespace

extern "C" {
uint64_t nova_vm_now(void *)
{
        return now;
}

int nova_vm_add_alarm(nova_vm *vm, nova_alarm *alarm)
{
        vm->alarm[vm->alarms++] = alarm;
        return 0;
}

int nova_bus_add(nova_bus *, const nova_bus_range *)
{
        return 0;
}

void nova_vcpu_kick(nova_vcpu *vcpu)
{
        kicks += vcpu->number == 0;
}

bool novavmm_apic_send(nova_pc *, const nova_apic_message *)
{
        return true;
}

void novavmm_apic_set_pin(void *context, unsigned pin, bool level)
{
        nova_pic_set(&static_cast<nova_pc *>(context)->pic, pin, level);
}

void novavmm_console_send(void *, uint8_t)
{
}

void novavmm_report_exit(nova_vcpu *, const report_sink *, const char *, const char *)
{
}
}

namespace
{

using namespace virtio;

/* A device that pauses in each turn until its work is done. */
struct worker {
        nova_virtio virtio;
        unsigned turns, work, exits;
        bool pauses_after_exit;
};

void take_turn(nova_virtio *virtio, unsigned)
{
        auto *self = reinterpret_cast<worker *>(virtio);

        self->turns++;
        if (self->work && --self->work)
                nova_virtio_pause(virtio);
}

void after_exit(nova_virtio *virtio)
{
        auto *self = reinterpret_cast<worker *>(virtio);

        self->exits++;
        if (self->pauses_after_exit)
                nova_virtio_pause(virtio);
}

const nova_virtio_class kind = {NOVA_VIRTIO_RANDOM, "worker", 0, 1, take_turn, nullptr};

struct slots : test {
        nova_vm vm = {};
        nova_pc pc = {};
        worker card = {};

        void SetUp() override
        {
                now = 1000000;
                kicks = 0;
                pc.vm = &vm;
                vm.vcpus = 1;
                vm.vcpu[0].vm = &vm;
                nova_virtio_init(&card.virtio, &kind, &memory);
                card.virtio.after_exit = after_exit;
                ASSERT_EQ(nova_pc_add_virtio(&pc, 1, &card.virtio), 0);
                device = &card.virtio;
                start();
        }

        /* Does the board's work at the end of an exit. */
        void look()
        {
                vm.look(vm.look_context);
        }

        /* Lets time pass up to the alarm, and serves the alarm. */
        void alarm()
        {
                now = pc.late.deadline;
                pc.late.deadline = NOVA_NEVER;
                pc.late.expire(pc.late.device, now);
        }
};

/* Writes the words with which a guest initialises the interrupt controllers. */
void begin_pic(nova_pic *pic)
{
        const uint8_t words[] = {0x11, 0x20, 4, 1, 0};

        for (unsigned i = 0; i < sizeof(words); i++)
                nova_pic_write(pic, i ? 0x21 : 0x20, 1, words[i]);
        for (unsigned i = 0; i < sizeof(words); i++)
                nova_pic_write(pic, i ? 0xa1 : 0xa0, 1, words[i] + (i == 1 ? 8 : 0));
}

/* Another slot of the wire still requests an interrupt after that of the first one. */
TEST_F(slots, a_wire_that_stays_high_interrupts_again)
{
        const nova_line none = {};

        nova_pic_init(&pc.pic, &none);
        ASSERT_EQ(novavmm_slots_create(&pc), 0);
        begin_pic(&pc.pic);
        for (unsigned i = 0; i < 2; i++) {
                nova_line_set(&card.virtio.irq, true);
                EXPECT_EQ(nova_pic_take(&pc.pic), 0x2au);
                nova_pic_write(&pc.pic, 0xa0, 1, 0x20);
                nova_pic_write(&pc.pic, 0x20, 1, 0x20);
                EXPECT_TRUE(nova_pic_pending(&pc.pic));
        }
        nova_line_set(&card.virtio.irq, false);
        EXPECT_FALSE(nova_pic_pending(&pc.pic));
        EXPECT_EQ(nova_pic_read(&pc.pic, 0x4d0, 1), 0u);
        EXPECT_EQ(nova_pic_read(&pc.pic, 0x4d1, 1), 0x0cu);
}

TEST_F(slots, a_device_that_paused_does_not_continue_in_the_same_exit)
{
        card.work = 3;
        kick(0);
        look();
        EXPECT_EQ(card.turns, 1u);
        look(); /* another exit */
        EXPECT_EQ(card.turns, 1u);
        EXPECT_TRUE(card.virtio.unfinished);
}

/* A string instruction writes the register many times in one exit, and another virtual CPU adds
 * chains meanwhile. */
TEST_F(slots, it_has_one_turn_in_an_exit)
{
        for (unsigned i = 0; i < 512; i++)
                kick(0);
        EXPECT_EQ(card.turns, 1u);
        look();
        EXPECT_EQ(card.turns, 1u);
        EXPECT_NE(pc.late.deadline, NOVA_NEVER);
        alarm();
        look();
        EXPECT_EQ(card.turns, 2u);
        EXPECT_EQ(pc.late.deadline, NOVA_NEVER);
        kick(0);
        look();
        kick(0);
        EXPECT_EQ(card.turns, 4u);
}

/* The guest runs between two turns. */
TEST_F(slots, it_continues_a_moment_later)
{
        card.work = 3;
        kick(0);
        look();
        EXPECT_GT(pc.late.deadline, now);
        EXPECT_LE(pc.late.deadline, now + 500000);
        for (unsigned turns = 2; turns <= 3; turns++) {
                alarm();
                look();
                EXPECT_EQ(card.turns, turns);
        }
        EXPECT_FALSE(card.virtio.unfinished);
        EXPECT_EQ(pc.late.deadline, NOVA_NEVER);
}

/* The thread of alarms has a higher priority than the guest. */
TEST_F(slots, the_alarm_does_no_work_of_devices)
{
        card.work = 3;
        kick(0);
        look();
        alarm();
        EXPECT_EQ(card.turns, 1u);
        EXPECT_EQ(kicks, 1u);
        EXPECT_TRUE(vm.look_due);
        EXPECT_NE(pc.late.deadline, NOVA_NEVER); /* the alarm comes again if vCPU 0 cannot look */
        alarm();
        EXPECT_EQ(kicks, 2u);
        look();
        EXPECT_EQ(card.turns, 2u);
        EXPECT_FALSE(vm.look_due);
}

TEST_F(slots, a_pause_after_an_exit_is_not_forgotten)
{
        card.pauses_after_exit = true;
        look();
        alarm();
        look();
        EXPECT_EQ(card.exits, 2u);
        EXPECT_EQ(card.turns, 1u);
        EXPECT_TRUE(card.virtio.unfinished);
        EXPECT_NE(pc.late.deadline, NOVA_NEVER);
}

TEST_F(slots, an_alarm_without_work_wakes_nobody)
{
        pc.late.deadline = now;
        alarm();
        EXPECT_EQ(kicks, 0u);
        EXPECT_EQ(pc.late.deadline, NOVA_NEVER);
}

} // namespace
