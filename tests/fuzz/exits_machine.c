/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine, its CPU, the kernel and the runtime of the monitor (see exits.h). */
#include "exits.h"

#include <string.h>

#include "apic.h"
#include "nova/arch/tsc.h"
#include "nova/extension.h"
#include "nova/hip.h"
#include "nova/hypercall.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/time.h"
#include "novavmm/cpuid.h"
#include "novavmm/registers.h"
#include "output.h"
#include "secure.h"

#define SOFTWARE_ENABLED 0x100u /* bit of a local APIC's register for spurious interrupts */

#define FIRST_EC 0x100 /* selector of the EC of virtual CPU 0; the others follow */

struct nova_program nova_program;
struct nova_vm *exits_vm;
struct nova_pc *exits_pc;
struct nova_utcb *exits_utcb[VCPUS];
bool exits_recall[VCPUS];
uint32_t exits_features;
unsigned exits_locks;
struct exits_access exits_access;

struct nova_cpuid __wrap_nova_cpuid_host(uint32_t leaf, uint32_t subleaf);
int __wrap_fputs(const char *text, void *file);

static uint64_t time_ns;
static bool reports;
static uint8_t *ram;
static _Alignas(NOVA_PAGE_SIZE) uint8_t frames[NOVA_OVERLAYS * NOVA_PAGE_SIZE];
static bool has_frames;
static struct nova_hv *hv;

/* Simulates a CPU. The input chooses its leaves, address width and state components. All other bits
 * are 1, or they form a pattern. */
struct nova_cpuid __wrap_nova_cpuid_host(uint32_t leaf, uint32_t subleaf)
{
        const uint32_t all = exits_features >> 16 & 1 ? UINT32_MAX : 0x5a5a5a5a * (leaf + subleaf);
        struct nova_cpuid out = {all, all, all, all};

        if (!(leaf & 0x7fffffff))
                out.eax = (leaf & 0x80000000) | (exits_features >> 17 & 0x1f);
        else if (leaf == 0x80000008)
                out.eax = 36 + (exits_features >> 22 & 15);
        else if (leaf == 0xd && !subleaf)
                out.eax = exits_features & 0x3e7;
        else if (leaf == 0xd && subleaf > 1)
                out = (struct nova_cpuid){256, subleaf * 64, exits_features >> 26 & 3, 0};
        return out;
}

/* Devices. */
uint64_t exits_device_value(uint64_t address, unsigned bytes)
{
        return (address * 0x0101010101010101 + 0x1122334455667788) & UINT64_MAX >> (64 - 8 * bytes);
}

static void note(uint64_t address, unsigned bytes, uint64_t value, bool write)
{
        require(exits_locks == 1 && bytes >= 1 && bytes <= 8);
        require(!(bytes < 8 && value >> 8 * bytes));
        require((address >= DEVICE && address - DEVICE <= DEVICE_BYTES - bytes) ||
                (address >= MMIO && address - MMIO <= DEVICE_BYTES - bytes));
        exits_access = (struct exits_access){exits_access.count + 1, address, value, bytes, write};
}

static uint64_t device_read(void *device, uint64_t address, unsigned bytes)
{
        require(device == exits_vm);
        note(address, bytes, 0, false);
        return exits_device_value(address, bytes);
}

static void device_write(void *device, uint64_t address, unsigned bytes, uint64_t value)
{
        require(device == exits_vm);
        note(address, bytes, value, true);
        if (address == DEVICE && bytes == 1 && value == 0xfe)
                nova_vm_reset(exits_vm, "port 0x400");
}

static uint64_t tell_time(void *context)
{
        (void)context;
        return time_ns += 1000;
}

/* Substitutes for the kernel. */
static unsigned vcpu_of(nova_sel_t ec)
{
        require(ec >= FIRST_EC && (ec - FIRST_EC) / VCPU_SELECTORS < VCPUS &&
                (ec - FIRST_EC) % VCPU_SELECTORS == VCPU_EC);
        return (unsigned)(ec - FIRST_EC) / VCPU_SELECTORS;
}

nova_word_t nova_trap_1(nova_word_t id)
{
        if ((id & 0xff) == nova_hypercall_id(NOVA_EC_CTRL, 0, 0))
                exits_recall[vcpu_of(id >> NOVA_ID_SEL_SHIFT)] = true;
        return NOVA_SUCCESS;
}

/* Checks that the monitor revokes only its own overlay pages and RAM. */
nova_word_t nova_trap_2(nova_word_t id, nova_word_t *a2)
{
        const nova_word_t page = nova_crd_base(*a2) << NOVA_PAGE_BITS;

        require(id == nova_hypercall_id(NOVA_REVOKE, 0, 0) && nova_crd_count(*a2) == 1);
        require(page - (nova_word_t)frames < sizeof(frames) || page - (nova_word_t)ram < RAM_BYTES);
        return NOVA_SUCCESS;
}

