/* SPDX-License-Identifier: BSD-2-Clause */
/* UV_ESM while another thread of the VMM, or another virtual CPU of the VM that is still normal,
 * writes to the pages that become secure. The guest is the sealed one, or it does not become
 * secure; no write reaches it afterwards. A thread also adds memory. At the end, UV_WRITE_PATE
 * moves the memory of a normal VM while its virtual CPU uses it. */
#include <stdio.h>
#include <string.h>

#include "../runtime/tap.h"
#include "../vmm/guest_code.h"
#include "novart/region.h"
#include "novavmm/registers.h"
#include "second.h"

#define CODE    0x700000u /* pages of the normal memory that are no part of the image */
#define CONTROL 0x701000u
#define IDLE    0x702000u
#define ROUNDS  8u
#define READS   8u
#define BIT     1u

/* Words that the writer and the VMM share, in the page CONTROL. */
struct control {
        uint32_t quits, target; /* set by the VMM; target: guest-physical address of a word */
        uint32_t writes;        /* counted by the writer */
};

/* Changes a bit of the target again and again. */
GUEST_CODE(writer_code, 32,
           "movl $0x701000, %edi\n"
           "1: movl 4(%edi), %ebx\nxorl $1, (%ebx)\nincl 8(%edi)\ncmpl $0, (%edi)\nje 1b\nhlt\n");

#define HALF       (MEMORY / 2) /* size of the VM whose memory moves */
#define HALF_ORDER 10u          /* the VM has 2^HALF_ORDER pages */
#define MOVE_CODE  0x100000u
#define MOVE_COUNT 0x101000u
#define MOVES      16u

/* Counts until the word after the count is set. */
GUEST_CODE(count_code, 32, "1: incl 0x101000\ncmpl $0, 0x101004\nje 1b\nhlt\n");

static struct control *control;
static struct nova_vm normal_vm;

static volatile uint32_t *word(uint32_t gpa)
{
        return (volatile uint32_t *)(memory.base + gpa);
}

static void *write_by_thread(void *unused)
{
        (void)unused;
        while (!__atomic_load_n(&control->quits, __ATOMIC_ACQUIRE)) {
                *word(__atomic_load_n(&control->target, __ATOMIC_ACQUIRE)) ^= BIT;
                __atomic_add_fetch(&control->writes, 1, __ATOMIC_RELEASE);
        }
        return NULL;
}

static void map(struct nova_vcpu *vcpu)
{
        const nova_sel_t page = (nova_sel_t)(vcpu->more->gpa / PAGE);

        nova_vcpu_map(vcpu, nova_crd_mem((nova_word_t)memory.base / PAGE + page, 0, NOVA_MEM_RWX),
                      page);
}

static void *find(void *context, uint64_t address, size_t bytes, bool write)
{
        (void)context;
        (void)write;
        return address + bytes <= MEMORY ? memory.base + address : NULL;
}

/* Runs a virtual CPU of a normal VM on the second CPU. The VM has the same memory as the secure
 * guest. */
static bool start_vcpu(void)
{
        static const uint8_t cpus[] = {SECOND};
        const struct nova_vm_config config = {.name = "normal", .own_memory = true, .cpus = cpus};

        memcpy(memory.base + CODE, writer_code, GUEST_BYTES(writer_code));
        if (nova_vm_create(&normal_vm, &config))
                return false;
        normal_vm.memory.find = find;
        nova_vm_on(&normal_vm, NOVA_VM_EXIT_MEMORY, map);
        nova_registers_protected(&normal_vm.vcpu[0].start, CODE, 0x8, 0x10);
        return !nova_vm_run(&normal_vm);
}

/* Waits until the writer has written some more times. */
static void wait_for_writes(void)
{
        const uint32_t before = __atomic_load_n(&control->writes, __ATOMIC_SEQ_CST);

        while (__atomic_load_n(&control->writes, __ATOMIC_SEQ_CST) - before < 3)
                __asm__ volatile("pause");
}

/* Lets the writer write to another word, and waits until it does. */
static void aim(uint32_t target)
{
        __atomic_store_n(&control->target, target, __ATOMIC_SEQ_CST);
        wait_for_writes();
}

/* A place of the image, and the status of UV_ESM if the writer has changed it. */
struct place {
        const char *name;
        uint32_t at;
        enum nova_u_status refused;
        bool readable; /* the guest can compare the word */
};

