/* SPDX-License-Identifier: BSD-2-Clause */
/* What a system description says, and the one parser that reads it: for init when the system boots,
 * for the tool nova-system when it is built. docs/manual/systems.md is the reference. */
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

/** ROW(ENUM, "keyword", "example"): what may be said of a program. */
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

/** When a program that has ended is started again. */
enum nova_system_restart {
        NOVA_SYSTEM_NEVER,
        NOVA_SYSTEM_ON_FAILURE, /**< when it ended with a status that is not 0 */
        NOVA_SYSTEM_ALWAYS
};

/** What `grants` names, as bits. */
#define NOVA_SYSTEM_GRANT_CHILDREN 0x1 /* may create protection domains of its own */
#define NOVA_SYSTEM_GRANT_DMA      0x2 /* learns physical addresses of its memory */
#define NOVA_SYSTEM_GRANT_POWER    0x4 /* may ask for reset and power-off */

/** Values of a list: words or ranges of the system from first on. */
struct nova_system_list {
        uint16_t first, count;
};

/** Numbers from first to last, both included. */
struct nova_system_range {
        uint64_t first, last;
};

/** One program. What the description leaves out has its default value here. */
struct nova_system_program {
        const char *name;
        const char *file; /**< name of its boot module */
        struct nova_system_list arguments, environment, provides, uses, devices, modules;
        uint64_t memory, image, kernel_memory; /**< bytes */
        uint64_t image_bytes;                  /**< size of its segments; 0: not read yet */
        uint64_t cpus; /**< bit n: CPU n; all bits: every CPU that there is */
        uint32_t selectors;
        uint32_t grants; /**< NOVA_SYSTEM_GRANT_… */
        uint8_t priority;
        enum nova_system_restart restart;
        unsigned restart_limit;                   /**< times; 0: no limit */
        unsigned line;                            /**< where the program begins */
        unsigned line_of[NOVA_SYSTEM_PROPERTIES]; /**< where a property stands; 0: nowhere */
};

/** A device: what of the machine a program gets together. */
struct nova_system_device {
        const char *name;
        struct nova_system_list ports, memory, interrupts; /**< ranges */
        unsigned line; /**< where it is declared; 0: known without declaration */
};

/** A whole description. Strings lie in its own text. */
struct nova_system {
        struct nova_system_program program[NOVA_SYSTEM_PROGRAMS_MAX];
        struct nova_system_device device[NOVA_SYSTEM_DEVICES_MAX];
        const char *word[NOVA_SYSTEM_WORDS_MAX];
        struct nova_system_range range[NOVA_SYSTEM_RANGES_MAX];
        char text[NOVA_SYSTEM_TEXT_MAX];
        uint64_t machine_memory; /**< bytes that it is made for; 0: not said */
        unsigned machine_cpus;   /**< CPUs that it is made for; 0: not said */
        unsigned machine_line;
        unsigned programs, devices, words, ranges;
        size_t text_bytes;
        uint8_t order[NOVA_SYSTEM_PROGRAMS_MAX]; /**< who starts first: all that it uses precede */
};

/** Takes one mistake: its line (0: the whole file) and a sentence with the remedy. */
typedef void nova_system_report(void *context, unsigned line, const char *sentence);

/**
 * Read a system description and check it, each program alone and all together.
 *
 * @param[out] system what it says; valid if there are no mistakes
 * @param text, bytes the file; may hold anything
 * @param report      called for each mistake, in the order of lines as far as possible
 * @param context     handed to @p report
 * @return the number of mistakes
 */
unsigned nova_system_read(struct nova_system *system, const char *text, size_t bytes,
                          nova_system_report *report, void *context);

/** What a machine has, for nova_system_check_machine(). */
struct nova_system_machine {
        uint64_t memory; /**< bytes for programs */
        uint64_t kernel_memory;
        uint64_t cpus; /**< bit n: CPU n runs */
};

/** The machine that the description is made for; what it does not say has no limit. */
struct nova_system_machine nova_system_declared_machine(const struct nova_system *system);

/** What the segments of a program take of memory when it runs, beside its file; 0: it is not an ELF
 *  file, or its program headers are not in the bytes that there are. */
uint64_t nova_system_image_bytes(const void *file, size_t bytes);

/** Check whether a machine has what the description asks for, and whether the segments of programs,
 *  as far as their image_bytes are known, have room in what they may have.
 *  @return the number of mistakes */
unsigned nova_system_check_machine(const struct nova_system *system,
                                   const struct nova_system_machine *machine,
                                   nova_system_report *report, void *context);

/**
 * Check whether the files that come with a system are those that it names.
 *
 * @param file, files names of the boot modules; in a system that boots others may be there too, so
 *                    only what is missing is reported unless @p strict
 * @return the number of mistakes
 */
unsigned nova_system_check_files(const struct nova_system *system, const char *const *file,
                                 unsigned files, bool strict, nova_system_report *report,
                                 void *context);

/** The program that provides a service. @return its number, or -1 */
int nova_system_provider(const struct nova_system *system, const char *service);

/** The service whose name is close to one that no program provides. @return its name, or NULL */
const char *nova_system_meant(const struct nova_system *system, const char *service);

/** A device by its name. @return its number, or -1 */
int nova_system_find_device(const struct nova_system *system, const char *name);

/** Keyword of a property, for messages. */
const char *nova_system_keyword(enum nova_system_property property);

#ifdef __cplusplus
}
#endif

#endif
