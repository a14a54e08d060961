/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor for kernels of other authors. Its arguments select the boot module with the kernel, the
 * protocol that loads it, and its machine:
 *
 * linux|multiboot|firmware kernel=NAME [OPTION=VALUE]... [-- COMMAND LINE OF THE KERNEL]
 *
 * The options: initrd=NAME, for Multiboot two modules with initrd=NAME,NAME; disk=NAME, a virtio
 * disk; memory=MIB; vcpus=N; until=TEXT, ends the machine when its text screen shows TEXT, with '_'
 * for a blank; seconds=N, ends the machine after that time; report=N, reports the positions of its
 * virtual CPUs every N seconds. At the end the monitor prints the text screen and how the machine
 * ended. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/program.h"
#include "novart/time.h"
#include "novavmm/load.h"
#include "novavmm/virtio_block.h"

#include "machine.h"

#define SCREEN_AT   0xb8000
#define COLUMNS     80
#define ROWS        25
#define POLL_NS     50000000u
#define SECOND_NS   1000000000ull
#define MODULES_MAX 4

/* Not slot 1: the BIOS expects the interrupt router of its PC there, and without ACPI Linux would
 * take the disk for it. */
#define DISK_SLOT 2

/* QEMU's configuration port for its firmware. SeaBIOS needs this part of it to send its own text,
 * and that of programs that call it, to the serial port. */
#define CONFIG_PORT      0x510
#define CONFIG_SIGNATURE 0x0000
#define CONFIG_ID        0x0001
#define CONFIG_DIRECTORY 0x0019
#define CONFIG_FILE      0x0020
#define CONFIG_NAME      56

static const struct {
        uint8_t count[4], bytes[4], selector[2], reserved[2]; /* big-endian */
        char name[CONFIG_NAME];
} config_directory = {{0, 0, 0, 1}, {0, 0, 0, 2}, {0, CONFIG_FILE}, {0, 0}, "etc/sercon-port"};
static const uint8_t config_file[] = {0xf8, 0x03};

static struct {
        const void *data;
        size_t bytes, at;
} config;

static struct {
        const char *protocol, *kernel, *disk;
        char initrd[128];
        char until[COLUMNS + 1];
        unsigned memory, vcpus, seconds, report;
        char line[1024];
} wanted = {.protocol = "", .memory = 64, .vcpus = 1, .seconds = 600};

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_virtio_block disk;

static uint64_t config_read(void *device, uint64_t port, unsigned bytes)
{
        (void)device;
        (void)bytes;
        if (port == CONFIG_PORT || config.at >= config.bytes)
                return 0;
        return ((const uint8_t *)config.data)[config.at++];
}

static void config_select(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        static const uint8_t id[] = {1, 0, 0, 0};
        static const struct {
                uint16_t selector;
                const void *data;
                size_t bytes;
        } items[] = {
                {CONFIG_SIGNATURE, "QEMU", 4},
                {CONFIG_ID, id, sizeof(id)},
                {CONFIG_DIRECTORY, &config_directory, sizeof(config_directory)},
                {CONFIG_FILE, config_file, sizeof(config_file)},
        };

        (void)device;
        if (port != CONFIG_PORT || bytes != 2)
                return;
        memset(&config, 0, sizeof(config));
        for (size_t i = 0; i < sizeof(items) / sizeof(*items); i++) {
                if (items[i].selector == value) {
                        config.data = items[i].data;
                        config.bytes = items[i].bytes;
                }
        }
}

/* Sets one option. @return whether there is such an option */
static bool set_option(const char *name, size_t length, const char *value)
{
        const struct {
                const char *name;
                const char **text;
                char *copy;
                size_t bytes;
                unsigned *number;
        } options[] = {
                {"kernel", &wanted.kernel, NULL, 0, NULL},
                {"disk", &wanted.disk, NULL, 0, NULL},
                {"initrd", NULL, wanted.initrd, sizeof(wanted.initrd), NULL},
                {"until", NULL, wanted.until, sizeof(wanted.until), NULL},
                {"memory", NULL, NULL, 0, &wanted.memory},
                {"vcpus", NULL, NULL, 0, &wanted.vcpus},
                {"seconds", NULL, NULL, 0, &wanted.seconds},
                {"report", NULL, NULL, 0, &wanted.report},
        };

        for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
                if (strlen(options[i].name) != length ||
                    strncmp(options[i].name, name, length) != 0)
                        continue;
                if (options[i].text)
                        *options[i].text = value;
                else if (options[i].copy)
                        snprintf(options[i].copy, options[i].bytes, "%s", value);
                else
                        *options[i].number = (unsigned)strtoul(value, NULL, 10);
                return true;
        }
        return false;
}

/* Reads the arguments into `wanted`. @return whether they are valid */
static bool read_arguments(char **argv)
{
        char **word = argv + 1;

        wanted.protocol = *word ? *word++ : "";
        for (; *word && strcmp(*word, "--") != 0; word++) {
                const char *const equals = strchr(*word, '=');

                if (!equals || !set_option(*word, (size_t)(equals - *word), equals + 1)) {
                        printf("'%s' is not an option of this monitor.\n", *word);
                        return false;
                }
        }
        for (char *blank = wanted.until; (blank = strchr(blank, '_'));)
                *blank = ' ';
        for (word += *word != NULL; *word; word++) {
                const size_t used = strlen(wanted.line);

                snprintf(wanted.line + used, sizeof(wanted.line) - used, "%s%s", used ? " " : "",
                         *word);
        }
        if (!wanted.kernel)
                printf("No kernel is named.\n");
        return wanted.kernel;
}

