/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that looks for state of its secure guest in the ultravisor's calls, in its own capabilities
 * and memory, and in a virtual CPU of its own. */
#include <stdio.h>
#include <string.h>

#include "nova/crd.h"
#include "novart/layout.h"
#include "novavmm/registers.h"

#include "../runtime/tap.h"
#include "../vmm/guest_code.h"
#include "honest.h"
#include "msrs.h"
#include "novauv/guest.h"

#define ROUNDS      1500u
#define SECRET      0x5ec4e77eu
#define LOW         0x50000u    /* a page that code in real mode can access */
#define HIGH        0x500000u   /* a page above 1 MiB */
#define LOW_END     0x44000000u /* above the VMM's memory */
#define FAR_BYTES   0x4000000u
#define CODE        0x100u /* segment in which the VMM's own virtual CPU begins */
#define SELECTORS   0x10000u
#define BLOCK       16u                                    /* order of a block of selectors */
#define GATHER      ((1u << (NOVA_SEL_ORDER - BLOCK)) - 1) /* the last block of them */
#define PLANTED     (700u * SELECTORS + 5)
#define CALL_BYTES  3    /* size of VMMCALL and of VMCALL */
#define VMCALL_LAST 0xc1 /* last byte of VMCALL */
#define TAKEN_BYTE  3    /* number of equal bytes that are not a coincidence */

static unsigned wrong, seen, questions;

/* The words of the calls for the accesses of guest_marks.c, in their order. */
static const nova_word_t expected[PROBE_MARK_KINDS][1 + 4] = {
        {NOVA_H_PORT, PROBE_MARK_PORT, 4, true, PROBE_MARK_LONG},
        {NOVA_H_PORT, PROBE_MARK_PORT, 1, true, PROBE_MARK_BYTE},
        {NOVA_H_PORT, PROBE_MARK_PORT, 4, false, 0},
        {NOVA_H_MEMORY, PROBE_MARK_PLACE, 1, true, PROBE_MARK_BYTE},
        {NOVA_H_MEMORY, PROBE_MARK_PLACE, 4, false, 0},
        {NOVA_H_GUEST, PROBE_MARK_CALL, 0x31, 0x32, 0x33},
        {NOVA_H_SVM_PAGE_IN, PROBE_MARK_PAGE, 0, NOVA_UV_ORDER_PAGE, 0},
};

#ifdef __x86_64__
#define FXSAVE "fxsave64"
#define USED   "xmm7"
#else /* the compiler does not use XMM registers, and cannot name them */
#define FXSAVE "fxsave"
#define USED   "memory"
#endif

/* The x87 and XMM registers of the thread that looks for marks. */
struct fpu {
        uint8_t byte[512];
} __attribute__((aligned(16)));

/* Returns true if bytes contain marks. */
static bool has_mark(const void *data, unsigned bytes)
{
        const uint8_t *const byte = data;
        unsigned equal = 0;

        for (unsigned i = 0; i < bytes; i++) {
                equal = byte[i] == PROBE_MARK ? equal + 1 : 0;
                if (equal == TAKEN_BYTE)
                        return true;
        }
        return false;
}

/* Returns true if the x87 or XMM registers of the VMM's thread contain marks. */
static bool has_register_mark(void)
{
        struct fpu fpu;

        __asm__ volatile(FXSAVE " %0" : "=m"(fpu));
        return has_mark(&fpu, sizeof(fpu));
}

static bool finds_register_mark(void)
{
        static const uint8_t marks[16] = {PROBE_MARK, PROBE_MARK, PROBE_MARK, PROBE_MARK};
        struct fpu fpu;

        __asm__ volatile("movups %1, %%xmm7\n" FXSAVE " %0\nxorps %%xmm7, %%xmm7"
                         : "=m"(fpu)
                         : "m"(marks)
                         : USED);
        return has_mark(&fpu, sizeof(fpu));
}

static bool is_constant(const struct call *call, const nova_word_t *words)
{
        return call->number == words[0] && !memcmp(call->word, words + 1, sizeof(call->word));
}

