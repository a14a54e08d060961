/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits of a hostile guest with two virtual CPUs, from the kernel's message to the reply. The
 * message has the groups of state that the monitor requested, and garbage in place of all other
 * groups. A reply changes only groups that the message had, and has an event that a CPU accepts.
 * The reply maps pages of the guest's RAM and overlay pages only, at their own places. A recall
 * that the monitor needs is requested, and it takes place before the guest continues. No lock stays
 * locked. Port accesses, CPUID, XSETBV and the instruction pointer are compared with models. */
#include "exits.h"

#include <string.h>

#include "nova/abi/event.h"
#include "nova/crd.h"
#include "novavmm/cpuid.h"
#include "novavmm/registers.h"

#define STEPS_MAX 64u
#define GARBAGE   0xa5

/* Groups that a reply may have even if the message lacked them: the handler has all of their
 * content. */
#define OWN_MTD NOVA_MTD_CTRL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t left;
static struct nova_utcb_event guest[VCPUS]; /* the state that the kernel has */
static bool started[VCPUS], busy[VCPUS];    /* has exited once; an exit is being handled */
static unsigned depth;

uint8_t exits_take(void)
{
        if (!left)
                return 0;
        left--;
        return *input++;
}

bool exits_has_input(void)
{
        return left;
}

/* The part of an event's state that each group transfers. */
#define PART(group, first, last)                                               \
        {                                                                      \
                NOVA_MTD_##group, offsetof(struct nova_utcb_event, first),     \
                        offsetof(struct nova_utcb_event, last) +               \
                                sizeof(((struct nova_utcb_event *)NULL)->last) \
        }

static const struct {
        nova_mtd_t group;
        size_t begin, end;
} parts[] = {
        PART(ACDB, state.ax, state.bx),
        PART(ESP, state.sp, state.sp),
        PART(BSD, state.bp, state.di),
        PART(EIP, state.inst_len, state.ip),
        PART(EFL, state.flags, state.flags),
        PART(STA, state.intr_state, state.actv_state),
        PART(INJ, state.inj_info, state.inj_error),
        PART(R8_R15, state.r8, state.r15),
        PART(QUAL, state.qual, state.qual),
        PART(CTRL, state.ctrl, state.ctrl),
        PART(TSC, state.tsc_offset, state.tsc_offset),
        PART(CR, state.cr0, state.cr4),
        PART(CR8, state.cr8, state.cr8),
        PART(DR, state.dr7, state.dr7),
        PART(SYS, state.sysenter_cs, state.sysenter_ip),
        PART(DS_ES, state.es, state.es),
        PART(CS_SS, state.cs, state.ss),
        PART(DS_ES, state.ds, state.ds),
        PART(FS_GS, state.fs, state.gs),
        PART(LDTR, state.ldtr, state.ldtr),
        PART(TR, state.tr, state.tr),
        PART(GDTR, state.gdtr, state.gdtr),
        PART(IDTR, state.idtr, state.idtr),
        PART(MSR, more.efer, more.kernel_gs_base),
        PART(PAT, more.pat, more.pat),
        PART(DEBUG, more.dr, more.dr6),
        PART(GPA, more.gpa, more.gpa),
        PART(XCR0, more.xcr0, more.xcr0),
        PART(CSTAR_AUX, more.cstar, more.tsc_aux),
};

static void copy_groups(struct nova_utcb_event *to, const struct nova_utcb_event *from,
                        nova_mtd_t groups)
{
        for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
                if (groups & parts[i].group)
                        memcpy((uint8_t *)to + parts[i].begin,
                               (const uint8_t *)from + parts[i].begin,
                               parts[i].end - parts[i].begin);
}

/* Returns a value of a register: small, near a border, an address of RAM or of the device. */
static uint64_t take_value(void)
{
        const uint8_t kind = exits_take();
        const uint64_t low = exits_take() | (uint64_t)exits_take() << 8;

        switch (kind % 8) {
        case 0:
                return low;
        case 1:
                return low << (kind >> 3);
        case 2:
                return (kind >> 3) - low;
        case 3:
                return 0x40000000 + low;
        case 4:
                return MMIO + low % (2 * DEVICE_BYTES);
        case 5:
                return 0xc0000000 + low;
        case 6:
                return low % RAM_BYTES;
        default:
                return low << 48 | low << 32 | low << 16 | low;
        }
}

