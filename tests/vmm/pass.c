/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest with two PCI functions of the machine: QEMU's edu, which copies memory by DMA on request,
 * and an e1000e, whose registers show whether it was reset. The guest tries to access memory other
 * than its own. The monitor fills up to 64 MiB of memory that it does not use with a pattern, and
 * looks for changes.
 *
 * Arguments:
 * hostile: all attacks, and checks that the e1000e is reset.
 * hostile flat: without these checks, for functions on the first bus.
 * crash: the monitor crashes while the guest's device copies.
 * bereft: the service pci crashes while the guest's device copies; this ends the monitor.
 * refuse NAME: the device NAME cannot be passed through.
 * twice: a device cannot be passed through under two numbers. */
#include <stdlib.h>
#include <string.h>

#include "novart/page.h"
#include "novavmm/guest_pci.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT    0x1000
#define FROM_AT     0x8000
#define TO_AT       0x9000
#define STEPS_AT    0x10000
#define STEPS_MAX   1024
#define RAM         (16u << 20)
#define PATTERN     0x5a5aa5a5u
#define BLOCKS_MAX  64
#define BLOCK_ORDER 8
#define MARK        0xc0ffee01u

/* The guest's devices: their numbers, and the addresses at which the guest places their memory. */
#define EDU     5u
#define NIC     6u
#define EDU_AT  0xe1000000u
#define EDU_NEW 0xe4000000u
#define NIC_AT  0xe5000000u

#define EDU_ID     0x010000edu
#define EDU_RAISE  0x60
#define EDU_FROM   0x80
#define EDU_TO     0x88
#define EDU_COUNT  0x90
#define EDU_START  0x98
#define EDU_BUFFER 0x40000
#define NIC_RING   0x3800 /* address of the transmit ring */

#define COMMAND   0x04u
#define BAR       0x10u
#define MESSAGE   0x40u
#define APIC      0xfee00000u
#define APIC_KIND (APIC + 0x30) /* number of entries, and the version */
#define APIC_ON   (APIC + 0xf0)
#define APIC_IRR  (APIC + 0x220) /* vectors 0x40 to 0x5f */
#define VECTOR    0x41u
#define IO_APIC   0xfec00000u
#define CONFIG    0xcf8
#define CONFIG_TO 0xcfc

/* Steps of the guest. */
enum kind { END, WRITE, READ, OUT, IN, WAIT_CLEAR, WAIT_SET, REPEAT };

struct step {
        uint32_t kind, at, value, result;
};

GUEST_CODE(guest, 32,
           "movl $0x10000, %esi\n"
           "1: movl (%esi), %eax\nmovl 4(%esi), %edx\nmovl 8(%esi), %ecx\n"
           "testl %eax, %eax\njnz 2f\ncli\nhlt\n"
           "2: decl %eax\njnz 3f\nmovl %ecx, (%edx)\njmp 9f\n"
           "3: decl %eax\njnz 4f\nmovl (%edx), %eax\nmovl %eax, 12(%esi)\njmp 9f\n"
           "4: decl %eax\njnz 5f\nmovl %ecx, %eax\noutl %eax, %dx\njmp 9f\n"
           "5: decl %eax\njnz 6f\ninl %dx, %eax\nmovl %eax, 12(%esi)\njmp 9f\n"
           "6: decl %eax\njnz 7f\n0: testl %ecx, (%edx)\njnz 0b\njmp 9f\n"
           "7: decl %eax\njnz 8f\n0: testl %ecx, (%edx)\njz 0b\njmp 9f\n"
           "8: movl $0x10000, %esi\njmp 1b\n"
           "9: addl $16, %esi\njmp 1b\n");

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_guest_pci edu, nic;
static struct step steps[STEPS_MAX];
static unsigned count;
static uint32_t *block[BLOCKS_MAX];
static unsigned blocks;
static int failures;

static void check(const char *what, bool good)
{
        printf("%s - %s\n", good ? "ok" : "not ok", what);
        failures += !good;
}

