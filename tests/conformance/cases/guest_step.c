/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: single steps over instructions that exit and that the kernel or the VMM emulates, and an
 * IRET that faults. */
#include "guest.h"

#define HANDLER   0x3000 /* handler_32, for #DB */
#define HALT_AT   (HANDLER + 3)
#define STEP      0x4000 /* DR6.BS */
#define DR6_BITS  0xe00f
#define FLAG_TF   0x100
#define SHADOWS   3u
#define INJECT_DB (NOVA_INJ_VALID | NOVA_INJ_EXCEPTION | NOVA_EXC_DB)
#define PORT      0x80 /* writes to this port have no effect */
#define PCI_PORTS 0xcf8
#define EVENTS_AT 0x2000

GUEST(handler_32, 32, "movl %dr6, %eax; hlt");

/* Starts a flat guest that single-steps from its first instruction on. Returns the MTD of the
 * reply. */
static nova_mtd_t stepping(struct guest *g)
{
        const nova_mtd_t mtd = guest_flat(g);

        for (unsigned i = 0; handler_32 + i < handler_32_end; i++)
                g->memory[HANDLER + i] = handler_32[i];
        guest_gate(g, 1, HANDLER);
        g->state->flags = 0x2 | FLAG_TF;
        return mtd;
}

/* Checks that the guest is in its handler after a step, and that the handler returns to next. */
static void expect_step(const struct guest *g, word_t next)
{
        const uint32_t *stack = guest_word(g, g->state->sp);

        EXPECT_EQ(g->state->ip, HALT_AT);
        EXPECT_EQ(g->state->ax & DR6_BITS, STEP);
        EXPECT_EQ(g->utcb->event.more.dr6 & DR6_BITS, STEP);
        EXPECT_EQ(stack[0], next);
        EXPECT_EQ(stack[2] & FLAG_TF, FLAG_TF);
        EXPECT_EQ(g->state->flags & FLAG_TF, 0);
}

/* ---- Done by the kernel ---------------------------------------------------------------------- */

GUEST(port_32, 32, "outb %al, $0x80; hlt");

/* Makes a virtual CPU in the PD of a thread. This thread receives the ports for the PD. */
static struct guest *guest_with_ports(const char *code, const char *end, word_t port,
                                      unsigned order)
{
        struct guest *g = guest_new(boot_cpu, code, end);
        struct thread *t = child_server(child_new(boot_cpu));

        EXPECT_EQ(request(io(port, order), port), io(port, order));
        EXPECT_EQ(give(t, io(port, order), port), io(port, order));
        for (word_t event = 0; event < 256; event++)
                give(t, obj(g->portals + event, NOVA_PERM_ALL), EVENTS_AT + event);
        g->pd = t->child->pd;
        g->ec = sel_alloc(0);
        EXPECT_EQ(hc_create_ec(g->ec, g->pd, boot_cpu, 0, EVENTS_AT, 0), NOVA_SUCCESS);
        return g;
}

CASE_ON(guest_step, a_port_of_the_guests_pd_is_the_guests_and_a_step_over_it_is_reported,
        "7.2-52 7.2-113", needs_virtualization)
{
        struct guest *g = guest_with_ports(port_32, port_32_end, PORT, 0);

        guest_until(g, guest_flat(g), EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 2);
        EXPECT_EQ(g->count, 2);
        g = guest_with_ports(port_32, port_32_end, PORT, 0);
        guest_until(g, stepping(g), EXIT_HLT);
        expect_step(g, GUEST_CODE + 2);
        EXPECT_EQ(g->count, 2);
}

GUEST(ports_32, 32, "sti; outb %al, $0x80; hlt; inb $0x80, %al; hlt; inw $0x80, %ax; hlt");

CASE_ON(guest_step, a_port_access_ends_the_shadow_of_sti_and_needs_all_of_its_ports,
        "7.2-52 7.2-113 7.4-52 8.4-37", needs_virtualization)
{
        struct guest *g = guest_with_ports(ports_32, ports_32_end, PORT, 0);
        const nova_mtd_t mtd = guest_flat(g);

        guest_until(g, mtd, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 3);
        EXPECT_EQ(g->state->intr_state & SHADOWS, 0);
        g->state->ip++;
        g->state->ax = 0x12345678;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_ACDB, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 6);
        EXPECT_EQ(g->state->ax >> 8, 0x123456);
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP, EXIT_PORT); /* the guest has port 0x80, but not 0x81 */
        EXPECT_EQ(g->state->ip, GUEST_CODE + 7);
}

