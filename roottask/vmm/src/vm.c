/* SPDX-License-Identifier: BSD-2-Clause */
/* Creates and ends virtual machines (see novavmm/vm.h). */
#include "vm.h"

#include <errno.h>
#include <string.h>

#include "create_error.h"
#include "nova/crd.h"
#include "nova/extension.h"
#include "nova/hip.h"
#include "nova/hypercall.h"
#include "novart/error.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/time.h"
#include "novavmm/cpuid.h"
#include "secure.h"

/* Events of a virtual CPU: 2^8. */
#define EVENT_ORDER 8

/* Selectors of a machine: its PD, and those of each virtual CPU. */
#define OBJECT_ORDER 5
#define VCPU_FIRST   2

#define QUANTUM_US 10000

/* CPUID's leaf about SVM, and the bit of its EDX for NRIPS. */
#define SVM_LEAF  0x8000000a
#define SVM_NRIPS 8u

uint64_t nova_vm_now(void *unused)
{
        (void)unused;
        return nova_time_ns();
}

int nova_vm_lock_until(struct nova_vm *vm, uint64_t deadline)
{
        const int error = nova_mutex_lock_until(&vm->lock, deadline);

        if (!error)
                vm->serving = NULL;
        return error;
}

void nova_vm_lock(struct nova_vm *vm)
{
        nova_vm_lock_until(vm, NOVA_FOREVER);
}

void nova_vm_unlock(struct nova_vm *vm)
{
        novavmm_timer_check(vm);
        nova_mutex_unlock(&vm->lock);
}

void nova_vm_on(struct nova_vm *vm, enum nova_vm_exit exit, nova_vcpu_handler *handler)
{
        vm->handler[exit] = handler;
}

/* Returns the program's CPU that follows a CPU; the first CPU follows the last. */
static nova_word_t next_cpu(nova_word_t cpu)
{
        do
                cpu = (cpu + 1) % NOVA_CPU_MAX;
        while (!(nova_program.cpus >> cpu & 1));
        return cpu;
}

/*
 * Chooses the CPU of a virtual CPU. The virtual CPUs take the program's CPUs in turn, beginning
 * with the caller's CPU. If the program has more CPUs than the machine has virtual CPUs, they begin
 * with the next CPU. Then the caller and its devices have a CPU to themselves, and QEMU's error on
 * CPU 0 does not affect the guest of a monitor on CPU 0 (decision 316). */
static nova_word_t choose_cpu(const struct nova_vm *vm, unsigned number)
{
        const bool spare = (unsigned)__builtin_popcountll(nova_program.cpus) > vm->vcpus;
        nova_word_t cpu = nova_thread_cpu();

        if (!(nova_program.cpus >> cpu & 1))
                cpu = next_cpu(cpu);
        for (unsigned i = 0; i < number + spare; i++)
                cpu = next_cpu(cpu);
        return cpu;
}

static enum nova_vm_exit exit_of(const struct nova_vm *vm, unsigned event)
{
        return vm->svm ? nova_vm_exit_of_svm(event, 0) : nova_vm_exit_of_vmx(event);
}

static int make_portals(struct nova_vcpu *vcpu)
{
        const struct nova_vm *const vm = vcpu->vm;
        const nova_sel_t base = vm->events + ((nova_sel_t)vcpu->number << EVENT_ORDER);
        int error = 0;

        for (unsigned event = 0; event < 1u << EVENT_ORDER && !error; event++)
                error = nova_handler_portal(vcpu->handler, base + event,
                                            vm->mtd[vm->causes[event]]);
        return error;
}

