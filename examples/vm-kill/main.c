/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines that are destroyed while they run: all their resources must be freed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/page.h"
#include "novart/selector.h"
#include "novart/time.h"
#include "novavmm/load.h"
#include "novavmm/pc.h"
#include "novavmm/vm.h"

#define MACHINES     10
#define MACHINES_MAX 1000000
#define LIFE_NS      5000000

/* Guests in real mode: the first one loops for ever, the second one waits with interrupts enabled,
 * the third one only causes exits. Bochs cannot interrupt a guest that was entered with interrupts
 * disabled. So the first guest enables them and then causes an exit, after which it is entered
 * again.
 */
static const struct {
        const char *code;
        size_t bytes;
} guests[] = {
        {"\xfb\xe6\x80\xeb\xfe", 5}, /* sti; outb %al, $0x80; 1: jmp 1b */
        {"\xfb\xf4\xeb\xfc", 4},     /* 1: sti; hlt; jmp 1b */
        {"\xe6\x80\xeb\xfc", 4},     /* 1: outb %al, $0x80; jmp 1b */
};

static struct nova_vm vm;

static int run_and_destroy(unsigned number)
{
        static struct nova_pc pc;
        const struct nova_vm_config config = {.name = "victim", .memory = 2u << 20};
        const unsigned which = number % (sizeof(guests) / sizeof(*guests));
        int error = nova_vm_create(&vm, &config);

        if (error)
                return error;
        error = nova_pc_create(&pc, &vm);
        if (error)
                return error;
        if (nova_flat_load(&vm.memory, guests[which].code, guests[which].bytes, 0x1000,
                           &vm.vcpu[0].start))
                return EIO;
        error = nova_vm_run(&vm);
        if (error)
                return error;
        nova_sleep(LIFE_NS);
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        return vm.vcpu[0].exits ? 0 : EIO;
}

/* Reads the argument. @return its number; 0 if it is invalid */
static unsigned number_of(const char *text)
{
        char *end;
        const unsigned long number = strtoul(text, &end, 10);

        return *end || number > MACHINES_MAX ? 0 : (unsigned)number;
}

int main(int argc, char **argv)
{
        const unsigned machines = argc > 1 ? number_of(argv[1]) : MACHINES;
        size_t pages = 0, selectors = 0;

        if (!machines) {
                printf("'%s' is not a number of machines, 1 to %u.\n", argv[1], MACHINES_MAX);
                return 1;
        }
        for (unsigned i = 0; i < machines; i++) {
                const int error = run_and_destroy(i);

                if (error) {
                        printf("Machine %u failed: %s.\n", i, nova_vm_why(&vm, error));
                        return 1;
                }
                if (i == 0) { /* resources allocated for the first machine stay */
                        pages = nova_page_free_count();
                        selectors = nova_sel_used();
                }
        }
        if (nova_page_free_count() != pages || nova_sel_used() != selectors) {
                printf("Lost: %ld pages, %ld selectors.\n", (long)(pages - nova_page_free_count()),
                       (long)(nova_sel_used() - selectors));
                return 1;
        }
        printf("%u machines were created and destroyed, and all their resources were freed.\n",
               machines);
        return 0;
}
