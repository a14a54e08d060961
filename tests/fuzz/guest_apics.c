/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile guest with three virtual CPUs: accesses to model-specific registers, to its local APICs
 * and its I/O APIC, by any of the CPUs in any order. A refused access changes nothing. The kernel
 * gets only values with which a CPU can enter the guest. The guest can neither move its local APIC
 * nor change what the monitor knows about the CPU. A model predicts the effect of each message from
 * one local APIC to others. A local APIC that is disabled gets no message. */
#include <stdlib.h>
#include <string.h>

#include "apic.h"
#include "novavmm/cpuid.h"
#include "novavmm/registers.h"
#include "require.h"
#include "vm.h"

#define STEP   8
#define VCPUS  3u
#define ROUNDS 1000u /* maximum number of times that an alarm expires in one wait_for() */

#define APIC_ON    0x800u
#define APIC_FIRST 0x100u
#define COMMAND    0x300u
#define EVENT_BITS (NOVA_EFER_SCE | NOVA_EFER_LME | NOVA_EFER_LMA | NOVA_EFER_NXE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The effects of a message on a virtual CPU. */
struct effects {
        uint32_t request[8]; /* pending interrupts */
        unsigned nmis, starts, resets;
};

static struct nova_vm *vm;
static struct nova_pc *pc;
static struct nova_utcb_event *events[VCPUS]; /* each in an allocation of its own */
static struct effects now[VCPUS];             /* without `request` */
static unsigned vm_resets;
static uint64_t time_ns;
static bool amd;
static unsigned width;

struct nova_cpuid nova_cpuid_host(uint32_t leaf, uint32_t subleaf)
{
        const struct nova_cpuid about = {.eax = leaf ? width : 0, .ebx = amd ? 0x68747541 : 0};

        require(!subleaf);
        return about;
}

void nova_vcpu_kick(struct nova_vcpu *vcpu)
{
        require(vcpu->number < VCPUS);
}

void nova_vcpu_start_at(struct nova_vcpu *vcpu, uint8_t page)
{
        (void)page;
        now[vcpu->number].starts++;
}

void nova_vcpu_reset(struct nova_vcpu *vcpu)
{
        require(vcpu->number);
        now[vcpu->number].resets++;
}

void novavmm_vm_check_dead(struct nova_vm *of)
{
        require(of == vm);
}

void nova_vcpu_nmi(struct nova_vcpu *vcpu)
{
        now[vcpu->number].nmis++;
}

void nova_vm_reset(struct nova_vm *of, const char *means)
{
        require(of == vm && means);
        vm_resets++;
}

int nova_vm_add_alarm(struct nova_vm *of, struct nova_alarm *alarm)
{
        require(of == vm && alarm);
        return 0;
}

static uint64_t tell_time(void *context)
{
        (void)context;
        return time_ns;
}

static bool is_on(unsigned vcpu)
{
        return vm->vcpu[vcpu].msr.apic_base & APIC_ON;
}

/* Checks of values of model-specific registers. */
static bool is_canonical(uint64_t value)
{
        const uint64_t upper = value >> 47;

        return !upper || upper == 0x1ffff;
}

static bool types_are_valid(uint64_t types, bool weak)
{
        for (; types; types >>= 8)
                if (!(1u << (types & 0xff & 31) & (weak ? 0xf3 : 0x73)) || types & 0xf8)
                        return false;
        return true;
}

/* Checks the registers of a virtual CPU that the kernel and the monitor keep. */
static void check_registers(const struct nova_vcpu *vcpu, const struct nova_utcb_event *event)
{
        const struct nova_msr_kept *const kept = &vcpu->msr;
        const uint64_t end = (uint64_t)1 << width;

        require(is_canonical(event->state.sysenter_sp) && is_canonical(event->state.sysenter_ip));
        require(is_canonical(event->more.lstar) && is_canonical(event->more.cstar));
        require(is_canonical(event->more.kernel_gs_base));
        require(is_canonical(event->state.fs.base) && is_canonical(event->state.gs.base));
        require(!(event->more.fmask >> 32) && !(event->more.tsc_aux >> 32));
        require(types_are_valid(event->more.pat, true));
        require(!(event->more.efer & ~(uint64_t)EVENT_BITS));
        require((kept->apic_base & ~(uint64_t)(APIC_ON | APIC_FIRST)) == NOVA_LAPIC_AT);
        require(kept->local_apic && kept->amd == amd && kept->address_end == end);
        for (unsigned i = 0; i < 11; i++)
                require(types_are_valid(kept->fixed[i], false));
        for (unsigned i = 0; i < 8; i++)
                require(kept->range[i][0] < end && kept->range[i][1] < end &&
                        types_are_valid(kept->range[i][0] & 0xfff, false));
}