static int make_vcpu(struct nova_vm *vm, const struct nova_vm_config *config, unsigned number)
{
        struct nova_vcpu *const vcpu = &vm->vcpu[number];
        int error;

        vcpu->vm = vm;
        vcpu->number = number;
        vcpu->ec = vm->objects + VCPU_FIRST + VCPU_SELECTORS * number;
        nova_msr_init(&vcpu->msr, number, vm->local_apic);
        vcpu->cpu = config->cpus ? config->cpus[number] : choose_cpu(vm, number);
        error = nova_handler_create(&vcpu->handler, vcpu->cpu, vm->name, novavmm_vcpu_serve, vcpu);
        if (error)
                return error;
        nova_thread_on_fault(nova_handler_thread(vcpu->handler), novavmm_vcpu_break, vcpu);
        return make_portals(vcpu);
}

/* Creates the PD of a machine. A failure to set its name, which is for debuggers, is ignored. */
static int make_pd(struct nova_vm *vm, size_t kernel_memory)
{
        const nova_crd_t events = nova_crd_obj(vm->events, vm->events_order, NOVA_PERM_ALL);
        const enum nova_status status =
                kernel_memory ? nova_create_pd_account(vm->objects, nova_program.pd, events,
                                                       kernel_memory)
                              : nova_create_pd(vm->objects, nova_program.pd, events);

        if (status == NOVA_SUCCESS)
                nova_name_set(vm->objects, vm->name);
        if (kernel_memory && status == NOVA_BAD_PAR)
                return novavmm_create_error_account(vm, kernel_memory);
        return nova_errno_of(status);
}

static int make_ec(const struct nova_vcpu *vcpu)
{
        const nova_word_t flags = NOVA_EC_GLOBAL | (vcpu->vm->same_tsc ? NOVA_EC_TSC : 0);
        enum nova_status status = nova_create_ec(vcpu->ec, vcpu->vm->objects, 0, vcpu->cpu, 0,
                                                 (nova_word_t)vcpu->number << EVENT_ORDER, flags);
        const char name[NOVA_NAME_SIZE] = {'v', 'C', 'P', 'U', ' ', (char)('0' + vcpu->number)};

        if (status == NOVA_SUCCESS) {
                nova_name_set(vcpu->ec, name);
                status = nova_create_sm(vcpu->ec + VCPU_REST, vcpu->vm->objects, 0);
        }
        return nova_errno_of(status);
}

static int make_objects(struct nova_vm *vm, const struct nova_vm_config *config)
{
        int error = 0;

        vm->events_order = EVENT_ORDER + nova_crd_order_for(vm->vcpus);
        vm->events = nova_sel_alloc(vm->events_order);
        if (vm->events == NOVA_SEL_NONE)
                return novavmm_create_error_selectors(vm, vm->events_order);
        vm->objects = nova_sel_alloc(OBJECT_ORDER);
        if (vm->objects == NOVA_SEL_NONE)
                return novavmm_create_error_selectors(vm, OBJECT_ORDER);
        for (unsigned i = 0; i < vm->vcpus && !error; i++)
                error = make_vcpu(vm, config, i);
        if (!error)
                error = make_pd(vm, config->kernel_memory);
        for (unsigned i = 0; i < vm->vcpus && !error; i++)
                error = make_ec(&vm->vcpu[i]);
        return error;
}

/* Returns true if exits report the length of their instruction. CPUs of SVM do so if they have
 * NRIPS (APM 3, appendix E.4.9), which QEMU's TCG (7.2) does not have. */
static bool exits_report_length(const struct nova_vm *vm)
{
        return !vm->svm || nova_cpuid_host(SVM_LEAF, 0).edx & SVM_NRIPS;
}

/* Returns the groups of state that the library needs in the message of an exit. */
static nova_mtd_t groups_of(const struct nova_vm_config *config, enum nova_vm_exit exit,
                            bool length)
{
        const nova_mtd_t groups = novavmm_exit_mtd(exit, length);

        return config->plain_calls && exit == NOVA_VM_EXIT_HYPERCALL
                       ? groups & ~(nova_mtd_t)(NOVA_MTD_CR | NOVA_MTD_MSR | NOVA_MTD_R8_R15)
                       : groups;
}