/* Accesses PCI configuration space by its two ports, one for the address and one for the word at
 * this address. The host bridge has a vendor, and a byte that keeps the value written to it. */
GUEST(widths_32, 32,
      "movw $0xcf8, %dx; movl $0x80000000, %eax; outl %eax, %dx; xorl %eax, %eax; inl %dx, %eax; "
      "hlt; movw $0xcfc, %dx; movl $0x12345678, %eax; inw %dx, %ax; hlt; "
      "movw $0xcf8, %dx; movl $0x8000003c, %eax; outl %eax, %dx; movw $0xcfc, %dx; "
      "movl $0x12345607, %eax; outw %ax, %dx; xorl %eax, %eax; inb %dx, %al; hlt");

CASE_ON(guest_step, a_guest_reaches_ports_of_its_pd_with_8_16_and_32_bits, "7.2-52 7.2-113",
        needs_virtualization)
{
        struct guest *g = guest_with_ports(widths_32, widths_32_end, PCI_PORTS, 3);

        guest_until(g, guest_flat(g), EXIT_HLT);
        EXPECT_EQ(g->state->ax, 0x80000000);
        EXPECT_EQ(g->count, 2);
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP, EXIT_HLT);
        EXPECT_EQ(g->state->ax >> 16, 0x1234);
        EXPECT((uint16_t)g->state->ax != 0xffff && (uint16_t)g->state->ax != 0x5678);
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP, EXIT_HLT);
        EXPECT_EQ(g->state->ax, 7);
        EXPECT_EQ(g->count, 4);
}

#if __SIZEOF_POINTER__ == 8
/* The general registers by their numbers in instructions. */
static const uint16_t registers[] = {
        offsetof(struct nova_utcb_state, ax),  offsetof(struct nova_utcb_state, cx),
        offsetof(struct nova_utcb_state, dx),  offsetof(struct nova_utcb_state, bx),
        offsetof(struct nova_utcb_state, sp),  offsetof(struct nova_utcb_state, bp),
        offsetof(struct nova_utcb_state, si),  offsetof(struct nova_utcb_state, di),
        offsetof(struct nova_utcb_state, r8),  offsetof(struct nova_utcb_state, r9),
        offsetof(struct nova_utcb_state, r10), offsetof(struct nova_utcb_state, r11),
        offsetof(struct nova_utcb_state, r12), offsetof(struct nova_utcb_state, r13),
        offsetof(struct nova_utcb_state, r14), offsetof(struct nova_utcb_state, r15),
};

static word_t *register_of(const struct guest *g, unsigned number)
{
        return (word_t *)(void *)((char *)g->state + registers[number]);
}

/* Writes the code: a move between CR8 and a general register, then hlt. */
static void place_cr8(struct guest *g, unsigned number, bool write)
{
        g->memory[GUEST_CODE] = (char)(0x44 | number >> 3);
        g->memory[GUEST_CODE + 1] = 0x0f;
        g->memory[GUEST_CODE + 2] = write ? 0x22 : 0x20;
        g->memory[GUEST_CODE + 3] = (char)(0xc0 | (number & 7));
        g->memory[GUEST_CODE + 4] = (char)0xf4;
        g->state->ip = GUEST_CODE;
}

CASE_ON(guest_step, cr8_moves_to_and_from_each_general_register, "8.3-15", needs_virtualization_64)
{
        const nova_mtd_t next = NOVA_MTD_EIP | NOVA_MTD_ACDB | NOVA_MTD_BSD | NOVA_MTD_ESP |
                                NOVA_MTD_R8_R15 | NOVA_MTD_CR8;
        struct guest *g = guest_new(boot_cpu, handler_32, handler_32_end);
        nova_mtd_t mtd = guest_long(g) | next;

        for (unsigned number = 0; number < 16; number++) {
                place_cr8(g, number, true);
                *register_of(g, number) = 15 - number;
                g->state->cr8 = number;
                guest_until(g, mtd, EXIT_HLT);
                EXPECT_EQ(g->state->ip, GUEST_CODE + 4);
                EXPECT_EQ(g->state->cr8, 15 - number);
                EXPECT_EQ(*register_of(g, number), 15 - number);
                mtd = next;
                place_cr8(g, number, false);
                *register_of(g, number) = (word_t)-1;
                g->state->cr8 = number;
                guest_until(g, mtd, EXIT_HLT);
                EXPECT_EQ(g->state->ip, GUEST_CODE + 4);
                EXPECT_EQ(*register_of(g, number), number);
                EXPECT_EQ(g->state->cr8, number);
        }
}

