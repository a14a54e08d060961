/* SPDX-License-Identifier: BSD-2-Clause */
/* Brings a function to full power, and resets it: by a function-level reset, else by a reset of its
 * bus if the bus has no other function, else by its power state. The function may report wrong
 * values, or not answer. */
#include "config.h"
#include "device.h"
#include "novart/time.h"
#include "registers.h"
#include "scan.h"
#include "server.h"

#define MS          UINT64_C(1000000)
#define RESET_MS    100  /* time that a function needs after a reset (PCI Express 3.0, 6.6.2) */
#define ANSWER_MS   1000 /* maximum time from a reset until the function answers */
#define POWER_MS    10   /* time for a change of the power state (PCI Power Management 1.2, 5.4) */
#define BUS_MS      2    /* length of a reset of a bus: 1 ms or more (PCI Express 3.0, 4.2.6.11) */
#define PENDING_MS  100  /* longest wait for the end of the function's own requests */
#define HEADER_REGS 16

/* Registers that a reset changes. */
struct saved {
        uint32_t header[HEADER_REGS];
        uint32_t control, control_2;
        unsigned express;
};

/* Waits without the lock, so that other clients are served. Returns false if the service ends. */
static bool sleep_unlocked(struct nova_service *service, unsigned ms)
{
        if (service)
                nova_service_unlock(service);
        nova_sleep(ms * MS);
        return !service || nova_service_lock(service) == 0;
}

static void save(uint16_t address, struct saved *saved)
{
        for (unsigned i = 0; i < HEADER_REGS; i++)
                saved->header[i] = config_read(address, 4 * i);
        saved->express = scan_capability(address, CAPABILITY_EXPRESS, EXPRESS_BYTES);
        if (!saved->express)
                return;
        saved->control = config_read(address, saved->express + EXPRESS_CONTROL) & COMMAND_MASK;
        if (saved->express + EXPRESS_CONTROL_2 < CONFIG_PORT_BYTES &&
            (config_read(address, saved->express) >> 16 & EXPRESS_VERSION) >= 2)
                saved->control_2 =
                        config_read(address, saved->express + EXPRESS_CONTROL_2) & COMMAND_MASK;
}

/* Restores the registers, but not the command register: the function stays switched off until
 * claim_open(). */
static void restore(uint16_t address, const struct saved *saved)
{
        if (saved->express) {
                config_write(address, saved->express + EXPRESS_CONTROL, saved->control);
                if (saved->control_2)
                        config_write(address, saved->express + EXPRESS_CONTROL_2, saved->control_2);
        }
        config_write(address, REG_HEADER, saved->header[REG_HEADER / 4]);
        for (unsigned i = 0; i < NOVA_PCI_BARS; i++)
                config_write(address, REG_BAR + 4 * i, saved->header[REG_BAR / 4 + i]);
        config_write(address, REG_ROM, saved->header[REG_ROM / 4]);
        config_write(address, REG_INTERRUPT, saved->header[REG_INTERRUPT / 4]);
}

static bool wait_for_answer(struct nova_service *service, uint16_t address)
{
        for (unsigned ms = 0; ms < ANSWER_MS; ms += POWER_MS) {
                const uint32_t id = config_read(address, REG_ID);

                /* 0x0001 means that the function is not ready yet */
                if ((id & 0xffff) != NO_VENDOR && (id & 0xffff) != 1)
                        return true;
                if (!sleep_unlocked(service, POWER_MS))
                        return false;
        }
        return false;
}

/* Waits for the end of the function's own requests, which a bit of a register shows. */
static void wait_for_requests(struct nova_service *service, uint16_t address, unsigned at,
                              uint32_t pending)
{
        for (unsigned ms = 0; ms < PENDING_MS; ms += POWER_MS)
                if (!(config_read(address, at) & pending) || !sleep_unlocked(service, POWER_MS))
                        break;
}

static bool reset_by_function(struct nova_service *service, uint16_t address, unsigned express)
{
        const unsigned at = express + EXPRESS_CONTROL;

        wait_for_requests(service, address, at, EXPRESS_PENDING);
        config_write(address, at, (config_read(address, at) & COMMAND_MASK) | EXPRESS_RESET);
        return sleep_unlocked(service, RESET_MS) && wait_for_answer(service, address);
}