/* Chooses the operands of CPUID. */
static void choose_leaf(struct nova_utcb_state *state, uint64_t value)
{
        static const uint32_t leaves[] = {0, 1, 7, 0xd, 0x40000000, 0x80000000, 0x80000001};

        state->ax = leaves[value % 7];
        state->cx = value / 7 % 16;
}

/* Lets the guest change a register or its memory. */
static void change(struct nova_utcb_event *event)
{
        struct nova_utcb_state *const state = &event->state;
        const uint8_t what = exits_take();
        const uint64_t value = take_value();
        nova_word_t *const words[] = {&state->ax,  &state->cx,    &state->dx,      &state->bx,
                                      &state->sp,  &state->bp,    &state->si,      &state->di,
                                      &state->r8,  &state->r9,    &state->ip,      &state->flags,
                                      &state->cr0, &state->cr3,   &state->cr4,     &state->cr2,
                                      &state->ip,  &state->flags, &state->fs.base, &state->cs.base};
        const unsigned count = sizeof(words) / sizeof(*words);

        if (what % 40 < count)
                *words[what % 40] = value;
        else if (what % 40 < 24)
                state->qual[what & 1] = value;
        else if (what % 40 == 24)
                event->more.gpa = value & 0xfffffffffffff;
        else if (what % 40 == 25)
                event->more.efer = value & (NOVA_EFER_LME | NOVA_EFER_LMA | NOVA_EFER_NXE);
        else if (what % 40 == 26)
                state->cs.ar = (uint16_t)value;
        else if (what % 40 == 27)
                state->ss.ar = (uint16_t)value;
        else if (what % 40 == 28)
                state->intr_state = value & (NOVA_STA_STI | NOVA_STA_SS | NOVA_STA_NMI);
        else if (what % 40 == 29)
                state->cr8 = value & 15;
        else if (what % 40 == 30)
                state->inj_info = (uint32_t)value & NOVA_INJ_EVENT;
        else if (what % 40 == 31)
                state->inj_info = NOVA_INJ_VALID | (uint32_t)(value & 0xfff);
        else if (what % 40 == 32)
                state->qual[0] = (DEVICE + (value & 0x1f)) << 16 | (value >> 5 & 0x7f);
        else if (what % 40 == 33)
                state->cs = state->ss = state->ds = (struct nova_segment){8, 0xc9b, UINT32_MAX, 0};
        else if (what % 40 == 34)
                choose_leaf(state, value);
        else
                memcpy(exits_vm->memory.base + value % (RAM_BYTES - 8), &value, 8);
}

/* Returns the number of an exit. */
static unsigned take_event(void)
{
        static const uint8_t svm[] = {NOVA_SVM_CPUID,        NOVA_SVM_HLT,
                                      NOVA_SVM_IO_ACCESS,    NOVA_SVM_MSR_ACCESS,
                                      NOVA_SVM_NPT_FAULT,    NOVA_SVM_VMMCALL,
                                      NOVA_SVM_CR_WRITE + 8, NOVA_SVM_INTERRUPT_WINDOW,
                                      NOVA_SVM_IRET,         NOVA_SVM_EXCEPTION + NOVA_EXC_DB};
        static const uint8_t vmx[] = {NOVA_VMX_CPUID,         NOVA_VMX_HLT,
                                      NOVA_VMX_IO_ACCESS,     NOVA_VMX_RDMSR,
                                      NOVA_VMX_EPT_VIOLATION, NOVA_VMX_VMCALL,
                                      NOVA_VMX_CR_ACCESS,     NOVA_VMX_XSETBV,
                                      NOVA_VMX_WRMSR,         NOVA_VMX_INTERRUPT_WINDOW};
        const uint8_t byte = exits_take();

        if (byte >= 0xe0)
                return exits_take() % NOVA_VMI_STARTUP;
        return exits_vm->svm ? svm[byte % 10] : vmx[byte % 10];
}

