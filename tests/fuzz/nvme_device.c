/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile NVMe controller for our driver. Its registers, its descriptions of itself and its
 * completions have arbitrary content. The driver must return, and accept only properties that the
 * rest of the driver can work with. It must accept a completion only for a command in flight, and
 * only once. */
#include <string.h>

#include "device.h"
#include "nvme/controller.h"

#define ADMIN_SIZE 16

#define BAR 0 /* number of the base address register that places the registers */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned done; /* number of admin commands that have ended since the last reset */
static bool good;     /* the controller becomes ready, and completes commands */

/* Completes a command, with a page of data if it asks for one. */
static void complete(const uint8_t *step)
{
        const uint64_t commands = device_reg(BAR, 0x28) | (uint64_t)device_reg(BAR, 0x2c) << 32;
        const uint64_t completions = device_reg(BAR, 0x30) | (uint64_t)device_reg(BAR, 0x34) << 32;
        const uint8_t *const command = device_dma(commands + done % ADMIN_SIZE * 64, 64);
        uint8_t *const completion = device_dma(completions + done % ADMIN_SIZE * 16, 16);
        const uint32_t phase = ~(done / ADMIN_SIZE) & 1;
        uint64_t page;
        uint32_t word;

        if (!command || !completion || device_reg(BAR, 0x1000) == done % ADMIN_SIZE)
                return;
        memcpy(&page, command + 24, sizeof(page));
        if (command[0] == 6 && device_dma(page, NVME_PAGE)) {
                uint8_t *const answer = device_dma(page, NVME_PAGE);

                memset(answer, 0, NVME_PAGE);
                answer[0] = command[40] == 2 ? 1 : 200;
                answer[130] = 9;
                memcpy(answer + (step[1] | (size_t)step[2] << 8) % (NVME_PAGE - 3), step + 4, 4);
        }
        word = (command[2] | (uint32_t)command[3] << 8) | phase << 16 |
               (uint32_t)(step[3] & 0x7f) << 17;
        memcpy(completion + 12, &word, sizeof(word));
        done++;
}

/* Bits 0 and 1 of a step choose what the controller does. 0: it completes a command; 1: it changes
 * any of its memory; 2: it changes a register, then completes a command; 3: nothing. */
void device_turn(const uint8_t *step)
{
        if (!device_memory(BAR) || (step[0] & 3) == 1) {
                device_change(step);
                return;
        }
        if ((step[0] & 3) == 2)
                memcpy(device_memory(BAR) + (step[1] & 0x3c), step + 4, 4);
        good = (step[0] & 3) != 3;
        if (!good)
                return;
        if (!(device_reg(BAR, 0x14) & 1))
                done = 0;
        device_set_reg(BAR, 0x1c, device_reg(BAR, 0x14) & 1);
        complete(step);
}

static void check(const struct nvme *nvme)
{
        require(nvme->blocks && nvme->space && nvme->blocks <= UINT64_MAX / nvme->block_bytes);
        require(nvme->block_bytes >= 512 && nvme->block_bytes <= 4096);
        require(!(nvme->block_bytes & (nvme->block_bytes - 1)));
        require(nvme->transfer_max >= NVME_PAGE && nvme->transfer_max <= 0x40000);
        require(nvme->io.size >= 2 && nvme->io.size <= NVME_QUEUE_MAX);
}

/* Makes requests as clients of the driver do. The controller writes arbitrary completions. */
static void use(struct nvme *nvme, const uint8_t *data, size_t size)
{
        bool in_flight[NVME_QUEUE_MAX] = {false};
        const struct nvme_command command = {.opcode = 2};
        unsigned id, status, count = 0;

        for (; size >= 4; data += 4, size -= 4) {
                uint32_t word;

                for (unsigned i = 0; i < data[0] % 32u; i++) {
                        const int added = nvme_queue_add(&nvme->io, &command);

                        require((added < 0) == (count + 1 >= nvme->io.size));
                        if (added < 0)
                                break;
                        require((unsigned)added < nvme->io.size && !in_flight[added]);
                        in_flight[added] = true;
                        count++;
                }
                nvme_ring_commands(nvme);
                memcpy(&word, data, sizeof(word));
                word = word >> 8 & 0x7f;
                word |= (uint32_t)(data[3] & 1 ? nvme->io.phase : data[3] >> 1 & 1) << 16;
                nvme->io.completions[nvme->io.head * 4 + 3] = word;
                while (nvme_queue_take(&nvme->io, &id, &status) == NVME_TAKEN) {
                        require(id < nvme->io.size && in_flight[id]);
                        in_flight[id] = false;
                        count--;
                }
                nvme_ring_completions(nvme);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct nvme nvme;
        size_t steps;

        if (size < 4)
                return 0;
        memset(&nvme, 0, sizeof(nvme));
        steps = data[3] * (size_t)DEVICE_STEP < size - 4 ? data[3] * (size_t)DEVICE_STEP : size - 4;
        device_begin(data + 4, steps);
        /* 600 s: resets of up to 128 s, and commands of up to 5 s */
        device_slept_max = UINT64_C(600000000000);
        device_function.bar[0] =
                (struct nova_pci_bar){.base = 0xfe000000, .size = 0x1000u << (data[0] & 3)};
        device_fill = data[0] >> 2 & 3;
        done = 0;
        if (!nvme_open(&nvme, "disk")) {
                check(&nvme);
                use(&nvme, data + 4 + steps, size - 4 - steps);
                nvme_stop(&nvme);
        }
        nova_pci_release(nvme.pci);
        device_end();
        return 0;
}