/* Allocates free memory of this program, and fills it with PATTERN. */
static void fill(void)
{
        while (blocks < BLOCKS_MAX && (block[blocks] = nova_page_alloc(BLOCK_ORDER)))
                blocks++;
        for (unsigned i = 0; i < blocks; i++)
                for (size_t k = 0; k < (4096u << BLOCK_ORDER) / 4; k++)
                        block[i][k] = PATTERN;
}

static bool is_unchanged(void)
{
        for (unsigned i = 0; i < blocks; i++)
                for (size_t k = 0; k < (4096u << BLOCK_ORDER) / 4; k++)
                        if (block[i][k] != PATTERN)
                                return false;
        return blocks > 0;
}

static void empty(void)
{
        while (blocks)
                nova_page_free(block[--blocks], BLOCK_ORDER);
}

/* Appends a step. Returns its number. */
static unsigned step(enum kind kind, uint32_t at, uint32_t value)
{
        steps[count] = (struct step){kind, at, value, 0};
        return count++;
}

static void set_config(unsigned device, uint32_t reg, uint32_t value)
{
        step(OUT, CONFIG, 0x80000000 | device << 11 | reg);
        step(OUT, CONFIG_TO, value);
}

static unsigned get_config(unsigned device, uint32_t reg)
{
        step(OUT, CONFIG, 0x80000000 | device << 11 | reg);
        return step(IN, CONFIG_TO, 0);
}

/* Appends steps that make edu copy 4 bytes out of its buffer into guest memory, or from there into
 * its buffer, and wait for the end of the copy. */
static void copy(uint32_t edu_at, uint32_t memory, bool out)
{
        step(WRITE, edu_at + EDU_FROM, out ? EDU_BUFFER : memory);
        step(WRITE, edu_at + EDU_TO, out ? memory : EDU_BUFFER);
        step(WRITE, edu_at + EDU_COUNT, 4);
        step(WRITE, edu_at + EDU_START, out ? 3 : 1);
        step(WAIT_CLEAR, edu_at + EDU_START, 1);
}

static void switch_on(void)
{
        count = 0;
        set_config(EDU, BAR, EDU_AT);
        set_config(EDU, COMMAND, 6);
        set_config(NIC, BAR, NIC_AT);
        set_config(NIC, COMMAND, 6);
}

/* Makes a machine with both functions. */
static bool make(void)
{
        static const struct nova_vm_config config = {
                .name = "pass", .memory = RAM, .local_apic = true};

        if (!machine_create(&vm, &config, &pc))
                return false;
        if (!nova_guest_pci_attach(&edu, &pc, EDU, "edu") &&
            !nova_guest_pci_attach(&nic, &pc, NIC, "nic"))
                return true;
        printf("The devices cannot be passed through: %s.\n",
               edu.function.why ? edu.function.why : nic.function.why);
        return false;
}

static void start(void)
{
        step(END, 0, 0);
        nova_guest_write(&vm.memory, STEPS_AT, steps, count * sizeof(*steps));
        machine_begin(&vm, GUEST_AT, guest, GUEST_BYTES(guest));
        nova_vm_run(&vm);
}

static void destroy(void)
{
        nova_pc_destroy(&pc);
        nova_guest_pci_detach(&edu);
        nova_guest_pci_detach(&nic);
        nova_vm_destroy(&vm);
}

/* Runs the steps on a new machine, and reads their results back into `steps`. */
static void run(const char *what)
{
        if (!make())
                exit(1);
        start();
        check(what, nova_vm_wait(&vm) == NOVA_VM_HALTED);
        nova_guest_read(&vm.memory, STEPS_AT, steps, count * sizeof(*steps));
        destroy();
}

