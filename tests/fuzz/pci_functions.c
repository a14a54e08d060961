/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile PCI functions, whose registers have arbitrary values and change at any time, and hostile
 * clients of the service pci. The service must access only registers that exist, map only memory
 * that no other function has, and give a driver only pages of its function without tables of MSI-X.
 * A message must be the one that the kernel has given. The number of accesses must have a bound. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/page.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "pci/config.h"
#include "pci/device.h"
#include "pci/registers.h"
#include "pci/server.h"
#include "service.h"

#define STEP      8
#define FUNCTIONS 6
#define ACCESSES  4000000 /* during one input; the scan alone reads 8192 registers */
#define MEMORY    0x40000 /* bytes of one function that the machine can map */
#define MAPPED    64
#define WINDOW    0x10000000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A function: its registers, the bits that a driver can write, and the number of a register that
 * may read as another value at every second access. */
static struct function {
        uint32_t value[64], writable[64];
        unsigned liar;
        uint32_t lie;
} functions[FUNCTIONS];

static const uint16_t addresses[FUNCTIONS] = {0x0000, 0x0008, 0x0020, 0x0021, 0x0100, 0x0108};
static uint8_t number_of[0x10000]; /* by address: number of the function, plus 1 */
static unsigned accesses, present;
static bool has_iommu, has_window, started;
static void *mapped[MAPPED];
static size_t mapped_bytes[MAPPED];
static unsigned mapped_count;
static void *(*stopper)(void *);
static void *stopper_argument;
static nova_sel_t watcher; /* the semaphore on which the other thread waits */

static struct function *function_at(uint16_t address)
{
        const unsigned number = number_of[address];

        return number && present >> (number - 1) & 1 ? &functions[number - 1] : NULL;
}

/* Configuration space. */
void config_map_bus(unsigned bus)
{
        require(bus < 256);
}

nova_word_t config_page(uint16_t address)
{
        return has_window ? WINDOW + address * 4096u : 0;
}

bool config_reaches(uint16_t address, unsigned offset)
{
        (void)address;
        return offset < CONFIG_PORT_BYTES;
}

uint32_t config_read(uint16_t address, unsigned offset)
{
        const struct function *const function = function_at(address);

        require(offset % 4 == 0 && offset < CONFIG_PORT_BYTES && accesses++ < ACCESSES);
        if (!function)
                return UINT32_MAX;
        return function->value[offset / 4] ^
               (offset / 4 == function->liar && accesses & 1 ? function->lie : 0);
}

void config_write(uint16_t address, unsigned offset, uint32_t value)
{
        struct function *const function = function_at(address);
        uint32_t bits;

        require(offset % 4 == 0 && offset < CONFIG_PORT_BYTES && accesses++ < ACCESSES);
        require(number_of[address]);
        if (!function)
                return;
        bits = function->writable[offset / 4];
        function->value[offset / 4] = (function->value[offset / 4] & ~bits) | (value & bits);
}

/* The parent. */
static const struct nova_parent_pci_device description[] = {
        {"disk", "client0", 0x010800, 0xffff00, 0, 0, 0, NOVA_PARENT_PCI_UNPROTECTED},
        {"card", "client1", 0x020000, 0xff0000, 0, 0, 0, 0},
        {"any", "client2", 0, 0, 0, 0, 0x0108, NOVA_PARENT_PCI_AT | NOVA_PARENT_PCI_UNPROTECTED},
        {"number", "client3", 0, 0, 0x8086, 0x10d3, 0, NOVA_PARENT_PCI_ID},
};

int nova_parent_pci_describe(unsigned number, struct nova_parent_pci_device *device)
{
        if (number >= sizeof(description) / sizeof(description[0]))
                return ENOENT;
        *device = description[number];
        return 0;
}

