/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that hang: the monitor reports where they hang, and the guests continue. A guest that
 * cannot take an interrupt is left alone. Two threads at once report a guest whose virtual CPU gets
 * no CPU time. */
#include <stdio.h>

#include "novart/time.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT 0x1000
#define COUNT_AT 0x500

/* Counts for ever, without an exit, with interrupts on. */
GUEST_CODE(spin, 32,
           "        sti\n"
           "        movl $0xc0ffee, %edx\n"
           "1:      incl 0x500\n"
           "        jmp 1b\n");

/* Waits for an interrupt that never comes. */
GUEST_CODE(wait, 32,
           "        sti\n"
           "1:      hlt\n"
           "        incl 0x500\n"
           "        jmp 1b\n");

/* Counts for ever while the timer raises an interrupt at the 8259s every millisecond. The local
 * APIC, whose LINT0 is masked, does not pass this interrupt to the CPU. */
GUEST_CODE(deaf, 32,
           "        movl $0x1ff, 0xfee000f0\n"
           "        movl $0x10000, 0xfee00350\n"
           "        movb $0x11, %al\n"
           "        outb %al, $0x20\n"
           "        movb $0x20, %al\n"
           "        outb %al, $0x21\n"
           "        movb $4, %al\n"
           "        outb %al, $0x21\n"
           "        movb $1, %al\n"
           "        outb %al, $0x21\n"
           "        movb $0xfe, %al\n"
           "        outb %al, $0x21\n"
           "        movb $0x34, %al\n"
           "        outb %al, $0x43\n"
           "        movb $0xa9, %al\n"
           "        outb %al, $0x40\n"
           "        movb $4, %al\n"
           "        outb %al, $0x40\n"
           "        sti\n"
           "1:      incl 0x500\n"
           "        jmp 1b\n");

static struct nova_vm vm;
static struct nova_pc pc;

static uint32_t count(void)
{
        uint32_t value = 0;

        nova_guest_read(&vm.memory, COUNT_AT, &value, sizeof(value));
        return value;
}

/* Returns true if the guest still counts. Waits some seconds, because the guest may get little
 * time. */
static bool counts_on(void)
{
        const uint32_t before = count();

        for (unsigned i = 0; i < 500 && count() == before; i++)
                nova_sleep(20000000);
        return count() != before;
}

/* Starts a guest with two virtual CPUs, of which the second has nothing to do. */
static bool start(const char *name, const char *code, size_t bytes)
{
        const struct nova_vm_config config = {
                .name = name, .memory = 2u << 20, .vcpus = 2, .local_apic = true};

        if (!machine_create(&vm, &config, &pc))
                return false;
        nova_guest_write(&vm.memory, GUEST_AT, code, bytes);
        nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
        nova_vm_run(&vm);
        nova_sleep(20000000);
        return true;
}

static void end(void)
{
        nova_pc_destroy(&pc);
        nova_vm_report(&vm);
        nova_vm_destroy(&vm);
}

static bool run_spin(void)
{
        if (!start("spin", spin, GUEST_BYTES(spin)))
                return false;

        const bool begins = counts_on();

        nova_vm_report(&vm);

        const bool good = begins && counts_on();

        end();
        return good;
}

/* Tests that the guest still waits after one report, and after a second one. */
static bool run_wait(void)
{
        if (!start("wait", wait, GUEST_BYTES(wait)))
                return false;
        for (unsigned i = 0; i < 500 && vm.vcpu[0].activity != NOVA_VCPU_HALTS; i++)
                nova_sleep(20000000);
        nova_vm_report(&vm);
        nova_vm_report(&vm);
        nova_sleep(20000000);

        const bool good = vm.vcpu[0].activity == NOVA_VCPU_HALTS && !count();

        end();
        return good;
}

static uint64_t exits(void)
{
        nova_vm_lock(&vm);

        const uint64_t now = vm.vcpu[0].exits;

        nova_vm_unlock(&vm);
        return now;
}

/* Tests that the monitor does not wake a guest for an interrupt that the guest cannot take. */
static bool run_deaf(void)
{
        if (!start("deaf", deaf, GUEST_BYTES(deaf)))
                return false;

        bool good = counts_on();
        const uint64_t before = exits();

        nova_sleep(300000000);
        good &= counts_on() && nova_pic_pending(&pc.pic);
        printf("deaf: %u exits meanwhile\n", (unsigned)(exits() - before));
        good &= exits() - before < 10;
        end();
        return good;
}

static unsigned reports; /* reports that are complete */
static bool occupies;    /* the thread below occupies the CPU of virtual CPU 0 */

static void *occupy(void *unused)
{
        while (__atomic_load_n(&occupies, __ATOMIC_RELAXED))
                ;
        return unused;
}

static void *report(void *unused)
{
        nova_vm_report(&vm);
        __atomic_add_fetch(&reports, 1, __ATOMIC_RELAXED);
        return unused;
}

/* Makes two reports at once while a thread of a higher priority than the guest has the guest's CPU.
 * Stores true if they are complete after some seconds. */
static void *report_twice(void *good)
{
        const struct nova_thread_attr attr = {
                .name = "occupy", .cpu = vm.vcpu[0].cpu, .priority = vm.priority + 2};
        struct nova_thread *thread, *reporter;

        occupies = true;
        if (nova_thread_create(&thread, &attr, occupy, NULL))
                return NULL;
        for (unsigned i = 0; i < 2; i++)
                if (nova_thread_create(&reporter, NULL, report, NULL))
                        return NULL;
        for (unsigned i = 0; i < 50 && __atomic_load_n(&reports, __ATOMIC_RELAXED) < 2; i++)
                nova_sleep(100000000);
        *(bool *)good = __atomic_load_n(&reports, __ATOMIC_RELAXED) == 2;
        __atomic_store_n(&occupies, false, __ATOMIC_RELAXED);
        nova_thread_join(thread, NULL);
        return NULL;
}

/* Tests a guest that loses its CPU. A guest that does not run has no exits, so its handler does not
 * hold the machine's lock. */
static bool run_starved(void)
{
        struct nova_thread_attr attr = NOVA_THREAD_ATTR_INITIALIZER;
        struct nova_thread *thread;
        bool good = false;

        if (!start("starved", spin, GUEST_BYTES(spin)) || !counts_on())
                return false;
        attr.priority = vm.priority + 3;
        if (nova_thread_create(&thread, &attr, report_twice, &good))
                return false;
        nova_thread_join(thread, NULL);
        if (good)
                end();
        return good;
}

int main(void)
{
        const bool spins = run_spin(), waits = run_wait(), hears_nothing = run_deaf();
        const bool reported = run_starved();

        printf("spin: %s\n", spins ? "went on" : "wrong");
        printf("wait: %s\n", waits ? "still waits" : "wrong");
        printf("deaf: %s\n", hears_nothing ? "was left alone" : "wrong");
        printf("starved: %s\n", reported ? "reported twice" : "wrong");
        return !(spins && waits && hears_nothing && reported);
}
