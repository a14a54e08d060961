/* SPDX-License-Identifier: BSD-2-Clause */
/* The report that ends a machine: who, why, and the registers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "vm.h"

#define TEXT_BYTES 160

static void print_segment(const char *name, const struct nova_segment *segment)
{
        printf("  %-4s %04x base %016llx limit %08x rights %03x\n", name, segment->sel,
               (unsigned long long)segment->base, (unsigned)segment->limit, segment->ar);
}

#define FIELD(name)                                           \
        {                                                     \
#name, offsetof(struct nova_utcb_state, name) \
        }

static const struct {
        const char *name;
        size_t offset;
} words[] = {
        FIELD(ip),  FIELD(flags), FIELD(sp),  FIELD(ax),  FIELD(bx),  FIELD(cx),  FIELD(dx),
        FIELD(si),  FIELD(di),    FIELD(bp),  FIELD(cr0), FIELD(cr2), FIELD(cr3), FIELD(cr4),
#if __SIZEOF_POINTER__ == 8
        FIELD(r8),  FIELD(r9),    FIELD(r10), FIELD(r11), FIELD(r12), FIELD(r13), FIELD(r14),
        FIELD(r15),
#endif
};

static void print_registers(const struct nova_utcb_state *state)
{
        for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
                const nova_word_t value =
                        *(const nova_word_t *)((const char *)state + words[i].offset);

                printf("  %-5s %016llx%s", words[i].name, (unsigned long long)value,
                       i % 3 == 2 ? "\n" : "");
        }
        printf("\n");
        print_segment("cs", &state->cs);
        print_segment("ss", &state->ss);
        print_segment("ds", &state->ds);
        print_segment("tr", &state->tr);
        print_segment("gdtr", &state->gdtr);
        print_segment("idtr", &state->idtr);
}

/* printf() may use the UTCB that holds the state, so a copy is printed. */
void nova_vcpu_fail(struct nova_vcpu *vcpu, const char *format, ...)
{
        const struct nova_utcb_state state = *vcpu->state;
        char cause[TEXT_BYTES];
        va_list list;

        if (vcpu->vm->end != NOVA_VM_RUNS)
                return;
        va_start(list, format);
        vsnprintf(cause, sizeof(cause), format, list);
        va_end(list);
        printf("VM: guest %s, vCPU %u cannot go on: %s (exit 0x%x, qualification %llx %llx).\n",
               vcpu->vm->name, vcpu->number, cause, vcpu->event, (unsigned long long)state.qual[0],
               (unsigned long long)state.qual[1]);
        print_registers(&state);
        *vcpu->state = state;
        nova_vm_end_with(vcpu->vm, NOVA_VM_ERROR);
}
