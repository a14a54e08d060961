/* SPDX-License-Identifier: BSD-2-Clause */
/* Debian's memtest86+ as a guest. It writes to the text screen of a PC, which is memory, and the
 * monitor reads the results there. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/module.h"
#include "novart/time.h"
#include "novavmm/load.h"
#include "novavmm/pc.h"

#define GUEST_MEMORY (16u << 20)

#define SCREEN_AT 0xb8000
#define COLUMNS   80
#define ROWS      25
#define HEAD_ROWS 7 /* rows that describe the machine */

#define TESTS     2
#define TESTS_MAX 1000
#define POLL_NS   20000000

static struct nova_vm vm;
static struct nova_pc pc;

static const void *open_module(const char *name, size_t *bytes)
{
        const void *data;

        if (!nova_module_open(name, &data, bytes))
                return data;
        printf("The boot module %s is missing.\n", name);
        return NULL;
}

/* Reads the rows of the screen, without the blanks at their ends. */
static void read_screen(char row[ROWS][COLUMNS + 1])
{
        char screen[ROWS][COLUMNS][2];

        nova_guest_read(&vm.memory, SCREEN_AT, screen, sizeof(screen));
        for (unsigned i = 0; i < ROWS; i++) {
                unsigned length = 0;

                for (unsigned j = 0; j < COLUMNS; j++) {
                        const char byte = screen[i][j][0];

                        row[i][j] = byte >= ' ' && byte <= '~' ? byte : ' ';
                        if (row[i][j] != ' ')
                                length = j + 1;
                }
                row[i][length] = 0;
        }
}

/* Searches the screen. @return the text that begins with @p word, or NULL */
static const char *look_for(char row[ROWS][COLUMNS + 1], const char *word)
{
        const char *found = NULL;

        for (unsigned i = 0; i < ROWS && !found; i++)
                found = strstr(row[i], word);
        return found;
}

/* Shows the detected machine, then each test when it begins. Returns when more than @p tests have
 * begun or all are complete. @return number of completed tests; negative: the machine ended */
static int watch(int tests)
{
        static char row[ROWS][COLUMNS + 1];
        char last[COLUMNS + 1] = "";
        int begun = 0;

        for (;;) {
                nova_sleep(POLL_NS);
                if (vm.end != NOVA_VM_RUNS)
                        return -1;
                read_screen(row);

                const char *const test = look_for(row, "Test #"), *pass = look_for(row, "Pass: ");
                const char *const errors = look_for(row, "Errors: ");

                if (errors && atoi(errors + 7)) {
                        printf("It found errors.\n");
                        return -1;
                }
                if (pass && atoi(pass + 5))
                        return begun;
                if (!test || !isdigit((unsigned char)test[6]) || !strcmp(test, last))
                        continue;
                if (begun++ >= tests)
                        return tests;
                for (unsigned i = 0; i < HEAD_ROWS && begun == 1; i++)
                        printf("%s\n", row[i]);
                snprintf(last, sizeof(last), "%s", test);
                printf("%s\n", last);
        }
}

static int load(void)
{
        struct nova_linux image = {.command_line = "", .rsdp = pc.rsdp};
        const char *why;

        image.kernel = open_module("memtest", &image.kernel_bytes);
        if (!image.kernel)
                return 1;
        why = nova_linux_load(&vm.memory, &image, &vm.vcpu[0].start);
        return why ? nova_vm_not_loaded(&vm, why) : 0;
}

/* Reads the argument. @return its number; 0 if it is invalid */
static unsigned number_of(const char *text)
{
        char *end;
        const unsigned long number = strtoul(text, &end, 10);

        return *end || number > TESTS_MAX ? 0 : (unsigned)number;
}

int main(int argc, char **argv)
{
        const struct nova_vm_config config = {
                .name = "memtest", .memory = GUEST_MEMORY, .local_apic = true};
        const unsigned wanted = argc > 1 ? number_of(argv[1]) : TESTS;
        int error;

        if (!wanted) {
                printf("'%s' is not a number of tests, 1 to %u.\n", argv[1], TESTS_MAX);
                return 1;
        }
        error = nova_vm_create(&vm, &config);
        if (!error)
                error = nova_pc_create(&pc, &vm);
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

        const int tests = watch((int)wanted);

        nova_vm_stop(&vm);
        if (tests < 0)
                return 1;
        printf("%d tests, no errors.\n", tests);
        return 0;
}
