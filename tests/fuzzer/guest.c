/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual CPUs of suspects: their code, and replies with any state to their events. */
#include "guest.h"
#include "fuzzer.h"

#define FLAGS_IF 0x200

/* Pieces of code for real mode, which also decode in flat mode; each jumps back to its first byte
 * at its end. None of them reads or writes a debug register. */
GUEST(fuzz_exits, 16,
      "1: cpuid; rdtsc; in $0x80, %al; out %al, $0x80; hlt; pause; int3; mov %cr0, %eax;"
      "rdmsr; wbinvd; vmmcall; invlpg (%si); jmp 1b");
GUEST(fuzz_fpu, 16, "1: fninit; fld1; fldpi; fstpt 0x100; sti; hlt; cli; jmp 1b");
GUEST(fuzz_memory, 16,
      "1: push %ax; mov %ax, (%bx); add $0x1357, %bx; lgdt 0x40; int $0x21; jmp 1b");

static void copy(word_t at, const char *from, const char *end)
{
        for (char *to = (char *)plan.shared + at; from < end;)
                *to++ = *from++;
}

void guest_code(void)
{
        if (!plan.guests)
                return;
        copy(0x1000, fuzz_exits, fuzz_exits_end);
        copy(0x2000, fuzz_fpu, fuzz_fpu_end);
        copy(0x3000, fuzz_memory, fuzz_memory_end);
}

static void any_segment(uint64_t *seed, struct nova_segment *segment)
{
        segment->sel = (uint16_t)random_value(seed);
        segment->ar = (uint16_t)random_value(seed);
        segment->limit = (uint32_t)random_value(seed);
        segment->base = random_value(seed);
}

static void real_mode(struct nova_utcb_state *s)
{
        const struct nova_segment data = {.ar = 0x93, .limit = 0xffff};

        s->cs = (struct nova_segment){.ar = 0x9b, .limit = 0xffff};
        s->ss = s->ds = s->es = s->fs = s->gs = data;
        s->ldtr = (struct nova_segment){.ar = 0x82};
        s->tr = (struct nova_segment){.ar = 0x8b, .limit = 0xffff};
        s->gdtr = s->idtr = (struct nova_segment){.limit = 0xffff};
        s->cr0 = 0x10;
        s->cr2 = s->cr3 = s->cr4 = 0;
        s->sp = 0x8000;
        s->flags = 0x2;
        s->inj_info = s->intr_state = s->actv_state = 0;
}

/* Replaces a few fields of the state by random values. */
static void disturb(uint64_t *seed, struct nova_utcb *u)
{
        struct nova_utcb_state *s = &u->state;
        word_t *const words[] = {&s->ip,  &s->flags, &s->ax,  &s->cx,          &s->sp,
                                 &s->cr0, &s->cr3,   &s->cr4, &s->sysenter_ip, &s->inst_len};
        uint32_t *const halves[] = {&s->intr_state, &s->actv_state, &s->inj_info,
                                    &s->inj_error,  &s->ctrl[0],    &s->ctrl[1]};
        uint64_t *const more[] = {&u->event.more.efer, &u->event.more.star,    &u->event.more.pat,
                                  &u->event.more.xcr0, &u->event.more.tsc_aux, &s->tsc_offset};
        struct nova_segment *const segments[] = {&s->cs, &s->ss,   &s->ds,
                                                 &s->tr, &s->gdtr, &s->idtr};

        for (word_t n = random_below(seed, 3); n; n--) {
                *words[random_below(seed, 10)] = random_value(seed);
                *halves[random_below(seed, 6)] = (uint32_t)random_value(seed);
                *more[random_below(seed, 6)] = random_value(seed);
                any_segment(seed, segments[random_below(seed, 6)]);
        }
}

static unsigned give_page(struct nova_utcb *u, nova_crd_t crd, word_t page)
{
        u->word[nova_utcb_item_index(0)] = crd;
        u->word[nova_utcb_item_index(0) + 1] = item_upper(NOVA_ITEM_DELEGATE | NOVA_ITEM_G, page);
        return 1;
}

unsigned guest_reply(uint64_t *seed, unsigned event, struct nova_utcb *u)
{
        struct nova_utcb_state *s = &u->state;
        nova_mtd_t mtd = NOVA_MTD_EIP | NOVA_MTD_EFL;
        unsigned items = 0;

        if (event == NOVA_VMI_STARTUP || random_below(seed, 6) == 0) {
                real_mode(s);
                mtd = ((nova_mtd_t)1 << 12) - 1;
                mtd |= NOVA_MTD_CR | NOVA_MTD_INJ | NOVA_MTD_STA;
                s->ip = 0x1000 * (1 + random_below(seed, 3));
        } else if (event == guest_event(EXIT_MEMORY) || random_below(seed, 16) == 0) {
                const word_t page = plan.shared >> NOVA_PAGE_BITS;
                items = give_page(u, mem(page, SHARED_ORDER, NOVA_MEM_RWX), 0);
        } else {
                s->ip += s->inst_len & 0xf;
        }
        if (random_below(seed, 4) == 0) {
                disturb(seed, u);
                mtd |= random_next(seed);
        }
        if (random_below(seed, 8) == 0) {
                s->inj_info = NOVA_INJ_VALID | (uint32_t)random_next(seed) % 0x800;
                mtd |= NOVA_MTD_INJ;
        }
        /* Bochs, the only emulator of VMX here, lets an interrupt of the machine cause an exit only
         * if the guest was entered with IF set. A guest that spins without IF would keep its CPU
         * for ever after its next entry. So the reply sets IF, and the guest gets no IDT through
         * which an interrupt or an exception would clear IF. Without an IDT, they become a triple
         * fault, which is an exit. */
        if (!needs_vmx()) {
                s->flags |= FLAGS_IF;
                s->idtr.limit = 0;
                mtd |= NOVA_MTD_EFL | NOVA_MTD_IDTR;
        }
        s->mtd = mtd & MTD_ALLOWED;
        return items;
}