static bool has_range(const struct nova_pci_function *function, bool ports, uint64_t first,
                      uint64_t last)
{
        for (unsigned i = 0; i < NOVA_PCI_BARS; i++) {
                const struct nova_pci_bar *const bar = &function->bar[i];

                if (bar->base && bar->size && !(bar->flags & NOVA_PCI_BAR_PORTS) == !ports &&
                    bar->base <= last && first <= bar->base + (bar->size - 1))
                        return true;
        }
        return false;
}

/* Ends the test unless exactly one function has a part of a range. */
static void check_range(bool ports, uint64_t first, uint64_t last)
{
        unsigned owners = 0;

        require(first <= last);
        for (unsigned i = 0; pci_function(i); i++)
                owners += has_range(pci_function(i), ports, first, last);
        require(owners == 1);
}

int nova_parent_pci_memory(uint64_t address, size_t bytes, void **memory)
{
        require(bytes && address % NOVA_PAGE_SIZE == 0 && bytes % NOVA_PAGE_SIZE == 0);
        check_range(false, address, address + (bytes - 1));
        if (bytes > MEMORY || mapped_count == MAPPED)
                return ENOMEM;
        *memory = aligned_alloc(NOVA_PAGE_SIZE, bytes);
        mapped_bytes[mapped_count] = bytes;
        mapped[mapped_count++] = *memory;
        return 0;
}

int nova_parent_pci_obstacle(enum nova_parent_pci_kind kind, uint64_t first, uint64_t count,
                             uint64_t *begin)
{
        require(kind == NOVA_PARENT_PCI_MEMORY || kind == NOVA_PARENT_PCI_PORTS);
        require(count && first + (count - 1) >= first);
        *begin = first;
        return 0;
}

int nova_parent_pci_ports(uint16_t first, unsigned count)
{
        require(count && first + count <= 0x10000);
        check_range(true, first, first + count - 1);
        return 0;
}

int nova_parent_pci_gsi(unsigned gsi, nova_sel_t sel)
{
        if (gsi % 8 == 7)
                return EACCES;
        selector_keep(sel);
        return 0;
}

int nova_parent_pci_quiet(unsigned number, bool quiet)
{
        (void)quiet;
        require(number < device_count);
        return 0;
}

int nova_parent_pci_watch(nova_sel_t sel)
{
        watcher = sel;
        return 0;
}

/* Threads, of which only the stopper runs, and time. */
int nova_thread_create(struct nova_thread **thread, const struct nova_thread_attr *attr,
                       void *(*function)(void *), void *argument)
{
        (void)thread;
        if (strcmp(attr->name, "stopper") == 0) {
                stopper = function;
                stopper_argument = argument;
        }
        return 0;
}

void nova_semaphore_up(struct nova_semaphore *semaphore)
{
        (void)semaphore;
}

void nova_semaphore_down(struct nova_semaphore *semaphore)
{
        (void)semaphore;
        service_end_threads(true);
}

void nova_sleep(uint64_t ns)
{
        require(ns <= 1000000000);
}

/* Serves hypercalls. An interrupt gets a message only if the program requests it for a function,
 * with the address of this function's registers. */
static nova_word_t serve_hypercall(nova_word_t id, nova_word_t *a2, nova_word_t *a3)
{
        if (nova_id_number(id) == NOVA_ASSIGN_PCI)
                return has_iommu ? NOVA_SUCCESS : NOVA_BAD_DEV;
        if (nova_id_number(id) == NOVA_ASSIGN_GSI)
                *a3 = *a2 ? 0x41 : 0;
        return NOVA_SUCCESS;
}

/* Sets the registers of a host bridge (0), a bridge (1), disks (2 and 4), and cards with ports (3
 * and 5). All of them except the bridge have MSI-X and MSI. */
