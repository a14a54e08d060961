/* SPDX-License-Identifier: BSD-2-Clause */
/* Debian's own Linux kernel as a guest that finds the hypercall interface and uses it. VCPUS is the
 * number of its virtual CPUs; the example enlightened-smp defines another number. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "novart/module.h"
#include "novart/parent.h"
#include "novart/program.h"
#include "novart/time.h"
#include "novavmm/guest_net.h"
#include "novavmm/hv.h"
#include "novavmm/load.h"
#include "novavmm/pc.h"
#include "terminal.h"

#define GUEST_MEMORY (112u << 20)

/* Linux 6.1 for 32 bits jumps to a wrong address when it makes the hypercall that flushes a list of
 * addresses. */
#define HINTS \
        (sizeof(void *) == 8 ? NOVA_HV_HINTS_ALL : NOVA_HV_HINTS_ALL & ~NOVA_HV_HINT_REMOTE_FLUSH)

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;
static struct nova_guest_net card; /* used only if the monitor is a program of a system */

/* Builds Linux's command line: appends the user's words to the fixed ones. Linux takes its
 * frequencies and its clock from the interface. */
static const char *command_line(char **argv, char **envp)
{
        static char line[1024] = "console=ttyS0 reboot=k panic=-1";

        for (; *envp; envp++)
                snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", *envp);
        for (argv++; *argv; argv++)
                snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", *argv);
        return line;
}

static int make_machine(void)
{
        const struct nova_vm_config config = {
                .name = "linux",
                .memory = GUEST_MEMORY,
                .local_apic = true,
                .vcpus = VCPUS,
                .same_tsc = true,
                .report_halt = true,
        };
        const struct nova_hv_config enlightened = {
                .privileges = NOVA_HV_PRIVILEGES_ALL,
                .hints = HINTS,
                .direct_timers = true,
        };
        int error = nova_vm_create(&vm, &config);

        if (!error)
                error = nova_pc_create(&pc, &vm);
        if (!error)
                error = nova_pc_add_console(&pc, 1);
        if (!error && card.net)
                error = nova_guest_net_attach(&card, &pc, 4);
        return error ? error : nova_hv_enable(&hv, &vm, &enlightened);
}

/* Finds a file: a roottask searches all boot modules, a program of a system only its own. */
static int find_module(const char *name, const void **data, size_t *bytes)
{
        return nova_program_is_root() ? nova_module_open(name, data, bytes)
                                      : nova_parent_module(name, data, bytes);
}

static const char *load(const char *line)
{
        struct nova_linux image = {.command_line = line, .rsdp = pc.rsdp};

        if (find_module("vmlinuz", &image.kernel, &image.kernel_bytes) ||
            find_module("initrd", &image.initrd, &image.initrd_bytes))
                return "the boot module vmlinuz or initrd is missing";
        return nova_linux_load(&vm.memory, &image, &vm.vcpu[0].start);
}

static void report(enum nova_vm_end end)
{
        unsigned long long exits = 0;
        char identity[80];

        for (unsigned i = 0; i < vm.vcpus; i++) {
                exits += vm.vcpu[i].exits;
                printf("vCPU %u ended %llu interrupts with the EOI MSR and %llu in its assist "
                       "page.\n",
                       i, (unsigned long long)hv.vp[i].ends,
                       (unsigned long long)hv.vp[i].quiet_ends);
        }
        printf("%llu calls flushed %llu virtual CPUs, and %llu sent interrupts.\n",
               (unsigned long long)hv.flush_calls, (unsigned long long)hv.flushes,
               (unsigned long long)hv.ipi_calls);
        if (card.net)
                printf("The card sent %llu frames and received %llu.\n",
                       (unsigned long long)card.device.sent,
                       (unsigned long long)card.device.received);
        nova_hv_identity_text(hv.identity, identity, sizeof(identity));
        printf("The guest says that it is %s.\n", identity);
        printf("The guest ended after %llu exits: it %s.\n", exits, nova_vm_end_text(end));
}

/* Opens the network of a monitor that is a program of a system: the first argument names the
 * service, as in `card=switch`. @return 0 or an errno value */
static int open_network(char **argv)
{
        int error = EINVAL;

        terminal_use();
        if (argv[1] && !strncmp(argv[1], "card=", 5))
                error = nova_guest_net_open(&card, argv[1] + 5, NULL);
        if (error)
                printf("The network cannot be opened: %s.\n", strerror(error));
        return error;
}

int main(int argc, char **argv, char **envp)
{
        int error;

        (void)argc;
        if (!nova_program_is_root()) {
                if (open_network(argv))
                        return 1;
                argv++; /* that argument is not for Linux */
        }
        nova_time_set_by_rtc();
        error = make_machine();
        if (error) {
                printf("The machine cannot be created: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }

        const char *const why = load(command_line(argv, envp));

        if (why)
                return nova_vm_not_loaded(&vm, why);
        error = nova_vm_run(&vm);
        if (error) {
                printf("The machine cannot run: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_pc_flush(&pc);
        report(end);
        return end != NOVA_VM_OFF;
}
