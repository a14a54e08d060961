/* SPDX-License-Identifier: BSD-2-Clause */
/* The bystander: a thread that holds patterns in its registers, and loses the CPU again and again
 * to the thread that walks. */
#include "bystander.h"

#include "harness.h"

#define PAGES       4
#define WORDS       (PAGES * NOVA_PAGE_SIZE / sizeof(word_t))
#define QUANTUM_US  300
#define PATTERN(i)  ((word_t)0x9e3779b97f4a7c15 * ((i) + 1))
#define FPU_WORDS   128
#define FPU_XMM     40 /* the first word of XMM0 */
#define FPU_XMM_END (__SIZEOF_POINTER__ == 8 ? 104 : 72)

/* Memory of this PD, and memory that the bystander's PD maps as its own pages. */
static word_t memory_here[WORDS] __attribute__((aligned(NOVA_PAGE_SIZE)));
static word_t memory_there[WORDS] __attribute__((aligned(NOVA_PAGE_SIZE)));
static struct thread *bystander;
static word_t used;

/* Words of the thread. This PD writes STOP, the bystander LOOKS and WRONG, both write LOOK. */
enum { STOP, LOOK, LOOKS, WRONG };

static void fill(word_t *to, unsigned salt)
{
        for (unsigned i = 0; i < WORDS; i++)
                to[i] = PATTERN(i ^ salt);
}

static unsigned differences(const word_t *in, unsigned salt)
{
        unsigned found = 0;

        for (unsigned i = 0; i < WORDS; i++)
                found += in[i] != PATTERN(i ^ salt);
        return found;
}

static void fill_fpu(uint32_t *image, unsigned salt)
{
        for (unsigned i = 0; i < FPU_WORDS; i++)
                image[i] = i < 8 ? 0 : (uint32_t)PATTERN(i + salt);
        for (unsigned i = 8; i < FPU_XMM; i += 4) { /* a register of the FPU's stack has 10 bytes */
                image[i + 2] &= 0xffff;
                image[i + 3] = 0;
        }
        image[0] = 0x37f;
        image[1] = 0xff;
        image[6] = 0x1f80;
}

static unsigned fpu_differences(const uint32_t *a, const uint32_t *b)
{
        unsigned found = (a[0] ^ b[0]) != 0 || ((a[1] ^ b[1]) & 0xff) || a[6] != b[6];

        for (unsigned i = 8; i < FPU_XMM_END; i++)
                found += a[i] != b[i] && i % 4 != 3;
        for (unsigned i = FPU_XMM + 3; i < FPU_XMM_END; i += 4)
                found += a[i] != b[i];
        return found;
}

/* Leaves out the stack pointers and flags, which spin_gprs() changes, and the register with the
 * address of the stop word. */
static unsigned gpr_differences(const struct gpr *a, const struct gpr *b)
{
        const word_t *const x = (const word_t *)a, *const y = (const word_t *)b;
        unsigned found = 0;

        for (unsigned i = 0; i < sizeof(*a) / sizeof(word_t); i++)
                if (&x[i] != &a->sp && &x[i] != &a->sp_in && &x[i] != &a->flags &&
                    &x[i] != &a->GPR_STOP)
                        found += x[i] != y[i];
        return found;
}

/* Holds the patterns until the thread that walks asks for a look. */
static void watches(struct thread *t)
{
        static uint32_t loaded[FPU_WORDS] __attribute__((aligned(16)));
        static uint32_t stored[FPU_WORDS] __attribute__((aligned(16)));

        fill(memory_there, 1);
        for (unsigned salt = 0; !t->value[STOP]; salt++) {
                struct gpr mine, copy;

                for (unsigned i = 0; i < sizeof(mine) / sizeof(word_t); i++)
                        ((word_t *)&mine)[i] = PATTERN(i + salt);
                mine.flags = 0;
                copy = mine;
                fill_fpu(loaded, salt);
                __asm__ volatile("fxrstor %0" : : "m"(loaded));
                spin_gprs(&mine, &t->value[LOOK]);
                __asm__ volatile("fxsave %0" : "=m"(stored));
                t->value[WRONG] += gpr_differences(&mine, &copy);
                t->value[WRONG] += fpu_differences(loaded, stored);
                t->value[WRONG] += differences(memory_there, 1);
                t->value[LOOKS]++;
                t->value[LOOK] = 0;
        }
}

/* Returns the bytes of kernel memory in use, 0 if the kernel does not report them. */
static word_t kernel_memory(void)
{
        struct args a = {nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, ROOT_PD),
                         NOVA_EXT_QUOTA_QUERY, 0, 0, 0};

        if (needs_quota())
                return 0;
        rest_until_freed();
        EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        return a.a2;
}

void bystander_start(void)
{
        fill(memory_here, 2);
        bystander = child_global(child_new(boot_cpu), watches, NULL);
        thread_start(bystander, PRIO_CASE, QUANTUM_US);
        EXPECT(wait_for(&bystander->started, 1));
        bystander_look();
        EXPECT(wait_for(&bystander->value[LOOK], 0));
        used = kernel_memory();
}

void bystander_look(void)
{
        bystander->value[LOOK] = 1;
}

void bystander_end(void)
{
        bystander_look();
        EXPECT(wait_for(&bystander->value[LOOK], 0));
        EXPECT_EQ(kernel_memory(), used);
        bystander->value[STOP] = 1;
        bystander_look();
        EXPECT(wait_for(&bystander->done, 1));
        remark("looks of the bystander:", bystander->value[LOOKS]);
        EXPECT_EQ(bystander->value[WRONG], 0);
        EXPECT_EQ(differences(memory_here, 2), 0);
        EXPECT_EQ(differences(memory_there, 1), 0);
}
