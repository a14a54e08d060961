/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: each guest and each thread has its own registers of 256 and 512 bits, for any value of
 * XCR0. */
#include "guest.h"

#define FIRST 0x9000 /* where the guest stores the first values of two registers */
#define OWN   0x9100 /* where the guest finds its own values */
#define LEFT  0x9200 /* where the guest stores the later values */
#define BYTES 128

#define XCR0_SSE    0x3
#define XCR0_AVX    0x7
#define XCR0_AVX512 0xe7

#define CR4_SSE_AND_XSAVE 0x40200
#define UD                6
#define GP                13

static const char *needs_virtualization_with_avx(void)
{
        return needs_virtualization() ? needs_virtualization() : needs_avx();
}

/* Requires more than QEMU's TCG under SVM, because TCG executes XSETBV without an exit. */
static const char *needs_virtualization_with_avx_and_xsetbv(void)
{
        if (needs_virtualization_with_avx())
                return needs_virtualization_with_avx();
        return needs_vmx() ? needs_hardware() : NULL;
}

static const char *needs_virtualization_with_avx512(void)
{
        uint32_t r[4];

        if (needs_virtualization_with_avx())
                return needs_virtualization_with_avx();
        cpuid(7, 0, r);
        return r[1] & 1u << 16 ? NULL : "needs AVX-512";
}

static void fill(char *to, unsigned bytes, uint32_t seed)
{
        for (unsigned i = 0; i < bytes; i++)
                to[i] = (char)(seed * 37 + i * 11 + 1);
}

static void expect_same(const char *a, const char *b, unsigned bytes)
{
        for (unsigned i = 0; i < bytes; i++)
                EXPECT_EQ((uint8_t)a[i], (uint8_t)b[i]);
}

static void expect_zero(const char *a, unsigned bytes)
{
        for (unsigned i = 0; i < bytes; i++)
                EXPECT_EQ((uint8_t)a[i], 0);
}

/* Registers of one size, and the code of a guest that uses them. This code stores the values that
 * it finds, loads its own values, and after its first halt stores the registers again. A thread
 * uses load and save. */
struct file {
        const char *code, *end;
        uint64_t xcr0;
        unsigned bytes; /* size of the two registers */
        void (*load)(const char *from);
        void (*save)(char *to);
};

GUEST(ymm_32, 32,
      "vmovdqu %ymm0, 0x9000; vmovdqu %ymm7, 0x9020; vmovdqu 0x9100, %ymm0;"
      "vmovdqu 0x9120, %ymm7; hlt; vmovdqu %ymm0, 0x9200; vmovdqu %ymm7, 0x9220; hlt");

static void load_ymm(const char *from)
{
        __asm__ volatile("vmovdqu (%0), %%ymm0; vmovdqu 32(%0), %%ymm7" : : "r"(from) : "memory");
}

static void save_ymm(char *to)
{
        __asm__ volatile("vmovdqu %%ymm0, (%0); vmovdqu %%ymm7, 32(%0)" : : "r"(to) : "memory");
}

static const struct file ymm = {ymm_32, ymm_32_end, XCR0_AVX, 64, load_ymm, save_ymm};

/* One register of 512 bits, and one mask register. */
GUEST(zmm_32, 32,
      "vmovdqu64 %zmm7, 0x9000; kmovw %k1, 0x9040; vmovdqu64 0x9100, %zmm7; kmovw 0x9140, %k1;"
      "hlt; vmovdqu64 %zmm7, 0x9200; kmovw %k1, 0x9240; hlt");

static void load_zmm(const char *from)
{
        __asm__ volatile("vmovdqu64 (%0), %%zmm7; kmovw 64(%0), %%k1" : : "r"(from) : "memory");
}

static void save_zmm(char *to)
{
        __asm__ volatile("vmovdqu64 %%zmm7, (%0); kmovw %%k1, 64(%0)" : : "r"(to) : "memory");
}

static const struct file zmm = {zmm_32, zmm_32_end, XCR0_AVX512, 66, load_zmm, save_zmm};

static char before[BYTES], after[BYTES], others[2][BYTES];

/* Saves the registers as the thread finds them, then loads the thread's own values. */
static void uses_registers(struct thread *t)
{
        const struct file *f = t->arg;

        f->save(others[0]);
        f->load(others[1]);
        t->value[0] = 1;
}