static void set_registers(void)
{
        static const uint32_t disk[] = {0x58458086, 0x00100407, 0x01080200, 0, 0xfe000004};
        static const uint32_t card[] = {0x10d38086, 0x00100003, 0x02000000, 0, 0xfea00000, 0xc001};
        static const uint32_t bridge[] = {0x00011b36, 0x00100007, 0x06040000, 0x10000,    0,
                                          0,          0x00010100, 0xd0c0,     0xfe90fe80, 0xfff0};

        memset(functions, 0, sizeof(functions));
        for (unsigned i = 0; i < FUNCTIONS; i++) {
                struct function *const f = &functions[i];

                memcpy(f->value,
                       i == 1  ? bridge
                       : i % 2 ? card
                               : disk,
                       i == 1  ? sizeof(bridge)
                       : i % 2 ? sizeof(card)
                               : sizeof(disk));
                f->value[3] |= i == 2 ? 0x800000 : 0;
                f->value[4] += i * 0x100000;
                f->value[5] += i % 2 && i > 1 ? i * 0x100 : 0;
                f->value[13] = i == 1 ? 0 : 0x40;
                f->value[15] = 0x010b;
                f->value[0x40 / 4] = 0x00035011;
                f->value[0x44 / 4] = 0x2000;
                f->value[0x48 / 4] = 0x3000;
                f->value[0x50 / 4] = 0x00806005;
                f->value[0x60 / 4] = i % 2 ? 1 : 0x00020010;
                f->value[0x64 / 4] = i % 2 ? 0 : 0x10000000;
                f->writable[1] = 0x407;
                f->writable[4] = 0xffffc000;
                f->writable[5] = i % 2 ? 0xffe0 : 0xffffffff;
                f->writable[0x40 / 4] = 0xc0000000;
                f->writable[0x50 / 4] = 0x00710000;
                f->writable[0x54 / 4] = f->writable[0x58 / 4] = f->writable[0x5c / 4] = ~0u;
        }
        functions[1].writable[4] = functions[1].writable[5] = 0;
        functions[0].value[2] = 0x06000000;
}

static void start(void)
{
        if (started)
                return;
        memset(devices, 0, sizeof(devices));
        device_count = 0;
        require(pci_service_start() == 0);
        service_hypercall = serve_hypercall;
        started = true;
}

/* Ends the test if the pages contain a part of a table of MSI-X. */
static void check_open(const struct device *device, unsigned bar, uint64_t first, uint64_t end)
{
        const uint64_t vectors = device->function.msix_vectors;
        const uint32_t places[2] = {device->msix_table, device->msix_pending};
        const uint64_t bytes[2] = {16 * vectors, (vectors + 63) / 64 * 8};

        for (unsigned i = 0; i < 2 && vectors; i++) {
                const uint64_t at = (places[i] & ~7u) + device->function.bar[bar].base % 4096;

                require((places[i] & 7) != bar || at >= end || at + bytes[i] <= first);
        }
}

/* Checks the pages that a driver has received. */
static void check_pages(unsigned bar, uint64_t page, const struct client_answer *answer)
{
        const uint64_t bytes = (uint64_t)NOVA_PAGE_SIZE << nova_crd_order(answer->give[0]);
        const uint64_t at = nova_crd_base(answer->give[0]) * NOVA_PAGE_SIZE;
        const struct device *device = NULL;

        require(answer->gives == 1 && nova_crd_type(answer->give[0]) == NOVA_CRD_MEM);
        require(bytes == answer->word[1] * NOVA_PAGE_SIZE && at % NOVA_PAGE_SIZE == 0);
        for (unsigned i = 0; i < device_count; i++)
                if (devices[i].state == DEVICE_CLAIMED && devices[i].memory[bar] &&
                    (uint64_t)devices[i].memory[bar] + page * NOVA_PAGE_SIZE == at)
                        device = &devices[i];
        require(device);
        check_open(device, bar, page * NOVA_PAGE_SIZE, page * NOVA_PAGE_SIZE + bytes);
        for (unsigned i = 0; i < mapped_count; i++)
                if (mapped[i] == device->memory[bar])
                        require(page * NOVA_PAGE_SIZE + bytes <= mapped_bytes[i]);
}

