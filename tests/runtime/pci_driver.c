/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver for PCI devices that requests all resources that it may have, and some that it must not
 * have. The description gives it "disk", a virtio disk with MSI-X; "other" belongs to another
 * program. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/nova.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/service/pci_device.h"
#include "novart/time.h"

#define REG_BAR       0x10
#define REG_LINE      0x3c
#define CAP_MSIX      0x11
#define CAP_VENDOR    0x09
#define MSIX_TABLE    4
#define MSIX_CONTROL  2
#define MSIX_ENABLE   0x8000
#define CAP_MSI       0x05
#define MSI_CONTROL   2
#define MSI_ENABLE    0x1
#define EDU_CAUSE     (0x24 / 4)
#define EDU_RAISE     (0x60 / 4)
#define EDU_ACK       (0x64 / 4)
#define EDU_FROM      (0x80 / 4)
#define EDU_TO        (0x88 / 4)
#define EDU_COUNT     (0x90 / 4)
#define EDU_COMMAND   (0x98 / 4)
#define EDU_BUFFER    0x40000
#define EDU_TO_MEMORY 0x3

static int failures;

static void check(const char *what, bool good)
{
        printf("%s - %s\n", good ? "ok" : "not ok", what);
        failures += !good;
}

static bool is_mapped(const volatile void *address)
{
        nova_crd_t crd = nova_crd_mem((nova_word_t)address >> NOVA_PAGE_BITS, 0, NOVA_MEM_RWX);

        return nova_lookup(&crd) == NOVA_SUCCESS && nova_crd_type(crd) == NOVA_CRD_MEM;
}

static bool has_semaphore(nova_sel_t sel)
{
        nova_crd_t crd = nova_crd_obj(sel, 0, NOVA_PERM_ALL);

        return nova_lookup(&crd) == NOVA_SUCCESS && nova_crd_type(crd) == NOVA_CRD_OBJ;
}

static void claims(struct nova_pci_device **disk)
{
        struct nova_pci_device *device;

        check("a device of another program is refused", nova_pci_claim(&device, "other") == EACCES);
        for (unsigned i = 0; i < 2; i++)
                check("a device without a function is absent",
                      nova_pci_claim(&device, "nothing") == ENODEV);
        check("a device without a section is absent",
              nova_pci_claim(&device, "undeclared") == ENODEV);
        check("the program's own device is given", nova_pci_claim(disk, "disk") == 0);
        check("... once", nova_pci_claim(&device, "disk") == EBUSY);
}

static void registers(struct nova_pci_device *disk)
{
        volatile void *memory;
        uint32_t table = 0, value = 0;
        uint16_t port;
        unsigned at = 0, number = 0;
        size_t bytes;

        check("a capability is found", nova_pci_capability(disk, CAP_MSIX, &at) == 0);
        nova_pci_config_read(disk, at + MSIX_TABLE, 4, &table);
        check("the memory with the vectors is mapped without them",
              nova_pci_map(disk, table & 7, &memory, &bytes) == 0 && bytes &&
                      !is_mapped((volatile char *)memory + (table & ~7u)));
        at = 0;
        while (nova_pci_capability(disk, CAP_VENDOR, &at) == 0)
                number++;
        check("virtio's capabilities are found", number >= 4);
        nova_pci_config_read(disk, at + 4, 1, &value);
        check("its registers are mapped", nova_pci_map(disk, 4, &memory, &bytes) == 0 &&
                                                  bytes >= 4096 && is_mapped(memory) &&
                                                  is_mapped((volatile char *)memory + bytes - 1));
        check("there are no ports where memory is, and no register 6",
              nova_pci_ports(disk, 4, &port) == ENOENT &&
                      nova_pci_map(disk, 6, &memory, &bytes) == ENOENT);
}

static void writes(struct nova_pci_device *disk)
{
        uint32_t command = 0;
        unsigned at = 0;

        nova_pci_capability(disk, CAP_MSIX, &at);
        check("addresses, messages and lines cannot be written",
              nova_pci_config_write(disk, REG_BAR, 4, 0) == EPERM &&
                      nova_pci_config_write(disk, at + MSIX_CONTROL, 2, 0) == EPERM &&
                      nova_pci_config_write(disk, REG_LINE, 1, 0) == EPERM &&
                      nova_pci_config_write(disk, NOVA_PCI_COMMAND, 4, 0) == EPERM);
        nova_pci_config_read(disk, NOVA_PCI_COMMAND, 2, &command);
        check("other bits of the command register cannot be written",
              nova_pci_config_write(disk, NOVA_PCI_COMMAND, 2, command ^ 0x100) == EPERM);
        check("the device is not a bus master at first", !(command & NOVA_PCI_COMMAND_MASTER));
        check("it becomes one where that is allowed",
              nova_pci_master(disk, true) == (nova_pci_flags(disk) & NOVA_PCI_MASTER ? 0 : EPERM));
}