/* Returns a guest with these registers, before its first instruction. */
static struct guest *prepare(const struct file *f, uint32_t seed, nova_mtd_t *mtd)
{
        struct guest *g = guest_new(boot_cpu, f->code, f->end);

        *mtd = guest_flat(g) | NOVA_MTD_XCR0;
        guest_gates(g);
        g->state->cr4 = CR4_SSE_AND_XSAVE;
        g->utcb->event.more.xcr0 = f->xcr0;
        fill(g->memory + FIRST, BYTES, seed + 100);
        fill(g->memory + OWN, BYTES, seed);
        return g;
}

static void go_on(struct guest *g)
{
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP, EXIT_HLT);
}

/* Checks the registers of two guests, of the case's thread, and of another thread that runs in
 * between. */
static void expect_own_registers(const struct file *f)
{
        nova_mtd_t mtd[2];
        struct guest *g[2];

        fill(before, BYTES, 1);
        fill(others[1], BYTES, 2);
        for (unsigned i = 0; i < 2; i++)
                g[i] = prepare(f, 3 + i, &mtd[i]);
        f->load(before);
        for (unsigned i = 0; i < 2; i++)
                guest_until(g[i], mtd[i], EXIT_HLT);
        struct thread *t = run_thread(boot_cpu, PRIO_HIGH, uses_registers, (void *)(word_t)f);
        f->save(after);
        for (unsigned i = 0; i < 2; i++)
                go_on(g[i]);
        __asm__ volatile("vzeroall");
        EXPECT_EQ(t->value[0], 1);
        expect_zero(others[0], f->bytes);
        expect_same(after, before, f->bytes);
        for (unsigned i = 0; i < 2; i++) {
                expect_zero(g[i]->memory + FIRST, f->bytes);
                expect_same(g[i]->memory + LEFT, g[i]->memory + OWN, f->bytes);
        }
}

CASE_ON(guest_fpu, registers_of_256_bits_are_each_guests_and_each_threads_own,
        "2.2-09 2.2-10 2.2-11", needs_virtualization_with_avx)
{
        for (unsigned round = 0; round < 3; round++)
                expect_own_registers(&ymm);
}

CASE_ON(guest_fpu, registers_of_512_bits_are_each_guests_and_each_threads_own,
        "2.2-09 2.2-10 2.2-11", needs_virtualization_with_avx512)
{
        for (unsigned round = 0; round < 3; round++)
                expect_own_registers(&zmm);
}

CASE_ON(guest_fpu, state_that_xcr0_hides_from_a_guest_is_kept_for_it, "2.2-09 2.2-10",
        needs_virtualization_with_avx)
{
        nova_mtd_t mtd;
        struct guest *g = prepare(&ymm, 5, &mtd);

        guest_until(g, mtd, EXIT_HLT);
        const word_t halted_at = g->state->ip;
        fill(before, BYTES, 6);
        load_ymm(before); /* the registers no longer hold the guest's values */
        g->utcb->event.more.xcr0 = XCR0_SSE;
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_XCR0, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_HANDLERS + UD);
        save_ymm(after);
        __asm__ volatile("vzeroall");
        expect_same(after, before, ymm.bytes);
        g->utcb->event.more.xcr0 = XCR0_AVX;
        g->state->ip = halted_at + 1;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_XCR0, EXIT_HLT);
        expect_same(g->memory + LEFT, g->memory + OWN, ymm.bytes);
}

GUEST(xsetbv_32, 32,
      "movl $7, %eax; xsetbv; xgetbv; movl %eax, %ebx; vmovdqu 0x9100, %ymm0;"
      "vmovdqu %ymm0, 0x9200; movl $5, %eax; xsetbv; hlt");

/* XSETBV is executed for the guest: by the kernel under SVM, by the monitor under VMX. No CPU
 * accepts the value 5: AVX without SSE. */
