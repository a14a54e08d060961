/* SPDX-License-Identifier: BSD-2-Clause */
/* Resets a controller, asks for its properties and makes its queues. */
#include "controller.h"

#include <string.h>

#include "block/identity.h"
#include "nova/arch/mmio.h"
#include "novart/selector.h"
#include "novart/time.h"
#include "ring/claim.h"

/* Registers. NVM Express 1.4, 3.1 */
#define CAP_LOW  0x00
#define CAP_HIGH 0x04
#define VERSION  0x08
#define CC       0x14
#define CSTS     0x1c
#define AQA      0x24
#define ASQ      0x28
#define ACQ      0x30
#define DOORBELL 0x1000

#define CAP_ENTRIES(low) (((low)&0xffff) + 1)
#define CAP_TIMEOUT(low) ((low) >> 24) /* timeout in units of 500 ms */
#define CAP_STRIDE(high) ((high)&0xf)
#define CAP_PAGE(high)   ((high) >> 16 & 0xf) /* smallest page: 4096 << this */
#define VERSION_1_1      0x10100
#define CC_ENABLE        0x1
#define CC_ENTRY_SIZES   (6 << 16 | 4 << 20) /* 64 and 16 bytes */
#define CSTS_READY       0x1
#define CSTS_FATAL       0x2

/* Admin commands. */
#define CREATE_COMMANDS    0x01
#define CREATE_COMPLETIONS 0x05
#define IDENTIFY           0x06
#define SET_FEATURES       0x09
#define QUEUE_COUNT        0x07 /* a feature */
#define SPACE              0    /* IDENTIFY describes a namespace */
#define CONTROLLER         1
#define SPACES             2   /* the list of namespaces in use, in ascending order */
#define CONTIGUOUS         0x1 /* the queue is contiguous */
#define INTERRUPTS         0x2 /* the queue raises interrupts */

/* Offsets in the data that IDENTIFY returns. */
#define NAMES        4 /* serial number and model */
#define NAMES_BYTES  60
#define TRANSFER_MAX 77 /* 4096 << this; 0: no limit */
#define OPTIONAL     520
#define DISCARD      0x4
#define CACHE        525
#define BLOCKS       0
#define FORMAT       26
#define ATTRIBUTES   99
#define PROTECTED    0x1
#define SPACE_NAMES  104 /* NGUID and EUI64; 0: the namespace has none */
#define SPACE_BYTES  24
#define FORMATS      128

/* Pages of the memory: two for the I/O commands, one for each other purpose. */
enum { IO_COMMANDS = 0, IO_COMPLETIONS = 2, ADMIN_COMMANDS, ADMIN_COMPLETIONS, ANSWER, PAGES };

#define ADMIN_SIZE    16
#define ADMIN_NS      5000000000
#define TRANSFER      0x40000 /* maximum number of bytes of a command */
#define STRIDE_MAX    8       /* 4 << this: largest supported distance between doorbells */
#define MINIMUM_BYTES 0x2000  /* minimum size of the registers, which have four doorbells */

_Static_assert(DOORBELL + 4 * (4 << STRIDE_MAX) <= MINIMUM_BYTES, "all doorbells are registers");

static uint32_t get32(const struct nvme *nvme, unsigned offset)
{
        return nova_mmio_read32(nvme->registers + offset);
}

static void put32(const struct nvme *nvme, unsigned offset, uint32_t value)
{
        nova_mmio_write32(nvme->registers + offset, value);
}

static void put64(const struct nvme *nvme, unsigned offset, uint64_t value)
{
        put32(nvme, offset, (uint32_t)value);
        put32(nvme, offset + 4, (uint32_t)(value >> 32));
}

static void ring(const struct nvme *nvme, unsigned number, unsigned value)
{
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        put32(nvme, DOORBELL + number * nvme->doorbell_step, value);
}

void nvme_ring_commands(struct nvme *nvme)
{
        ring(nvme, 2, nvme->io.tail);
}

void nvme_ring_completions(struct nvme *nvme)
{
        ring(nvme, 3, nvme->io.head);
}

static uint64_t page_address(const struct nvme *nvme, unsigned page)
{
        return nvme->device + page * NVME_PAGE;
}

/* Waits until the status is @p one or @p other, at most as long as the controller states.
 * @return the last status */
static uint32_t wait_status(const struct nvme *nvme, uint32_t one, uint32_t other)
{
        const uint64_t limit =
                nova_deadline_in((CAP_TIMEOUT(get32(nvme, CAP_LOW)) + 1) * 500000000ull);
        uint32_t status;

        while ((status = get32(nvme, CSTS) & (CSTS_READY | CSTS_FATAL)) != one && status != other) {
                if (nova_rdtsc() > limit)
                        break;
                nova_sleep(1000000);
        }
        return status;
}

