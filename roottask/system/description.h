/* SPDX-License-Identifier: BSD-2-Clause */
/* The content of a system description, and the one parser that reads it: init uses it when the
 * system boots, the tool nova-system when the system is built. docs/manual/systems.md is the
 * reference. */
#ifndef NOVA_SYSTEM_DESCRIPTION_H
#define NOVA_SYSTEM_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NOVA_SYSTEM_PROGRAMS_MAX 64
#define NOVA_SYSTEM_DEVICES_MAX  32
#define NOVA_SYSTEM_WORDS_MAX    1024  /* values of all lists together */
#define NOVA_SYSTEM_RANGES_MAX   128   /* of all devices together */
#define NOVA_SYSTEM_TEXT_MAX     32768 /* bytes of all words together */
#define NOVA_SYSTEM_NAME_MAX     31    /* characters of a program's, service's or device's name */
#define NOVA_SYSTEM_CPUS_MAX     64

/** The device of the service pci. It has the configuration ports, and range n of its memory is the
 * configuration space of bus n, if the machine maps that space. These ranges depend on the machine,
 * so a description cannot name them. */
#define NOVA_SYSTEM_PCI "pci-config"

/** ROW(ENUM, "keyword", "example"): the properties of a program. */
#define NOVA_SYSTEM_PROPERTY_ROWS(ROW)                            \
        ROW(FILE, "file", "file server.elf")                      \
        ROW(ARGUMENTS, "arguments", "arguments -v \"a b\"")       \
        ROW(ENVIRONMENT, "environment", "environment TZ=UTC")     \
        ROW(MEMORY, "memory", "memory 256K")                      \
        ROW(IMAGE, "image", "image 16M")                          \
        ROW(KERNEL_MEMORY, "kernel-memory", "kernel-memory 128K") \
        ROW(SELECTORS, "selectors", "selectors 1024")             \
        ROW(CPUS, "cpus", "cpus 0-1 3")                           \
        ROW(PRIORITY, "priority", "priority 20")                  \
        ROW(PROVIDES, "provides", "provides clock")               \
        ROW(USES, "uses", "uses log timer")                       \
        ROW(DEVICES, "devices", "devices serial")                 \
        ROW(MODULES, "modules", "modules disk.img")               \
        ROW(RESTART, "restart", "restart on-failure limit 3")     \
        ROW(GRANTS, "grants", "grants children")

enum nova_system_property {
#define NOVA_SYSTEM_PROPERTY_ENUM(name, keyword, example) NOVA_SYSTEM_##name,
        NOVA_SYSTEM_PROPERTY_ROWS(NOVA_SYSTEM_PROPERTY_ENUM)
#undef NOVA_SYSTEM_PROPERTY_ENUM
                NOVA_SYSTEM_PROPERTIES
};

/** When a program that has ended is restarted. */
enum nova_system_restart {
        NOVA_SYSTEM_NEVER,
        NOVA_SYSTEM_ON_FAILURE, /**< after an end with a status other than 0 */
        NOVA_SYSTEM_ALWAYS
};

/** Bits for the words of `grants`. */
#define NOVA_SYSTEM_GRANT_CHILDREN 0x1 /* may create protection domains of its own */
#define NOVA_SYSTEM_GRANT_DMA      0x2 /* learns the physical address of its memory */
#define NOVA_SYSTEM_GRANT_POWER    0x4 /* may reset the machine or power it off */
#define NOVA_SYSTEM_GRANT_STATUS   0x8 /* learns the state of all programs */

/** Values of a list: consecutive words or ranges of the system, beginning at `first`. */
struct nova_system_list {
        uint16_t first, count;
};

/** Numbers from first to last, both included. */
struct nova_system_range {
        uint64_t first, last;
};

/** A program. A property that the description omits has its default value here. */
struct nova_system_program {
        const char *name;
        const char *file; /**< name of its boot module */
        struct nova_system_list arguments, environment, provides, uses, devices, modules;
        uint64_t memory, image, kernel_memory; /**< bytes */
        uint64_t image_bytes;                  /**< bytes of its segments; 0: not known yet */
        uint64_t cpus; /**< bit n: CPU n; all bits: every CPU of the machine */
        uint32_t selectors;
        uint32_t grants; /**< NOVA_SYSTEM_GRANT_… */
        uint8_t priority;
        enum nova_system_restart restart;
        unsigned restart_limit;                   /**< number of restarts; 0: no limit */
        unsigned line;                            /**< line at which the program begins */
        unsigned line_of[NOVA_SYSTEM_PROPERTIES]; /**< line of each property; 0: none */
};

/** Bits for the lines of a PCI device. */
#define NOVA_SYSTEM_PCI_CLASS       0x1 /* has a line `class` */
#define NOVA_SYSTEM_PCI_ID          0x2 /* `id` */
#define NOVA_SYSTEM_PCI_AT          0x4 /* `at` */
#define NOVA_SYSTEM_PCI_UNPROTECTED 0x8 /* `dma-unprotected` */