GUEST(step_64, 64, "movq %cr8, %rbx; hlt; movq %dr6, %rax; hlt");

CASE_ON(guest_step, a_step_over_cr8_is_reported, "8.3-15", needs_virtualization_64)
{
        struct guest *g = guest_new(boot_cpu, step_64, step_64_end);
        const nova_mtd_t mtd = guest_long(g);

        guest_gate(g, 2,
                   GUEST_CODE + 5); /* gate of #DB: a gate of 64-bit mode takes the space of two */
        g->state->idtr.base = GUEST_IDT;
        g->state->flags = 0x2 | FLAG_TF;
        g->state->cr8 = 6;
        guest_until(g, mtd | NOVA_MTD_CR8, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE + (word_t)(step_64_end - step_64) - 1);
        EXPECT_EQ(g->state->ax & DR6_BITS, STEP);
        EXPECT_EQ(g->state->bx, 6);
        EXPECT_EQ(*(uint64_t *)(void *)(g->memory + g->state->sp), GUEST_CODE + 4);
}
#endif

/* ---- Emulated by the monitor, or restarted --------------------------------------------------- */

GUEST(cpuid_32, 32, "cpuid; hlt");

/* The injection of an exception leaves DR6 unchanged, so a VMM that skips an instruction must write
 * DR6. */
CASE_ON(guest_step, a_monitor_that_skips_an_instruction_reports_the_step, "7.4-51 8.4-36",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, cpuid_32, cpuid_32_end);
        const nova_mtd_t mtd = stepping(g);

        g->state->ctrl[0] = needs_svm() ? 0 : 1u << 18;
        g->state->ctrl[1] = 0;
        guest_until(g, mtd | NOVA_MTD_CTRL, EXIT_CPUID);
        EXPECT_EQ(g->utcb->event.more.dr6 & DR6_BITS, 0);
        g->state->ip += 2;
        g->state->inj_info = INJECT_DB;
        g->utcb->event.more.dr6 |= STEP;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_INJ | NOVA_MTD_DEBUG, EXIT_HLT);
        expect_step(g, GUEST_CODE + 2);
}

GUEST(touch_32, 32, "movl 0x20000, %ebx; hlt");

CASE_ON(guest_step, an_instruction_that_begins_again_is_one_step, "7.2-66 7.2-132",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, touch_32, touch_32_end);

        guest_until(g, stepping(g), EXIT_MEMORY);
        guest_give(g, mem(page_of(memory(0)), 0, NOVA_MEM_RWX), 0x20, NOVA_ITEM_G);
        guest_until(g, 0, EXIT_HLT);
        const uint32_t *stack = guest_word(g, g->state->sp);
        if (!needs_vmx() && stack[0] == GUEST_CODE)
                NOT_RAISED("needs an exit that drops the pending step of an instruction");
        expect_step(g, GUEST_CODE + 6);
}

static const char *needs_virtualization_of_hardware(void)
{
        return needs_virtualization() ? needs_virtualization() : needs_hardware();
}

GUEST(mov_ss_32, 32, "movl %eax, %ss; movl 0x20000, %ebx; hlt");

