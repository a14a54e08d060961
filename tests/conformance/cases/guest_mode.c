/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: modes of the CPU and of paging, reserved bits, all MSRs, and an FPU separate from the
 * host's. */
#include "guest.h"

#define GP 13
#define PF 14

/* ---- Paging ---------------------------------------------------------------------------------- */

/* EBX: the new CR4. ESI: an address in the second half of the address space, which maps the memory
 * of the first half again. EDI: an address beyond the second half. */
GUEST(paging_32, 32,
      "movl %ebx, %cr4; movl $0xa000, %eax; movl %eax, %cr3; movl $0x80000011, %eax;"
      "movl %eax, %cr0; movl 0x9000, %ecx; movl (%esi), %edx; movl (%edi), %eax; hlt");

static void expect_paging(struct guest *g, nova_mtd_t mtd, word_t cr4, word_t second)
{
        guest_gates(g);
        *guest_word(g, 0x9000) = 0x600d;
        g->state->bx = cr4;
        g->state->si = second + 0x9000;
        g->state->di = 2 * second + 0x123;
        guest_until(g, mtd, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_HANDLERS + PF);
        EXPECT_EQ(g->state->cx, 0x600d);
        EXPECT_EQ(g->state->dx, 0x600d);
        EXPECT_EQ(g->state->cr2, 2 * second + 0x123);
        EXPECT_EQ(*guest_word(g, g->state->sp), 0); /* error code: a read, page not present */
}

CASE_ON(guest_mode, paging_of_32_bits_goes_through_the_guests_tables_and_faults_in_the_guest,
        "4.6.2.2-23 7.2-50", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, paging_32, paging_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        *guest_word(g, GUEST_TABLE) = *guest_word(g, GUEST_TABLE + 4) = 0x83; /* 4 MiB each */
        expect_paging(g, mtd, 0x10, 4u << 20);
}

#define FOUR_GIB ((uint64_t)1 << 32)

/* Expects that a message has the whole address of an access above 4 GiB, even if the monitor is a
 * 32-bit program. */
static void expect_far_address(void)
{
        struct guest *g = guest_new(boot_cpu, paging_32, paging_32_end);
        const nova_mtd_t mtd = guest_flat(g);
        uint64_t *tables = (uint64_t *)(void *)(g->memory + GUEST_TABLE);

        tables[0] = GUEST_TABLE + 0x1001;
        tables[512] = 0x83;
        tables[513] = FOUR_GIB + 0x83;
        g->state->bx = 0x20;
        g->state->si = (2u << 20) + 0x9000;
        guest_until(g, mtd, EXIT_MEMORY);
        EXPECT(g->state->qual[1] == FOUR_GIB + 0x9000);
        EXPECT(g->utcb->event.more.gpa == FOUR_GIB + 0x9000);
}

CASE_ON(guest_mode, paging_by_pae_goes_through_the_guests_tables_and_faults_in_the_guest,
        "4.6.2.2-23 7.2-50", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, paging_32, paging_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        *guest_word(g, GUEST_TABLE) = GUEST_TABLE + 0x1001;
        *guest_word(g, GUEST_TABLE + 0x1000) = *guest_word(g, GUEST_TABLE + 0x1008) =
                0x83; /* 2 MiB */
        expect_paging(g, mtd, 0x20, 2u << 20);
        if (!needs_vmx())
                expect_far_address();
}

/* ---- Paging of five levels ------------------------------------------------------------------- */

#define CR4_PAE  0x20
#define CR4_LA57 0x1000

static bool has_la57(void)
{
        uint32_t r[4];

        cpuid(0, 0, r);
        if (r[0] < 7)
                return false;
        cpuid(7, 0, r);
        return r[2] & 1u << 16;
}

/* On a CPU with LA57 a guest may set CR4.LA57, so nothing is refused there. */
CASE_ON(guest_mode, five_levels_of_paging_are_refused_where_the_cpu_has_four, "7.2-55 7.2-133",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, paging_32, paging_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        if (has_la57())
                NOT_RAISED("needs a CPU without LA57");
        g->state->cr4 = CR4_PAE | CR4_LA57;
        guest_until(g, mtd, EXIT_STATE);
}

#if __SIZEOF_POINTER__ == 8
#define TOP_TABLE 0x7000

static const char *needs_virtualization_with_la57(void)
{
        if (needs_virtualization_64())
                return needs_virtualization_64();
        return has_la57() ? NULL : "needs LA57";
}

GUEST(paging_64, 64, "movl (%rsi), %edx; movl (%rdi), %eax; hlt");

/* The second entry of the fifth-level table leads to the same four levels as the first, and the
 * third entry leads to nothing. */