nova_word_t nova_trap_3(nova_word_t id, nova_word_t *a2, nova_word_t *a3)
{
        (void)id;
        *a2 = time_ns / 1000;
        *a3 = 0;
        return NOVA_SUCCESS;
}

/* Substitutes for the runtime. */
struct nova_utcb *nova_thread_utcb(void)
{
        return exits_utcb[exits_vm->serving->number];
}

void nova_mutex_lock(struct nova_mutex *mutex)
{
        require(mutex == &exits_vm->lock && !exits_locks++);
}

void nova_mutex_unlock(struct nova_mutex *mutex)
{
        require(mutex == &exits_vm->lock && exits_locks--);
}

void nova_semaphore_up(struct nova_semaphore *semaphore)
{
        (void)semaphore;
}

void nova_semaphore_down(struct nova_semaphore *semaphore)
{
        for (unsigned i = 0; i < VCPUS; i++)
                while (semaphore == &exits_vm->vcpu[i].wake && exits_vm->vcpu[i].waits)
                        exits_sleep(i);
}

int nova_semaphore_down_until(struct nova_semaphore *semaphore, uint64_t deadline)
{
        (void)semaphore, (void)deadline;
        return 0;
}

uint64_t nova_tsc_of_ns(uint64_t ns)
{
        return ns;
}

uint64_t nova_time_ns(void)
{
        return time_ns;
}

uint64_t nova_rdtsc(void)
{
        return time_ns += 1000;
}

void *nova_page_alloc(unsigned order)
{
        require((size_t)NOVA_PAGE_SIZE << order <= sizeof(frames));
        return frames;
}

void nova_page_free(void *page, unsigned order)
{
        (void)order;
        require(page == frames);
}

void *nova_region_reserve(size_t bytes)
{
        require(bytes <= sizeof(frames) && !has_frames);
        has_frames = true;
        return frames;
}

int nova_region_free(void *region)
{
        require(region == frames);
        return 0;
}

int nova_region_name(void *region, const char *name)
{
        require(region == frames && name);
        return 0;
}

int nova_guest_memory_map(void *page, void *to, unsigned order)
{
        (void)order;
        require(page == to);
        return 0;
}

/* Substitutes for the rest of the library. */
uint64_t nova_vm_now(void *unused)
{
        return tell_time(unused);
}

void nova_vm_lock(struct nova_vm *vm)
{
        nova_mutex_lock(&vm->lock);
        vm->serving = NULL;
}

void nova_vm_unlock(struct nova_vm *vm)
{
        nova_mutex_unlock(&vm->lock);
}

void nova_vm_end_with(struct nova_vm *vm, enum nova_vm_end end)
{
        require(exits_locks == 1);
        if (vm->end != NOVA_VM_RUNS)
                return;
        vm->end = end;
        for (unsigned i = 0; i < vm->vcpus; i++)
                novavmm_vcpu_wake(&vm->vcpu[i]);
}

void novavmm_vm_break(struct nova_vm *vm)
{
        nova_vm_end_with(vm, NOVA_VM_ERROR);
}

int nova_vm_add_alarm(struct nova_vm *vm, struct nova_alarm *alarm)
{
        require(vm == exits_vm && alarm);
        return 0;
}

bool novavmm_secure_kick(struct nova_vcpu *vcpu)
{
        (void)vcpu;
        return false;
}

bool novavmm_secure_start(struct nova_vcpu *vcpu, uint8_t vector)
{
        (void)vcpu, (void)vector;
        return false;
}

bool novavmm_secure_reset(struct nova_vcpu *vcpu)
{
        (void)vcpu;
        return false;
}

/* Reports do not overlap. Their text is printable, and fits into the monitor's buffer. */
void novavmm_output_begin(void)
{
        require(!reports);
        reports = true;
}

void novavmm_output_end(void)
{
        require(reports);
        reports = false;
}

int __wrap_fputs(const char *text, void *file)
{
        (void)file;
        require(reports && strlen(text) < 359);
        for (; *text; text++)
                require(*text == '\n' || (*text >= ' ' && *text <= '~'));
        return 0;
}

/* Sets the machine's causes of exits, and whether it has instruction lengths and local APICs. */
static void set_exits(bool length, bool lapics)
{
        struct nova_vm *const vm = exits_vm;

        for (unsigned event = 0; event < 256; event++)
                vm->causes[event] = (uint8_t)(vm->svm ? nova_vm_exit_of_svm(event, 0)
                                                      : nova_vm_exit_of_vmx(event));
        for (unsigned exit = 0; exit < NOVA_VM_EXIT_COUNT; exit++)
                vm->mtd[exit] = novavmm_exit_mtd((enum nova_vm_exit)exit, length) |
                                (lapics ? NOVA_MTD_CR8 : 0);
        vm->mtd[NOVA_VM_EXIT_RDMSR] |= vm->mtd[NOVA_VM_EXIT_WRMSR];
        vm->mtd[NOVA_VM_EXIT_WRMSR] = vm->mtd[NOVA_VM_EXIT_RDMSR];
        novavmm_exit_handlers(vm);
}