CASE_ON(guest_fpu, a_guest_switches_avx_on, "2.2-09 7.2-73",
        needs_virtualization_with_avx_and_xsetbv)
{
        nova_mtd_t mtd;
        struct guest *g = prepare(&ymm, 7, &mtd);

        for (unsigned i = 0; xsetbv_32 + i < xsetbv_32_end; i++)
                g->memory[GUEST_CODE + i] = xsetbv_32[i];
        g->utcb->event.more.xcr0 = 1;
        if (!needs_vmx()) {
                EXPECT_EQ(guest_run(g, mtd), 0x37);
                EXPECT_EQ(g->state->inst_len, 3);
                g->utcb->event.more.xcr0 = g->state->ax;
                g->state->ip += 3;
                EXPECT_EQ(guest_run(g, NOVA_MTD_EIP | NOVA_MTD_XCR0), 0x37);
                g->utcb->event.more.xcr0 = g->state->ax;
                guest_until(g, NOVA_MTD_XCR0, EXIT_STATE);
        } else {
                guest_until(g, mtd, EXIT_HLT);
                EXPECT_EQ(g->state->ip, GUEST_HANDLERS + GP);
        }
        EXPECT_EQ(g->utcb->event.more.xcr0, XCR0_AVX);
        EXPECT_EQ(g->state->bx, XCR0_AVX);
        expect_same(g->memory + LEFT, g->memory + OWN, 32);
}

#define XMM_BYTES 96  /* bytes of XMM0 to XMM5, which messages contain */
#define ALL_XMM   128 /* bytes of all XMM registers of a 32-bit guest */
#define MXCSR     128 /* offset of MXCSR, after the registers */

GUEST(xmm_32, 32,
      "movups %xmm0, 0x9000; movups %xmm1, 0x9010; movups %xmm2, 0x9020; movups "
      "%xmm3, 0x9030; movups %xmm4, 0x9040; movups %xmm5, 0x9050; movups %xmm6, "
      "0x9060; movups %xmm7, 0x9070; stmxcsr 0x9080; "
      "movups 0x9100, %xmm0; movups 0x9110, %xmm1; movups 0x9120, %xmm2; movups "
      "0x9130, %xmm3; movups 0x9140, %xmm4; movups 0x9150, %xmm5; movups 0x9160, "
      "%xmm6; movups 0x9170, %xmm7; ldmxcsr 0x9180; hlt; "
      "movups %xmm0, 0x9200; movups %xmm1, 0x9210; movups %xmm2, 0x9220; movups "
      "%xmm3, 0x9230; movups %xmm4, 0x9240; movups %xmm5, 0x9250; movups %xmm6, "
      "0x9260; movups %xmm7, 0x9270; stmxcsr 0x9280; hlt");

static const char *needs_xmm(void)
{
        if (needs_virtualization())
                return needs_virtualization();
        return hip->features & NOVA_HIP_XMM ? NULL : "needs the extension of XMM registers";
}

static char *sent(struct guest *g)
{
        return (char *)g->utcb->event.xmm;
}

/* Leaves the thread's own values in the registers. */
static void uses_xmm(struct thread *t)
{
        __asm__ volatile("movups (%0), %%xmm0; movups (%0), %%xmm5; movups (%0), %%xmm7"
                         :
                         : "r"(t->arg)
                         : "memory");
        t->value[0] = 1;
}

/* Puts another thread's values into the registers. */
static void use_between(void)
{
        fill(others[1], BYTES, 20);
        EXPECT_EQ(run_thread(boot_cpu, PRIO_HIGH, uses_xmm, others[1])->value[0], 1);
}

/* Starts a guest, and prepares a first message with values of XMM0 to XMM5. */
static struct guest *begin_xmm(nova_mtd_t *mtd)
{
        struct guest *g = guest_new(boot_cpu, xmm_32, xmm_32_end);

        *mtd = guest_flat(g) | NOVA_MTD_XMM;
        EXPECT_EQ(nova_utcb_untyped(g->server->rx_items), NOVA_UTCB_XMM_WORDS);
        expect_zero(sent(g), XMM_BYTES);
        g->state->cr4 = 0x200; /* OSFXSR */
        fill(g->memory + FIRST, BYTES, 8);
        fill(g->memory + OWN, BYTES, 9);
        *guest_word(g, OWN + MXCSR) = 0x5f80;
        fill(sent(g), XMM_BYTES, 10);
        return g;
}

/* Expects that a guest finds the values of its first message in its registers. Sends it other
 * values at its first halt. */