/* Sets the cause of each event number, and the state groups of each cause. Reads and writes of MSRs
 * both get the groups that either needs, because SVM has one event for both. */
static void set_exits(struct nova_vm *vm, const struct nova_vm_config *config)
{
        const bool length = exits_report_length(vm);

        for (unsigned event = 0; event < 1u << EVENT_ORDER; event++)
                vm->causes[event] = (uint8_t)exit_of(vm, event);
        for (unsigned exit = 0; exit < NOVA_VM_EXIT_COUNT; exit++)
                vm->mtd[exit] = groups_of(config, (enum nova_vm_exit)exit, length) |
                                config->mtd[exit] | (vm->local_apic ? NOVA_MTD_CR8 : 0);
        vm->mtd[NOVA_VM_EXIT_RDMSR] |= vm->mtd[NOVA_VM_EXIT_WRMSR];
        vm->mtd[NOVA_VM_EXIT_WRMSR] = vm->mtd[NOVA_VM_EXIT_RDMSR];
        novavmm_exit_handlers(vm);
}

static void configure(struct nova_vm *vm, const struct nova_vm_config *config)
{
        const unsigned own = nova_thread_priority(nova_thread_self());
        /* The timers' thread runs one priority above a normal guest. A secure guest runs at the
         * ultravisor's priority. To alternate with that guest, the thread needs the monitor's own
         * priority, which may be as high as the ultravisor's (decision 440). */
        const unsigned below = config->secure ? 1 : 2;

        strncpy(vm->name, config->name ? config->name : "guest", sizeof(vm->name) - 1);
        vm->vcpus = config->vcpus ? config->vcpus : 1;
        vm->priority = config->priority ? config->priority : own > below ? own - below : 1;
        vm->svm = nova_program.hip->features & NOVA_HIP_SVM;
        vm->clock.now = nova_vm_now;
        vm->local_apic = config->local_apic;
        vm->report_halt = config->report_halt;
        vm->report_reset = config->report_reset;
        vm->hide_state = config->hide_state;
        vm->secure = config->secure;
        vm->xsave = nova_cpuid_has_xsave(nova_cpuid_host, vm->svm);
        vm->same_tsc =
                (vm->vcpus > 1 || config->same_tsc) && nova_hip_has(nova_program.hip, NOVA_HIP_TSC);
        vm->events = vm->objects = NOVA_SEL_NONE;
        set_exits(vm, config);
}

int nova_vm_create(struct nova_vm *vm, const struct nova_vm_config *config)
{
        int error;

        memset(vm, 0, sizeof(*vm));
        error = novavmm_create_error_config(vm, config);
        if (error)
                return error;
        configure(vm, config);
        if (!config->own_memory)
                error = nova_guest_memory_create(&vm->memory, config->memory);
        if (error)
                return novavmm_create_error_memory(vm, error, config->memory);
        error = make_objects(vm, config);
        if (!error)
                error = novavmm_timer_start(vm);
        if (!error && vm->secure)
                error = novavmm_secure_attach(vm);
        if (!error)
                return 0;
        if (!vm->why[0])
                error = novavmm_create_error_objects(vm, error);
        nova_vm_destroy(vm);
        return error;
}

/* Creates a virtual CPU's SC, which starts it. */
static int run(struct nova_vcpu *vcpu)
{
        return nova_sc_create(vcpu->ec + VCPU_SC, vcpu->ec, vcpu->vm->priority, QUANTUM_US);
}

int nova_vm_run(struct nova_vm *vm)
{
        int error = 0;

        /* A virtual CPU may run as soon as it has its SC. The lock keeps its handler from starting
         * the others, and other threads from stopping the machine, before `running` is set. */
        nova_vm_lock(vm);
        for (unsigned i = 0; i < vm->vcpus; i++)
                vm->vcpu[i].activity = i ? NOVA_VCPU_OFF : NOVA_VCPU_RUNS;
        for (unsigned i = 0; i < vm->vcpus && !error; i++) {
                error = run(&vm->vcpu[i]);
                vm->vcpu[i].running = !error;
        }
        nova_vm_unlock(vm);
        return error ? novavmm_create_error_objects(vm, EAGAIN) : 0;
}