CASE_ON(guest_mode, paging_of_five_levels_goes_through_the_guests_tables_and_faults_in_the_guest,
        "4.6.2.2-23 7.2-50", needs_virtualization_with_la57)
{
        struct guest *g = guest_new(boot_cpu, paging_64, paging_64_end);
        const nova_mtd_t mtd = guest_long(g);
        uint64_t *top = (uint64_t *)(void *)(g->memory + TOP_TABLE);

        top[0] = top[1] = GUEST_TABLE | 3;
        g->memory[GUEST_HANDLERS] = (char)0xf4;
        guest_gate(g, 2 * PF, GUEST_HANDLERS); /* a gate of 64-bit mode takes the space of two */
        *guest_word(g, 0x9000) = 0x600d;
        g->state->idtr.base = GUEST_IDT;
        g->state->cr3 = TOP_TABLE;
        g->state->cr4 = CR4_PAE | CR4_LA57;
        g->state->si = ((word_t)1 << 48) + 0x9000;
        g->state->di = ((word_t)2 << 48) + 0x123;
        guest_until(g, mtd, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_HANDLERS);
        EXPECT_EQ(g->state->dx, 0x600d);
        EXPECT_EQ(g->state->cr2, g->state->di);
        EXPECT_EQ(g->state->cr4, CR4_PAE | CR4_LA57);
}
#endif

/* ---- Reserved bits --------------------------------------------------------------------------- */

GUEST(cr4_32, 32, "movl %eax, %cr4; hlt");
GUEST(cr0_32, 32, "movl %eax, %cr0; hlt");

/* Lets the guest write one value. Returns true if the guest continues, and false if it gets #GP.
 * For a bit of CR4 that the CPU lacks, QEMU's TCG ends the guest as if its state had been refused,
 * instead of raising #GP. */
static bool takes(struct guest *g, nova_mtd_t mtd, word_t value)
{
        g->state->ip = GUEST_CODE;
        g->state->sp = GUEST_STACK;
        g->state->ax = value;
        g->state->cr0 = 0x11;
        g->state->cr4 = 0;
        const word_t event = guest_run(g, mtd);
        if (event == guest_event(EXIT_STATE) && needs_hardware())
                return false;
        EXPECT_EQ(event, guest_event(EXIT_HLT));
        EXPECT(g->state->ip == GUEST_CODE + 3 || g->state->ip == GUEST_HANDLERS + GP);
        return g->state->ip == GUEST_CODE + 3;
}

CASE_ON(guest_mode, reserved_bits_of_control_registers_fault_in_the_guest, "7.2-50 7.2-111",
        needs_virtualization)
{
        const nova_mtd_t next =
                NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_ACDB | NOVA_MTD_CR | NOVA_MTD_CS_SS;
        struct guest *g = guest_new(boot_cpu, cr4_32, cr4_32_end);
        nova_mtd_t mtd = guest_flat(g);

        guest_gates(g);
        for (unsigned bit = 0; bit < 32; bit++) {
                const bool taken = takes(g, mtd, (word_t)1 << bit);
                if (bit < 6) /* VME to PAE */
                        EXPECT(taken);
                if (bit == 15 || bit > 25)
                        EXPECT(!taken);
                mtd = next;
        }
        g = guest_new(boot_cpu, cr0_32, cr0_32_end);
        mtd = guest_flat(g);
        guest_gates(g);
        EXPECT(takes(g, mtd, 0x40000011));
        EXPECT(takes(g, next, 0x60000031));
        if (needs_hardware())
                return;                      /* TCG accepts these two */
        EXPECT(!takes(g, next, 0x80000010)); /* paging without protection */
        EXPECT(!takes(g, next, 0x20000011)); /* NW without CD */
}

#define CR0_PE_ET_WP 0x10011 /* CR4.CET needs WP */
#define CR4_KL       0x80000
#define CR4_CET      0x800000

