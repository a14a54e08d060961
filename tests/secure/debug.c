/* SPDX-License-Identifier: BSD-2-Clause */
/* A secure guest that watches a word with its debug registers, and a VMM that tries to set them: by
 * words of its answers, by ultracalls, and by the debug registers of a virtual CPU of its own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/tap.h"
#include "../vmm/guest_code.h"
#include "honest.h"
#include "novauv/guest.h"
#include "novavmm/registers.h"

#define FLAGS_AT  0x24u /* flags in the start page of an image; bit 0: debugging */
#define WATCHED   0x500040u
#define FRESH     0x510000u /* page that moves out */
#define DEVICE    0xfed00000u
#define HYPERCALL 0x1234u /* a number that the ultravisor does not know */
#define CODE      0x100u  /* segment in which the VMM's own virtual CPU begins */
#define OTHER     0x7654u /* value that the VMM tries to write */

#define DR6_RESET 0xffff0ff0u
#define DR7_RESET 0x400u
#define DR7_WATCH 0xd0401u                 /* a write to the four bytes at DR0 raises #DB */
#define ONE_TRAP  (1u | UINT32_C(1) << 16) /* one #DB, caused by DR0 */

struct registers {
        uint32_t dr[8][2]; /* lower and upper halves */
};

static const nova_word_t calls[] = {NOVA_H_SVM_INIT_START, NOVA_H_SVM_INIT_DONE, NOVA_H_SVM_PAGE_IN,
                                    NOVA_H_PORT,           NOVA_H_MEMORY,        NOVA_H_INTERRUPT,
                                    NOVA_H_GUEST};

#define CALLS    (sizeof(calls) / sizeof(calls[0]))
#define ALL_SEEN ((1u << CALLS) - 1)

static unsigned seen; /* a bit for each of `calls` that has been answered */
static nova_word_t fill;

/* Answers rightly, and fills the rest of the UTCB. */
static void fill_answer(struct call *call)
{
        for (unsigned i = 0; i < CALLS; i++)
                seen |= (unsigned)(call->number == calls[i]) << i;
        call->status = honest(call);
        call->words = WORDS;
        call->fill = call->word[0] = call->word[1] = fill;
}

static struct registers read_all(void)
{
        struct registers now = {{{0}}};

        for (unsigned i = 0; i < 8; i++)
                for (unsigned half = 0; half < 2 && i != 4 && i != 5; half++)
                        now.dr[i][half] = guest(PROBE_DEBUG_READ, i, half);
        return now;
}

static bool are_reset(void)
{
        const struct registers now = read_all();
        const struct registers reset = {{[6] = {DR6_RESET, 0}, [7] = {DR7_RESET, 0}}};

        return !memcmp(&now, &reset, sizeof(now));
}

static bool are_kept(const struct registers *before)
{
        const struct registers now = read_all();

        return !memcmp(&now, before, sizeof(now));
}

/* Sets all registers of the guest, and lets it watch a word. */
static struct registers set_all(void)
{
        guest(PROBE_DEBUG_WRITE, 0, WATCHED);
        for (unsigned i = 1; i < 4; i++)
                guest(PROBE_DEBUG_WRITE, i, 0x11111111 * i);
        guest(PROBE_DEBUG_WRITE, 7, DR7_WATCH);
        return read_all();
}

static bool is_watched(void)
{
        bool right;

        guest(PROBE_DEBUG_TAKEN, 0, 0);
        guest(PROBE_READ, WATCHED, 0);
        guest(PROBE_WRITE, WATCHED - 4, 0);
        guest(PROBE_WRITE, WATCHED + 4, 0);
        right = guest(PROBE_DEBUG_TAKEN, 0, 0) == 0;
        guest(PROBE_WRITE, WATCHED, OTHER);
        return right && guest(PROBE_DEBUG_TAKEN, 0, 0) == ONE_TRAP &&
               guest(PROBE_READ, WATCHED, 0) == OTHER;
}

/* Lets the guest cause each kind of call, and answers with values for registers. */
static void try_answers(void)
{
        static const nova_word_t values[] = {WATCHED - 4, DR7_WATCH | 0xaa, (nova_word_t)-1};

        honest_attack = fill_answer;
        for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
                fill = values[i];
                guest(PROBE_WRITE, FRESH, i);
                nova_uv_page_out(&uv, FRESH, FRESH, 0, NOVA_UV_ORDER_PAGE);
                guest(PROBE_READ, FRESH, 0);
                guest(PROBE_VIEW_READ, DEVICE, 0);
                guest_call(HYPERCALL, 0, 0);
                nova_uv_kick(&uv, 0);
                guest(PROBE_READ, KERNEL, 0);
        }
        honest_attack = NULL;
}