/* A controller that was enabled a moment ago must become ready first. After a fatal status it may
 * report both bits until its reset has ended. */
bool nvme_stop(struct nvme *nvme)
{
        const uint32_t configuration = get32(nvme, CC);

        if (configuration & CC_ENABLE && !(get32(nvme, CSTS) & (CSTS_READY | CSTS_FATAL)))
                wait_status(nvme, CSTS_READY, CSTS_FATAL);
        put32(nvme, CC, configuration & ~(uint32_t)CC_ENABLE);
        return !(wait_status(nvme, 0, 0) & CSTS_READY);
}

/* Executes an admin command. */
static bool execute(struct nvme *nvme, const struct nvme_command *command)
{
        const uint64_t limit = nova_deadline_in(ADMIN_NS);
        enum nvme_answer answer;
        unsigned id, status = 0;

        if (nvme_queue_add(&nvme->admin, command) < 0)
                return false;
        ring(nvme, 0, nvme->admin.tail);
        while ((answer = nvme_queue_take(&nvme->admin, &id, &status)) == NVME_EMPTY) {
                if (nova_rdtsc() > limit)
                        return false;
                nova_sleep(100000);
        }
        ring(nvme, 1, nvme->admin.head);
        return answer == NVME_TAKEN && !status;
}

static bool identify(struct nvme *nvme, uint32_t what, uint32_t space)
{
        const struct nvme_command command = {.opcode = IDENTIFY,
                                             .space = space,
                                             .page = {page_address(nvme, ANSWER)},
                                             .word = {what}};

        return execute(nvme, &command);
}

static const uint8_t *answer_of(const struct nvme *nvme)
{
        return (const uint8_t *)nvme->memory + (size_t)ANSWER * NVME_PAGE;
}

/* Finds the first namespace. Controllers before version 1.1 have no list of namespaces: they take
 * the request for a description, and answer with other data. A namespace that is not in use
 * describes itself with zeroes. */
static const char *find_space(struct nvme *nvme)
{
        nvme->space = 1;
        if (get32(nvme, VERSION) >= VERSION_1_1 && identify(nvme, SPACES, 0))
                memcpy(&nvme->space, answer_of(nvme), sizeof(nvme->space));
        if (!nvme->space || !identify(nvme, SPACE, nvme->space))
                return "the controller has no namespace.";
        return NULL;
}

/* Reads the properties of the namespace that was found. */
static const char *read_space(struct nvme *nvme)
{
        const uint8_t *answer = answer_of(nvme);
        uint8_t format[4];

        memcpy(&nvme->blocks, answer + BLOCKS, sizeof(nvme->blocks));
        memcpy(format, answer + FORMATS + (answer[FORMAT] & 0xf) * sizeof(format), sizeof(format));
        nvme->read_only = answer[ATTRIBUTES] & PROTECTED;
        nvme->identity = block_identity_add(nvme->identity, &nvme->space, sizeof(nvme->space));
        nvme->identity = block_identity_add(nvme->identity, answer + SPACE_NAMES, SPACE_BYTES);
        if (!nvme->blocks)
                return "the namespace has no blocks.";
        if (format[2] < 9 || format[2] > 12)
                return "the size of a block is not 512, 1024, 2048 or 4096.";
        if (format[0] || format[1])
                return "the blocks have metadata, which this driver does not support.";
        nvme->block_bytes = 1u << format[2];
        if (nvme->blocks > UINT64_MAX / nvme->block_bytes)
                return "the disk has too many blocks.";
        return NULL;
}

/* Reads the properties. The controller may report any values. */
static const char *read_properties(struct nvme *nvme)
{
        const uint8_t *answer = answer_of(nvme);
        const char *wrong;
        uint8_t transfer;

        if (!identify(nvme, CONTROLLER, 0))
                return "the controller does not report its properties.";
        transfer = answer[TRANSFER_MAX];
        nvme->transfer_max = transfer && transfer < 6 ? NVME_PAGE << transfer : TRANSFER;
        nvme->cache = answer[CACHE] & 1;
        nvme->discard = answer[OPTIONAL] & DISCARD;
        nvme->identity = block_identity_add(BLOCK_IDENTITY_BEGIN, answer + NAMES, NAMES_BYTES);
        wrong = find_space(nvme);
        if (wrong)
                return wrong;
        wrong = read_space(nvme);
        nvme->unsupported = wrong;
        return wrong;
}