/* Lets the guest change the state of a virtual CPU and exit. Returns the number of the exit. */
static unsigned exit_guest(unsigned vcpu)
{
        struct nova_utcb_event *const event = &guest[vcpu];
        const bool reports_length =
                !exits_vm->svm || !(exits_vm->mtd[NOVA_VM_EXIT_PAUSE] & FETCH_MTD);
        uint8_t changes;

        if (!started[vcpu]) {
                started[vcpu] = true;
                exits_recall[vcpu] = false;
                return NOVA_VMI_STARTUP;
        }
        if (exits_recall[vcpu]) {
                exits_recall[vcpu] = false;
                return NOVA_VMI_RECALL;
        }
        event->state.inj_info = event->state.inj_error = 0;
        changes = exits_take();
        for (unsigned i = 0; i < changes % 8u; i++)
                change(event);
        event->state.inst_len = reports_length ? 1 + (changes >> 3) % 15 : 0;
        return changes == 0xff ? NOVA_VMI_RECALL : take_event();
}

/* Checks an event that the monitor lets the CPU deliver. */
static void check_injection(const struct nova_utcb_event *before,
                            const struct nova_utcb_event *after)
{
        const uint32_t info = after->state.inj_info;
        const unsigned vector = info & NOVA_INJ_VECTOR;

        require(!(info & ~(NOVA_INJ_EVENT | NOVA_INJ_WINDOW | NOVA_INJ_NMI_WINDOW |
                           NOVA_INJ_CR8_WINDOW | NOVA_INJ_STEP)));
        if (!(info & NOVA_INJ_VALID) || !((info ^ before->state.inj_info) & NOVA_INJ_EVENT))
                return;
        switch (info & NOVA_INJ_TYPE) {
        case NOVA_INJ_INTERRUPT:
                require(after->state.flags & NOVA_FLAG_IF && !(after->state.intr_state & SHADOW));
                break;
        case NOVA_INJ_NMI:
                require(vector == 2 && !(after->state.intr_state & (SHADOW | NOVA_STA_NMI)));
                break;
        case NOVA_INJ_EXCEPTION:
                require(vector < 32 && vector != 2);
                break;
        default:
                require(false);
        }
        if (info & NOVA_INJ_ERROR)
                require(0x27d00u >> vector & 1 && after->state.cr0 & NOVA_CR0_PE);
}

/* Checks the pages that a reply maps. */
static void check_items(const struct nova_utcb *utcb)
{
        const struct nova_guest_memory *const memory = &exits_vm->memory;
        struct nova_item item;

        for (unsigned i = 0; nova_utcb_get_item(utcb, i, &item); i++) {
                const uint8_t *const from =
                        (const uint8_t *)(nova_crd_base(item.crd) << NOVA_PAGE_BITS);
                const size_t bytes = nova_crd_count(item.crd) << NOVA_PAGE_BITS;
                const uint64_t to = item.flags >> NOVA_ITEM_HOTSPOT_SHIFT << NOVA_PAGE_BITS;
                const struct nova_overlay *const overlay = nova_overlay_find(memory, to);

                require(nova_crd_type(item.crd) == NOVA_CRD_MEM && item.flags & NOVA_ITEM_G);
                require(to < RAM_BYTES && bytes <= RAM_BYTES - to);
                if (from == memory->base + to)
                        require(bytes == NOVA_PAGE_SIZE ? !overlay : started[0]);
                else
                        require(overlay && from == overlay->frame && bytes == NOVA_PAGE_SIZE &&
                                nova_crd_perms(item.crd) == overlay->rights);
        }
}

