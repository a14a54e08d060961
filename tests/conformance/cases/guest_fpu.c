/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: each guest and each thread has its own registers of 256 and 512 bits, whatever XCR0
 * is. */
#include "guest.h"

#define FIRST 0x9000 /* the first values of two registers */
#define OWN   0x9100 /* the guest's own values */
#define LEFT  0x9200 /* the later values */
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

/* TCG's SVM accepts the value without an exit. */
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

/* A register file. The guest code stores the values it finds, loads its own, and after its first
 * halt stores the registers again. A thread uses load and save. */
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

/* Body of a thread that must not see other registers, and that leaves its own values in the FPU. */
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

/* Two guests, the case's thread, and another thread that runs in between. */
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

CASE_ON(guest_fpu, what_xcr0_hides_from_a_guest_is_kept_for_it, "2.2-09 2.2-10",
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