/* Compares each call with the one that the guest's access must cause. */
static void compare(struct call *call)
{
        static const nova_word_t question[1 + 4] = {NOVA_H_INTERRUPT};
        const struct nova_utcb *const utcb = nova_thread_utcb();
        bool good = !has_register_mark() && nova_utcb_word_count(utcb) == 5 &&
                    !nova_utcb_item_count(utcb) && !has_mark(utcb, PAGE);

        if (call->number == NOVA_H_PORT && call->word[0] != PROBE_MARK_PORT)
                return; /* the guest's commands */
        if (call->number == NOVA_H_INTERRUPT) {
                questions++;
                good &= is_constant(call, question);
        } else {
                good &= is_constant(call, expected[seen++ % PROBE_MARK_KINDS]);
                call->more = seen % 4 == 0;
        }
        wrong += !good;
        if (call->number == NOVA_H_GUEST)
                wrong += nova_uv_page_out(&uv, PROBE_MARK_PAGE, PROBE_MARK_PAGE, 0,
                                          NOVA_UV_ORDER_PAGE) != NOVA_U_SUCCESS;
        if (call->number == NOVA_H_SVM_PAGE_IN)
                return;
        call->words = call->number == NOVA_H_PORT || call->number == NOVA_H_MEMORY ? 2 : 0;
}

static void messages(void)
{
        guest(PROBE_WRITE, PROBE_MARK_PAGE, 1);
        honest_attack = compare;
        check(guest(PROBE_MARKS, ROUNDS, 0) == ROUNDS * PROBE_MARK_KINDS &&
                      seen == ROUNDS * PROBE_MARK_KINDS && questions > 1000,
              "a guest with marks in its registers makes more than 10,000 accesses");
        printf("The VMM got %u calls and %u questions; %u were wrong.\n", seen, questions, wrong);
        check(!wrong, "each message holds the declared words, and no mark");
        check(!has_register_mark() && finds_register_mark(),
              "the search for marks in registers finds one that is there");
        honest_attack = NULL;
}

/* Counts calls that are not for the guest's commands. */
static void count(struct call *call)
{
        seen += call->number != NOVA_H_PORT || call->word[0] < PROBE_COMMAND ||
                call->word[0] > PROBE_RESULT;
}

/* Returns true if an entry of the guest's list is the MSR that the policy has next. */
static bool is_next(unsigned entry, unsigned msr, unsigned access)
{
        const unsigned number = guest(PROBE_MSR, entry, GUEST_MSR_NUMBER);
        const unsigned found = guest(PROBE_MSR, entry, GUEST_MSR_ACCESS);

        if (number == msr && found == access)
                return true;
        printf("Entry %u is MSR 0x%x with access %u, in place of MSR 0x%x with %u.\n", entry,
               number, found, msr, access);
        return false;
}

/* Returns true if the guest's list, of @p listed entries, is the policy's. */
static bool is_policy(unsigned listed)
{
        unsigned entry = 0;

        for (unsigned i = 0; i < sizeof(msr_rows) / sizeof(msr_rows[0]); i++) {
                const struct msr_row *const row = &msr_rows[i];

                if (row->of_amd && !nova_guest_is_amd())
                        continue;
                for (uint32_t msr = row->first; msr <= row->last; msr++)
                        if (!is_next(entry++, msr, row->access))
                                return false;
        }
        return entry == listed;
}

static void registers_of_the_cpu(void)
{
        unsigned listed = 0;

        seen = 0;
        honest_attack = count;
        for (unsigned i = 0; i < GUEST_MSR_RANGES; i++)
                listed = guest(PROBE_MSRS, i, 0);
        honest_attack = NULL;
        printf("The guest can access %u of %u MSRs.\n", listed, GUEST_MSR_RANGES * GUEST_MSR_COUNT);
        check(is_policy(listed), "a guest can access the MSRs of the policy; all others raise #GP");
        check(!seen && guest(PROBE_READ, KERNEL, 0), "no access to an MSR reaches the VMM");
}

