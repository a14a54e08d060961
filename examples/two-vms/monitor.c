/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor with one Linux guest, as a program of a system: the guest's terminal is a session of
 * `screen`, and the monitor's arguments are added to Linux's command line. If the first argument
 * has the form disk=SERVICE or card=SERVICE, the guest has a disk or a card of that service. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <novart/console.h>
#include <novart/parent.h>
#include <novart/program.h>
#include <novart/time.h>
#include <novavmm/guest_disk.h>
#include <novavmm/guest_net.h>
#include <novavmm/load.h>
#include <novavmm/pc.h>

#include "screen.h"

#define GUEST_MEMORY (96u << 20)

/* Maximum number of new machines of a guest. Linux also resets its machine after each panic. */
#define RESETS_MAX 3

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_guest_disk disk;
static struct nova_guest_net card;

static int write_text(void *context, const char *text, size_t bytes)
{
        nova_word_t words[1 + NOVA_WORDS_OF(SCREEN_WRITE_BYTES)];
        int error = 0;

        while (bytes && !error) {
                const size_t part = bytes < SCREEN_WRITE_BYTES ? bytes : SCREEN_WRITE_BYTES;
                struct nova_message message = {.operation = SCREEN_WRITE,
                                               .words = words,
                                               .word_count = 1 + (unsigned)NOVA_WORDS_OF(part)};

                words[0] = part;
                words[message.word_count - 1] = 0;
                memcpy(&words[1], text, part);
                error = nova_session_call(context, &message);
                text += part;
                bytes -= part;
        }
        return error;
}

/* Waits for a key and returns it as the text. */
static int read_key(void *context, char *text, size_t bytes)
{
        nova_word_t key = 0;
        struct nova_message message = {.operation = SCREEN_READ, .answer = &key, .answer_max = 1};
        int error = nova_session_call(context, &message);

        (void)bytes;
        while (error == EAGAIN) {
                error = nova_session_wait(context, UINT64_MAX);
                if (!error)
                        error = nova_session_call(context, &message);
        }
        *text = (char)key;
        return error ? -error : 1;
}

/* Sets the program's time of day, which the PC's clock passes to the guest. */
static void set_clock(struct nova_session *session)
{
        nova_word_t seconds;
        struct nova_message message = {
                .operation = SCREEN_DATE, .answer = &seconds, .answer_max = 1};

        if (!nova_session_call(session, &message))
                nova_time_set((uint64_t)seconds * 1000000000u);
}

static struct nova_console_output screen = {write_text, read_key, NULL};

/* Shows the last output when the program ends. */
static void end_output(void)
{
        struct nova_message message = {.operation = SCREEN_END};

        fflush(stdout);
        nova_session_call(screen.context, &message);
}

static int use_screen(void)
{
        struct nova_session *session;
        int error = nova_session_open(&session, "screen", NULL);

        if (!error)
                error = nova_session_enable_notify(session);
        if (!error) {
                screen.context = session;
                nova_console_use(&screen);
                set_clock(session);
                atexit(end_output);
        } else {
                printf("The service screen cannot be opened: %s.\n", strerror(error));
        }
        return error;
}

static const char *command_line(char **words)
{
        static char line[512];

        snprintf(line, sizeof(line),
                 "quiet console=ttyS0 reboot=k panic=-1 no_timer_check tsc=reliable "
                 "cryptomgr.notests tsc_early_khz=%u",
                 (unsigned)nova_program.hip->tsc_khz);
        for (; *words; words++) {
                strncat(line, " ", sizeof(line) - strlen(line) - 1);
                strncat(line, *words, sizeof(line) - strlen(line) - 1);
        }
        return line;
}

static const char *load(char **words)
{
        static struct nova_linux image; /* kept: each request for a file maps it again */

        if (!image.initrd && (nova_parent_module("vmlinuz", &image.kernel, &image.kernel_bytes) ||
                              nova_parent_module("initrd", &image.initrd, &image.initrd_bytes)))
                return "the boot module vmlinuz or initrd is missing";
        image.command_line = command_line(words);
        image.rsdp = pc.rsdp;
        return nova_linux_load(&vm.memory, &image, &vm.vcpu[0].start);
}

/* Opens the disk or the network card that the first argument names, if it names one. */
static int open_service(const char *argument)
{
        int error;

        if (argument && !strncmp(argument, "disk=", 5))
                error = nova_guest_disk_open(&disk, argument + 5, NULL);
        else if (argument && !strncmp(argument, "card=", 5))
                error = nova_guest_net_open(&card, argument + 5, NULL);
        else
                return 0;
        if (error)
                printf("The device %s of %s cannot be opened: %s.\n", argument, nova_program.name,
                       strerror(error));
        return error;
}

static unsigned resets;

static int create_machine(void)
{
        const struct nova_vm_config config = {
                .name = nova_program.name,
                .memory = GUEST_MEMORY,
                .local_apic = true,
                .report_halt = true,
                .report_reset = resets > 0, /* the first reset may be intended */
        };
        int error = nova_vm_create(&vm, &config);

        if (!error)
                error = nova_pc_create(&pc, &vm);
        if (!error)
                error = nova_pc_add_console(&pc, 1);
        if (!error && disk.block)
                error = nova_guest_disk_attach(&disk, &pc, 2);
        if (!error && card.net)
                error = nova_guest_net_attach(&card, &pc, 3);
        return error;
}

static void destroy_machine(void)
{
        nova_pc_flush(&pc);
        nova_pc_destroy(&pc);
        nova_guest_disk_detach(&disk);
        nova_guest_net_detach(&card);
        nova_vm_destroy(&vm);
}

/* Runs the guest on a new machine until it ends. @return the exit status; 0: @p end is set */
static int run_machine(char **words, enum nova_vm_end *end)
{
        int error = create_machine();

        if (error) {
                printf("The machine %s cannot be created: %s.\n", nova_program.name,
                       nova_vm_why(&vm, error));
                return 1;
        }

        const char *const why = load(words);

        if (why)
                return nova_vm_not_loaded(&vm, why);
        error = nova_vm_run(&vm);
        if (error) {
                printf("The machine %s cannot run: %s.\n", nova_program.name,
                       nova_vm_why(&vm, error));
                return 1;
        }
        *end = nova_vm_wait(&vm);
        destroy_machine();
        return 0;
}

int main(int argc, char **argv)
{
        enum nova_vm_end end = NOVA_VM_ERROR;

        (void)argc;
        if (use_screen() || open_service(argv[1]))
                return 1;
        do {
                if (run_machine(argv + (disk.block || card.net ? 2 : 1), &end))
                        return 1;
        } while (end == NOVA_VM_RESET && resets++ < RESETS_MAX);
        printf("The guest %s %s.\n", nova_program.name, nova_vm_end_text(end));
        return end != NOVA_VM_OFF;
}
