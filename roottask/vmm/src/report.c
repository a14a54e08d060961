/* SPDX-License-Identifier: BSD-2-Clause */
/* The report that ends a machine: who, why, and the registers. */
#include <stdarg.h>
#include <stdio.h>

#include "vm.h"

#define TEXT_BYTES 160

static void print_segment(const char *name, const struct nova_segment *segment)
{
        printf("  %-4s %04x base %016llx limit %08x rights %03x\n", name, segment->sel,
               (unsigned long long)segment->base, (unsigned)segment->limit, segment->ar);
}

static void print_registers(const struct nova_utcb_state *state)
{
        const struct {
                const char *name;
                nova_word_t value;
        } word[] = {
                {"ip", state->ip},
                {"flags", state->flags},
                {"sp", state->sp},
                {"ax", state->ax},
                {"bx", state->bx},
                {"cx", state->cx},
                {"dx", state->dx},
                {"si", state->si},
                {"di", state->di},
                {"bp", state->bp},
                {"cr0", state->cr0},
                {"cr2", state->cr2},
                {"cr3", state->cr3},
                {"cr4", state->cr4},
#if __SIZEOF_POINTER__ == 8
                {"r8", state->r8},
                {"r9", state->r9},
                {"r10", state->r10},
                {"r11", state->r11},
                {"r12", state->r12},
                {"r13", state->r13},
                {"r14", state->r14},
                {"r15", state->r15},
#endif
        };

        for (unsigned i = 0; i < sizeof(word) / sizeof(*word); i++)
                printf("  %-5s %016llx%s", word[i].name, (unsigned long long)word[i].value,
                       i % 3 == 2 ? "\n" : "");
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