static const struct place places[] = {
        {"the start page", 0x8010, NOVA_U_PERMISSION, true},
        {"the kernel", KERNEL + 0x40, NOVA_U_PERMISSION, true},
        {"the boot parameters", PARAMS + 0x30, NOVA_U_PERMISSION, true},
        {"the blob's version", BLOB + 8, NOVA_U_PERMISSION, false},
        {"the blob's content", BLOB + 0x200, NOVA_U_PERMISSION, false},
};

#define PLACES (sizeof(places) / sizeof(places[0]))

/* Returns true if the guest reads the sealed word, again and again, while the writer writes. */
static bool is_sealed(const struct place *place, uint32_t sealed)
{
        unsigned right = 0;

        for (unsigned i = 0; i < READS; i++) {
                const uint32_t found = guest(PROBE_READ, place->readable ? place->at : KERNEL, 0);

                right += place->readable ? found == sealed : found != 0;
                wait_for_writes();
        }
        if (right != READS)
                printf("%u of %u reads were right.\n", right, READS);
        return right == READS;
}

static unsigned secure, refused; /* numbers of guests */

/* Lets a guest become secure while the writer writes. Returns true if the outcome is right. */
static bool play(const struct place *place)
{
        const uint32_t sealed = (honest_load(), *word(place->at));
        enum nova_u_status status;
        bool good;

        aim(place->at);
        status = nova_uv_esm(&uv, BLOB, PARAMS);
        if (!status) {
                nova_semaphore_down(&converted);
                status = esm_status;
        }
        good = status == place->refused || (!status && is_sealed(place, sealed));
        if (!good)
                printf("Status %d with a writer of %s.\n", status, place->name);
        secure += !status;
        refused += status != NOVA_U_SUCCESS;
        honest_end();
        aim(IDLE);
        return good;
}

static void write_all(const char *who)
{
        secure = refused = 0;
        for (unsigned i = 0; i < PLACES; i++) {
                unsigned good = 0;

                for (unsigned j = 0; j < ROUNDS; j++)
                        good += play(&places[i]);
                printf("%s writes to %s.\n", who, places[i].name);
                check(good == ROUNDS,
                      "a guest is the sealed one, or what is in secure memory was not sealed");
        }
        printf("%u guests are secure, and %u are not.\n", secure, refused);
        check(secure && refused, "there are guests of both kinds");
        check(honest_next_runs(), "and the next VM runs");
}

static struct nova_vm moving_vm;
static uint8_t *window; /* further mappings of the VMM's memory, only for moving_vm */
static uint32_t entry;  /* dw0 of the VM's entry (UV_WRITE_PATE): offset of its memory */

static void map_moving(struct nova_vcpu *vcpu)
{
        const nova_sel_t page = (nova_sel_t)(vcpu->more->gpa / PAGE);
        const uint8_t *const from = window + __atomic_load_n(&entry, __ATOMIC_SEQ_CST);

        nova_vcpu_map(vcpu, nova_crd_mem((nova_word_t)from / PAGE + page, 0, NOVA_MEM_RWX), page);
}

static uint32_t count_at(uint32_t offset)
{
        return __atomic_load_n((uint32_t *)(void *)(memory.base + offset + MOVE_COUNT),
                               __ATOMIC_SEQ_CST);
}

/* Returns true if the virtual CPU counts at a place of its memory. */
static bool counts(uint32_t offset)
{
        const uint32_t before = count_at(offset);

        for (unsigned i = 0; i < WAITS && count_at(offset) - before < 3; i++)
                nova_sleep(WAIT_NS);
        return count_at(offset) - before >= 3;
}

/* Gives the VM the other half of the memory. Returns true if its virtual CPU no longer uses the old
 * half after UV_WRITE_PATE has returned. */
static bool move_entry(void)
{
        const uint32_t old = entry;
        enum nova_u_status status;
        uint32_t before;

        __atomic_store_n(&entry, HALF - old, __ATOMIC_SEQ_CST);
        nova_revoke(nova_crd_mem((nova_word_t)(window + old) / PAGE, HALF_ORDER, NOVA_MEM_RWX), 0);
        status = nova_uv_write_pate(&uv, entry, HALF);
        before = count_at(old);
        return status == NOVA_U_SUCCESS && counts(entry) && count_at(old) == before;
}