static bool reset_by_advanced(struct nova_service *service, uint16_t address, unsigned advanced)
{
        const unsigned at = advanced + ADVANCED_CONTROL;

        wait_for_requests(service, address, at, ADVANCED_PENDING);
        config_write(address, at, ADVANCED_RESET);
        return sleep_unlocked(service, RESET_MS) && wait_for_answer(service, address);
}

static unsigned bus_of(const struct nova_pci_function *function)
{
        return function->address >> 8;
}

/* Returns the bridge that leads directly to the bus of a function, if no other function is on this
 * bus; else NULL. A function that the table lacks may be on the bus. */
static const struct nova_pci_function *own_bridge(const struct device *device)
{
        const struct nova_pci_function *function, *bridge = NULL;
        const unsigned bus = bus_of(&device->function);

        if (!pci_knows_bus(bus))
                return NULL;
        for (unsigned i = 0; (function = pci_function(i)); i++) {
                if (bus_of(function) == bus && function->address != device->function.address)
                        return NULL;
                if (device_is_above(function, bus) && function->secondary_bus == bus)
                        bridge = function;
        }
        return bridge;
}

static bool reset_by_bus(struct nova_service *service, uint16_t address, uint16_t bridge)
{
        const uint32_t control = config_read(bridge, REG_BRIDGE_CONTROL);

        config_write(bridge, REG_BRIDGE_CONTROL, control | BRIDGE_RESET);

        const bool runs = sleep_unlocked(service, BUS_MS);

        config_write(bridge, REG_BRIDGE_CONTROL, control & ~BRIDGE_RESET);
        return runs && sleep_unlocked(service, RESET_MS) && wait_for_answer(service, address);
}

/* Returns the power control register with the state D0, and without the bit that a write clears. */
static uint32_t power_on(uint16_t address, unsigned power)
{
        return config_read(address, power + POWER_CONTROL) & COMMAND_MASK & ~POWER_STATE & ~0x8000u;
}

/* Brings a function to full power: in a state of low power, in which firmware may have left it, its
 * registers in memory cannot be accessed. The change may reset the function. Sets *woken to false
 * if the function had full power. Returns false if the service ends. */
static bool wake(struct nova_service *service, uint16_t address, unsigned power, bool *woken)
{
        *woken = power && config_read(address, power + POWER_CONTROL) & POWER_STATE;
        if (!*woken)
                return true;
        config_write(address, power + POWER_CONTROL, power_on(address, power));
        return sleep_unlocked(service, POWER_MS);
}

static bool reset_by_power(struct nova_service *service, uint16_t address, unsigned power)
{
        const unsigned at = power + POWER_CONTROL;
        const uint32_t control = power_on(address, power);

        config_write(address, at, control | POWER_D3);
        if (!sleep_unlocked(service, POWER_MS))
                return false;
        config_write(address, at, control);
        return sleep_unlocked(service, POWER_MS) && wait_for_answer(service, address);
}

bool reset_function(struct nova_service *service, const struct device *device)
{
        const uint16_t address = device->function.address;
        const struct nova_pci_function *const bridge = own_bridge(device);
        const unsigned power = scan_capability(address, CAPABILITY_POWER, POWER_BYTES);
        const unsigned advanced = scan_capability(address, CAPABILITY_ADVANCED, ADVANCED_BYTES);
        struct saved saved = {.express = 0};
        bool woken, done = false;

        interrupt_off(device);
        device_command(device, COMMAND_NO_PIN, COMMAND_MASTER | COMMAND_DECODES);
        save(address, &saved);
        if (!wake(service, address, power, &woken))
                return false;
        if (saved.express && config_read(address, saved.express + EXPRESS_ABILITIES) & EXPRESS_FLR)
                done = reset_by_function(service, address, saved.express);
        else if (advanced && (config_read(address, advanced) & ADVANCED_FLR) == ADVANCED_FLR)
                done = reset_by_advanced(service, address, advanced);
        else if (bridge)
                done = reset_by_bus(service, address, bridge->address);
        else if (power && !(config_read(address, power + POWER_CONTROL) & POWER_KEEPS))
                done = reset_by_power(service, address, power);
        else if (!woken)
                return false;
        restore(address, &saved);
        return done;
}
