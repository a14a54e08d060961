/* SPDX-License-Identifier: BSD-2-Clause */
/* Floating-point state of threads. */
#include "harness.h"

struct image {
        uint32_t word[128];
} __attribute__((aligned(16)));

static struct image images[4];

static void save(struct image *image)
{
        __asm__ volatile("fxsave %0" : "=m"(*image));
}

static void load(const struct image *image)
{
        __asm__ volatile("fxrstor %0" : : "m"(*image));
}

static bool has_sse(void)
{
        uint32_t r[4];
        cpuid(1, 0, r);
        return r[3] & 1u << 25;
}

/* Fills an image with a pattern in the x87 and XMM registers. */
static void pattern(struct image *image, uint32_t seed)
{
        __asm__ volatile("fninit");
        save(image);
        image->word[1] = (image->word[1] & ~0xffu) | 0xff;
        for (unsigned i = 8; i < 40; i++)
                image->word[i] = seed + i;
        for (unsigned i = 40; i < 72; i++)
                image->word[i] = seed * 3 + i;
}

static bool same(const struct image *a, const struct image *b)
{
        for (unsigned i = 8; i < 40; i++) {
                if (i % 4 < 2 && a->word[i] != b->word[i])
                        return false;
        }
        for (unsigned i = 40; i < 72 && has_sse(); i++) {
                if (a->word[i] != b->word[i])
                        return false;
        }
        return true;
}

/* Loads a pattern of its own into the registers and spins until value[0] is set. Sets value[2] if
 * the registers still hold the pattern. */
static void keeps(struct thread *t)
{
        struct image mine, now;
        pattern(&mine, (uint32_t)t->value[1]);
        load(&mine);
        while (!t->value[0])
                __asm__ volatile("pause");
        save(&now);
        t->value[2] = same(&mine, &now);
}

CASE(fpu, x87_and_sse_registers_survive_other_threads, "2.2-09 2.2-10 C-20")
{
        struct thread *t[3];
        for (unsigned i = 0; i < 3; i++) {
                t[i] = global(boot_cpu, keeps, NULL);
                t[i]->value[1] = 0x11111111u * (i + 1);
                thread_start(t[i], PRIO_CASE, 1000);
        }
        for (unsigned i = 0; i < 3; i++)
                EXPECT(wait_for(&t[i]->started, 1));
        spin_us(60000);
        for (unsigned i = 0; i < 3; i++)
                t[i]->value[0] = 1;
        for (unsigned i = 0; i < 3; i++) {
                EXPECT(wait_for(&t[i]->done, 1));
                EXPECT_EQ(t[i]->value[2], 1);
        }
}

static void first_use(struct thread *t)
{
        save(&images[1]);
        t->value[0] = 1;
}

CASE(fpu, a_thread_that_uses_it_first_sees_nothing_of_another, "2.2-11")
{
        pattern(&images[0], 0x12345678);
        load(&images[0]);
        struct thread *t = run_thread(boot_cpu, PRIO_HIGH, first_use, NULL);
        EXPECT_EQ(t->value[0], 1);
        EXPECT_EQ(images[1].word[0] & 0xffff, 0x37f);
        EXPECT_EQ(images[1].word[0] >> 16, 0);
        if (has_sse())
                EXPECT_EQ(images[1].word[6] & 0xffff, 0x1f80);
        for (unsigned i = 8; i < 72; i++)
                EXPECT_EQ(images[1].word[i], 0);
        save(&images[2]);
        __asm__ volatile("fninit");
        EXPECT(same(&images[0], &images[2]));
}

static void overwrites(struct thread *t)
{
        struct image other;
        (void)t;
        pattern(&other, 0x77777777);
        load(&other);
}

CASE(fpu, a_call_keeps_the_callers_registers, "2.2-09 2.2-10")
{
        struct thread *t = server(boot_cpu);
        pattern(&images[0], 0x23456789);
        t->fn = overwrites;
        load(&images[0]);
        self->utcb->items = 0;
        const word_t status = hc_call(t->pt, 0);
        save(&images[1]);
        __asm__ volatile("fninit");
        EXPECT_EQ(status, NOVA_SUCCESS);
        EXPECT(same(&images[0], &images[1]));
}