/** The lines that a PCI function must match to be the device. */
struct nova_system_pci_match {
        uint32_t class_code, class_mask; /**< class, subclass and interface in 24 bits */
        uint16_t vendor, device;
        uint16_t at;    /**< bus << 8 | device << 3 | function */
        uint16_t lines; /**< NOVA_SYSTEM_PCI_…; 0 or UNPROTECTED alone: not on PCI */
};

/** A device: resources of the machine that a program gets together, or a PCI function, whose
 * resources the service pci finds. */
struct nova_system_device {
        const char *name;
        struct nova_system_list ports, memory, interrupts; /**< ranges */
        struct nova_system_pci_match pci;
        unsigned line; /**< line of its declaration; 0: the device needs no declaration */
};

/** A whole description. Its strings lie in its own text. */
struct nova_system {
        struct nova_system_program program[NOVA_SYSTEM_PROGRAMS_MAX];
        struct nova_system_device device[NOVA_SYSTEM_DEVICES_MAX];
        const char *word[NOVA_SYSTEM_WORDS_MAX];
        struct nova_system_range range[NOVA_SYSTEM_RANGES_MAX];
        char text[NOVA_SYSTEM_TEXT_MAX];
        uint64_t machine_memory; /**< memory of its machine in bytes; 0: not given */
        unsigned machine_cpus;   /**< number of CPUs of its machine; 0: not given */
        bool machine_iommu;      /**< all machines of the system have I/O MMUs */
        unsigned machine_line;
        unsigned programs, devices, words, ranges;
        size_t text_bytes;
        uint8_t order[NOVA_SYSTEM_PROGRAMS_MAX]; /**< order of starts: providers come before users
                                                  */
};

/** Reports one mistake: its line (0: the whole file) and a sentence with the remedy. */
typedef void nova_system_report(void *context, unsigned line, const char *sentence);

/** Reads a system description, and checks each program alone and all programs together.
 * @param[out] system content of the description; valid if there are no mistakes
 * @param text, bytes the file, which is not trusted
 * @param report called for each mistake, mostly in the order of lines
 * @param context passed to @p report
 * @return the number of mistakes */
unsigned nova_system_read(struct nova_system *system, const char *text, size_t bytes,
                          nova_system_report *report, void *context);

/** Properties of a machine, for nova_system_check_machine(). */
struct nova_system_machine {
        uint64_t memory; /**< bytes of memory for programs */
        uint64_t kernel_memory;
        uint64_t cpus; /**< bit n: CPU n runs */
};

/** Returns the machine that the description declares; properties that it does not give have no
 * limit. */
struct nova_system_machine nova_system_declared_machine(const struct nova_system *system);

/** Returns the memory in bytes that a program's segments need when it runs, in addition to its
 * file; 0 if it is not an ELF file, or its program headers are not in the given bytes. */
uint64_t nova_system_image_bytes(const void *file, size_t bytes);

/** Checks whether a machine has the resources of the description, and whether the segments of
 * programs with known image_bytes fit into their limits.
 * @return the number of mistakes */
unsigned nova_system_check_machine(const struct nova_system *system,
                                   const struct nova_system_machine *machine,
                                   nova_system_report *report, void *context);

/** Checks whether the files of a system are the files that the description names.
 * @param file, files names of the boot modules. Modules of other systems may be among them, so
 *   only missing ones are reported unless @p strict
 * @return the number of mistakes */
unsigned nova_system_check_files(const struct nova_system *system, const char *const *file,
                                 unsigned files, bool strict, nova_system_report *report,
                                 void *context);

/** Finds the program that provides a service.
 * @return its number, or -1 */
int nova_system_provider(const struct nova_system *system, const char *service);

/** Finds the service whose name is closest to the name of a service that no program provides.
 * @return its name, or NULL */
const char *nova_system_meant(const struct nova_system *system, const char *service);

/** Finds a device by its name.
 * @return its number, or -1 */
int nova_system_find_device(const struct nova_system *system, const char *name);

/** Finds the program that has a device.
 * @return its number, or -1 */
int nova_system_owner(const struct nova_system *system, const char *device);

/** Returns whether the description identifies a device by its PCI function. */
static inline bool nova_system_is_pci(const struct nova_system_device *device)
{
        return device->pci.lines & ~NOVA_SYSTEM_PCI_UNPROTECTED;
}

/** Returns whether a program could reach all memory by a device of its own, although the
 * description does not permit it. On a machine without an I/O MMU, it could if it may use DMA. In
 * a system with secure guests, it could on every machine if its device has ports or memory other
 * than those that are known to be harmless. The service `pci` is an exception: it may have PCI's
 * configuration space in such a system, too.
 * @param iommu the machine has an I/O MMU */
bool nova_system_is_unprotected(const struct nova_system *system,
                                const struct nova_system_program *program,
                                const struct nova_system_device *device, bool iommu);

/** Returns the keyword of a property, for messages. */
const char *nova_system_keyword(enum nova_system_property property);

#ifdef __cplusplus
}
#endif

#endif