static unsigned words_that_differ(const void *one, const void *other, size_t bytes)
{
        unsigned count = 0;

        for (size_t at = 0; at < bytes; at += 8)
                count += memcmp((const char *)one + at, (const char *)other + at, 8) != 0;
        return count;
}

/* Checks that an access neither enters nor leaves long mode, as only a switch of paging does. */
static void check_mode(const struct nova_utcb_event *before, const struct nova_utcb_event *after)
{
        const uint64_t change = before->more.efer ^ after->more.efer;

        require(!(change & NOVA_EFER_LMA));
        require(!(change & NOVA_EFER_LME) || !(before->state.cr0 & NOVA_CR0_PG));
}

static void write_msr(struct nova_vcpu *vcpu, uint32_t number, uint64_t value)
{
        struct nova_utcb_event *const event = events[vcpu->number];
        const struct nova_utcb_event event_before = *event;
        const struct nova_msr_kept kept_before = vcpu->msr;
        nova_mtd_t changed = 0;
        const bool done = nova_msr_set(event, &vcpu->msr, &changed, number, value);
        const unsigned words = words_that_differ(event, &event_before, sizeof(*event)) +
                               words_that_differ(&vcpu->msr, &kept_before, sizeof(kept_before));
        uint64_t got = 0;

        require(done ? words <= 1 : !words && !changed);
        require(!(changed & ~(nova_mtd_t)NOVA_MSR_MTD));
        require(nova_msr_get(event, &vcpu->msr, number, &got) || !done);
        check_registers(vcpu, event);
        check_mode(&event_before, event);
        if ((kept_before.apic_base ^ vcpu->msr.apic_base) & APIC_ON)
                vm->apic_switched(vcpu);
}

static void read_msr(struct nova_vcpu *vcpu, uint32_t number)
{
        const struct nova_msr_kept before = vcpu->msr;
        uint64_t value = 0x5a;

        require(nova_msr_get(events[vcpu->number], &vcpu->msr, number, &value) || value == 0x5a);
        require(!memcmp(&before, &vcpu->msr, sizeof(before)));
}

/* Returns a register's number for two bytes: mostly one near those that exist. */
static uint32_t number_of(const uint8_t *bytes)
{
        static const uint32_t bases[] = {0,          0x100,      0x170,      0x1a0,
                                         0x200,      0x250,      0x260,      0x2f0,
                                         0xc0000080, 0xc0000100, 0xc0010000, 0xc0011000};

        return bases[bytes[0] % 12] + bytes[1] % (bases[bytes[0] % 12] ? 64 : 256);
}

static uint64_t value_of(const uint8_t *bytes)
{
        const uint64_t low = bytes[0] | (uint64_t)bytes[1] << 8;

        switch (bytes[2] % 4) {
        case 0:
                return low;
        case 1:
                return low << (bytes[2] >> 2);
        case 2:
                return low * 0x0001000100010001 & ~(uint64_t)0x0808080808080808;
        default:
                return NOVA_LAPIC_AT | (low & 0xfff);
        }
}

/* APICs. */
static bool is_target(unsigned vcpu, unsigned from, uint32_t command, uint8_t to)
{
        const struct nova_lapic *const lapic = &pc->lapic[vcpu];
        const uint8_t own = (uint8_t)(lapic->logical >> 24);

        switch (command >> 18 & 3) {
        case 1:
                return vcpu == from;
        case 2:
                return true;
        case 3:
                return vcpu != from;
        }
        if (to == 0xff || !(command & 0x800))
                return to == 0xff || to == lapic->id_register >> 24;
        if (lapic->format >> 28 == 0xf)
                return own & to;
        return own >> 4 == to >> 4 && own & to & 0xf;
}