static void answers(void)
{
        struct registers set;

        fill = DR7_WATCH | 0xaa;
        honest_attack = fill_answer;
        check(honest_become_secure() == NOVA_U_SUCCESS, "a guest becomes secure");
        honest_attack = NULL;
        check(are_reset(), "its debug registers have their values after a reset");
        set = set_all();
        check(set.dr[0][0] == WATCHED && set.dr[3][0] == 0x33333333 && set.dr[7][0] == DR7_WATCH,
              "it sets its debug registers");
        check(is_watched(),
              "a write to the word that it watches raises #DB, and nothing else does");
        guest(PROBE_STI, 0, 0);
        try_answers();
        check(seen == ALL_SEEN, "the VMM has answered all kinds of calls with more words");
        check(are_kept(&set), "no debug register has changed");
        check(is_watched(), "and the guest still watches its word");
}

static void ultracalls(void)
{
        const struct registers set = read_all();

        check(nova_uv_reset(&uv, 0) == EPERM && nova_uv_start(&uv, 0, 8) == EPERM,
              "the VMM cannot reset a virtual CPU");
        check(are_kept(&set) && is_watched(), "and the debug registers stay");
}

/* The code of a virtual CPU of the VMM, in real mode. Writes DR0 to a port; the VMM then sets DR0.
 * Writes DR0 to the port again, sets DR0 and DR7, writes DR0 once more, and halts. */
GUEST_CODE(debug_code, 16,
           "movl %dr0, %eax\noutl %eax, $0xe8\nmovl %dr0, %eax\noutl %eax, $0xe8\n"
           "movl $0x7654, %eax\nmovl %eax, %dr0\nmovl $0xd04aa, %eax\nmovl %eax, %dr7\n"
           "movl %dr0, %eax\noutl %eax, $0xe8\nhlt\n");

static nova_word_t own[3]; /* DR0 as the VMM's virtual CPU reads it */
static unsigned owned;

/* Takes DR0, and sets the debug registers of the virtual CPU. */
static void take_own(struct nova_vcpu *vcpu)
{
        if (owned < 3)
                own[owned++] = (uint32_t)vcpu->state->ax;
        for (unsigned i = 0; i < 4; i++)
                vcpu->more->dr[i] = WATCHED - 8;
        vcpu->state->dr7 = DR7_WATCH;
        vcpu->changed |= NOVA_MTD_DEBUG | NOVA_MTD_DR;
        nova_vcpu_skip(vcpu, 3);
}

static void *find_own(void *context, uint64_t address, size_t bytes, bool write)
{
        (void)context;
        (void)write;
        return address + bytes <= MEMORY ? memory.base + address : NULL;
}

static void map_own(struct nova_vcpu *vcpu)
{
        const nova_sel_t page = (nova_sel_t)(vcpu->more->gpa / PAGE);

        nova_vcpu_map(vcpu, nova_crd_mem((nova_word_t)memory.base / PAGE + page, 0, NOVA_MEM_RWX),
                      page);
}

/* Tests a virtual CPU of the VMM that writes debug registers. QEMU sets up its watchpoints when DR7
 * is written, and not when VMRUN loads it. So after this write the guest still has its own
 * registers, but its watchpoint works only after the guest has written DR7 again. */
static void own_vcpu(void)
{
        static struct nova_vm vm;
        const struct nova_vm_config config = {.name = "own", .own_memory = true};
        const struct registers set = read_all();

        memcpy(memory.base + CODE * 16, debug_code, GUEST_BYTES(debug_code));
        if (!nova_vm_create(&vm, &config)) {
                vm.memory.find = find_own;
                nova_vm_on(&vm, NOVA_VM_EXIT_MEMORY, map_own);
                nova_vm_on(&vm, NOVA_VM_EXIT_PORT, take_own);
                nova_registers_real(&vm.vcpu[0].start, CODE, 0);
                nova_vm_run(&vm);
                nova_vm_wait(&vm);
        }
        printf("A virtual CPU of the VMM reads DR0 0x%lx, 0x%lx, 0x%lx.\n", (unsigned long)own[0],
               (unsigned long)own[1], (unsigned long)own[2]);
        check(own[0] == 0 && own[1] == WATCHED - 8 && own[2] == OTHER,
              "a virtual CPU of the VMM has debug registers of its own");
        check(are_kept(&set), "which are not those of the secure guest");
        if (nova_guest_is_amd()) {
                guest(PROBE_DEBUG_WRITE, 7, DR7_RESET);
                guest(PROBE_DEBUG_WRITE, 7, DR7_WATCH);
        }
        check(is_watched(), "whose watchpoint works afterwards");
}

int main(int argc, char **argv)
{
        if (!honest_start(3))
                return 1;
        check(argc == 2 && (((const uint8_t *)image)[FLAGS_AT] & 1) == atoi(argv[1]),
              "the image has the policy of the test");
        answers();
        ultracalls();
        own_vcpu();
        honest_end();
        check(honest_become_secure() == NOVA_U_SUCCESS && are_reset(),
              "the next guest begins with debug registers of its own");
        return tap_end();
}