static void expect_xmm(bool others_between)
{
        nova_mtd_t mtd;
        struct guest *g = begin_xmm(&mtd);

        if (others_between)
                use_between();
        guest_until(g, mtd, EXIT_HLT);
        fill(before, BYTES, 10);
        expect_same(g->memory + FIRST, before, XMM_BYTES);
        expect_zero(g->memory + FIRST + XMM_BYTES, ALL_XMM - XMM_BYTES);
        EXPECT_EQ(*guest_word(g, FIRST + MXCSR), 0x1f80);
        expect_same(sent(g), g->memory + OWN, XMM_BYTES);

        fill(sent(g), XMM_BYTES, 11);
        if (others_between)
                use_between();
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_XMM, EXIT_HLT);
        fill(before, BYTES, 11);
        expect_same(g->memory + LEFT, before, XMM_BYTES);
        expect_same(g->memory + LEFT + XMM_BYTES, g->memory + OWN + XMM_BYTES, ALL_XMM - XMM_BYTES);
        EXPECT_EQ(*guest_word(g, LEFT + MXCSR), 0x5f80);
        expect_same(sent(g), before, XMM_BYTES);
}

CASE_ON(guest_fpu, xmm_registers_come_and_go_with_their_bit_and_others_stay, "X-XMM", needs_xmm)
{
        expect_xmm(false);
        expect_xmm(true);
}

CASE_ON(guest_fpu, xmm_registers_of_a_message_are_not_those_of_its_handler, "X-XMM", needs_xmm)
{
        nova_mtd_t mtd;
        struct guest *g = begin_xmm(&mtd);

        fill(before, BYTES, 12);
        __asm__ volatile("movups %0, %%xmm0; movups %0, %%xmm5" : : "m"(before));
        guest_until(g, mtd, EXIT_HLT);
        fill(sent(g), XMM_BYTES, 13);
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_XMM, EXIT_HLT);
        __asm__ volatile("movups %%xmm0, %0; movups %%xmm5, %1" : "=m"(after), "=m"(after[16]));
        expect_same(after, before, 16);
        expect_same(after + 16, before, 16);
}

GUEST(spin_xmm_32, 32,
      "sti; movups 0x9100, %xmm0; movups 0x9150, %xmm5; movl $1, 0x9000; 1: jmp 1b");

/* At the recall the guest's registers are in memory, because another thread uses the registers of
 * the CPU. */
CASE_ON(guest_fpu, a_recall_has_the_xmm_registers_that_a_guest_had_when_others_ran, "X-XMM",
        needs_xmm)
{
        struct guest *g = guest_new(boot_cpu, spin_xmm_32, spin_xmm_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->cr4 = 0x200;
        fill(g->memory + OWN, BYTES, 14);
        guest_answer(g, mtd);
        while (!*(volatile uint32_t *)guest_word(g, FIRST) && !guest_wait(g, 50))
                continue;
        EXPECT_EQ(*guest_word(g, FIRST), 1);
        use_between();
        EXPECT_EQ(hc_ec_ctrl(g->ec), NOVA_SUCCESS);
        EXPECT(guest_wait(g, 10000));
        EXPECT_EQ(g->event, NOVA_VMI_RECALL);
        expect_same(sent(g), g->memory + OWN, 16);
        expect_zero(sent(g) + 16, 64);
        expect_same(sent(g) + 80, g->memory + OWN + 80, 16);
}

static const char *needs_xmm_with_avx(void)
{
        return needs_xmm() ? needs_xmm() : needs_avx();
}

CASE_ON(guest_fpu, the_upper_halves_of_registers_stay_when_a_message_sets_xmm, "X-XMM",
        needs_xmm_with_avx)
{
        for (unsigned round = 0; round < 2; round++) {
                nova_mtd_t mtd;
                struct guest *g = prepare(&ymm, 15, &mtd);

                guest_until(g, mtd, EXIT_HLT);
                fill(sent(g), XMM_BYTES, 16);
                if (round)
                        use_between();
                g->state->ip++;
                guest_until(g, NOVA_MTD_EIP | NOVA_MTD_XMM, EXIT_HLT);
                fill(before, BYTES, 16);
                expect_same(g->memory + LEFT, before, 16);
                expect_same(g->memory + LEFT + 16, g->memory + OWN + 16, 48);
        }
}