static void interrupts(struct nova_pci_device *disk, const nova_sel_t *sels)
{
        unsigned got = 0, more;

        check("no interrupts, and too many, are refused",
              nova_pci_interrupts(disk, 0, sels, &got) == EINVAL &&
                      nova_pci_interrupts(disk, NOVA_PCI_INTERRUPTS_MAX + 1, sels, &got) == EINVAL);
        check("interrupts are given",
              nova_pci_interrupts(disk, 8, sels, &got) == 0 && got >= 1 && has_semaphore(sels[0]));
        printf("%u interrupts\n", got);
        check("... once", nova_pci_interrupts(disk, 8, sels, &more) == EEXIST);
        check("a driver cannot raise its own interrupt", nova_sm_up(sels[0]) == NOVA_BAD_CAP);
}

static void reset(struct nova_pci_device *disk)
{
        volatile void *memory;
        uint32_t before = 0, after = 0, command = 0;
        size_t bytes;

        nova_pci_config_read(disk, REG_BAR + 16, 4, &before);
        nova_pci_master(disk, true);
        check("the function is reset", nova_pci_reset(disk) == 0);
        nova_pci_config_read(disk, REG_BAR + 16, 4, &after);
        nova_pci_config_read(disk, NOVA_PCI_COMMAND, 2, &command);
        check("... and has its addresses again, and is not a bus master",
              before == after && (command & 0x6) == 0x2);
        check("... and its registers are still mapped",
              nova_pci_map(disk, 4, &memory, &bytes) == 0 && is_mapped(memory));
}

/* Requests that the device be assigned to a PD. @p item is a capability for the PD, or 0. */
static int assign(struct nova_session *session, nova_crd_t item)
{
        struct nova_message message = {
                .operation = NOVA_PCI_ASSIGN, .item_count = item != 0, .items = {item}};

        return nova_session_call(session, &message);
}

/* Tests that a device can be assigned only to a PD whose memory the driver can access anyway. */
static void assigns(nova_sel_t sm)
{
        struct nova_session *session, *other;
        nova_word_t flags = 0;
        struct nova_message own = {.operation = NOVA_PCI_OWN, .answer = &flags, .answer_max = 1};

        check("the device is free again", nova_session_open(&session, "pci", "disk") == 0 &&
                                                  nova_session_call(session, &own) == 0);
        check("a function without a PD is refused", assign(session, 0) == EINVAL);
        check("... to a PD without the right to create ECs",
              assign(session, nova_crd_obj(nova_program.pd, 0, NOVA_PD_SM)) == EPERM);

        const bool confined = flags & NOVA_PCI_CONFINED;

        check("... to what is not a PD",
              assign(session, nova_crd_obj(sm, 0, NOVA_PERM_ALL)) == (confined ? EINVAL : ENOTSUP));
        check("a PD of the driver's gets the function, if an I/O MMU confines it",
              assign(session, nova_crd_obj(nova_program.pd, 0, NOVA_PD_EC)) ==
                      (confined ? 0 : ENOTSUP));
        check("a session without a device assigns nothing",
              nova_session_open(&other, "pci", NULL) == 0 &&
                      assign(other, nova_crd_obj(nova_program.pd, 0, NOVA_PD_EC)) == EBADF);
        /* After this revocation the program cannot create ECs, even if its message names the right
         * to do so. */
        check("a right that the program names but does not have does not count",
              nova_revoke(nova_crd_obj(nova_program.pd, 0, NOVA_PD_EC), NOVA_REVOKE_SR) ==
                              NOVA_SUCCESS &&
                      assign(session, nova_crd_obj(nova_program.pd, 0, NOVA_PERM_ALL)) == EPERM);
        nova_session_close(other);
        nova_session_close(session);
}