static void check_cpuid(const struct nova_vcpu *vcpu, const struct nova_utcb_event *before,
                        const struct nova_utcb_event *after)
{
        const uint32_t leaf = (uint32_t)before->state.ax, subleaf = (uint32_t)before->state.cx;
        const struct nova_utcb_state *const got = &after->state;
        const bool xsave = exits_vm->xsave;

        require(!((got->ax | got->bx | got->cx | got->dx) >> 32));
        if (leaf == 0)
                require(got->ax <= 0xd);
        if (leaf == 0x80000000)
                require(got->ax <= 0x80000008);
        if (leaf == 1 && got->ax | got->bx | got->cx | got->dx) {
                require(!(got->cx & 0x01268138) && got->cx & 0x80000000); /* VMX, x2APIC, ... */
                require(got->bx >> 24 == vcpu->number && (got->bx >> 16 & 0xff) == VCPUS);
                require(!(got->dx & 0x200) == !nova_msr_apic_is_on(&vcpu->msr));
                require(!(got->cx & 0x08000000) == !(before->state.cr4 & NOVA_CR4_XSAVE));
                require(xsave || !(got->cx & 0x14000000));
        }
        if (leaf == 7)
                require(!(got->bx & ~(nova_word_t)0x219c07a9) && !(got->cx & ~(nova_word_t)4));
        if (leaf == 0xd && subleaf == 0)
                require(!(got->ax & ~(nova_word_t)7) && !got->dx && (xsave || !got->ax));
        if (leaf == 0xd && (subleaf > 2 || !xsave))
                require(!(got->ax | got->bx | got->cx | got->dx));
        if (leaf == 0x80000001)
                require(!(got->cx & 4) && !(got->dx & 0x02000000)); /* SVM, FFXSR */
        if (leaf > 0x80000008 || (leaf > 0xd && leaf < 0x40000000))
                require(!(got->ax | got->bx | got->cx | got->dx));
}

/* Checks an access to the device's ports, unless the instruction is a string instruction. */
static void check_port(const struct nova_utcb_event *before, const struct nova_utcb_event *after)
{
        const uint64_t how = before->state.qual[0], ax = before->state.ax;
        const struct nova_vm_exit_port at =
                exits_vm->svm ? nova_vm_exit_port_of_svm(how) : nova_vm_exit_port_of_vmx(how);
        const uint64_t mask = UINT64_MAX >> (64 - 8 * (at.bytes ? at.bytes : 8));

        if (at.string || (at.bytes != 1 && at.bytes != 2 && at.bytes != 4) || at.port < DEVICE ||
            at.port - DEVICE > DEVICE_BYTES - at.bytes)
                return;
        require(exits_access.count == 1 && exits_access.address == at.port &&
                exits_access.bytes == at.bytes && exits_access.write == !at.in);
        if (!at.in)
                require(after->state.ax == ax && exits_access.value == (ax & mask));
        else
                require(after->state.ax ==
                        ((at.bytes == 4 ? 0 : ax & ~mask) | exits_device_value(at.port, at.bytes)));
}

static void check_xcr0(const struct nova_utcb_event *before, const struct nova_utcb_event *after)
{
        const uint64_t value = after->more.xcr0;

        if (value == before->more.xcr0)
                return;
        require(value & 1 && !(value & ~(uint64_t)(exits_features & 7)));
        require(value & 2 || !(value & 4));
        require(value == ((uint32_t)before->state.ax | (uint64_t)before->state.dx << 32));
}

/* Checks that the instruction pointer moves by the length of the instruction, or that an exception
 * is raised. */
static void check_ip(const struct nova_vcpu *vcpu, const struct nova_utcb_event *before,
                     const struct nova_utcb_event *after)
{
        const nova_word_t skipped = after->state.ip - before->state.ip;

        switch (vcpu->exit) {
        case NOVA_VM_EXIT_CPUID:
        case NOVA_VM_EXIT_HALT:
        case NOVA_VM_EXIT_PAUSE:
        case NOVA_VM_EXIT_CACHE:
                require(skipped && skipped <= 16 + 2);
                require(!before->state.inst_len || skipped == before->state.inst_len);
                require(!(after->state.intr_state & SHADOW));
                break;
        case NOVA_VM_EXIT_COUNTER:
        case NOVA_VM_EXIT_FOREIGN:
        case NOVA_VM_EXIT_WINDOW:
                require(!skipped);
                break;
        default:
                break;
        }
}