static void expect_off(uint32_t bit)
{
        struct guest *g = guest_new(boot_cpu, cr4_32, cr4_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        guest_gates(g);
        g->state->cr0 = CR0_PE_ET_WP;
        if (!needs_hardware()) { /* see takes() */
                g->state->ax = bit;
                guest_until(g, mtd, EXIT_HLT);
                EXPECT_EQ(g->state->ip, GUEST_HANDLERS + GP);
        }
        g->state->ip = GUEST_CODE;
        g->state->sp = GUEST_STACK;
        g->state->cr4 = bit;
        guest_until(g, mtd, EXIT_STATE);
}

/* A guest that could set CR4.CET would run with the kernel's indirect-branch tracking. */
CASE_ON(guest_mode, no_guest_has_control_flow_enforcement, "7.2-50 7.2-55", needs_virtualization)
{
        expect_off(CR4_CET);
}

/* A guest that could set CR4.KL could replace the key of other guests. No CPU with SVM has it. */
CASE_ON(guest_mode, no_guest_has_key_locker, "7.2-50 7.2-55", needs_virtualization)
{
        expect_off(CR4_KL);
}

/* ---- MSRs ------------------------------------------------------------------------------------ */

/* Accesses EBX MSRs, beginning with number ECX; the monitor skips each access that exits. */
GUEST(msrs_32, 32, "1: wrmsr; rdmsr; incl %ecx; decl %ebx; jnz 1b; hlt");

static void expect_msrs(uint32_t first, unsigned count)
{
        struct guest *g = guest_new(boot_cpu, msrs_32, msrs_32_end);
        nova_mtd_t mtd = guest_flat(g);
        unsigned writes = 0, reads = 0;

        g->state->cx = first;
        g->state->bx = count;
        g->state->ax = g->state->dx = 0xffffffff;
        for (;;) {
                const word_t event = guest_run(g, mtd);
                if (event == guest_event(EXIT_HLT))
                        break;
                if (g->state->ip == GUEST_CODE)
                        EXPECT_EQ(event, guest_event(EXIT_WRMSR)), writes++;
                else
                        EXPECT_EQ(event, guest_event(EXIT_RDMSR)), reads++;
                EXPECT_EQ((uint32_t)g->state->cx, first + writes - 1);
                g->state->ip += 2;
                mtd = NOVA_MTD_EIP;
        }
        EXPECT_EQ(writes, count);
        EXPECT_EQ(reads, count);
}

CASE_ON(guest_mode, no_msr_that_a_guest_touches_is_the_hosts, "7.2-53 7.2-54 7.2-114",
        needs_virtualization)
{
        case_seconds(60);
        expect_msrs(0, 0x400);
        expect_msrs(0x800, 0x100); /* x2APIC */
        expect_msrs(0x40000000, 0x20);
        expect_msrs(0xc0000000, 0x180);
        expect_msrs(0xc0010000, 0x140);
        expect_msrs(0xfffffff0, 0x10);
}

/* ---- FPU ------------------------------------------------------------------------------------- */

/* Stores the values that it finds in XMM0, XMM7 and the x87 status at 0x9000. Then loads its own
 * values into XMM0, XMM7 and two x87 registers. */
GUEST(fpu_32, 32,
      "movups %xmm0, 0x9000; movups %xmm7, 0x9010; fnstsw 0x9020; pcmpeqd %xmm0, %xmm0;"
      "pcmpeqd %xmm7, %xmm7; fninit; fldpi; fldpi; hlt");

struct image {
        uint32_t word[128];
} __attribute__((aligned(16)));

static struct image before, after;

static const char *needs_virtualization_with_sse(void)
{
        return needs_virtualization() ? needs_virtualization() : needs_sse();
}

CASE_ON(guest_mode, the_hosts_fpu_state_stays_out_of_guests_and_is_kept, "2.2-09 2.2-11",
        needs_virtualization_with_sse)
{
        for (unsigned round = 0; round < 3; round++) {
                struct guest *g = guest_new(boot_cpu, fpu_32, fpu_32_end);
                const nova_mtd_t mtd = guest_flat(g);

                g->state->cr4 = 0x200; /* OSFXSR */
                *guest_word(g, 0x9000) = *guest_word(g, 0x9010) = *guest_word(g, 0x9020) = 77;
                __asm__ volatile("fninit; fld1; fxsave %0" : "=m"(before));
                for (unsigned i = 40; i < 72; i++)
                        before.word[i] = 0x1234567 * (i + round);
                __asm__ volatile("fxrstor %0" : : "m"(before));
                guest_until(g, mtd, EXIT_HLT);
                __asm__ volatile("fxsave %0" : "=m"(after));
                for (unsigned i = 0; i < 4; i++)
                        EXPECT(!*guest_word(g, 0x9000 + 4 * i) && !*guest_word(g, 0x9010 + 4 * i));
                EXPECT_EQ(*guest_word(g, 0x9020) & 0xffff, 0);
                EXPECT_EQ(after.word[0], before.word[0]); /* control and status word */
                for (unsigned i = 8; i < 40; i++)
                        EXPECT(i % 4 > 1 || after.word[i] == before.word[i]);
                for (unsigned i = 40; i < 72; i++)
                        EXPECT_EQ(after.word[i], before.word[i]);
        }
}

/* ---- From real to long mode and back --------------------------------------------------------- */

#if __SIZEOF_POINTER__ == 8
GUEST(switch_16, 16,
      "lgdtl 0x7000; movl %cr0, %eax; orb $1, %al; movl %eax, %cr0; ljmpl $8, $0x1100");
GUEST(switch_32, 32,
      "movl $0x20, %eax; movl %eax, %cr4; movl $0xa000, %eax; movl %eax, %cr3;"
      "movl $0xc0000080, %ecx; movl $0x100, %eax; xorl %edx, %edx; wrmsr;"
      "movl $0x80000011, %eax; movl %eax, %cr0; ljmpl $0x18, $0x1200");
GUEST(switch_64, 64,
      "movabsq $0x1122334455667788, %rbx; movq %rbx, 0x9000; hlt;"
      "movq $0x8000, %rsp; pushq $8; pushq $0x1300; lretq");
/* Compatibility mode, then 32 bits without paging, 16 bits, real mode. */
GUEST(leave_32, 32, "hlt; movl $0x11, %eax; movl %eax, %cr0; hlt; ljmpl $0x20, $0x1400");
GUEST(leave_16, 16, "movl $0x10, %eax; movl %eax, %cr0; ljmpl $0, $0x1500");
GUEST(real_16, 16, "movl $0x5a5a, %edi; hlt");

static void copy_code(struct guest *g, word_t to, const char *code, const char *end)
{
        for (unsigned i = 0; code + i < end; i++)
                g->memory[to + i] = code[i];
}

static void prepare_switches(struct guest *g)
{
        uint64_t *gdt = (uint64_t *)(void *)(g->memory + GUEST_GDT);
        uint64_t *tables = (uint64_t *)(void *)(g->memory + GUEST_TABLE);

        gdt[1] = 0x00cf9b000000ffff; /* 32 bits */
        gdt[2] = 0x00cf93000000ffff;
        gdt[3] = 0x00af9b000000ffff; /* 64 bits */
        gdt[4] = 0x00009b000000ffff; /* 16 bits */
        *guest_word(g, 0x7000) = 0x00ff | GUEST_GDT << 16;
        *guest_word(g, 0x7004) = 0;
        tables[0] = GUEST_TABLE + 0x1003;
        tables[512] = GUEST_TABLE + 0x2003;
        tables[1024] = 0x83;
        copy_code(g, 0x1100, switch_32, switch_32_end);
        copy_code(g, 0x1200, switch_64, switch_64_end);
        copy_code(g, 0x1300, leave_32, leave_32_end);
        copy_code(g, 0x1400, leave_16, leave_16_end);
        copy_code(g, 0x1500, real_16, real_16_end);
}

CASE_ON(guest_mode, one_guest_goes_from_real_to_long_mode_and_back, "7.2-50 8.2-28 D-36",
        needs_virtualization_64)
{
        struct guest *g = guest_new(boot_cpu, switch_16, switch_16_end);
        struct nova_utcb_more *more = &g->utcb->event.more;
        const nova_mtd_t mtd = guest_real(g);

        prepare_switches(g);
        guest_until(g, mtd, EXIT_WRMSR);
        EXPECT_EQ(g->state->cx, 0xc0000080);
        more->efer = 0x100; /* LME */
        g->state->ip += 2;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_MSR, EXIT_HLT);
        EXPECT_EQ(g->state->ip & 0xff00, 0x1200);
        EXPECT_EQ(more->efer, 0x500);
        EXPECT_EQ(g->state->bx, 0x1122334455667788);
        EXPECT_EQ(*(uint64_t *)(void *)(g->memory + 0x9000), 0x1122334455667788);
        EXPECT_EQ(g->state->cs.ar & 0x200, 0x200);
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP, EXIT_HLT); /* compatibility mode */
        EXPECT_EQ(g->state->ip, 0x1300);
        EXPECT_EQ(more->efer, 0x500);
        EXPECT_EQ(g->state->cs.ar & 0x600, 0x400);
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP, EXIT_HLT); /* paging is off */
        EXPECT_EQ(more->efer, 0x100);
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP, EXIT_HLT);
        EXPECT_EQ(g->state->ip & 0xff00, 0x1500);
        EXPECT_EQ(g->state->di, 0x5a5a);
        EXPECT_EQ(g->state->cr0 & 1, 0);
        EXPECT_EQ(g->state->cs.sel, 0);
}