static int do_all(void)
{
        nova_sel_t sels[NOVA_PCI_INTERRUPTS_MAX];
        struct nova_pci_device *disk;
        unsigned got;

        for (unsigned i = 0; i < NOVA_PCI_INTERRUPTS_MAX; i++)
                sels[i] = nova_sel_alloc(0);
        claims(&disk);
        registers(disk);
        writes(disk);
        interrupts(disk, sels);
        reset(disk);
        nova_pci_release(disk);
        check("the end of the session takes the interrupts", !has_semaphore(sels[0]));
        check("a semaphore is created",
              nova_create_sm(sels[1], nova_program.pd, 0) == NOVA_SUCCESS);
        assigns(sels[1]);
        nova_revoke(nova_crd_obj(sels[1], 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        check("the semaphore is destroyed", !has_semaphore(sels[1]));
        check("the device can be claimed again",
              nova_pci_claim(&disk, "disk") == 0 && nova_pci_interrupts(disk, 1, sels, &got) == 0);
        return failures;
}

/* Requests 32 vectors for each of four devices, more than there are interrupts for messages. */
static int do_many(void)
{
        unsigned all = 0;

        for (char name[] = "many-0"; name[5] < '4'; name[5]++) {
                nova_sel_t sels[NOVA_PCI_INTERRUPTS_MAX];
                struct nova_pci_device *device;
                unsigned got = 0;

                for (unsigned i = 0; i < NOVA_PCI_INTERRUPTS_MAX; i++)
                        sels[i] = nova_sel_alloc(0);
                check(name, nova_pci_claim(&device, name) == 0 &&
                                    nova_pci_interrupts(device, NOVA_PCI_INTERRUPTS_MAX, sels,
                                                        &got) == 0);
                all += got;
        }
        check("all interrupts for messages are given, and no more", all > 96 && all < 128);
        return failures;
}

/* Raises an interrupt of edu, which must come within five seconds. */
static bool raise(volatile uint32_t *registers, nova_sel_t sel, uint32_t cause)
{
        bool good;

        registers[EDU_RAISE] = cause;
        good = nova_sm_down_until(sel, 0, nova_deadline_in(5000000000)) == NOVA_SUCCESS &&
               registers[EDU_CAUSE] == cause;
        registers[EDU_ACK] = cause;
        return good;
}

/* Uses a device with MSI and without MSI-X. */
static int do_message(void)
{
        const nova_sel_t sel = nova_sel_alloc(0);
        struct nova_pci_device *edu;
        volatile void *memory;
        uint32_t control = 0, command = 0;
        unsigned at = 0, got = 0;
        size_t bytes;
        bool all = true;

        if (nova_pci_claim(&edu, "edu") || nova_pci_map(edu, 0, &memory, &bytes) ||
            nova_pci_quiet(edu) || nova_pci_master(edu, true))
                return 3;
        check("the device has MSI and no MSI-X",
              nova_pci_describe(edu)->msi_vectors && !nova_pci_describe(edu)->msix_vectors);
        check("it has an interrupt", nova_pci_interrupts(edu, 1, &sel, &got) == 0 && got == 1);
        check("messages are on",
              nova_pci_capability(edu, CAP_MSI, &at) == 0 &&
                      nova_pci_config_read(edu, at + MSI_CONTROL, 2, &control) == 0 &&
                      control & MSI_ENABLE);
        check("the pin is off", nova_pci_config_read(edu, NOVA_PCI_COMMAND, 2, &command) == 0 &&
                                        command & NOVA_PCI_COMMAND_NO_PIN);
        for (uint32_t cause = 1; cause <= 100 && all; cause++)
                all = raise(memory, sel, cause);
        check("each of 100 interrupts comes by message", all);
        return failures;
}

/* Reads the registers of the device until the driver loses them. */
static int do_stay(void)
{
        struct nova_pci_device *edu;
        volatile uint32_t *registers;
        volatile void *memory;
        size_t bytes;

        if (nova_pci_claim(&edu, "edu") || nova_pci_map(edu, 0, &memory, &bytes) ||
            nova_pci_master(edu, true))
                return 3;
        registers = memory;
        printf("edu says %x\n", (unsigned)registers[0]);
        while (registers[0])
                nova_sleep(1000000);
        return 4;
}

/* Makes the device a bus master, lets it write into the driver's memory for a while, and crashes.
 * The driver has a quarter of the machine's memory. */
static int do_crash(bool quiet)
{
        struct nova_pci_device *edu;
        volatile uint32_t *registers;
        volatile void *memory;
        struct nova_dma dma;
        size_t bytes;

        if (nova_pci_claim(&edu, "edu") || nova_pci_map(edu, 0, &memory, &bytes) ||
            nova_dma_alloc(NOVA_PAGE_SIZE, &dma))
                return 3;
        registers = memory;
        while (registers[EDU_COMMAND] & 1)
                nova_sleep(1000000);
        if (quiet)
                nova_pci_quiet(edu);
        if (nova_pci_master(edu, true))
                return 4;
        registers[EDU_FROM] = EDU_BUFFER;
        registers[EDU_TO] = (uint32_t)nova_pci_address(edu, &dma);
        registers[EDU_COUNT] = 256;
        registers[EDU_COMMAND] = EDU_TO_MEMORY;
        puts("the device writes");
        fflush(stdout);
        abort();
}

int main(int argc, char **argv)
{
        const char *const what = argc > 1 ? argv[1] : "";

        if (strcmp(what, "all") == 0)
                return do_all();
        if (strcmp(what, "idle") == 0)
                return 0;
        if (strcmp(what, "many") == 0)
                return do_many();
        if (strcmp(what, "message") == 0)
                return do_message();
        if (strcmp(what, "stay") == 0)
                return do_stay();
        return do_crash(strcmp(what, "quiet") == 0);
}
