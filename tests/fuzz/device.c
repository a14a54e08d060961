/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile PCI function, the service pci and the runtime for its driver (see device.h). */
#include "device.h"

#include <errno.h>
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>

#include "nova/arch/tsc.h"
#include "nova/hypercall.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "ring/claim.h"

#define CALLS_MAX 100000 /* messages to the service during one input */
#define BLOCKS    8
#define POLL_NS   1000000
#define UNKNOWN   (NOVA_PCI_BARS + 1)

struct nova_program nova_program;
struct nova_pci_function device_function;
uint8_t device_config[256];
uint64_t device_now, device_slept_max;
uint8_t device_fill;

static const uint8_t *steps;
static size_t steps_left;
static unsigned calls;
static bool master;

/* Memory of registers, and memory for DMA. */
static struct block {
        uint8_t *memory;
        size_t bytes;
        unsigned bar; /* NOVA_PCI_BARS: for DMA; UNKNOWN: until the driver maps it */
} blocks[BLOCKS];
static unsigned block_count;

void device_begin(const uint8_t *data, size_t size)
{
        steps = data;
        steps_left = size;
        memset(&device_function, 0, sizeof(device_function));
        memset(device_config, 0, sizeof(device_config));
        device_now = device_fill = 0;
        device_slept_max = UINT64_C(60000000000);
        calls = block_count = 0;
        master = false;
}

bool device_step(void)
{
        const uint8_t *const step = steps;

        if (steps_left < DEVICE_STEP)
                return false;
        steps += DEVICE_STEP;
        steps_left -= DEVICE_STEP;
        device_turn(step);
        return true;
}

/* Writes bytes 4 to 7 of the step. Byte 3 chooses a block or configuration space, and bytes 1 and 2
 * choose the place in it. */
void device_change(const uint8_t *step)
{
        const size_t at = step[1] | (size_t)step[2] << 8;
        const struct block *const block = block_count ? &blocks[step[3] % block_count] : NULL;

        if (!block || (step[3] & 0x80))
                memcpy(device_config + at % (sizeof(device_config) - 3), step + 4, 4);
        else if (block->bytes >= 4 && (block->bar != NOVA_PCI_BARS || master))
                memcpy(block->memory + at % (block->bytes - 3), step + 4, 4);
}

/* Makes the rest of the last page of a block inaccessible. */
static void cut(struct block *block, size_t bytes)
{
        __asan_poison_memory_region(block->memory + bytes, block->bytes - bytes);
        block->bytes = bytes;
}

static uint8_t *add_block(size_t bytes, size_t room, unsigned bar)
{
        struct block *const block = &blocks[block_count];

        if (block_count == BLOCKS)
                return NULL;
        *block = (struct block){aligned_alloc(NOVA_PAGE_SIZE, room), room, bar};
        memset(block->memory, bar == NOVA_PCI_BARS ? 0 : device_fill, room);
        cut(block, bytes);
        block_count++;
        return block->memory;
}

uint8_t *device_memory(unsigned bar)
{
        for (unsigned i = 0; i < block_count; i++)
                if (blocks[i].bar == bar)
                        return blocks[i].memory;
        return NULL;
}

uint32_t device_reg(unsigned bar, unsigned offset)
{
        uint32_t value = 0;

        memcpy(&value, device_memory(bar) + offset, sizeof(value));
        return value;
}

void device_set_reg(unsigned bar, unsigned offset, uint32_t value)
{
        memcpy(device_memory(bar) + offset, &value, sizeof(value));
}

uint8_t *device_dma(uint64_t address, size_t bytes)
{
        for (unsigned i = 0; i < block_count; i++) {
                const uint64_t begin = (uintptr_t)blocks[i].memory;

                if (blocks[i].bar == NOVA_PCI_BARS && bytes <= blocks[i].bytes &&
                    address - begin <= blocks[i].bytes - bytes)
                        return blocks[i].memory + (address - begin);
        }
        return NULL;
}

void device_end(void)
{
        for (unsigned i = 0; i < block_count; i++) {
                __asan_unpoison_memory_region(blocks[i].memory, blocks[i].bytes + NOVA_PAGE_SIZE);
                free(blocks[i].memory);
        }
        block_count = 0;
}

/* Substitutes for the service pci. */
int nova_session_open(struct nova_session **session, const char *name, const char *arguments)
{
        (void)arguments;
        *session = NULL;
        return strcmp(name, "pci") == 0 ? 0 : ENOENT;
}

