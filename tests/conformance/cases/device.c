/* SPDX-License-Identifier: BSD-2-Clause */
/* assign_gsi: pins, and refusals. Device resources that the root PD can request. */
#include "device.h"

#define ALL         NOVA_PERM_ALL
#define MESSAGE_GSI 100 /* no PC on which the suite runs has a pin with this number */
#define PIT_GSI     2
#define RTC_GSI     8

static word_t assign(nova_sel_t sm, word_t device, unsigned cpu)
{
        word_t address, data;
        return hc_assign_gsi(sm, device, cpu, &address, &data);
}

/* ---- Pins ------------------------------------------------------------------------------------ */

CASE(device, a_pin_is_assigned_whatever_the_device_argument_is, "5.5.2-06 5.5.2-08 6.1.1-08")
{
        const word_t devices[] = {0,
                                  1,
                                  ~(word_t)0,
                                  (word_t)1 << (NOVA_WORD_BITS - 1),
                                  self->utcb ? (word_t)self->utcb : 0,
                                  (word_t)hip};
        const nova_sel_t sm = gsi_open(PIT_GSI);
        for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
                EXPECT_EQ(assign(sm, devices[i], boot_cpu), NOVA_SUCCESS);
}

CASE(device, a_pin_is_assigned_with_any_one_permission, "D-31 5.5.2-08")
{
        const nova_sel_t sm = gsi_open(PIT_GSI), less = sel_alloc(0);
        for (unsigned bit = 0; bit < 5; bit++) {
                give_self(obj(sm, 1u << bit), less);
                EXPECT_EQ(assign(less, 0, boot_cpu), NOVA_SUCCESS);
                hc_revoke(obj(less, ALL), NOVA_REVOKE_SR);
        }
}

CASE(device, an_interrupt_arrives_at_its_semaphore_after_assign_gsi, "5.5.2-02 3.4-03")
{
        const nova_sel_t sm = timer_open();
        EXPECT_EQ(assign(sm, 0, boot_cpu), NOVA_SUCCESS);
        for (unsigned i = 0; i < 5; i++) {
                const uint64_t begin = tsc();
                timer_shot(5000);
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
                EXPECT(tsc() - begin > tsc_per_ms() * 4);
        }
}

CASE_ON(device, an_interrupt_arrives_on_whichever_cpu_it_is_assigned_to, "5.5.2-01 5.5.2-02",
        needs_2_cpus)
{
        const nova_sel_t sm = timer_open();
        for (unsigned round = 0; round < 2 * cpu_count; round++) {
                EXPECT_EQ(assign(sm, 0, cpu_numbers[round % cpu_count]), NOVA_SUCCESS);
                timer_shot(3000);
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
        }
        EXPECT_EQ(assign(sm, 0, boot_cpu), NOVA_SUCCESS);
}

static uint8_t rtc(uint8_t reg)
{
        uint8_t value;
        __asm__ volatile("outb %0, %1" : : "a"(reg), "Nd"((uint16_t)0x70));
        __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"((uint16_t)0x71));
        return value;
}

static void rtc_set(uint8_t reg, uint8_t value)
{
        __asm__ volatile("outb %0, %1" : : "a"(reg), "Nd"((uint16_t)0x70));
        __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"((uint16_t)0x71));
}

#define RTC_RATE       0x0a
#define RTC_CONTROL    0x0b
#define RTC_CAUSE      0x0c
#define RTC_PERIODIC   0x40
#define RTC_256_HZ     8
#define RTC_INTERRUPTS 16

/* Returns the duration of a number of clock interrupts in milliseconds. */
static uint64_t clock_interrupts(nova_sel_t sm, unsigned count)
{
        const uint64_t begin = tsc();
        while (count--) {
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
                rtc(RTC_CAUSE); /* the clock sends its next interrupt only after this read */
        }
        return (tsc() - begin) / tsc_per_ms();
}