static void inside(void)
{
        unsigned id, inverse, copied, cause;

        switch_on();
        id = step(READ, EDU_AT, 0);
        step(WRITE, EDU_AT + 4, 0x12345678);
        inverse = step(READ, EDU_AT + 4, 0);
        step(WRITE, FROM_AT, MARK);
        copy(EDU_AT, FROM_AT, false);
        copy(EDU_AT, TO_AT, true);
        copied = step(READ, TO_AT, 0);
        set_config(EDU, MESSAGE + 4, APIC);
        set_config(EDU, MESSAGE + 12, VECTOR);
        set_config(EDU, MESSAGE, 0x10000);
        step(WRITE, APIC_ON, 0x1ff);
        step(WRITE, EDU_AT + EDU_RAISE, 1);
        step(WAIT_SET, APIC_IRR, 1u << VECTOR % 32);
        cause = step(READ, EDU_AT + 0x24, 0);
        run("a guest uses its device");
        check("the device's registers are there",
              steps[id].result == EDU_ID && steps[inverse].result == ~0x12345678u);
        check("DMA reaches the guest's memory", steps[copied].result == MARK);
        check("a message arrives", steps[cause].result == 1 && edu.messages == 1);
        check("the memory of the device is mapped", edu.placed >= 1 && edu.placed <= 4);
}

static void outside(void)
{
        static const uint32_t places[] = {APIC,      0xfee02008, RAM,       0x2000000,
                                          0x4000000, 0x6000000,  0x8000000, 0xa000000,
                                          0xc000000, EDU_AT,     NIC_AT,    0xfffff000};
        unsigned read[sizeof(places) / sizeof(*places)];
        const unsigned number = sizeof(places) / sizeof(*places);
        bool secret = true;

        switch_on();
        step(WRITE, FROM_AT, MARK);
        copy(EDU_AT, FROM_AT, false);
        for (unsigned i = 0; i < number; i++)
                copy(EDU_AT, places[i], true);
        for (unsigned i = 0; i < number; i++) {
                copy(EDU_AT, places[i], false);
                copy(EDU_AT, TO_AT, true);
                read[i] = step(READ, TO_AT, 0);
        }
        fill();
        run("a guest directs its device to other memory");
        check("other memory is unchanged", is_unchanged());
        for (unsigned i = 0; i < number; i++)
                secret &= steps[read[i]].result != PATTERN;
        check("other memory is not read", secret);
        empty();
}

/* Lets the guest move its device's memory to addresses at which no device may be. */
static void places(void)
{
        unsigned ram, apic, io_apic, nowhere, off, back, old;

        switch_on();
        step(READ, EDU_AT, 0); /* edu's memory is mapped */
        step(WRITE, 0x100000, MARK);
        set_config(EDU, BAR, 0x100000);
        ram = step(READ, 0x100000, 0);
        set_config(EDU, BAR, APIC);
        apic = step(READ, APIC_KIND, 0);
        set_config(EDU, BAR, IO_APIC);
        io_apic = step(READ, IO_APIC, 0);
        set_config(EDU, BAR, 0x8000000);
        nowhere = step(READ, 0x8000000, 0);
        set_config(EDU, BAR, EDU_NEW);
        set_config(EDU, COMMAND, 4);
        off = step(READ, EDU_NEW, 0);
        set_config(EDU, COMMAND, 6);
        back = step(READ, EDU_NEW, 0);
        set_config(EDU, BAR, NIC_AT);
        set_config(EDU, BAR, EDU_NEW);
        old = step(READ, EDU_AT, 0);
        run("a guest places its device badly");
        check("RAM stays RAM", steps[ram].result == MARK);
        check("the APICs stay", steps[apic].result == 0x50014 && steps[io_apic].result == 0);
        check("no device responds outside the range for devices",
              steps[nowhere].result == UINT32_MAX);
        check("a device that is off does not respond", steps[off].result == UINT32_MAX);
        check("a device responds at its last place only",
              steps[back].result == EDU_ID && steps[old].result == UINT32_MAX);
}

static uint32_t next_random(void)
{
        static uint32_t state = 1;

        state = state * 1664525 + 1013904223;
        return state >> 8 ^ state << 16;
}

/* Writes random values to configuration space. */
static void configuration(void)
{
        unsigned id, vendor;

        switch_on();
        for (unsigned i = 0; i < 400; i++)
                set_config(EDU, next_random() & 0xfc, next_random());
        set_config(EDU, MESSAGE, 0);
        set_config(EDU, COMMAND, 0);
        set_config(EDU, BAR, EDU_AT);
        set_config(EDU, COMMAND, 6);
        id = step(READ, EDU_AT, 0);
        vendor = get_config(EDU, 0);
        run("a guest writes random values into configuration space");
        check("its device still works",
              steps[id].result == EDU_ID && steps[vendor].result == 0x11e81234);
}

