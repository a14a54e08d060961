/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages as interrupts: MSI of edu, MSI-X of an NVMe controller, timers of the HPET. */
#include "device.h"

#define ALL         NOVA_PERM_ALL
#define MESSAGE_GSI 101 /* no PC on which the suite runs has a pin with this number */

struct message {
        word_t address, data;
};

static struct message assign(nova_sel_t sm, word_t device, unsigned cpu)
{
        struct message m;
        EXPECT_EQ(hc_assign_gsi(sm, device, cpu, &m.address, &m.data), NOVA_SUCCESS);
        EXPECT(m.address != 0);
        return m;
}

static void counts_downs(struct thread *t)
{
        while (hc_sm_ctrl(t->value[0], NOVA_SM_DN_OP) == NOVA_SUCCESS)
                t->value[1]++;
}

static struct thread *waiter(unsigned cpu, nova_sel_t sm)
{
        struct thread *t = global(cpu, counts_downs, NULL);
        t->value[0] = sm;
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT(wait_for(&t->started, 1));
        spin_us(1000);
        return t;
}

/* ---- MSI: edu -------------------------------------------------------------------------------- */

static struct edu edu;

/* Lets edu send its interrupts as messages for a GSI, to a CPU. Returns the GSI's semaphore. */
static nova_sel_t edu_message(unsigned gsi, unsigned cpu)
{
        edu = edu_open(0);
        const nova_sel_t sm = gsi_open(gsi);
        const struct message m = assign(sm, pci_page(edu.function), cpu);
        msi_set(edu.function, m.address, m.data);
        return sm;
}

static void edu_raise(void)
{
        edu.registers[EDU_RAISE] = 1;
        edu.registers[EDU_ACK] = 1;
}

#define EDU_CASE(name, ids) CASE_ON(message, name, ids, needs_edu_message)

static const char *needs_edu_message(void)
{
        return needs_edu() ? needs_edu() : needs_pci_window();
}

EDU_CASE(a_message_is_an_up_of_the_semaphore_it_was_assigned_to, "5.5.2-03 5.5.2-05 3.4-03")
{
        const nova_sel_t sm = edu_message(MESSAGE_GSI, boot_cpu);
        struct thread *t = waiter(boot_cpu, sm);
        for (unsigned i = 1; i <= 50; i++) {
                edu_raise();
                EXPECT(wait_for(&t->value[1], i));
        }
        EXPECT(comes_to_rest(&t->value[1]));
        EXPECT_EQ(t->value[1], 50);
        msi_off(edu.function);
}

EDU_CASE(messages_without_a_waiter_are_counted, "5.5.2-05 3.4-03")
{
        const nova_sel_t sm = edu_message(MESSAGE_GSI, boot_cpu);
        for (unsigned i = 0; i < 7; i++) {
                edu_raise();
                spin_us(1000);
        }
        struct thread *t = waiter(boot_cpu, sm);
        EXPECT(wait_for(&t->value[1], 7));
        EXPECT(comes_to_rest(&t->value[1]));
        EXPECT_EQ(t->value[1], 7);
        msi_off(edu.function);
}

EDU_CASE(a_function_is_named_by_any_byte_of_its_page_and_by_its_selector,
         "5.5.2-03 D-07 D-07.2 5.5.2-08")
{
        edu = edu_open(0);
        const nova_sel_t sm = gsi_open(MESSAGE_GSI);
        const word_t page = pci_page(edu.function), address = page << NOVA_PAGE_BITS;
        const word_t devices[] = {page, address, address + 4, address + 0xfff};
        for (unsigned i = 0; i < 4; i++) {
                const struct message m = assign(sm, devices[i], boot_cpu);
                msi_set(edu.function, m.address, m.data);
                edu_raise();
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
        }
        msi_off(edu.function);
}

EDU_CASE(each_message_gsi_has_a_message_of_its_own, "5.5.2-02 5.5.2-05 3.4-01")
{
        static const unsigned gsis[] = {48, 77, 126, 127};
        for (unsigned i = 0; i < 4; i++) {
                const nova_sel_t other = gsi_open(gsis[(i + 1) % 4]);
                const nova_sel_t sm = edu_message(gsis[i], boot_cpu);
                struct thread *t = waiter(boot_cpu, other);
                edu_raise();
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
                EXPECT_EQ(t->value[1], 0);
                hc_revoke(obj(t->sc, ALL), NOVA_REVOKE_SR);
                hc_revoke(obj(t->ec, ALL), NOVA_REVOKE_SR);
        }
        msi_off(edu.function);
}