CASE(device, the_clock_interrupts_at_its_pace, "5.5.2-02 3.4-02 3.4-03")
{
        const nova_sel_t sm = gsi_open(RTC_GSI);
        request(io(0x70, 1), 0x70);
        EXPECT_EQ(assign(sm, 0, cpu_numbers[cpu_count - 1]), NOVA_SUCCESS);
        rtc_set(RTC_RATE, (uint8_t)((rtc(RTC_RATE) & 0xf0) | RTC_256_HZ));
        rtc_set(RTC_CONTROL, rtc(RTC_CONTROL) | RTC_PERIODIC);
        rtc(RTC_CAUSE);
        hc_sm_ctrl(sm, NOVA_SM_DN_OP | NOVA_SM_ZC);
        rtc(RTC_CAUSE);
        /* After a delay, an emulator sends the missed interrupts in quick succession, so one
         * measurement may be too short. */
        uint64_t ms = 0;
        for (unsigned i = 0; i < 200 && ms < RTC_INTERRUPTS * 1000 / 256 / 2; i++)
                ms = clock_interrupts(sm, RTC_INTERRUPTS);
        rtc_set(RTC_CONTROL, rtc(RTC_CONTROL) & (uint8_t)~RTC_PERIODIC);
        rtc(RTC_CAUSE);
        EXPECT(ms >= RTC_INTERRUPTS * 1000 / 256 / 2);
}

/* ---- Refusals -------------------------------------------------------------------------------- */

CASE(device, assign_gsi_gives_BAD_DEV_for_anything_but_a_device, "5.5.2-11 5.1-23")
{
        const nova_sel_t sm = gsi_open(MESSAGE_GSI);
        const word_t ram = page_of(memory(0)), empty = page_alloc(0);
        const word_t pages[] = {ram,
                                empty,
                                page_of(hip),
                                page_of(self->utcb),
                                page_of(portal_entry),
                                0,
                                ~(word_t)0 >> NOVA_PAGE_BITS};
        for (unsigned i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
                EXPECT_EQ(assign(sm, pages[i], boot_cpu), NOVA_BAD_DEV);
                EXPECT_EQ(assign(sm, pages[i] << NOVA_PAGE_BITS, boot_cpu), NOVA_BAD_DEV);
                EXPECT_EQ(assign(sm, (pages[i] << NOVA_PAGE_BITS) + 0xfff, boot_cpu), NOVA_BAD_DEV);
        }
        EXPECT_EQ(assign(sm, ~(word_t)0, boot_cpu), NOVA_BAD_DEV);
}

CASE_ON(device, assign_gsi_gives_BAD_DEV_for_an_absent_function, "5.5.2-11", needs_pci_window)
{
        const nova_sel_t sm = gsi_open(MESSAGE_GSI);
        const word_t page = page_alloc(0);
        unsigned function = 0;
        while (pci_read(function, 0) != ~0u)
                function += 8;
        request(mem(pci_frame(function), 0, NOVA_MEM_R), page);
        EXPECT_EQ(assign(sm, page, boot_cpu), NOVA_BAD_DEV);
        EXPECT_EQ(assign(sm, page << NOVA_PAGE_BITS, boot_cpu), NOVA_BAD_DEV);
}

CASE_ON(device, assign_gsi_gives_BAD_DEV_for_a_page_that_was_given_back, "5.5.2-11 5.5.2-03",
        needs_pci_window)
{
        const nova_sel_t sm = gsi_open(MESSAGE_GSI);
        const word_t page = pci_page(0);
        EXPECT_EQ(assign(sm, page, boot_cpu), NOVA_SUCCESS);
        hc_revoke(mem(page, 0, NOVA_MEM_RWX), NOVA_REVOKE_SR);
        EXPECT_EQ(assign(sm, page, boot_cpu), NOVA_BAD_DEV);
}