/* Sums over all look-ups of a VMM. */
struct holdings {
        unsigned objects, pages, marks;
        uint64_t sum;
};

/* The complement of the word that the guest writes. Later commands overwrite the VMM's copy of the
 * word, and then only the guest has it. */
static const volatile uint32_t hidden = 0x12345679;

static bool contains_secret(const uint32_t *page)
{
        for (unsigned i = 0; i < PAGE / sizeof(*page); i++)
                if (~((const volatile uint32_t *)page)[i] == hidden)
                        return true;
        return false;
}

/* Looks at each page separately. The kernel may report a larger range around it. */
static void walk_pages(struct holdings *to, nova_word_t from, nova_word_t end)
{
        for (nova_word_t at = from; at < end; at += PAGE) {
                nova_crd_t crd = nova_crd_mem(at / PAGE, 0, 0);

                nova_lookup(&crd);
                to->pages += crd != 0;
                to->sum = to->sum * 31 + crd;
                if (crd && nova_crd_perms(crd) & NOVA_MEM_R)
                        to->marks += contains_secret((const uint32_t *)at);
        }
}

static struct holdings look(void)
{
        struct holdings all = {0};

        for (nova_sel_t sel = 0; sel < SELECTORS; sel++) {
                nova_crd_t crd = nova_crd_obj(sel, 0, 0);

                nova_lookup(&crd);
                all.objects += crd != 0;
                all.sum = all.sum * 31 + crd;
        }
        walk_pages(&all, 0, LOW_END);
        walk_pages(&all, NOVA_LAYOUT_FAR, NOVA_LAYOUT_FAR + FAR_BYTES);
        return all;
}

/* Receives the capabilities that the next call delegates, in the last block of selectors. */
static void receive(nova_sel_t unused, struct nova_utcb *utcb, void *argument)
{
        (void)unused, (void)argument;
        nova_utcb_set_windows(utcb, 0, nova_crd_obj(GATHER * SELECTORS, BLOCK, NOVA_PERM_ALL));
        nova_utcb_clear(utcb);
}

/* Returns the number of different places, modulo the size of a block, at which the VMM has
 * capabilities above those that look() visits. Delegates each block to the last one. */