/* Predicts the effect of a command on a virtual CPU, whose state is in TO. */
static void predict(unsigned vcpu, uint32_t command, struct effects *to, unsigned *vm_reset)
{
        const uint8_t vector = (uint8_t)command;

        switch (command >> 8 & 7) {
        case NOVA_DELIVER_FIXED:
        case NOVA_DELIVER_LOWEST:
                if (vector >= 16 && pc->lapic[vcpu].spurious & 0x100)
                        to->request[vector / 32] |= 1u << vector % 32;
                break;
        case NOVA_DELIVER_NMI:
                to->nmis++;
                break;
        case NOVA_DELIVER_STARTUP:
                to->starts++;
                break;
        case NOVA_DELIVER_INIT:
                if ((command & 0xc000) == 0x8000)
                        break;
                if (!vcpu) {
                        ++*vm_reset;
                        break;
                }
                to->resets++;
                memset(to->request, 0, sizeof(to->request));
                break;
        default:
                break;
        }
}

static struct effects effects_of(unsigned vcpu)
{
        struct effects effects = now[vcpu];

        memcpy(effects.request, pc->lapic[vcpu].request, sizeof(effects.request));
        return effects;
}

/* Chooses the target of a message of lowest priority: the one whose processor priority is lowest.
 * Virtual CPUs with the same priority take turns.
 * @return its number, or VCPUS */
static unsigned choose(unsigned from, uint32_t command, uint8_t to)
{
        unsigned chosen = VCPUS;
        uint64_t lowest = 256;

        for (unsigned i = pc->turn; i < pc->turn + VCPUS; i++) {
                const uint64_t priority = nova_lapic_read(&pc->lapic[i % VCPUS], 0xa0, 4);

                if (is_on(i % VCPUS) && is_target(i % VCPUS, from, command, to) &&
                    pc->lapic[i % VCPUS].spurious & 0x100 && priority < lowest) {
                        lowest = priority;
                        chosen = i % VCPUS;
                }
        }
        return chosen;
}

static void send(unsigned from, uint32_t command)
{
        const uint8_t to = (uint8_t)(pc->lapic[from].command[1] >> 24);
        struct effects expected[VCPUS];
        const bool to_one = (command >> 8 & 7) == NOVA_DELIVER_LOWEST;
        const unsigned one = to_one ? choose(from, command, to) : VCPUS;
        unsigned vm_expected = vm_resets;

        for (unsigned i = 0; i < VCPUS; i++) {
                expected[i] = effects_of(i);
                if (is_on(from) && is_on(i) && is_target(i, from, command, to) &&
                    (!to_one || i == one))
                        predict(i, command, &expected[i], &vm_expected);
        }
        nova_bus_put(&vm->mmio, NOVA_LAPIC_AT + COMMAND, 4, command);
        for (unsigned i = 0; i < VCPUS; i++) {
                const struct effects got = effects_of(i);

                require(!memcmp(&got, &expected[i], sizeof(got)));
        }
        require(vm_resets == vm_expected);
}

static void check_lapic(unsigned vcpu)
{
        const struct nova_lapic *const lapic = &pc->lapic[vcpu];

        for (unsigned i = 0; i < 8; i++) {
                require((lapic->requests >> i & 1) == (lapic->request[i] != 0));
                require((lapic->services >> i & 1) == (lapic->service[i] != 0));
        }
        require(!(lapic->request[0] & 0xffff) && !(lapic->service[0] & 0xffff));
        require(lapic->id == vcpu && lapic->context == pc && nova_lapic_cr8(lapic) < 16);
}

/* Lets a virtual CPU take an interrupt. If its local APIC sent the interrupt, the priority of the
 * interrupt must be above the processor priority at this time. */
static void take(unsigned vcpu)
{
        const bool pending = novavmm_apic_pending(pc, vcpu);
        const bool local = nova_lapic_pending(&pc->lapic[vcpu]);
        const bool external =
                !vcpu && nova_pic_pending(&pc->pic) && nova_lapic_passes_external(&pc->lapic[0]);
        const uint64_t lowest = nova_lapic_read(&pc->lapic[vcpu], 0xa0, 4) >> 4;
        const int vector = novavmm_apic_take(pc, vcpu);

        require(pending == (local || external) && (vector >= 0) == pending && vector < 256);
        require(external || !local || (vector >= 16 && (unsigned)vector >> 4 > lowest));
}