CASE(device, assign_gsi_looks_at_the_cpu_before_the_device, "5.5.2-12 5.5.2-11")
{
        const nova_sel_t message = gsi_open(MESSAGE_GSI), pin = gsi_open(PIT_GSI);
        EXPECT_EQ(assign(message, 0, 64), NOVA_BAD_CPU);
        EXPECT_EQ(assign(pin, 0, 64), NOVA_BAD_CPU);
        EXPECT_EQ(assign(pin, 0, ~0u), NOVA_BAD_CPU);
        for (unsigned i = 0; i < NOVA_CPU_MAX; i++) {
                if (!(hip->cpu[i].flags & NOVA_CPU_ENABLED))
                        EXPECT_EQ(assign(pin, 0, i), NOVA_BAD_CPU);
        }
}

CASE(device, a_revoked_gsi_capability_is_refused, "5.5.2-09")
{
        const nova_sel_t pin = gsi_open(PIT_GSI);
        hc_revoke(obj(pin, ALL), NOVA_REVOKE_SR);
        EXPECT_EQ(assign(pin, 0, boot_cpu), NOVA_BAD_CAP);
}

/* ---- Resources that can be requested --------------------------------------------------------- */

/* Requests one frame. Returns whether it became a mapping. */
static bool got(word_t frame)
{
        const word_t page = page_alloc(0);
        request(mem(frame, 0, NOVA_MEM_R | NOVA_MEM_W), page);
        return look(NOVA_CRD_MEM, page) != 0;
}

CASE(device, the_page_of_the_io_apic_cannot_be_requested, "6.1.1-03")
{
        EXPECT(io_apic_frame() != 0);
        EXPECT(!got(io_apic_frame()));
}

CASE(device, no_page_that_sends_interrupts_can_be_requested, "6.1.1-03")
{
        for (word_t frame = 0xfee00; frame < 0xfef00; frame += 0x11)
                EXPECT(!got(frame));
        EXPECT(!got(0xfee01));
        EXPECT(!got(0xfeeff));
}

CASE_ON(device, registers_of_the_hpet_can_be_requested, "D-32.2 6.1.1-01", needs_hpet)
{
        const word_t page = page_alloc(0);
        request(mem(hpet_address() >> NOVA_PAGE_BITS, 0, NOVA_MEM_R), page);
        const volatile uint32_t *registers =
                (const volatile uint32_t *)((page << NOVA_PAGE_BITS) +
                                            hpet_address() % NOVA_PAGE_SIZE);
        EXPECT(registers[1] != 0 && registers[1] <= 100000000); /* its period, at most 100 ns */
}

CASE_ON(device, pci_configuration_space_can_be_requested, "D-32.2 6.1.1-01", needs_pci_window)
{
        for (unsigned function = 0; function < 0x100; function += 8) {
                const volatile uint32_t *registers =
                        (const volatile uint32_t *)(pci_page(function) << NOVA_PAGE_BITS);
                EXPECT_EQ(registers[0], pci_read(function, 0));
        }
}

static const char *needs_pci_descriptor(void)
{
        return hip->features & NOVA_HIP_PCI ? NULL
                                            : "needs the extension of PCI memory descriptors";
}

CASE_ON(device, pci_configuration_space_is_announced_as_firmware_names_it, "X-PCI",
        needs_pci_descriptor)
{
        const struct nova_hip_mem *m = hip_mem(NOVA_MEM_PCI);
        if (!pci_frame(0)) {
                EXPECT(!m);
                return;
        }
        EXPECT(m);
        EXPECT_EQ(m->addr, (uint64_t)pci_frame(0) << NOVA_PAGE_BITS);
        EXPECT_EQ(m->aux, 0);
        EXPECT(m->size > 0 && m->size % 0x100000 == 0 && m->size >> 20 <= 256);
        EXPECT(got(pci_frame(0) + (word_t)(m->size >> NOVA_PAGE_BITS) - 1));
}

CASE(device, the_area_of_the_firmware_can_be_requested, "D-32.2 6.1.1-01 C-08")
{
        for (word_t frame = 0xa0; frame < 0x100; frame += 3)
                EXPECT(got(frame));
}