void nova_session_close(struct nova_session *session)
{
        (void)session;
}

static void answer_words(struct nova_message *message, const void *words, unsigned count)
{
        require(count <= message->answer_max);
        memcpy(message->answer, words, count * sizeof(nova_word_t));
        message->answer_count = count;
}

static int read_config(struct nova_message *message)
{
        const nova_word_t at = message->words[1], bytes = message->words[2];
        nova_word_t value = 0;

        require((bytes == 1 || bytes == 2 || bytes == 4) && at % bytes == 0 && at < 4096);
        if (at >= sizeof(device_config))
                return ENOTSUP;
        memcpy(&value, device_config + at, bytes);
        answer_words(message, &value, 1);
        return 0;
}

static void describe(struct nova_message *message)
{
        nova_word_t words[1 + NOVA_WORDS_OF(sizeof(device_function))] = {NOVA_PCI_CONFINED |
                                                                         NOVA_PCI_MASTER};

        memcpy(words + 1, &device_function, sizeof(device_function));
        answer_words(message, words, sizeof(words) / sizeof(words[0]));
}

/* Called when the driver maps the first pages of a register for which it has reserved addresses. */
static void map(unsigned bar)
{
        struct block *const block = &blocks[block_count - 1];

        require(bar < NOVA_PCI_BARS && block_count);
        if (block->bar != UNKNOWN)
                return;
        block->bar = bar;
        require(device_function.bar[bar].size <= block->bytes);
        cut(block, (size_t)device_function.bar[bar].size);
}

int nova_session_call(struct nova_session *session, struct nova_message *message)
{
        nova_word_t words[2] = {0, 0};

        (void)session;
        require(calls++ < CALLS_MAX);
        device_step();
        message->answer_count = 0;
        switch (message->operation) {
        case NOVA_PCI_READ:
                return read_config(message);
        case NOVA_PCI_OWN:
                describe(message);
                return 0;
        case NOVA_PCI_MAP:
                map((unsigned)message->words[0]);
                words[1] = (nova_word_t)1 << message->words[2];
                answer_words(message, words, 2);
                return 0;
        case NOVA_PCI_INTERRUPTS:
                words[0] = 1;
                answer_words(message, words, 1);
                return 0;
        case NOVA_PCI_WRITE:
                master = message->words[2] & NOVA_PCI_COMMAND_MASTER;
                return 0;
        default:
                return 0;
        }
}

void driver_claim(struct nova_pci_device **pci, const char *name, const struct driver_kind *kind)
{
        (void)kind;
        require(nova_pci_claim(pci, name) == 0);
}

/* Substitutes for the runtime and the kernel. */
void *nova_region_reserve(size_t bytes)
{
        return add_block(bytes, bytes, UNKNOWN);
}

int nova_region_free(void *region)
{
        (void)region;
        return 0;
}

nova_word_t nova_thread_cpu(void)
{
        return 0;
}

nova_sel_t nova_sel_alloc(unsigned order)
{
        require(!order);
        return 100;
}

nova_word_t nova_trap_1(nova_word_t id)
{
        (void)id;
        return NOVA_SUCCESS;
}

nova_word_t nova_trap_2(nova_word_t id, nova_word_t *a2)
{
        (void)id, (void)a2;
        return NOVA_SUCCESS;
}

int nova_dma_alloc(size_t bytes, struct nova_dma *dma)
{
        const size_t room = (bytes + NOVA_PAGE_SIZE - 1) & ~((size_t)NOVA_PAGE_SIZE - 1);

        dma->memory = add_block(bytes, room, NOVA_PCI_BARS);
        dma->phys = (uintptr_t)dma->memory;
        dma->bytes = bytes;
        return dma->memory ? 0 : ENOMEM;
}

uint64_t nova_rdtsc(void)
{
        return device_now;
}

uint64_t nova_deadline_in(uint64_t ns)
{
        device_step();
        return device_now + ns;
}

/* Lets time pass. When the device has no steps left, time passes faster for a driver that polls, so
 * that its deadline comes sooner. */
void nova_sleep(uint64_t ns)
{
        const bool changes = device_step();

        device_now += changes || ns > POLL_NS ? ns : 1000 * ns;
        require(device_now <= device_slept_max);
}