static void access_lapic(unsigned vcpu, const uint8_t *step)
{
        const unsigned at = step[2] * 16u + (step[3] & 1 ? step[3] & 15 : 0);
        const unsigned bytes = step[3] & 0x10 ? 1u << (step[3] >> 5 & 3) : 4;
        uint32_t value;

        memcpy(&value, step + 4, sizeof(value));
        if (step[3] & 0x80) {
                const uint64_t got = nova_bus_get(&vm->mmio, NOVA_LAPIC_AT + at, bytes);

                require(is_on(vcpu) || got == UINT64_MAX >> (64 - 8 * bytes));
        } else if (at == COMMAND && bytes == 4) {
                send(vcpu, value);
        } else {
                nova_bus_put(&vm->mmio, NOVA_LAPIC_AT + at, bytes, value);
        }
}

static void access_ioapic(const uint8_t *step)
{
        uint32_t value;

        memcpy(&value, step + 4, sizeof(value));
        nova_bus_put(&vm->mmio, NOVA_IOAPIC_AT, 4, step[2]);
        if (step[3] & 1)
                nova_bus_put(&vm->mmio, NOVA_IOAPIC_AT + 0x10, 4, value);
        else
                nova_bus_get(&vm->mmio, NOVA_IOAPIC_AT + 0x10, 4);
}

/* Lets time pass. */
static void wait_for(uint64_t ns)
{
        time_ns += ns;
        for (unsigned i = 0; i < VCPUS; i++) {
                struct nova_alarm *const alarm = &pc->lapic[i].alarm;

                for (unsigned n = 0; alarm->deadline <= time_ns; n++) {
                        require(n < ROUNDS);
                        alarm->deadline = NOVA_NEVER;
                        alarm->expire(alarm->device, time_ns);
                }
        }
}

/* Performs a step. Its bytes: what happens, virtual CPU, and arguments. */
static void run_step(const uint8_t *step)
{
        const unsigned vcpu = step[1] % VCPUS;

        vm->serving = &vm->vcpu[vcpu];
        switch (step[0] % 16) {
        case 0:
        case 1:
        case 2:
                write_msr(&vm->vcpu[vcpu], number_of(step + 2), value_of(step + 4));
                break;
        case 3:
                read_msr(&vm->vcpu[vcpu], number_of(step + 2));
                break;
        case 4:
                access_ioapic(step);
                break;
        case 5:
                novavmm_apic_set_pin(pc, step[2] % 16, step[3] & 1);
                break;
        case 6:
                nova_pic_write(&pc->pic, (step[2] & 2 ? 0xa0 : 0x20) + (step[2] & 1), 1, step[3]);
                break;
        case 7:
        case 8:
                take(vcpu);
                break;
        case 9:
                wait_for((uint64_t)step[2] << step[3] % 32);
                break;
        case 10: /* paging is switched, which the CPU does without the monitor */
                events[vcpu]->state.cr0 ^= NOVA_CR0_PG;
                break;
        default:
                access_lapic(vcpu, step);
        }
        for (unsigned i = 0; i < VCPUS; i++)
                check_lapic(i);
}

static void make(const uint8_t *data)
{
        const struct nova_line none = {0};

        amd = data[0] & 1;
        width = 36 + data[1] % 17;
        time_ns = 1;
        vm_resets = 0;
        memset(now, 0, sizeof(now));
        vm = calloc(1, sizeof(*vm));
        pc = calloc(1, sizeof(*pc));
        vm->vcpus = VCPUS;
        vm->local_apic = true;
        vm->clock = (struct nova_clock){tell_time, NULL};
        pc->vm = vm;
        nova_pic_init(&pc->pic, &none);
        for (unsigned i = 0; i < VCPUS; i++) {
                vm->vcpu[i].number = i;
                vm->vcpu[i].vm = vm;
                events[i] = calloc(1, sizeof(*events[i]));
                nova_msr_init(&vm->vcpu[i].msr, i, true);
                check_registers(&vm->vcpu[i], events[i]);
        }
        require(novavmm_apic_create(pc) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 2)
                return 0;
        make(data);
        for (data += 2, size -= 2; size >= STEP; data += STEP, size -= STEP)
                run_step(data);
        for (unsigned i = 0; i < VCPUS; i++)
                free(events[i]);
        free(vm);
        free(pc);
        return 0;
}