/* Requests long mode before the registers that it needs are set up. */
GUEST(enable_32, 32,
      "movl $0xc0000080, %ecx; movl $0x100, %eax; xorl %edx, %edx; wrmsr; hlt;"
      "movl %cr4, %edi; movl %cr0, %eax; orl $0x10000, %eax; movl %eax, %cr0; hlt;"
      "movl $0x20, %eax; movl %eax, %cr4; movl $0xa000, %eax; movl %eax, %cr3; hlt;"
      "movl %cr0, %eax; orl $0x80000000, %eax; movl %eax, %cr0; hlt; ljmpl $0x18, $0x1200");

static nova_mtd_t continues_after(struct guest *g, unsigned length)
{
        g->state->ip += length;
        return NOVA_MTD_EIP;
}

CASE_ON(guest_mode, long_mode_may_be_enabled_before_all_that_it_needs, "7.2-50 8.2-28 D-36",
        needs_virtualization_64)
{
        struct guest *g = guest_new(boot_cpu, enable_32, enable_32_end);
        struct nova_utcb_more *more = &g->utcb->event.more;
        nova_mtd_t mtd = guest_flat(g);

        prepare_switches(g);
        g->state->gdtr = (struct nova_segment){.limit = 0xff, .base = GUEST_GDT};
        guest_until(g, mtd, EXIT_WRMSR);
        more->efer = 0x100;
        mtd = continues_after(g, 2) | NOVA_MTD_MSR;
        for (unsigned i = 0; i < 3; i++) {
                guest_until(g, mtd, EXIT_HLT);
                EXPECT_EQ(more->efer, 0x100);
                EXPECT_EQ(g->state->cr4 & 0x20, i < 2 ? 0 : 0x20);
                EXPECT_EQ(g->state->cr0 & 0x10000, i < 1 ? 0 : 0x10000);
                mtd = continues_after(g, 1);
        }
        EXPECT_EQ(g->state->di & 0x20, 0);
        guest_until(g, mtd, EXIT_HLT);
        EXPECT_EQ(more->efer, 0x500);
        guest_until(g, continues_after(g, 1), EXIT_HLT);
        EXPECT_EQ(g->state->ip & 0xff00, 0x1200);
        EXPECT_EQ(g->state->bx, 0x1122334455667788);
        guest_until(g, continues_after(g, 1), EXIT_HLT); /* compatibility mode */
        guest_until(g, continues_after(g, 1), EXIT_HLT); /* paging is off */
        EXPECT_EQ(more->efer, 0x100);
        guest_until(g, continues_after(g, 1), EXIT_HLT);
        EXPECT_EQ(g->state->di, 0x5a5a);
}