static const char *make_queues(struct nvme *nvme)
{
        const uint32_t size = (nvme->io.size - 1) << 16 | 1;
        const struct nvme_command count = {.opcode = SET_FEATURES, .word = {QUEUE_COUNT, 0}};
        const struct nvme_command completions = {.opcode = CREATE_COMPLETIONS,
                                                 .page = {page_address(nvme, IO_COMPLETIONS)},
                                                 .word = {size, INTERRUPTS | CONTIGUOUS}};
        const struct nvme_command commands = {.opcode = CREATE_COMMANDS,
                                              .page = {page_address(nvme, IO_COMMANDS)},
                                              .word = {size, 1 << 16 | CONTIGUOUS}};

        return execute(nvme, &count) && execute(nvme, &completions) && execute(nvme, &commands)
                       ? NULL
                       : "the controller does not create the queues.";
}

static const char *enable(struct nvme *nvme)
{
        put32(nvme, AQA, (ADMIN_SIZE - 1) << 16 | (ADMIN_SIZE - 1));
        put64(nvme, ASQ, page_address(nvme, ADMIN_COMMANDS));
        put64(nvme, ACQ, page_address(nvme, ADMIN_COMPLETIONS));
        put32(nvme, CC, CC_ENTRY_SIZES | CC_ENABLE);
        return wait_status(nvme, CSTS_READY, CSTS_FATAL) == CSTS_READY
                       ? NULL
                       : "the controller does not become ready.";
}

static void set_queue(const struct nvme *nvme, struct nvme_queue *queue, unsigned page,
                      unsigned completions, unsigned size)
{
        *queue = (struct nvme_queue){
                .commands = (struct nvme_command *)(nvme->memory + (size_t)page * NVME_PAGE),
                .completions =
                        (volatile uint32_t *)(nvme->memory + (size_t)completions * NVME_PAGE),
                .size = size,
                .phase = true};
}

static const char *prepare(struct nvme *nvme)
{
        const uint32_t low = get32(nvme, CAP_LOW), high = get32(nvme, CAP_HIGH);
        const unsigned entries = CAP_ENTRIES(low);
        struct nova_dma dma;

        if (CAP_PAGE(high) || CAP_STRIDE(high) > STRIDE_MAX)
                return "the controller has no pages of 4 KiB, or its doorbells lie too far apart.";
        if (entries < 2)
                return "the controller's queues have one entry; NVMe requires at least two.";
        if (nova_dma_alloc((size_t)PAGES * NVME_PAGE, &dma))
                return "there is no memory for the queues; write `grants dma` and a larger "
                       "`memory`.";
        nvme->doorbell_step = 4u << CAP_STRIDE(high);
        nvme->memory = (char *)dma.memory;
        nvme->device = nova_pci_address(nvme->pci, &dma);
        set_queue(nvme, &nvme->admin, ADMIN_COMMANDS, ADMIN_COMPLETIONS, ADMIN_SIZE);
        set_queue(nvme, &nvme->io, IO_COMMANDS, IO_COMPLETIONS,
                  entries < NVME_QUEUE_MAX ? entries : NVME_QUEUE_MAX);
        return NULL;
}

const char *nvme_open(struct nvme *nvme, const char *name)
{
        static const struct driver_kind kind = {
                "an NVMe controller (class 0x010802)", 0, {0}, 0x010802};
        volatile void *registers;
        const char *wrong;
        unsigned got;
        size_t bytes;

        driver_claim(&nvme->pci, name, &kind);
        if (nova_pci_map(nvme->pci, 0, &registers, &bytes) || bytes < MINIMUM_BYTES)
                return "the function has no registers of an NVMe controller.";
        nvme->registers = (volatile uint8_t *)registers;
        nvme->interrupt = nova_sel_alloc(0);
        if (nvme->interrupt == NOVA_SEL_NONE ||
            nova_pci_interrupts(nvme->pci, 1, &nvme->interrupt, &got) || !got)
                return "the device has no interrupt.";
        wrong = prepare(nvme);
        /* A controller that a former driver left enabled must not reach memory again. */
        if (!wrong && !nvme_stop(nvme))
                wrong = "the controller cannot be reset.";
        if (!wrong && (nova_pci_quiet(nvme->pci) || nova_pci_master(nvme->pci, true)))
                wrong = "the device cannot access memory.";
        if (!wrong)
                wrong = enable(nvme);
        if (!wrong)
                wrong = read_properties(nvme);
        return wrong ? wrong : make_queues(nvme);
}