static unsigned count_above(nova_sel_t to)
{
        struct nova_utcb *const utcb = nova_thread_utcb();
        unsigned found = 0;

        nova_utcb_set_windows(utcb, 0, 0);
        for (unsigned block = 0; block < GATHER; block++) {
                nova_utcb_clear(utcb);
                if (block) /* the first call opens the window */
                        nova_utcb_delegate(
                                utcb, nova_crd_obj(block * SELECTORS, BLOCK, NOVA_PERM_ALL), 0, 0);
                if (nova_call(to, 0) != NOVA_SUCCESS)
                        return UINT32_MAX;
        }
        for (nova_sel_t sel = GATHER * SELECTORS; sel < (GATHER + 1) * SELECTORS; sel++) {
                nova_crd_t crd = nova_crd_obj(sel, 0, 0);

                nova_lookup(&crd);
                found += crd != 0;
        }
        nova_revoke(nova_crd_obj(GATHER * SELECTORS, BLOCK, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        return found;
}

static void selectors_above(void)
{
        const nova_sel_t to = nova_sel_alloc(0);
        struct nova_handler *receiver;

        check(to != NOVA_SEL_NONE &&
                      !nova_handler_create(&receiver, nova_thread_cpu(), "receive", receive,
                                           NULL) &&
                      !nova_handler_portal(receiver, to, 0) && count_above(to) == 0,
              "it has none at the other selectors of its object space");
        check(nova_create_sm(PLANTED, nova_program.pd, 0) == NOVA_SUCCESS && count_above(to) == 1,
              "the search finds a capability that is there");
        nova_revoke(nova_crd_obj(PLANTED, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
}

static void capabilities(void)
{
        struct holdings before, after;

        honest_end();
        before = look();
        check(honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_WRITE, HIGH, ~hidden) == 0 &&
                      guest(PROBE_READ, KERNEL, 0) && guest(PROBE_CALL, 0, 0) == 0 &&
                      nova_uv_page_out(&uv, HIGH, HIGH, NOVA_UV_SNAPSHOT, NOVA_UV_ORDER_PAGE) ==
                              NOVA_U_SUCCESS,
              "a guest becomes secure, and the VMM has a snapshot of a page");
        after = look();
        printf("The VMM has %u capabilities and %u pages; before, %u and %u.\n", after.objects,
               after.pages, before.objects, before.pages);
        check(before.objects > 16 && before.objects == after.objects && before.pages > 1024 &&
                      before.pages == after.pages && before.sum == after.sum,
              "UV_ESM gives the VMM no capability and no page");
        selectors_above();
        check(!before.marks && !after.marks, "no page of the VMM has the guest's word");
        *(volatile uint32_t *)(memory.base + HIGH) = ~hidden;
        check(look().marks, "the search finds a word that is there");
}

/* A virtual CPU of the normal VM, in real mode: makes UV_ESM. If its VMM lets it continue, it sends
 * the word at LOW to a port, changes the word, and halts. */
GUEST_CODE(leaks_code, 16,
           "vmmcall\nmovw $0x5000, %ax\nmovw %ax, %ds\nmovl 0, %eax\noutl %eax, $0xe8\n"
           "movl $0x600d600d, 0\nhlt\n");

static nova_word_t own_word;

static void take_word(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device, (void)port, (void)bytes;
        own_word = (nova_word_t)value;
}

/* Maps the memory from which the guest became secure. */
static void map_old(struct nova_vcpu *vcpu)
{
        const nova_sel_t page = (nova_sel_t)(vcpu->more->gpa / PAGE);

        nova_vcpu_map(vcpu, nova_crd_mem((nova_word_t)memory.base / PAGE + page, 0, NOVA_MEM_RWX),
                      page);
}

static void *find_old(void *context, uint64_t address, size_t bytes, bool write)
{
        (void)context, (void)write;
        return address + bytes <= MEMORY ? memory.base + address : NULL;
}

static bool became; /* the guest is secure, and has written a word at LOW */

static void become(void *unused)
{
        (void)unused;
        became = honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_WRITE, LOW, SECRET) == 0;
        *(volatile uint32_t *)(memory.base + LOW) = 0x01d01d01;
}

/* Serves UV_ESM, and then lets the virtual CPU continue. */
static void become_and_go_on(struct nova_vcpu *vcpu)
{
        nova_vcpu_call_out(vcpu, become, NULL);
        nova_vcpu_skip(vcpu, CALL_BYTES);
}

static void old_vcpu(void)
{
        static struct nova_vm old;
        const struct nova_vm_config config = {.name = "old", .own_memory = true};
        const struct nova_bus_range port = {0xe8, 0xeb, NULL, take_word, NULL};

        honest_end();
        memcpy(memory.base + CODE * 16, leaks_code, GUEST_BYTES(leaks_code));
        if (!nova_guest_is_amd())
                memory.base[CODE * 16 + CALL_BYTES - 1] = VMCALL_LAST;
        if (!nova_vm_create(&old, &config) && !nova_bus_add(&old.ports, &port)) {
                old.memory.find = find_old;
                nova_vm_on(&old, NOVA_VM_EXIT_MEMORY, map_old);
                nova_vm_on(&old, NOVA_VM_EXIT_HYPERCALL, become_and_go_on);
                nova_registers_real(&old.vcpu[0].start, CODE, 0);
                nova_vm_run(&old);
                nova_vm_wait(&old);
        }
        check(became && own_word == 0x01d01d01 &&
                      *(volatile uint32_t *)(memory.base + LOW) == 0x600d600d,
              "a virtual CPU that has made UV_ESM, and continues, uses the VMM's memory");
        check(guest(PROBE_READ, LOW, 0) == SECRET, "it has not reached the secure guest");
}

int main(void)
{
        if (!honest_start(3))
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS, "a guest becomes secure");
        messages();
        registers_of_the_cpu();
        capabilities();
        old_vcpu();
        return tap_end();
}
