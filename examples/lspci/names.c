/* SPDX-License-Identifier: BSD-2-Clause */
/* Names by number. The classes are those of the PCI Code and ID Assignment Specification; the
 * devices are those of QEMU. */
#include "names.h"

#include <stddef.h>

/* ROW(class << 8 | subclass, "name") */
#define CLASS_ROWS(ROW)                         \
        ROW(0x0001, "display controller")       \
        ROW(0x0100, "SCSI controller")          \
        ROW(0x0101, "IDE controller")           \
        ROW(0x0104, "RAID controller")          \
        ROW(0x0106, "SATA controller")          \
        ROW(0x0107, "SAS controller")           \
        ROW(0x0108, "NVMe controller")          \
        ROW(0x0180, "mass storage controller")  \
        ROW(0x0200, "Ethernet controller")      \
        ROW(0x0280, "network controller")       \
        ROW(0x0300, "VGA controller")           \
        ROW(0x0380, "display controller")       \
        ROW(0x0401, "audio device")             \
        ROW(0x0403, "HD audio controller")      \
        ROW(0x0500, "RAM controller")           \
        ROW(0x0600, "host bridge")              \
        ROW(0x0601, "ISA bridge")               \
        ROW(0x0604, "PCI bridge")               \
        ROW(0x0607, "CardBus bridge")           \
        ROW(0x0680, "bridge")                   \
        ROW(0x0700, "serial controller")        \
        ROW(0x0780, "communication controller") \
        ROW(0x0806, "I/O MMU")                  \
        ROW(0x0880, "system device")            \
        ROW(0x0c03, "USB controller")           \
        ROW(0x0c05, "SMBus controller")         \
        ROW(0x1180, "signal processor")

/* ROW(class, "name"): for subclasses without a row. */
#define BASE_ROWS(ROW)                    \
        ROW(0x01, "storage controller")   \
        ROW(0x02, "network controller")   \
        ROW(0x03, "display controller")   \
        ROW(0x04, "multimedia device")    \
        ROW(0x05, "memory controller")    \
        ROW(0x06, "bridge")               \
        ROW(0x07, "communication device") \
        ROW(0x08, "system device")        \
        ROW(0x09, "input device")         \
        ROW(0x0b, "processor")            \
        ROW(0x0c, "serial bus")           \
        ROW(0x0d, "wireless controller")  \
        ROW(0x10, "encryption controller")

#define VENDOR_ROWS(ROW)        \
        ROW(0x1002, "AMD")      \
        ROW(0x1013, "Cirrus")   \
        ROW(0x1022, "AMD")      \
        ROW(0x10de, "NVIDIA")   \
        ROW(0x10ec, "Realtek")  \
        ROW(0x1234, "QEMU")     \
        ROW(0x144d, "Samsung")  \
        ROW(0x14e4, "Broadcom") \
        ROW(0x15ad, "VMware")   \
        ROW(0x1af4, "Red Hat")  \
        ROW(0x1b36, "Red Hat")  \
        ROW(0x8086, "Intel")

/* ROW(vendor << 16 | device, "name") */
#define DEVICE_ROWS(ROW)                         \
        ROW(0x12341111, "VGA")                   \
        ROW(0x123411e8, "edu")                   \
        ROW(0x1af41000, "virtio network card")   \
        ROW(0x1af41001, "virtio disk")           \
        ROW(0x1af41041, "virtio network card")   \
        ROW(0x1af41042, "virtio disk")           \
        ROW(0x1af41043, "virtio console")        \
        ROW(0x1af41044, "virtio entropy source") \
        ROW(0x1b36000c, "PCIe root port")        \
        ROW(0x1b360010, "NVMe disk")             \
        ROW(0x8086100e, "82540EM")               \
        ROW(0x808610d3, "82574L")                \
        ROW(0x80861237, "82441FX")               \
        ROW(0x80862918, "ICH9 LPC")              \
        ROW(0x80862922, "ICH9 AHCI")             \
        ROW(0x80862930, "ICH9 SMBus")            \
        ROW(0x808629c0, "82G33 Express")         \
        ROW(0x80867000, "PIIX3 ISA")             \
        ROW(0x80867010, "PIIX3 IDE")             \
        ROW(0x80867113, "PIIX4 power management")

struct row {
        uint32_t number;
        const char *name;
};

#define MAKE_ROW(number, name) {number, name},

static const struct row classes[] = {CLASS_ROWS(MAKE_ROW)};
static const struct row bases[] = {BASE_ROWS(MAKE_ROW)};
static const struct row vendors[] = {VENDOR_ROWS(MAKE_ROW)};
static const struct row devices[] = {DEVICE_ROWS(MAKE_ROW)};

static const char *find(const struct row *row, size_t rows, uint32_t number)
{
        for (size_t i = 0; i < rows; i++)
                if (row[i].number == number)
                        return row[i].name;
        return NULL;
}

#define FIND(rows, number) find(rows, sizeof(rows) / sizeof((rows)[0]), number)

const char *class_name(uint32_t class_code)
{
        const char *name = FIND(classes, class_code >> 8);

        if (!name)
                name = FIND(bases, class_code >> 16);
        return name ? name : "device";
}

const char *vendor_name(uint16_t vendor)
{
        return FIND(vendors, vendor);
}

const char *device_name(uint16_t vendor, uint16_t device)
{
        return FIND(devices, (uint32_t)vendor << 16 | device);
}