CASE_ON(message, a_message_can_go_to_each_cpu, "5.5.2-01 5.5.2-05", needs_edu_message)
{
        word_t addresses[4] = {0};
        for (unsigned i = 0; i < cpu_count && i < 4; i++) {
                const nova_sel_t sm = gsi_open(MESSAGE_GSI);
                edu = edu_open(0);
                const struct message m = assign(sm, pci_page(edu.function), cpu_numbers[i]);
                addresses[i] = m.address;
                msi_set(edu.function, m.address, m.data);
                for (unsigned n = 0; n < 5; n++) {
                        edu_raise();
                        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
                }
        }
        EXPECT(cpu_count == 1 || addresses[0] != addresses[1]);
        msi_off(edu.function);
}

EDU_CASE(two_functions_can_share_a_semaphore, "5.5.2-02 5.5.2-05")
{
        if (needs_2_edus())
                NOT_RAISED("needs two of QEMU's device edu");
        const struct edu other = edu_open(1);
        const nova_sel_t sm = edu_message(MESSAGE_GSI, boot_cpu);
        const struct message m = assign(sm, pci_page(other.function), boot_cpu);
        msi_set(other.function, m.address, m.data);
        struct thread *t = waiter(boot_cpu, sm);
        edu_raise();
        EXPECT(wait_for(&t->value[1], 1));
        other.registers[EDU_RAISE] = 1;
        other.registers[EDU_ACK] = 1;
        EXPECT(wait_for(&t->value[1], 2));
        msi_off(edu.function);
        msi_off(other.function);
}

static void assigns(struct thread *t)
{
        word_t address, data;
        t->value[3] = hc_assign_gsi(t->value[0], t->value[1], t->value[2], &address, &data);
        t->value[4] = address;
        t->value[5] = data;
}

EDU_CASE(the_device_is_looked_up_in_the_callers_pd, "5.5.2-03 5.5.2-11")
{
        edu = edu_open(0);
        const nova_sel_t sm = gsi_open(MESSAGE_GSI);
        struct thread *t = child_server(child_new(boot_cpu));
        const word_t page = pci_page(edu.function), theirs = page_alloc(0);
        give(t, obj(sm, NOVA_SM_DN), CHILD_FREE_SEL);
        t->value[0] = CHILD_FREE_SEL;
        t->value[1] = page;
        t->value[2] = boot_cpu;
        remote(t, assigns, NULL);
        EXPECT_EQ(t->value[3], NOVA_BAD_DEV);
        give(t, mem(page, 0, NOVA_MEM_R), theirs);
        t->value[1] = theirs;
        remote(t, assigns, NULL);
        EXPECT_EQ(t->value[3], NOVA_SUCCESS);
        msi_set(edu.function, t->value[4], t->value[5]);
        edu_raise();
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
        msi_off(edu.function);
        hc_revoke(obj(sm, ALL), 0);
        hc_revoke(mem(page, 0, NOVA_MEM_RWX), 0);
}

#define PATTERN (~(word_t)0 / 3)

CASE_ON(message, assign_gsi_fills_its_two_results_and_keeps_a4_and_a5,
        "7.5-56 7.5-57 7.5-58 7.5-59 7.5-60 7.5-61 8.5-58 8.5-59 8.5-60 8.5-61 8.5-62 8.5-63 "
        "D-08.2",
        needs_pci_window)
{
        struct gpr before, after;
        const nova_sel_t sm = gsi_open(MESSAGE_GSI);
        const word_t page = pci_page(0);
        const struct message m = assign(sm, page, boot_cpu);
        for (unsigned i = 0; i < sizeof(before) / sizeof(word_t); i++)
                ((word_t *)&before)[i] = PATTERN + i;
        before.flags = 0x202;
        before.GPR_A1 = nova_hypercall_id(NOVA_ASSIGN_GSI, 0, sm);
        before.GPR_A2 = page;
        before.GPR_A3 = boot_cpu;
        after = before;
        trap(&after);
        EXPECT_EQ(after.GPR_A1, NOVA_SUCCESS);
        EXPECT_EQ(after.GPR_A2, m.address);
        EXPECT_EQ(after.GPR_A3, m.data);
        EXPECT_EQ(after.GPR_A3 >> 16 >> 16, 0);
        EXPECT_EQ(after.GPR_A4, before.GPR_A4);
        EXPECT_EQ(after.GPR_A5, before.GPR_A5);
}

