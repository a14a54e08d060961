/* SPDX-License-Identifier: BSD-2-Clause */
/* A function that is passed through, without the kernel and the service pci: what happens when the
 * guest moves its memory. */
#include <functional>
#include <gtest/gtest.h>

extern "C" {
#include "function.h"
#include "nova/abi/crd.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/status.h"
#include "novart/program.h"
#include "novart/time.h"
#include "slots.h"
#include "vm.h"
}

namespace
{

constexpr uint32_t bar_bytes = 0x4000, place = 0xe1000000;
constexpr unsigned number = 5;

alignas(bar_bytes) char bar[bar_bytes];

unsigned settled, revoked; /* numbers of calls */
unsigned settled_before;   /* value of `settled` at the last revocation */
std::function<void()> while_settling;

} // namespace

extern "C" {
struct nova_program nova_program;

nova_word_t nova_trap_1(nova_word_t)
{
        return NOVA_SUCCESS;
}

nova_word_t nova_trap_2(nova_word_t id, nova_word_t *crd)
{
        EXPECT_EQ(id, nova_word_t{NOVA_REVOKE});
        EXPECT_EQ(nova_crd_base(*crd), reinterpret_cast<nova_word_t>(bar) >> NOVA_PAGE_BITS);
        revoked++;
        settled_before = settled;
        return NOVA_SUCCESS;
}

nova_word_t nova_trap_3(nova_word_t, nova_word_t *, nova_word_t *)
{
        return NOVA_BAD_CAP;
}

nova_word_t nova_trap_4(nova_word_t, nova_word_t, nova_word_t, nova_word_t)
{
        return NOVA_BAD_CAP;
}

void nova_vcpu_settle(nova_vcpu *)
{
        settled++;
        if (while_settling)
                while_settling();
}

bool nova_vcpu_map(nova_vcpu *, nova_crd_t, nova_sel_t)
{
        return true;
}

int novavmm_function_claim(nova_guest_function *function, const char *, nova_sel_t)
{
        *function = {};
        function->memory[0] = bar;
        function->shown.bar[0].bytes = bar_bytes;
        function->shown.messages = 1;
        return 0;
}

void novavmm_function_master(const nova_guest_function *, bool)
{
}

void novavmm_function_release(nova_guest_function *)
{
}

int novavmm_vm_check_function(const nova_vm *, const char **)
{
        return 0;
}

void novavmm_slots_send(void *, uint64_t, uint32_t)
{
}

void nova_vm_lock(nova_vm *)
{
}

void nova_vm_unlock(nova_vm *)
{
}

int nova_thread_create(nova_thread **, const nova_thread_attr *, void *(*)(void *), void *)
{
        return 0;
}

int nova_thread_join(nova_thread *, void **)
{
        return 0;
}

nova_thread *nova_thread_self(void)
{
        return nullptr;
}

unsigned nova_thread_priority(const nova_thread *)
{
        return 1;
}

void nova_semaphore_up(nova_semaphore *)
{
}

void nova_semaphore_down(nova_semaphore *)
{
}

uint64_t nova_deadline_in(uint64_t ns)
{
        return ns;
}
}

namespace
{

struct guest_pci : testing::Test {
        nova_vm vm = {};
        nova_pc pc = {};
        nova_guest_pci guest = {};

        void SetUp() override
        {
                while_settling = nullptr;
                vm.local_apic = true;
                vm.serving = &vm.vcpu[0];
                pc.vm = &vm;
                nova_vpci_init(&pc.pci);
                ASSERT_EQ(nova_guest_pci_attach(&guest, &pc, number, "card"), 0);
                settled = revoked = settled_before = 0;
        }

        /* Writes a register of the function, as the guest does. */
        void write(unsigned reg, uint32_t value)
        {
                nova_vpci_write(&pc.pci, 0xcf8, 4, 0x80000000u | number << 11 | reg * 4);
                nova_vpci_write(&pc.pci, 0xcfc, 4, value);
        }
};

/* The reply to another virtual CPU may map the memory at its old place. If nothing waited for the
 * reply, this could happen after the revocation. */
TEST_F(guest_pci, moved_memory_is_taken_back_after_replies_that_map_it)
{
        write(NOVA_VPCI_COMMAND, 2);
        write(NOVA_VPCI_BAR, place);
        const unsigned before = revoked;

        while_settling = [&] { EXPECT_EQ(guest.device.at[0], place + bar_bytes); };
        write(NOVA_VPCI_BAR, place + bar_bytes);
        EXPECT_EQ(revoked, before + 1);
        EXPECT_EQ(settled, revoked);
        EXPECT_EQ(settled_before, settled);
}

TEST_F(guest_pci, a_function_that_is_detached_meanwhile_has_no_memory_to_take_back)
{
        write(NOVA_VPCI_COMMAND, 2);
        const unsigned before = revoked;

        while_settling = [&] { nova_guest_pci_detach(&guest); };
        write(NOVA_VPCI_BAR, place);
        EXPECT_EQ(revoked, before);
}

} // namespace
