/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile virtio devices for our drivers: capabilities and registers that have arbitrary values and
 * change at any time. The driver must find only structures inside of the registers, use them only
 * there, and return. */
#include <string.h>

#include "device.h"
#include "virtio/pci.h"

#define CONFIG_MAX 64 /* bytes of the configuration that the test reads */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Changes some bytes of registers, or a byte of a capability. */
void device_turn(const uint8_t *step)
{
        const unsigned bar = step[1] % NOVA_PCI_BARS;
        uint8_t *const memory = device_memory(bar);
        const size_t last = device_function.bar[bar].size - 8;

        if (step[0] & 2)
                device_config[0x40 + step[1] % 4 * 0x18 + step[2] % 0x14] = step[4];
        else if (step[0] & 1 && memory)
                memset(memory + step[2] % (last < 64 ? last : 64), step[4], 1 + step[5] % 8);
        else
                device_change(step);
}

/* Makes a device with its structures in the memory of base address register 4. The capabilities
 * begin at 0x40, one for each structure. */
static void set_registers(uint8_t flags)
{
        static const uint8_t places[][2] = {{1, 0x00}, {3, 0x40}, {4, 0x80}, {2, 0xc0}};

        device_config[6] = 0x10;
        device_config[0x34] = 0x40;
        for (unsigned i = 0; i < 4; i++) {
                uint8_t *const at = device_config + 0x40 + i * 0x18;
                const uint8_t capability[] = {9,
                                              (uint8_t)(i == 3 ? 0 : 0x58 + i * 0x18),
                                              0x18,
                                              places[i][0],
                                              4,
                                              0,
                                              0,
                                              0,
                                              places[i][1],
                                              0,
                                              0,
                                              0,
                                              0x40,
                                              0,
                                              0,
                                              0,
                                              flags & 0x10 ? 4 : 0};

                memcpy(at, capability, sizeof(capability));
        }
        for (unsigned i = 0; i < NOVA_PCI_BARS; i++)
                device_function.bar[i] =
                        (struct nova_pci_bar){.base = 0xfe000000 + 0x100000 * i,
                                              .size = i == 4 ? 0x100 : (uint64_t)0x1000 << i,
                                              .flags = i == 5 ? NOVA_PCI_BAR_PORTS : 0};
        if (flags & 1)
                device_function.bar[4].size = 16u << (flags >> 1 & 7);
}

static bool is_inside(volatile const uint8_t *structure, size_t bytes)
{
        for (unsigned i = 0; i < NOVA_PCI_BARS; i++) {
                const uint8_t *const memory = device_memory(i);
                const uint64_t at = (uintptr_t)structure - (uintptr_t)memory;

                if (memory && bytes <= device_function.bar[i].size &&
                    at <= device_function.bar[i].size - bytes)
                        return true;
        }
        return false;
}

static void use(struct virtio *virtio)
{
        static char memory[0x4000];
        struct queue queue = {.size = 16, .span = 16, .depth = 1, .memory = memory};
        const struct queue queues[VIRTIO_QUEUES] = {queue, queue};

        virtio_queue_size(virtio, 1);
        for (unsigned at = 0; at < CONFIG_MAX; at += 4)
                virtio_config(virtio, at, at % 8 ? 4 : 8);
        virtio_config(virtio, 1, 1);
        virtio_config(virtio, 6, 2);
        if (virtio_start(virtio, queues, VIRTIO_QUEUES))
                return;
        for (unsigned i = 0; i < VIRTIO_QUEUES; i++) {
                require(virtio->notify_offset[i] + 2 <= virtio->notify_bytes);
                virtio_notify(virtio, i);
        }
        virtio_acknowledge(virtio);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct virtio virtio;
        uint64_t features; /* features that the driver wants */

        if (size < 4)
                return 0;
        memset(&virtio, 0, sizeof(virtio));
        features = data[1] | (uint64_t)data[2] << 24;
        device_begin(data + 4, size - 4);
        set_registers(data[0]);
        device_fill = data[0] & 0x80 ? 3 : 0;
        for (unsigned i = 0; i < data[3] % 8u; i++)
                device_step();
        require(nova_pci_claim(&virtio.pci, "disk") == 0);
        if (!virtio_open(&virtio, features)) {
                require(is_inside(virtio.common, 56) && is_inside(virtio.isr, 1));
                require(is_inside(virtio.notify, virtio.notify_bytes));
                require(is_inside(virtio.config, virtio.config_bytes));
                require(virtio.features & VIRTIO_VERSION_1);
                use(&virtio);
                if (!virtio_renew(&virtio))
                        use(&virtio);
                virtio_reset(&virtio);
        }
        nova_pci_release(virtio.pci);
        device_end();
        return 0;
}
