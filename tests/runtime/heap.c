/* SPDX-License-Identifier: BSD-2-Clause */
/* The heap and the streams under load from all CPUs: blocks keep their contents. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "cpu.h"
#include "novart/program.h"
#include "novart/thread.h"

#define THREADS 8
#define BLOCKS  40
#define ROUNDS  3000

struct block {
        unsigned char *data;
        size_t size;
        unsigned char value;
};

static uint32_t next_random(uint32_t *state)
{
        *state = *state * 1664525 + 1013904223;
        return *state >> 8;
}

static void check_block(const struct block *block)
{
        for (size_t i = 0; i < block->size; i++)
                CHECK(block->data[i] == block->value);
}

static void change(struct block *block, uint32_t *random)
{
        const size_t size = next_random(random) % 700 + 1;

        check_block(block);
        if (!block->data || next_random(random) % 4 == 0) {
                free(block->data);
                block->data = malloc(size);
        } else {
                block->data = realloc(block->data, size);
                CHECK(block->data);
                for (size_t i = 0; i < size && i < block->size; i++)
                        CHECK(block->data[i] == block->value);
        }
        CHECK(block->data && (uintptr_t)block->data % 16 == 0);
        block->size = size;
        block->value = (unsigned char)next_random(random);
        memset(block->data, block->value, size);
}

static void *storm(void *argument)
{
        uint32_t random = (uint32_t)(uintptr_t)argument;
        struct block block[BLOCKS] = {{NULL, 0, 0}};

        for (int i = 0; i < ROUNDS; i++)
                change(&block[next_random(&random) % BLOCKS], &random);
        for (int i = 0; i < BLOCKS; i++) {
                check_block(&block[i]);
                free(block[i].data);
        }
        printf("thread %d of the storm is done\n", (int)(intptr_t)argument);
        return NULL;
}

/* Compilers know these functions: without volatile they would omit calls. */
static void check_corners(void)
{
        static void *volatile memory;
        static volatile size_t large = SIZE_MAX / 4;

        memory = calloc(100, 100);
        for (int i = 0; i < 10000; i++)
                CHECK(!((unsigned char *)memory)[i]);
        memory = malloc(large);
        CHECK(!memory && errno == ENOMEM);
        memory = calloc(large, 8);
        CHECK(!memory);
        memory = malloc(0);
        CHECK(memory);
        memory = realloc(memory, 100);
        CHECK(memory && !realloc(memory, large));
        free(memory);
        memory = memalign(512, 5);
        CHECK(memory && (uintptr_t)memory % 512 == 0);
        memory = aligned_alloc(64, 100);
        CHECK(memory && (uintptr_t)memory % 64 == 0);
        memory = memalign(3, 5);
        CHECK(!memory && errno == EINVAL);
}

/* Expects that mallinfo() counts a block from its allocation until it is freed. */
static void check_sums(void)
{
        static void *volatile memory;
        const struct mallinfo before = mallinfo();

        memory = malloc(5000);
        const struct mallinfo with = mallinfo();
        free(memory);
        const struct mallinfo after = mallinfo();

        CHECK(memory && before.arena && before.uordblks + before.fordblks <= before.arena);
        CHECK(with.uordblks >= before.uordblks + 5000 && with.uordblks < before.uordblks + 5100);
        CHECK(after.uordblks == before.uordblks && after.keepcost <= after.fordblks);
}

int main(void)
{
        struct nova_thread *thread[THREADS];
        struct nova_thread_attr attr = NOVA_THREAD_ATTR_INITIALIZER;
        nova_word_t cpu = 0;

        for (intptr_t i = 0; i < THREADS; i++) {
                cpu = next_cpu(cpu);
                attr.cpu = cpu;
                attr.quantum_us = 500;
                CHECK(!nova_thread_create(&thread[i], &attr, storm, (void *)i));
        }
        for (int i = 0; i < THREADS; i++)
                CHECK(!nova_thread_join(thread[i], NULL));
        check_corners();
        check_sums();
        printf("the heap is whole\n");
        return 0;
}