/* PAE is missing, or the guest clears it in long mode: #GP, for which there is no handler. */
GUEST(no_pae_32, 32,
      "movl $0xa000, %eax; movl %eax, %cr3; movl $0x80000011, %eax; movl %eax, %cr0; hlt; hlt");
GUEST(lose_pae_64, 64,
      "xorl %eax, %eax; movq %rax, %cr4; hlt; movl $0x11, %eax; movq %rax, %cr0; hlt; hlt");
GUEST(leave_and_lose_32, 32,
      "movl $0x11, %eax; movl %eax, %cr0; hlt; xorl %eax, %eax; movl %eax, %cr4; hlt;"
      "movl $0x80000011, %eax; movl %eax, %cr0; hlt; hlt");

/* Expects that the guest ends. An emulator may execute the write, and refuse the state only at the
 * next entry. */
static void expect_end(struct guest *g, nova_mtd_t mtd)
{
        g->state->idtr = (struct nova_segment){.limit = 0};
        guest_run(g, mtd);
        for (unsigned i = 0; i < 3 && g->event == guest_event(EXIT_HLT); i++) {
                EXPECT_EQ(g->utcb->event.more.efer & 0x100, 0x100);
                guest_run(g, continues_after(g, 1));
        }
        EXPECT(g->event == guest_event(EXIT_TRIPLE_FAULT) || g->event == guest_event(EXIT_STATE));
}

CASE_ON(guest_mode, a_guest_that_breaks_the_rules_of_long_mode_harms_only_itself,
        "7.2-50 8.2-28 D-36 7.2-86", needs_virtualization_64)
{
        struct guest *g = guest_new(boot_cpu, no_pae_32, no_pae_32_end);
        nova_mtd_t mtd = guest_flat(g);

        g->utcb->event.more = (struct nova_utcb_more){.efer = 0x100};
        expect_end(g, mtd | NOVA_MTD_MSR);
        g = guest_new(boot_cpu, lose_pae_64, lose_pae_64_end);
        expect_end(g, guest_long(g));
        g = guest_new(boot_cpu, leave_and_lose_32, leave_and_lose_32_end);
        mtd = guest_long(g);
        g->state->cs.ar = 0xc9b;
        expect_end(g, mtd);
}
#endif