static void check_reply(struct nova_vcpu *vcpu, const struct nova_utcb_event *before)
{
        struct nova_utcb *const utcb = exits_utcb[vcpu->number];
        struct nova_utcb_event *const after = &guest[vcpu->number];
        const nova_mtd_t carried = exits_vm->mtd[vcpu->exit] | OWN_MTD, all = utcb->state.mtd;
        const bool begins = vcpu->exit == NOVA_VM_EXIT_STARTUP;
        const bool resets = vcpu->exit == NOVA_VM_EXIT_RECALL && all & NOVA_MTD_DR;

        if (begins || resets)
                require(!(all &
                          ~(carried | (nova_mtd_t)NOVA_START_MTD | NOVA_MTD_DR | NOVA_MTD_DEBUG)));
        else
                require(!(all &
                          ~(carried |
                            (vcpu->exit == NOVA_VM_EXIT_XSETBV ? (nova_mtd_t)NOVA_MTD_XCR0 : 0))));
        if (all & NOVA_MTD_MORE)
                require(nova_utcb_word_count(utcb) >= NOVA_UTCB_MORE_WORDS);
        copy_groups(after, &utcb->event, all);
        check_injection(before, after);
        check_items(utcb);
        require(!vcpu->recalled_for || exits_recall[vcpu->number]);
        if (begins || resets)
                return;
        check_ip(vcpu, before, after);
        check_xcr0(before, after);
        if (vcpu->exit == NOVA_VM_EXIT_CPUID && !exits_vm->hv)
                check_cpuid(vcpu, before, after);
        if (vcpu->exit == NOVA_VM_EXIT_PORT)
                check_port(before, after);
}

/* Lets a virtual CPU exit and get its reply. */
static void run_exit(unsigned number)
{
        struct nova_vcpu *const vcpu = &exits_vm->vcpu[number];
        struct nova_utcb *const utcb = exits_utcb[number];
        const unsigned event = exit_guest(number);
        const struct nova_utcb_event before = guest[number];
        const bool was_reset = vcpu->recalled_for;

        memset(utcb, GARBAGE, sizeof(*utcb));
        vcpu->exit = (enum nova_vm_exit)exits_vm->causes[event];
        utcb->state.mtd = exits_vm->mtd[vcpu->exit];
        utcb->items = nova_utcb_items(NOVA_UTCB_XMM_WORDS, 0);
        copy_groups(&utcb->event, &before, utcb->state.mtd);
        busy[number] = true;
        exits_access.count = 0;
        depth++;
        novavmm_vcpu_serve(event, utcb, vcpu);
        depth--;
        busy[number] = false;
        require(!exits_locks && !vcpu->inside && !vcpu->waits && !vcpu->settles);
        if (exits_vm->end == NOVA_VM_RUNS && !(was_reset && event != NOVA_VMI_RECALL))
                check_reply(vcpu, &before);
        else
                copy_groups(&guest[number], &utcb->event, utcb->state.mtd);
}

static void disturb(unsigned number)
{
        struct nova_vcpu *const vcpu = &exits_vm->vcpu[number];
        const uint8_t kind = exits_take();

        nova_vm_lock(exits_vm);
        if (!exits_has_input() || kind < 8)
                nova_vm_end_with(exits_vm, NOVA_VM_STOPPED);
        else if (vcpu->activity == NOVA_VCPU_OFF)
                nova_vcpu_start_at(vcpu, kind);
        else if (kind < 64)
                nova_vcpu_nmi(vcpu);
        else if (kind < 80 && number)
                nova_vcpu_reset(vcpu);
        else if (kind < 160 && exits_vm->local_apic)
                exits_interrupt(number, kind);
        else
                nova_pic_set(&exits_pc->pic, kind % 16, kind & 0x10);
        nova_vcpu_kick(kind < 160 ? vcpu : &exits_vm->vcpu[0]);
        nova_vm_unlock(exits_vm);
}

void exits_sleep(unsigned number)
{
        const unsigned other = !number;

        if (!exits_has_input() || busy[other] || exits_take() & 1)
                disturb(number);
        else
                run_exit(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 5)
                return 0;
        memcpy(&exits_features, data + 1, sizeof(exits_features));
        input = data + 5;
        left = size - 5;
        exits_make(data[0]);
        memset(guest, 0, sizeof(guest));
        for (unsigned i = 0; i < VCPUS; i++) {
                guest[i].more.xcr0 = 1;
                started[i] = busy[i] = false;
        }
        for (unsigned i = 0; left && i < STEPS_MAX && exits_vm->end == NOVA_VM_RUNS; i++) {
                const uint8_t what = exits_take();

                if (what < 0x20)
                        disturb(what & 1);
                else
                        run_exit(what >= 0xc0);
        }
        require(!depth && !exits_locks);
        exits_free();
        return 0;
}