static int add_disk(void)
{
        size_t bytes;
        const void *const from = open_module(wanted.disk, &bytes);
        void *const data = from ? malloc(bytes) : NULL;

        if (!data)
                return ENOMEM;
        memcpy(data, from, bytes);
        nova_virtio_block_init(&disk, &vm.memory, data, bytes, false);
        return nova_pc_add_virtio(&pc, DISK_SLOT, &disk.virtio);
}

static int add_firmware_ports(void)
{
        const struct nova_bus_range range = {CONFIG_PORT, CONFIG_PORT + 1, config_read,
                                             config_select, NULL};

        return nova_bus_add(&vm.ports, &range);
}

static bool is_protocol(const char *name)
{
        return wanted.protocol && strcmp(wanted.protocol, name) == 0;
}

static int make_machine(void)
{
        const struct nova_vm_config settings = {
                .name = wanted.kernel,
                .memory = (size_t)wanted.memory << 20,
                .local_apic = true,
                .vcpus = wanted.vcpus,
                .report_halt = true,
                .report_reset = true,
        };
        int error = nova_vm_create(&vm, &settings);

        if (!error)
                error = nova_pc_create(&pc, &vm);
        if (!error && is_protocol("firmware"))
                error = add_firmware_ports();
        if (!error && wanted.disk)
                error = add_disk();
        return error;
}

static const char *load_linux(const void *kernel, size_t bytes)
{
        struct nova_linux image = {.kernel = kernel,
                                   .kernel_bytes = bytes,
                                   .command_line = wanted.line,
                                   .rsdp = pc.rsdp};

        if (*wanted.initrd) {
                image.initrd = open_module(wanted.initrd, &image.initrd_bytes);
                if (!image.initrd)
                        return "its initial RAM disk is missing";
        }
        return nova_linux_load(&vm.memory, &image, &vm.vcpu[0].start);
}

/* The part of the command line before the word "---" goes to the kernel, the part after it to the
 * first module. */
static const char *load_multiboot(const void *kernel, size_t bytes)
{
        struct nova_multiboot_module module[MODULES_MAX];
        struct nova_multiboot image = {
                .kernel = kernel, .kernel_bytes = bytes, .line = wanted.line, .module = module};
        char *const split = strstr(wanted.line, " --- ");

        if (split)
                *split = 0;
        for (char *name = strtok(wanted.initrd, ","); name && image.modules < MODULES_MAX;
             name = strtok(NULL, ",")) {
                struct nova_multiboot_module *const next = &module[image.modules++];

                next->line = split && next == module ? split + 5 : "";
                next->data = open_module(name, &next->bytes);
                if (!next->data)
                        return "one of its modules is missing";
        }
        return nova_multiboot_load(&vm.memory, &image, &vm.vcpu[0].start);
}

static int load(void)
{
        const char *why = "the monitor does not know this protocol";
        size_t bytes;
        const void *const kernel = open_module(wanted.kernel, &bytes);

        if (!kernel)
                return 1;
        if (is_protocol("linux"))
                why = load_linux(kernel, bytes);
        else if (is_protocol("multiboot"))
                why = load_multiboot(kernel, bytes);
        else if (is_protocol("firmware"))
                why = nova_firmware_load(&vm.memory, kernel, bytes, &vm.vcpu[0].start);
        return why ? nova_vm_not_loaded(&vm, why) : 0;
}

/* Reads the rows of the screen, without trailing blanks. */
static void read_screen(char row[ROWS][COLUMNS + 1])
{
        char screen[ROWS][COLUMNS][2];

        nova_guest_read(&vm.memory, SCREEN_AT, screen, sizeof(screen));
        for (unsigned i = 0; i < ROWS; i++) {
                unsigned length = 0;

                for (unsigned j = 0; j < COLUMNS; j++) {
                        const char byte = screen[i][j][0];

                        row[i][j] = byte;
                        if (byte < ' ' || byte > '~')
                                row[i][j] = ' ';
                        if (row[i][j] != ' ')
                                length = j + 1;
                }
                row[i][length] = 0;
        }
}

/* Waits until the machine ends or the screen shows `until`. @return how the wait ended, as the end
 * of a sentence; NULL: the time is over */
static const char *watch(char row[ROWS][COLUMNS + 1])
{
        const uint64_t period = wanted.report * SECOND_NS;
        const uint64_t begin = nova_vm_now(NULL);
        const uint64_t end = begin + wanted.seconds * SECOND_NS;
        uint64_t next = period ? begin + period : end;

        for (uint64_t now = begin; now < end; now = nova_vm_now(NULL)) {
                nova_sleep(POLL_NS);
                if (now >= next) {
                        nova_vm_report(&vm);
                        next = now + period;
                }
                read_screen(row);
                for (unsigned i = 0; i < ROWS && *wanted.until; i++) {
                        if (strstr(row[i], wanted.until))
                                return "showed what was expected";
                }
                if (vm.end != NOVA_VM_RUNS)
                        return nova_vm_end_text(vm.end);
        }
        nova_vm_report(&vm);
        return NULL;
}

int main(int argc, char **argv)
{
        static char row[ROWS][COLUMNS + 1];
        int error;

        (void)argc;
        if (!read_arguments(argv))
                return 1;
        nova_time_set_by_rtc();
        error = make_machine();
        if (error) {
                printf("The machine cannot be created: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }
        if (load())
                return 1;
        error = nova_vm_run(&vm);
        if (error) {
                printf("The machine cannot run: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }

        const char *const end = watch(row);

        nova_vm_stop(&vm);
        nova_pc_flush(&pc);
        for (unsigned i = 0; i < ROWS; i++) {
                if (*row[i])
                        printf("screen: %s\n", row[i]);
        }
        printf("The guest %s.\n", end ? end : "did not end in time");
        return !end;
}