/* Saves and loads the state with addresses of 64 bits: FXSAVE64 and FXRSTOR64, as bytes, because an
 * assembler for x86-32 does not know them. */
static void save64(struct image *image)
{
        __asm__ volatile(".byte 0x48, 0x0f, 0xae, 0x00" : : "a"(image) : "memory");
}

static void load64(const struct image *image)
{
        __asm__ volatile(".byte 0x48, 0x0f, 0xae, 0x08" : : "a"(image) : "memory");
}

static bool same_addresses(const struct image *a, const struct image *b)
{
        for (unsigned i = 2; i < 6; i++) /* of the last x87 instruction and of its operand */
                if (a->word[i] != b->word[i])
                        return false;
        return true;
}

CASE_ON(fpu, x87_addresses_of_64_bits_survive_other_threads, "2.2-09 2.2-10", needs_x86_64)
{
        pattern(&images[0], 0x34567890);
        images[0].word[2] = 0x12345678;
        images[0].word[3] = 0x7f01;
        images[0].word[4] = 0x9abcdef0;
        images[0].word[5] = 0x7f02;
        load64(&images[0]);
        save64(&images[1]);
        if (!same_addresses(&images[0], &images[1]))
                NOT_RAISED("needs a CPU that keeps addresses of the x87 unit");
        run_thread(boot_cpu, PRIO_HIGH, overwrites, NULL);
        save64(&images[2]);
        __asm__ volatile("fninit");
        EXPECT(same_addresses(&images[0], &images[2]));
        EXPECT(same(&images[0], &images[2]));
}

CASE_ON(fpu, a_control_word_survives_hypercalls_and_events, "2.2-10", needs_sse)
{
        const uint32_t control = 0x3f80, initial = 0x1f80;
        uint32_t after = 0;
        __asm__ volatile("ldmxcsr %0" : : "m"(control));
        probe_read((void *)0x1000);
        look(NOVA_CRD_OBJ, ROOT_PD);
        __asm__ volatile("stmxcsr %0" : "=m"(after));
        __asm__ volatile("ldmxcsr %0" : : "m"(initial));
        EXPECT_EQ(after, control);
}

/* ---- AVX: registers of 256 bits ----------------------------------------------------------------
 */

#define YMM_WORDS 8

static uint32_t ymm[3][YMM_WORDS] __attribute__((aligned(32)));

static void load_ymm(const uint32_t *from)
{
        __asm__ volatile("vmovdqu (%0), %%ymm7" : : "r"(from) : "memory");
}

static void save_ymm(uint32_t *to)
{
        __asm__ volatile("vmovdqu %%ymm7, (%0)" : : "r"(to) : "memory");
}

/* Saves the initial value of the register, then writes another value to it. */
static void looks_at_ymm(struct thread *t)
{
        save_ymm(ymm[1]);
        load_ymm((const uint32_t *)t->arg);
        t->value[0] = 1;
}

CASE_ON(fpu, upper_halves_of_avx_survive_and_are_not_visible_to_others, "2.2-09 2.2-10 2.2-11",
        needs_avx)
{
        static uint32_t other[YMM_WORDS];

        for (unsigned i = 0; i < YMM_WORDS; i++) {
                ymm[0][i] = 0x11111111 * (i + 1);
                other[i] = 0xa5a50000 + i;
                ymm[1][i] = 1;
        }
        load_ymm(ymm[0]);
        struct thread *t = run_thread(boot_cpu, PRIO_HIGH, looks_at_ymm, other);
        save_ymm(ymm[2]);
        __asm__ volatile("vzeroall");
        EXPECT_EQ(t->value[0], 1);
        for (unsigned i = 0; i < YMM_WORDS; i++) {
                EXPECT_EQ(ymm[1][i], 0);
                EXPECT_EQ(ymm[2][i], ymm[0][i]);
        }
}