static bool start_moving(void)
{
        static const uint8_t cpus[] = {SECOND};
        const struct nova_vm_config config = {.name = "moving", .own_memory = true, .cpus = cpus};

        window = nova_region_reserve(MEMORY);
        if (!window || nova_guest_memory_map(memory.base, window, HALF_ORDER + 1) ||
            nova_vm_create(&moving_vm, &config))
                return false;
        for (uint32_t offset = 0; offset < MEMORY; offset += HALF) {
                memcpy(memory.base + offset + MOVE_CODE, count_code, GUEST_BYTES(count_code));
                memset(memory.base + offset + MOVE_COUNT, 0, PAGE);
        }
        moving_vm.memory.find = find;
        nova_vm_on(&moving_vm, NOVA_VM_EXIT_MEMORY, map_moving);
        nova_registers_protected(&moving_vm.vcpu[0].start, MOVE_CODE, 0x8, 0x10);
        return !nova_vm_run(&moving_vm) && counts(0);
}

/* Changes the entry of a normal VM while a virtual CPU on another CPU uses its memory. */
static void moving_entry(void)
{
        unsigned good = 0;

        check(start_moving(), "a virtual CPU uses the memory of a normal VM");
        for (unsigned i = 0; i < MOVES; i++)
                good += move_entry();
        check(good == MOVES, "it uses only the new memory when the VMM has revoked the old one and "
                             "moved the entry");
        *word(MOVE_COUNT + sizeof(uint32_t)) = *word(HALF + MOVE_COUNT + sizeof(uint32_t)) = 1;
        check(nova_vm_wait(&moving_vm) == NOVA_VM_HALTED, "it has run all the time");
}

#define LAST_SLOT  31u
#define SLOT_BYTES 0x100000u

static bool measures;  /* UV_ESM has begun; atomic */
static unsigned added; /* slots */

/* Registers the image's memory as the last slot, so that a search for one of its pages visits all
 * slots that are added. */
static void use_last_slot(struct call *call)
{
        if (call->number != NOVA_H_SVM_INIT_START)
                return;
        drive_open();
        call->words = 2;
        call->status = (nova_word_t)nova_uv_register_mem_slot(&uv, 0, MEMORY, 0, LAST_SLOT);
        __atomic_store_n(&measures, true, __ATOMIC_SEQ_CST);
}

static void *add_slots(void *unused)
{
        (void)unused;
        while (!__atomic_load_n(&measures, __ATOMIC_SEQ_CST))
                __asm__ volatile("pause");
        for (uint32_t i = 0; i < LAST_SLOT; i++) {
                added += !nova_uv_register_mem_slot(&uv, MEMORY + i * SLOT_BYTES, SLOT_BYTES, 0, i);
                nova_sleep(WAIT_NS / 8);
        }
        return NULL;
}

/* Lets a guest become secure while a thread adds memory. Returns true if the guest is the sealed
 * one, with all of this memory. */
static bool grow(void)
{
        const struct nova_thread_attr attr = {.name = "add", .cpu = SECOND};
        const uint32_t last = MEMORY + (LAST_SLOT - 1) * SLOT_BYTES;
        struct nova_thread *thread;
        bool good;

        added = 0;
        measures = false;
        if (nova_thread_create(&thread, &attr, add_slots, NULL))
                return false;
        good = honest_become_secure() == NOVA_U_SUCCESS;
        nova_thread_join(thread, NULL);
        good = good && added == LAST_SLOT && guest(PROBE_READ, KERNEL, 0) &&
               guest(PROBE_WRITE, last, 7) == 0 && guest(PROBE_READ, last, 0) == 7;
        honest_end();
        return good;
}

static void growing(void)
{
        unsigned good = 0;

        honest_attack = use_last_slot;
        for (unsigned i = 0; i < ROUNDS; i++)
                good += grow();
        check(good == ROUNDS, "a guest is the sealed one while its VMM adds memory in UV_ESM");
        check(honest_next_runs(), "and the next VM runs");
}

int main(void)
{
        const struct nova_thread_attr attr = {.name = "write", .cpu = SECOND};
        struct nova_thread *thread;

        if (!honest_start_on(3, 0))
                return 1;
        growing();
        control = (struct control *)(memory.base + CONTROL);
        *control = (struct control){.target = IDLE};
        if (nova_thread_create(&thread, &attr, write_by_thread, NULL))
                return 1;
        write_all("A thread");
        control->quits = 1;
        nova_thread_join(thread, NULL);
        *control = (struct control){.target = IDLE};
        check(start_vcpu(), "a virtual CPU of the normal VM runs");
        write_all("A virtual CPU");
        control->quits = 1;
        check(nova_vm_wait(&normal_vm) == NOVA_VM_HALTED, "it has run all the time");
        nova_vm_destroy(&normal_vm);
        moving_entry();
        return tap_end();
}
