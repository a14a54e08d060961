/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor that provides its guest's RAM page by page, and answers port accesses by calls to
 * another thread, which stands for another program. In the last machines the other thread does not
 * answer: each machine can be destroyed, and nothing of it remains. */
#include <stdio.h>
#include <string.h>

#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/page.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/thread.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT 0x1000
#define PORT     0xe9
#define PAGES    16 /* pages of RAM */
#define HUNG     20 /* machines that are destroyed during a call */

/* Runs in real mode: writes to five pages, reads the port, and adds the value from the port to each
 * of these pages. */
GUEST_CODE(guest, 16,
           "        xorw %ax, %ax\n"
           "        movw %ax, %ds\n"
           "        movw $0x5000, %bx\n"
           "1:      movw %bx, (%bx)\n"
           "        addw $0x1000, %bx\n"
           "        cmpw $0xa000, %bx\n"
           "        jne 1b\n"
           "        inb $0xe9, %al\n"
           "2:      subw $0x1000, %bx\n"
           "        addw %ax, (%bx)\n"
           "        cmpw $0x5000, %bx\n"
           "        jne 2b\n"
           "        cli\n"
           "        hlt\n");

static struct nova_vm vm;
static char *ram;           /* the guest's pages, executable */
static bool present[PAGES]; /* pages that the guest has touched */
static nova_sel_t portal;   /* portal of the other thread */
static bool hangs;          /* the other thread waits and does not answer */
static struct nova_semaphore called = NOVA_SEMAPHORE_INITIALIZER(0);
static struct nova_semaphore never = NOVA_SEMAPHORE_INITIALIZER(0);

static void *find(void *context, uint64_t address, size_t bytes, bool write)
{
        (void)context;
        (void)write;
        return address + bytes <= PAGES * 4096 && present[address >> 12] ? ram + address : NULL;
}

static void map(struct nova_vcpu *vcpu)
{
        const uint64_t page = vcpu->more->gpa >> 12;

        if (page >= PAGES) {
                nova_vcpu_fail(vcpu, "an access beyond its RAM");
                return;
        }
        present[page] = true;
        nova_vcpu_map(vcpu, nova_crd_mem(((nova_word_t)ram >> 12) + page, 0, NOVA_MEM_RWX), page);
}

/* Answers in the other thread: overwrites the UTCB of the caller, and answers with 3. */
static void answer(nova_sel_t unused, struct nova_utcb *utcb, void *argument)
{
        (void)unused;
        (void)argument;
        nova_semaphore_up(&called);
        if (hangs)
                nova_semaphore_down(&never);
        nova_utcb_clear(utcb);
        for (unsigned i = 0; i < 200; i++)
                nova_utcb_put(utcb, 3);
}

static void call(void *argument)
{
        struct nova_utcb *const utcb = nova_thread_utcb();

        nova_utcb_clear(utcb);
        if (nova_call(portal, 0) == NOVA_SUCCESS)
                *(nova_word_t *)argument = utcb->word[0];
}

static uint64_t read(void *device, uint64_t port, unsigned bytes)
{
        nova_word_t value = 0;

        (void)device;
        (void)port;
        (void)bytes;
        nova_vcpu_call_out(vm.serving, call, &value);
        return value;
}

static bool start(void)
{
        const struct nova_bus_range range = {PORT, PORT, read, NULL, NULL};
        const struct nova_vm_config config = {.name = "own", .own_memory = true};

        memset(present, 0, sizeof(present));
        memset(ram, 0, PAGES * 4096);
        if (!machine_create(&vm, &config, NULL) || nova_bus_add(&vm.ports, &range))
                return false;
        vm.memory.find = find;
        nova_vm_on(&vm, NOVA_VM_EXIT_MEMORY, map);
        memcpy(ram + GUEST_AT, guest, GUEST_BYTES(guest));
        nova_registers_real(&vm.vcpu[0].start, 0, GUEST_AT);
        return !nova_vm_run(&vm);
}

static bool runs(void)
{
        unsigned good = 0;
        uint16_t word;

        if (!start())
                return false;

        const enum nova_vm_end end = nova_vm_wait(&vm);

        for (unsigned page = 5; page < 10; page++)
                good += nova_guest_read(&vm.memory, page << 12, &word, sizeof(word)) &&
                        word == (page << 12) + 3;
        good += !nova_guest_read(&vm.memory, 4 << 12, &word, sizeof(word)); /* never touched */
        nova_vm_destroy(&vm);
        printf("RAM from the monitor: end %d, %u of 6 pages are right\n", (int)end, good);
        return end == NOVA_VM_HALTED && good == 6;
}

static bool make_thread(void)
{
        struct nova_handler *handler;

        portal = nova_sel_alloc(0);
        return portal != NOVA_SEL_NONE &&
               !nova_handler_create(&handler, 1, "other", answer, NULL) &&
               !nova_handler_portal(handler, portal, 0);
}

/* Destroys machines while a virtual CPU's handler waits for an answer. The other thread runs on
 * its caller's time, so it completes an abandoned call only when the next machine calls it. */
static bool hang(void)
{
        size_t pages = 0, selectors = 0;

        hangs = true;
        nova_semaphore_down(&called);
        nova_semaphore_down(&called);
        for (unsigned round = 0; round < HUNG; round++) {
                if (round == 4) {
                        pages = nova_page_free_count();
                        selectors = nova_sel_used();
                }
                if (!start())
                        return false;
                nova_semaphore_down(&called);
                nova_vm_destroy(&vm);
                nova_semaphore_up(&never);
        }
        printf("%u machines were destroyed during a call: pages %d, selectors %d\n", HUNG,
               (int)(pages - nova_page_free_count()), (int)(nova_sel_used() - selectors));
        return pages == nova_page_free_count() && selectors == nova_sel_used();
}

int main(void)
{
        void *const pages = nova_page_alloc(4);

        ram = nova_region_reserve(PAGES * 4096);
        if (!pages || !ram || nova_guest_memory_map(pages, ram, 4) || !make_thread())
                return 1;
        for (unsigned i = 0; i < 2; i++)
                if (!runs())
                        return 1;
        return !hang();
}