enum nova_vm_end nova_vm_wait(struct nova_vm *vm)
{
        nova_semaphore_down(&vm->ended);
        nova_semaphore_up(&vm->ended);
        return vm->end;
}

void nova_vm_end_with(struct nova_vm *vm, enum nova_vm_end end)
{
        if (vm->end != NOVA_VM_RUNS)
                return;
        __atomic_store_n(&vm->end, end,
                         __ATOMIC_SEQ_CST); /* call_out.c reads it without the lock */
        if (vm->ended_hook)
                vm->ended_hook(vm->ended_context);
        for (unsigned i = 0; i < vm->vcpus; i++)
                novavmm_vcpu_wake(&vm->vcpu[i]);
        nova_semaphore_up(&vm->ended);
}

void novavmm_vm_break(struct nova_vm *vm)
{
        nova_vm_end_with(vm, NOVA_VM_ERROR);
        nova_mutex_unlock(&vm->lock);
}

void nova_vm_stop(struct nova_vm *vm)
{
        nova_vm_lock(vm);
        nova_vm_end_with(vm, NOVA_VM_STOPPED);
        nova_vm_unlock(vm);
}

int novavmm_vm_check_function(const struct nova_vm *vm, const char **why)
{
        if (!vm->secure)
                return 0;
        *why = "a guest that can become secure has only virtual devices";
        return ENOTSUP;
}

/* Stops a virtual CPU: destroys its SC. After this, its waiting handler runs only on the time of
 * the thread that destroys the handler. */
static void destroy_vcpu(struct nova_vcpu *vcpu)
{
        if (vcpu->running) {
                if (!novavmm_vcpu_abandon(vcpu))
                        nova_semaphore_down(&vcpu->parked);
                nova_sc_destroy(vcpu->ec + VCPU_SC);
                vcpu->running = false;
        }
}

/* Destroys a virtual CPU's handler. A handler in a call to another program is discarded instead,
 * because it may wait for that program for ever. A parked handler leaves park() only now, on the
 * time of the thread that ends it. It takes the machine's lock then; if several handlers left
 * earlier, one could lose its time while it holds the lock. If there is no memory to end the
 * handler, it is discarded, too: without time it is still parked and holds no lock. All portals of
 * the handler have been revoked before. */
static void destroy_handler(struct nova_vcpu *vcpu)
{
        if (vcpu->call != VCPU_ABANDONED) {
                novavmm_vcpu_let_go(vcpu);
                if (!nova_handler_destroy(vcpu->handler))
                        return;
        }
        nova_handler_discard(vcpu->handler);
}

void nova_vm_destroy(struct nova_vm *vm)
{
        nova_vm_stop(vm);
        if (vm->secure)
                novavmm_secure_detach(vm);
        novavmm_timer_stop(vm);
        for (unsigned i = 0; i < vm->vcpus; i++)
                destroy_vcpu(&vm->vcpu[i]);
        if (vm->objects != NOVA_SEL_NONE)
                nova_pd_destroy(vm->objects);
        if (vm->events != NOVA_SEL_NONE)
                nova_sel_release(vm->events, vm->events_order);
        for (unsigned i = 0; i < vm->vcpus; i++)
                if (vm->vcpu[i].handler)
                        destroy_handler(&vm->vcpu[i]);
        /* Only now, because a handler may have been about to use its semaphore's selector. */
        if (vm->objects != NOVA_SEL_NONE)
                nova_sel_release(vm->objects, OBJECT_ORDER);
        nova_guest_memory_destroy(&vm->memory);
}