/* ---- MSI-X: an NVMe controller --------------------------------------------------------------- */

#define NVME_ID       0x00101b36
#define NVME_CC       (0x14 / 4)
#define NVME_CSTS     (0x1c / 4)
#define NVME_AQA      (0x24 / 4)
#define NVME_ASQ      (0x28 / 4)
#define NVME_ACQ      (0x30 / 4)
#define NVME_DOORBELL (0x1000 / 4)
#define NVME_ENABLE   0x460001 /* queue entries of 64 and 16 bytes */
#define NVME_QUEUE    16
#define NVME_GET      0x0a /* the command Get Features */
#define NVME_QUEUES   7    /* its feature "number of queues", which needs no data */
#define MSI_X_ENABLE  0x80000000u
#define MSI_X_MASKED  1u

static struct {
        unsigned function;
        volatile uint32_t *registers, *commands, *completions, *entry;
        uint32_t tail, head;
} nvme;

static const char *needs_nvme(void)
{
        return pci_find(NVME_ID, 0) == PCI_NONE ? "needs an NVMe controller" : needs_pci_window();
}

/* Allocates one page for a queue, and writes its address to the controller's register reg. */
static volatile uint32_t *queue(unsigned reg)
{
        word_t frame;
        EXPECT(frame_alloc(0, &frame));
        const word_t page = page_alloc(0);
        EXPECT(request(mem(frame, 0, NOVA_MEM_R | NOVA_MEM_W), page) != 0);
        volatile uint32_t *memory = (volatile uint32_t *)(page << NOVA_PAGE_BITS);
        for (unsigned i = 0; i < NOVA_PAGE_SIZE / 4; i++)
                memory[i] = 0;
        nvme.registers[reg] = (uint32_t)(frame << NOVA_PAGE_BITS);
        nvme.registers[reg + 1] = 0;
        return memory;
}

/* Enables MSI-X. Returns the first entry of the message table. */
static volatile uint32_t *msi_x_open(unsigned function)
{
        const unsigned at = pci_capability(function, PCI_CAP_MSI_X);
        EXPECT(at != 0);
        const uint32_t place = pci_read(function, at + 4), offset = place & ~7u;
        const volatile uint32_t *bar = pci_map(function, place & 7, 2);
        pci_write(function, at, pci_read(function, at) | MSI_X_ENABLE);
        EXPECT(offset < 4 * NOVA_PAGE_SIZE);
        return (volatile uint32_t *)((word_t)bar + offset);
}

static void nvme_open(void)
{
        nvme.function = pci_find(NVME_ID, 0);
        nvme.registers = pci_map(nvme.function, 0, 1);
        nvme.registers[NVME_CC] = 0;
        nvme.commands = queue(NVME_ASQ);
        nvme.completions = queue(NVME_ACQ);
        nvme.tail = nvme.head = 0;
        nvme.registers[NVME_AQA] = (NVME_QUEUE - 1) << 16 | (NVME_QUEUE - 1);
        nvme.entry = msi_x_open(nvme.function);
        nvme.registers[NVME_CC] = NVME_ENABLE;
        for (unsigned i = 0; i < 1000 && !(nvme.registers[NVME_CSTS] & 1); i++)
                spin_us(1000);
        EXPECT_EQ(nvme.registers[NVME_CSTS] & 3, 1);
}

static void nvme_message(nova_sel_t sm, unsigned cpu)
{
        const struct message m = assign(sm, pci_page(nvme.function), cpu);
        nvme.entry[0] = (uint32_t)m.address;
        nvme.entry[1] = 0;
        nvme.entry[2] = (uint32_t)m.data;
        nvme.entry[3] = 0;
}

static void nvme_command(void)
{
        volatile uint32_t *command = nvme.commands + nvme.tail * 16;
        command[0] = NVME_GET | (nvme.tail + 1) << 16;
        command[10] = NVME_QUEUES;
        nvme.tail = (nvme.tail + 1) % NVME_QUEUE;
        nvme.registers[NVME_DOORBELL] = nvme.tail;
}

/* Takes a completion off its queue. */
static void nvme_done(void)
{
        EXPECT_EQ(nvme.completions[nvme.head * 4 + 3] & 0xffff, nvme.head + 1);
        nvme.head = (nvme.head + 1) % NVME_QUEUE;
        nvme.registers[NVME_DOORBELL + 1] = nvme.head;
}