static void make_vcpu(unsigned number)
{
        struct nova_vcpu *const vcpu = &exits_vm->vcpu[number];

        vcpu->vm = exits_vm;
        vcpu->number = number;
        vcpu->ec = FIRST_EC + VCPU_SELECTORS * number;
        vcpu->activity = number ? NOVA_VCPU_OFF : NOVA_VCPU_RUNS;
        vcpu->leaves = true; /* a handler does not wait for the destruction of the machine */
        nova_msr_init(&vcpu->msr, number, exits_vm->local_apic);
        nova_registers_real(&vcpu->start, 0, 0x1000);
        exits_utcb[number] = aligned_alloc(NOVA_PAGE_SIZE, NOVA_PAGE_SIZE);
        exits_recall[number] = false;
}

/* Initialises both interrupt controllers as a guest does, with all interrupts enabled. */
static void enable_pic(void)
{
        static const uint8_t master[] = {0x11, 0x20, 4, 1, 0}, slave[] = {0x11, 0x28, 2, 1, 0};

        for (unsigned i = 0; i < sizeof(master); i++) {
                nova_pic_write(&exits_pc->pic, i ? 0x21 : 0x20, 1, master[i]);
                nova_pic_write(&exits_pc->pic, i ? 0xa1 : 0xa0, 1, slave[i]);
        }
}

static void make_devices(void)
{
        const struct nova_bus_range port = {DEVICE, DEVICE + DEVICE_BYTES - 1, device_read,
                                            device_write, exits_vm};
        const struct nova_bus_range memory = {MMIO, MMIO + DEVICE_BYTES - 1, device_read,
                                              device_write, exits_vm};
        const struct nova_line none = {0};

        require(!nova_bus_add(&exits_vm->ports, &port) && !nova_bus_add(&exits_vm->mmio, &memory));
        nova_pic_init(&exits_pc->pic, &none);
        enable_pic();
        if (exits_vm->local_apic)
                require(!novavmm_apic_create(exits_pc));
        exits_vm->interrupts =
                (struct nova_vm_interrupts){novavmm_apic_pending, novavmm_apic_take, exits_pc};
}

void exits_interrupt(unsigned vcpu, uint8_t vector)
{
        exits_pc->lapic[vcpu].spurious |= SOFTWARE_ENABLED;
        nova_lapic_accept(&exits_pc->lapic[vcpu], vector, false);
}

static void make_hv(void)
{
        const struct nova_hv_config config = {
                .privileges = NOVA_HV_PRIVILEGES_USUAL | NOVA_HV_PRIVILEGE_VP_REGISTERS |
                              NOVA_HV_PRIVILEGE_IDLE | NOVA_HV_PRIVILEGE_APIC_REGISTERS};

        hv = calloc(1, sizeof(*hv));
        require(nova_hv_enable(hv, exits_vm, &config) == 0);
}

void exits_make(uint8_t kind)
{
        static const struct nova_hip hip = {.tsc_khz = 1000000};

        nova_program.hip = &hip;
        time_ns = 1;
        has_frames = reports = false;
        exits_locks = 0;
        exits_vm = calloc(1, sizeof(*exits_vm));
        exits_pc = calloc(1, sizeof(*exits_pc));
        ram = aligned_alloc(NOVA_PAGE_SIZE, RAM_BYTES);
        memset(ram, 0, RAM_BYTES);
        exits_vm->memory.base = ram;
        exits_vm->memory.bytes = RAM_BYTES;
        exits_vm->vcpus = VCPUS;
        strcpy(exits_vm->name, "guest");
        exits_vm->svm = kind & 1;
        exits_vm->local_apic = kind & 2;
        exits_vm->report_halt = kind & 4;
        exits_vm->report_reset = kind & 8;
        exits_vm->hide_state = kind & 0x10;
        exits_vm->same_tsc = true;
        exits_vm->xsave = kind & 0x20;
        exits_vm->clock = (struct nova_clock){tell_time, NULL};
        exits_vm->nmis.deadline = NOVA_NEVER;
        exits_pc->vm = exits_vm;
        set_exits(!(kind & 1) || kind & 0x40, kind & 2);
        for (unsigned i = 0; i < VCPUS; i++)
                make_vcpu(i);
        make_devices();
        hv = NULL;
        if (kind & 0x80 && kind & 2)
                make_hv();
        for (unsigned i = 0; i < VCPUS; i++)
                exits_vm->vcpu[i].running = true;
}

void exits_free(void)
{
        for (unsigned i = 0; i < VCPUS; i++)
                free(exits_utcb[i]);
        free(hv);
        free(ram);
        free(exits_pc);
        free(exits_vm);
}