/* Writes a value to a register, which a reset must clear before the next machine reads it. The
 * value leaves the register's fixed low bits 0. */
static void registers(const char *what)
{
        unsigned first, second;

        switch_on();
        first = step(READ, NIC_AT + NIC_RING, 0);
        step(WRITE, NIC_AT + NIC_RING, 0xabcd0);
        second = step(READ, NIC_AT + NIC_RING, 0);
        run(what);
        check("the registers are reset",
              steps[first].result == 0 && steps[second].result == 0xabcd0);
}

/* Ends the machine while the device prepares a copy. The monitor uses the machine's memory again at
 * once. */
static void ends(void)
{
        switch_on();
        step(WRITE, FROM_AT, MARK);
        copy(EDU_AT, FROM_AT, false);
        copy(EDU_AT, TO_AT, true);
        count--; /* removes the step that waits for the end of the copy */
        run("a guest ends during a copy");
        fill();
        nova_sleep(300000000);
        check("no DMA comes afterwards", is_unchanged());
        empty();
}

/* Runs all attacks. On the first bus, a function can be reset by power states only. QEMU's e1000e
 * keeps its registers in such a reset. */
static int hostile(bool resets)
{
        inside();
        outside();
        places();
        configuration();
        if (resets) {
                registers("a guest sets a register");
                registers("another guest sets the register");
        }
        ends();
        printf("%d checks failed\n", failures);
        return failures != 0;
}

/* Looks for the traces of a device that the last instance of the monitor left busy. */
static void look_for_traces(void)
{
        fill();
        nova_sleep(300000000);
        check("no DMA comes from an earlier monitor", is_unchanged());
        empty();
}

/* Lets the device copy until the monitor crashes. */
static int crash(void)
{
        look_for_traces();
        registers("a guest sets a register");
        if (failures)
                return 0;
        switch_on();
        step(WRITE, NIC_AT + NIC_RING, 0xabcd0);
        copy(EDU_AT, TO_AT, true);
        step(REPEAT, 0, 0);
        if (!make())
                return 0;
        start();
        nova_sleep(450000000);
        printf("the monitor crashes\n");
        abort();
}

/* Lets the device copy until the service pci crashes. The guest's next access to the device ends
 * the monitor. */
static int bereft(void)
{
        look_for_traces();
        if (failures)
                return 0;
        switch_on();
        copy(EDU_AT, TO_AT, true);
        step(REPEAT, 0, 0);
        if (!make())
                return 0;
        printf("the guest has its device\n");
        start();
        nova_vm_wait(&vm);
        printf("not ok - the guest has ended\n");
        return 0;
}

static int refuse(const char *name)
{
        static const struct nova_vm_config config = {
                .name = "pass", .memory = RAM, .local_apic = true};

        if (!machine_create(&vm, &config, &pc))
                return 1;
        if (!nova_guest_pci_attach(&edu, &pc, EDU, name)) {
                printf("The device %s was passed through.\n", name);
                return 1;
        }
        printf("The device %s cannot be passed through: %s.\n", name, edu.function.why);
        destroy();
        return 0;
}

static int twice(void)
{
        if (!make())
                return 1;

        static struct nova_guest_pci again;
        const int error = nova_guest_pci_attach(&again, &pc, 7, "nic");

        printf("The device nic cannot be passed through again: %s.\n",
               error ? again.function.why : "");
        destroy();
        return error == 0;
}

int main(int argc, char **argv)
{
        const char *const what = argc > 1 ? argv[1] : "hostile";

        if (!strcmp(what, "refuse") && argc > 2)
                return refuse(argv[2]);
        if (!strcmp(what, "twice"))
                return twice();
        if (!strcmp(what, "bereft"))
                return bereft();
        return strcmp(what, "crash") ? hostile(argc < 3) : crash();
}