static void call(const uint8_t *step)
{
        const nova_word_t operation = NOVA_OPERATION_FIRST + step[2] % 13;
        const struct client_item item = {0, step[7]};
        const bool sends = operation == NOVA_PCI_ASSIGN && step[6] & 1;
        nova_word_t words[4] = {step[3] % 8, step[4] | (nova_word_t)(step[5] & 1) << 32, step[6]};
        static const uint8_t counts[] = {1, 3, 0, 3, 1, 2, 1, 3, 0, 0, 0, 0, 0};
        struct client_answer answer;

        if (operation == NOVA_PCI_READ)
                words[0] = addresses[step[3] % FUNCTIONS];
        if (operation == NOVA_PCI_WRITE)
                words[0] = REG_COMMAND, words[1] = 2, words[2] |= (nova_word_t)step[7] << 8;
        if (operation == NOVA_PCI_INTERRUPTS)
                words[1] = step[5] == 0xff;
        client_call(step[1] % CLIENT_SESSIONS, operation, words,
                    counts[step[2] % 13] + (step[5] == 0xfe), sends ? &item : NULL, &answer);
        if (operation == NOVA_PCI_MAP && !answer.error && answer.gives)
                check_pages((unsigned)words[0], words[1], &answer);
}

/* Opens a session for a function. If the service refuses, another client must have the function. */
static void open_device(unsigned session, unsigned number)
{
        static const char *const names[] = {"disk", "card", "any", "number", "no\x1b[31m", "", "x"};
        const char *const name = names[number % 7];

        if (client_open(session, name, strlen(name)) || !*name)
                return;
        for (unsigned i = 0; i < device_count; i++)
                require(strcmp(devices[i].says.name, name) != 0 ||
                        devices[i].state == DEVICE_CLAIMED);
}

static void stop(void)
{
        if (stopper)
                stopper(stopper_argument);
        service_end_threads(false);
}

static void close_session(unsigned session)
{
        struct client_answer answer;

        client_call(session, NOVA_OPERATION_CLOSE, "", 0, NULL, &answer);
}

/* Changes a register, or the bits of it that can be written: to a value, in one byte, or to the
 * value of another function. Or selects the register that reads as another value at every second
 * access. */
static void change(const uint8_t *step)
{
        struct function *const function = &functions[step[1] % FUNCTIONS];
        const unsigned at = step[2] % 64;
        uint32_t *const to = step[3] & 1 ? &function->writable[at] : &function->value[at];
        uint32_t value;

        memcpy(&value, step + 4, sizeof(value));
        if (step[3] & 8) {
                *to = functions[step[4] % FUNCTIONS].value[at];
        } else if (step[3] & 4) {
                memcpy((uint8_t *)to + step[5] % 4, step + 4, 1);
        } else if (step[3] & 2) {
                function->liar = at;
                function->lie = value;
        } else {
                *to = value;
        }
}

static void run_step(const uint8_t *step)
{
        if ((step[0] & 7) < 3) {
                change(step);
                return;
        }
        start();
        switch (step[0] & 7) {
        case 3:
                open_device(step[1] % CLIENT_SESSIONS, step[2]);
                break;
        case 4:
                if (step[2] & 1)
                        client_kill(step[1] % CLIENT_SESSIONS);
                else
                        close_session(step[1] % CLIENT_SESSIONS);
                break;
        case 5:
                if (step[1] & 1)
                        client_deliver();
                stop();
                present = step[1] & 0x80 ? step[2] : present; /* functions come and go */
                break;
        default:
                call(step);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 2)
                return 0;
        for (unsigned i = 0; i < FUNCTIONS; i++)
                number_of[addresses[i]] = (uint8_t)(i + 1);
        set_registers();
        present = data[1];
        has_iommu = data[0] & 1;
        has_window = !(data[0] & 2);
        started = false;
        stopper = NULL;
        accesses = mapped_count = 0;
        for (size_t at = 2; at + STEP <= size; at += STEP)
                run_step(data + at);
        start();
        nova_sel_release(watcher, 0);
        client_end();
        stop();
        service_hypercall = NULL;
        for (unsigned i = 0; i < mapped_count; i++)
                free(mapped[i]);
        return 0;
}