/* MOV to SS also delays the #DB of its own step; an entry in between must keep it pending. */
CASE_ON(guest_step, a_step_that_mov_to_ss_delays_comes_after_the_next_instruction,
        "7.4-52 7.4-53 8.4-37 8.4-38", needs_virtualization_of_hardware)
{
        const nova_mtd_t answers[] = {0, NOVA_MTD_STA | NOVA_MTD_EFL};

        for (unsigned i = 0; i < 2; i++) {
                struct guest *g = guest_new(boot_cpu, mov_ss_32, mov_ss_32_end);
                const nova_mtd_t mtd = stepping(g);
                g->state->ax = 16;
                guest_until(g, mtd, EXIT_MEMORY);
                EXPECT_EQ(g->state->ip, GUEST_CODE + 2);
                EXPECT(g->state->intr_state & SHADOWS);
                guest_give(g, mem(page_of(memory(0)), 0, NOVA_MEM_RWX), 0x20, NOVA_ITEM_G);
                guest_until(g, answers[i], EXIT_HLT);
                expect_step(g, GUEST_CODE + 8);
        }
}

/* ---- IRET ------------------------------------------------------------------------------------ */

/* The handler of NMIs returns on a stack that is not mapped yet; then the guest halts. */
GUEST(iret_32, 32, "movl $0x20000, %esp; iret; hlt; hlt");

#define IRET_AT     (GUEST_CODE + 5)
#define BEHIND_IRET (GUEST_CODE + 6)
#define BLOCKED_NMI 8u
#define BY_IRET     0x1000 /* exit qualification of VMX: the IRET had unblocked NMIs */
#define INJECT_NMI  (NOVA_INJ_VALID | NOVA_INJ_NMI | 2)
#define NMI_WINDOW  NOVA_INJ_NMI_WINDOW

CASE_ON(guest_step, an_iret_that_faults_and_begins_again_unblocks_nmis_once,
        "7.2-30 7.4-52 8.4-37 7.4-50 8.4-35", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, iret_32, iret_32_end);
        const nova_mtd_t mtd = guest_flat(g);
        uint32_t *frame = (uint32_t *)(void *)memory(0);

        frame[0] = BEHIND_IRET, frame[1] = 8, frame[2] = 0x2;
        guest_gate(g, 2, GUEST_CODE);
        g->state->inj_info = INJECT_NMI;
        guest_until(g, mtd | NOVA_MTD_INJ, EXIT_MEMORY);
        EXPECT_EQ(g->state->ip, IRET_AT);
        EXPECT_EQ(g->utcb->event.more.gpa & ~(uint64_t)0xfff, 0x20000);
        EXPECT_EQ(g->state->inj_info & 0x80000000, 0);
        guest_give(g, mem(page_of(frame), 0, NOVA_MEM_RWX), 0x20, NOVA_ITEM_G);
        if (!needs_vmx()) {
                EXPECT_EQ(g->state->qual[0] & BY_IRET, BY_IRET);
                EXPECT_EQ(g->state->intr_state & BLOCKED_NMI, BLOCKED_NMI);
                g->state->inj_info = NMI_WINDOW; /* the window opens after the IRET */
                EXPECT_EQ(guest_run(g, NOVA_MTD_INJ), 0x08);
                EXPECT_EQ(g->state->ip, BEHIND_IRET);
        }
        guest_until(g, 0, EXIT_HLT);
        EXPECT_EQ(g->state->ip, BEHIND_IRET);
        EXPECT_EQ(g->state->intr_state & BLOCKED_NMI, 0);
        g->state->sp = GUEST_STACK;
        g->state->inj_info = INJECT_NMI; /* the next NMI arrives */
        guest_until(g, NOVA_MTD_ESP | NOVA_MTD_INJ, EXIT_HLT);
        EXPECT_EQ(g->state->ip, BEHIND_IRET);
        EXPECT_EQ(g->state->sp, 0x2000c);
}

/* ---- Guarded debug registers ----------------------------------------------------------------- */

GUEST(guarded_32, 32, "movl %dr0, %ebx; hlt");

/* DR7.GD: the handler of the #DB may access the debug registers. */
CASE_ON(guest_step, an_access_to_guarded_debug_registers_faults_once, "7.2-85 D-16",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, guarded_32, guarded_32_end);
        const nova_mtd_t mtd = stepping(g);

        g->state->flags = 0x2;
        g->state->dr7 = 0x2400;
        guest_until(g, mtd | NOVA_MTD_DR, EXIT_HLT);
        if (g->state->ip != HALT_AT)
                NOT_RAISED("needs more than QEMU's TCG");
        EXPECT_EQ(g->state->ax & DR6_BITS, 0x2000);
        EXPECT_EQ(g->state->dr7, 0x400);
}