CASE_ON(message, msi_x_of_a_disk_controller_announces_each_completion, "5.5.2-03 5.5.2-05",
        needs_nvme)
{
        const nova_sel_t sm = gsi_open(MESSAGE_GSI);
        nvme_open();
        for (unsigned i = 0; i < NVME_QUEUE - 1; i++) {
                nvme_message(sm, cpu_numbers[i % cpu_count]);
                nvme_command();
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
                nvme_done();
        }
        nvme.registers[NVME_CC] = 0;
}

CASE_ON(message, msi_x_that_the_device_masks_arrives_when_it_is_unmasked, "5.5.2-05", needs_nvme)
{
        const nova_sel_t sm = gsi_open(MESSAGE_GSI);
        nvme_open();
        nvme_message(sm, boot_cpu);
        nvme.entry[3] = MSI_X_MASKED;
        struct thread *t = waiter(boot_cpu, sm);
        nvme_command();
        spin_us(50000);
        EXPECT_EQ(t->value[1], 0);
        nvme.entry[3] = 0;
        EXPECT(wait_for(&t->value[1], 1));
        nvme_done();
        nvme.registers[NVME_CC] = 0;
}

/* ---- The HPET -------------------------------------------------------------------------------- */

#define HPET_PERIOD  (0x04 / 4) /* femtoseconds */
#define HPET_CONFIG  (0x10 / 4)
#define HPET_COUNTER (0xf0 / 4)
#define HPET_TIMER   (0x100 / 4)
#define HPET_COMPARE (0x108 / 4)
#define HPET_DATA    (0x110 / 4)
#define HPET_ADDRESS (0x114 / 4)
#define TIMER_ENABLE 0x4u
#define TIMER_32     0x100u
#define TIMER_FSB    0x4000u

static word_t hpet_page(void)
{
        const word_t page = page_alloc(0);
        request(mem(hpet_address() >> NOVA_PAGE_BITS, 0, NOVA_MEM_R | NOVA_MEM_W), page);
        EXPECT(look(NOVA_CRD_MEM, page) != 0);
        return page;
}

CASE_ON(message, an_hpet_is_named_by_its_base_and_by_its_selector, "5.5.2-04 D-07 D-07.3",
        needs_hpet)
{
        const nova_sel_t sm = gsi_open(MESSAGE_GSI);
        const word_t page = hpet_page();
        const word_t base = (page << NOVA_PAGE_BITS) + hpet_address() % NOVA_PAGE_SIZE;
        word_t address, data;
        const struct message a = assign(sm, base, boot_cpu), b = assign(sm, page, boot_cpu);
        EXPECT_EQ(a.address, b.address);
        EXPECT_EQ(a.data, b.data);
        EXPECT_EQ(hc_assign_gsi(sm, base + 4, boot_cpu, &address, &data), NOVA_BAD_DEV);
        EXPECT_EQ(hc_assign_gsi(sm, base + 0xfff, boot_cpu, &address, &data), NOVA_BAD_DEV);
}

CASE_ON(message, a_timer_of_the_hpet_sends_messages, "5.5.2-04 5.5.2-05 3.4-02", needs_hpet_msi)
{
        const nova_sel_t sm = gsi_open(MESSAGE_GSI);
        const word_t page = hpet_page();
        volatile uint32_t *hpet =
                (volatile uint32_t *)((page << NOVA_PAGE_BITS) + hpet_address() % NOVA_PAGE_SIZE);
        hpet[HPET_CONFIG] = 1;
        for (unsigned i = 0; i < 2 * cpu_count; i++) {
                const struct message m = assign(sm, page, cpu_numbers[i % cpu_count]);
                const uint64_t begin = tsc();
                hpet[HPET_ADDRESS] = (uint32_t)m.address;
                hpet[HPET_DATA] = (uint32_t)m.data;
                hpet[HPET_TIMER] = TIMER_32 | TIMER_FSB;
                hpet[HPET_COMPARE] = hpet[HPET_COUNTER] + (uint32_t)((uint64_t)5000 * 1000000 /
                                                                     (hpet[HPET_PERIOD] / 1000));
                hpet[HPET_TIMER] |= TIMER_ENABLE;
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
                EXPECT(tsc() - begin > tsc_per_ms() * 4);
                hpet[HPET_TIMER] = 0;
        }
}
