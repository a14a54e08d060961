/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of VMs, and the life of their machines (see vm.h). */
#include "vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nova/extension.h"
#include "nova/qpd.h"
#include "novart/program.h"
#include "novart/sync.h"
#include "novart/time.h"

#define SOON_NS   1000000
#define REPORT_NS 1000000000u
#define REPORTS   16u /* maximum number of reports about a VM within REPORT_NS */

/* Kernel memory in bytes that a VM needs in addition to its account: the ultravisor's threads and
 * portals for the VM, and a reserve. */
#define MACHINE_BYTES 0x8000u
#define VCPU_BYTES    0x10000u
/* Longest wait in ns for another machine that is being created. The creating thread is a handler,
 * which runs on its VMM's time. If that time ends, the handler's runner lends it time, up to 200 ms
 * later. */
#define PATIENCE_NS   50000000
#define ACCOUNT_LEAST 0x10000u
#define SPARE_PART    16 /* one part in SPARE_PART of the kernel memory belongs to no share */

struct nova_service *vm_service;

static struct vm vms[VM_COUNT];

struct vm *vm_find(const void *session, uint64_t lpid)
{
        for (unsigned i = 0; i < VM_COUNT; i++)
                if (vms[i].state != VM_FREE && vms[i].session == session && vms[i].lpid == lpid)
                        return &vms[i];
        return NULL;
}

unsigned vm_count(const void *session)
{
        unsigned count = 0;

        for (unsigned i = 0; i < VM_COUNT; i++)
                count += vms[i].state != VM_FREE && vms[i].session == session;
        return count;
}

uint32_t vm_limit(const struct vm *vm)
{
        return vm->pages.share ? vm->pages.share->limit : memory_frames.count;
}

uint64_t vm_pages(const struct vm *vm)
{
        uint64_t sum = 0;

        for (unsigned i = 0; i < VM_COUNT; i++)
                if (vms[i].pages.share == vm->pages.share)
                        sum += page_total(&vms[i].pages);
        return sum;
}

/* Shares of the memory, and the clients that have them. A VMM can have two sessions, but has one
 * name. The service's lock protects the shares. */
static struct share {
        char client[NOVA_NAME_SIZE];
        unsigned sessions; /* number of this client's sessions; 0: no client has the share */
        struct page_budget frames;
} shares[VM_COUNT];
static uint32_t share_count; /* number of shares; 0: the memory is not divided */
static uint32_t share_limit;
static size_t share_kernel; /* bytes of kernel memory for the VMs of a share; 0: no limit */

static size_t kernel_left(void)
{
        nova_word_t used = 0, limit = 0;

        nova_quota_query(nova_program.pd, &used, &limit);
        return limit - used;
}

bool vm_share(uint32_t vmms, size_t sessions)
{
        const size_t part = (kernel_left() - kernel_left() / SPARE_PART) / vmms;

        share_count = vmms;
        share_limit = memory_frames.count / vmms;
        share_kernel = part > sessions ? part - sessions : 0;
        return share_kernel;
}

bool vm_is_shared(void)
{
        return share_count;
}

/* Each share has the same number of records. */
unsigned vm_records(void)
{
        return share_count ? VM_COUNT / share_count : VM_COUNT;
}

/* Returns the share of a client that has a session, NULL: there is none. */
static struct share *share_of(const char *client)
{
        for (unsigned i = 0; i < share_count; i++)
                if (shares[i].sessions && !strncmp(shares[i].client, client, NOVA_NAME_SIZE))
                        return &shares[i];
        return NULL;
}

/* Gives a client a share that no client has.
 * @return the share; NULL: other clients have all shares */
static struct share *take_share(const char *client)
{
        for (unsigned i = 0; i < share_count; i++) {
                if (shares[i].sessions)
                        continue;
                strncpy(shares[i].client, client, NOVA_NAME_SIZE);
                shares[i].frames = (struct page_budget){0, share_limit};
                return &shares[i];
        }
        return NULL;
}

bool vm_open(const char *client)
{
        struct share *share;

        if (!share_count)
                return true;
        vm_lock();
        share = share_of(client);
        if (!share)
                share = take_share(client);
        if (share)
                share->sessions++;
        vm_unlock();
        return share;
}

/* Returns the number of VMs of a share; of all VMs if @p share is NULL. The service's lock is
 * held. */
static unsigned count_of(const struct page_budget *share)
{
        unsigned count = 0;

        for (unsigned i = 0; i < VM_COUNT; i++)
                count += vms[i].state != VM_FREE && vms[i].pages.share == share;
        return count;
}

struct vm *vm_add(void *session, uint16_t lpid)
{
        struct share *const share = share_of(nova_service_client(vm_service, session));

        if (share_count && !share) /* vm_open() has given a share to each client */
                return NULL;
        if (count_of(share ? &share->frames : NULL) == vm_records())
                return NULL;
        for (unsigned i = 0; i < VM_COUNT; i++) {
                if (vms[i].state != VM_FREE)
                        continue;
                memset(&vms[i], 0, sizeof(vms[i]));
                vms[i].state = VM_NORMAL;
                vms[i].session = session;
                vms[i].lpid = lpid;
                memory_prepare(&vms[i]);
                vms[i].pages.share = share ? &share->frames : NULL;
                return &vms[i];
        }
        return NULL;
}

/* Stores the CPU of each virtual CPU in @p cpus. */
static void place(const struct vm *vm, uint8_t *cpus)
{
        for (unsigned i = 0; i < vm->vcpus; i++)
                cpus[i] = (uint8_t)vm->vcpu[i].cpu;
}

/* Returns the priority of virtual CPUs: that of the program. Their handlers hold locks that other
 * VMs wait for, so no thread of a VMM may keep them from running (decision 440). */
static unsigned priority(void)
{
        return nova_program.priority < NOVA_PRIO_MAX ? nova_program.priority : NOVA_PRIO_MAX - 1;
}

/* Returns the kernel memory that the VMs of a client's share use. The service's lock is held. */
static size_t kernel_used(const struct page_budget *share)
{
        size_t sum = 0;

        for (unsigned i = 0; i < VM_COUNT; i++)
                if (vms[i].state != VM_FREE && vms[i].pages.share == share)
                        sum += vms[i].kernel_bytes;
        return sum;
}

/* Returns the size of a guest's account of kernel memory: half of the memory that is left, so that
 * enough remains for later guests and for sessions (decision 441). If the description gives the
 * number of VMMs, returns half of the memory that is left in the VMM's share (decision 468).
 * @return 0: too little is left for a guest */
static size_t account(struct vm *vm)
{
        const size_t own = MACHINE_BYTES + vm->vcpus * VCPU_BYTES;
        size_t left = kernel_left(), used, bytes;

        vm_lock();
        if (share_kernel) {
                used = kernel_used(vm->pages.share) + own;
                left = used < share_kernel ? share_kernel - used : 0;
        }
        bytes = left / 2 >= ACCOUNT_LEAST ? left / 2 : 0;
        vm->kernel_bytes = bytes ? bytes + own : 0;
        vm_unlock();
        return bytes;
}

/* Creates the machine of a VM. Only one machine is created at a time, so that no other machine
 * takes the kernel memory from which the size of its account is computed.
 * @return EBUSY: another machine is still being created; ENOBUFS: too little kernel memory is
 *   left */
static int make_machine(struct vm *vm)
{
        static struct nova_mutex turn = NOVA_MUTEX_INITIALIZER;
        uint8_t cpus[NOVA_VM_VCPUS];
        char name[NOVA_VM_NAME];
        struct nova_vm_config config = {.name = name,
                                        .own_memory = true,
                                        .hide_state = true,
                                        .report_halt = true,
                                        .plain_calls = true,
                                        .local_apic = true,
                                        .priority = priority(),
                                        .vcpus = vm->vcpus,
                                        .cpus = cpus};
        int error;

        /* Reports name the VMM and the number that it has given the VM. */
        snprintf(name, sizeof(name), "%.9s-%u", nova_service_client(vm_service, vm->session),
                 vm->lpid);
        place(vm, cpus);
        if (nova_mutex_lock_until(&turn, nova_deadline_in(PATIENCE_NS)))
                return EBUSY;
        config.kernel_memory = account(vm);
        error = config.kernel_memory ? nova_vm_create(&vm->machine, &config) : ENOBUFS;
        nova_mutex_unlock(&turn);
        return error;
}

bool vm_may_report(struct vm *vm)
{
        static uint64_t last[VM_COUNT]; /* start of each record's period; a new VM in a record
                                           continues the period */
        static unsigned count[VM_COUNT];
        const size_t number = (size_t)(vm - vms);
        const uint64_t now = nova_time_ns();
        unsigned reports;

        vm_lock();
        if (now - last[number] >= REPORT_NS) {
                last[number] = now;
                count[number] = 0;
        }
        reports = count[number]++;
        vm_unlock();
        if (reports == REPORTS)
                printf("Further reports of VM %u are left out for a moment.\n", (unsigned)number);
        return reports < REPORTS;
}

/* Limits the library's reports of the machine together with those of UV_ESM. */
static bool may_report(struct nova_vm *machine)
{
        return vm_may_report((struct vm *)((char *)machine - offsetof(struct vm, machine)));
}

/* Returns why make_machine() or nova_vm_run() has failed. */
static const char *why_not(struct vm *vm, int error)
{
        switch (error) {
        case EBUSY:
                return "the machine of another VM is being created; try again";
        case ENOBUFS:
                return share_count ? "the VMM's share of kernel memory is used up; enlarge "
                                     "'kernel-memory' in the description of the ultravisor, to 3 "
                                     "MiB for each VMM"
                                   : "too little kernel memory is left; enlarge 'kernel-memory' in "
                                     "the description of the ultravisor";
        default:
                return nova_vm_why(&vm->machine, error);
        }
}

enum nova_u_status vm_start(struct vm *vm)
{
        int error;

        vm->bit = cpu_bit();
        error = make_machine(vm);
        vm->has_machine = !error;
        if (!error) {
                exit_init(vm);
                vm->machine.may_report = may_report;
                error = nova_vm_run(&vm->machine);
        }
        if (!error)
                return NOVA_U_SUCCESS;
        if (vm_may_report(vm))
                printf("A VM cannot become secure: %s.\n", why_not(vm, error));
        return NOVA_U_RETRY;
}

void vm_lock(void)
{
        while (nova_service_lock(vm_service))
                ;
}

void vm_unlock(void)
{
        nova_service_unlock(vm_service);
}

void vm_yield(void)
{
        vm_unlock();
        vm_lock();
}

/* Waits until no call of the VMM uses the machine. */
static void wait_for_users(const struct vm *vm)
{
        bool used = true;

        while (used) {
                vm_lock();
                used = vm->users;
                vm_unlock();
                if (used)
                        nova_sleep(SOON_NS);
        }
}

void vm_stop(struct vm *vm)
{
        wait_for_users(vm);
        if (vm->has_machine)
                nova_vm_destroy(&vm->machine);
        vm->has_machine = false;
        vm_lock();
        while (page_end(&vm->pages))
                vm_yield();
        if (vm->has_key)
                crypto_gcm_end(&vm->key);
        vm->has_key = false;
        if (vm->seal) {
                seal_wipe(vm->seal);
                free(vm->seal);
        }
        vm->seal = NULL;
        vm->secrets = (struct secrets){.name = {0}};
        vm->aliases = vm->told_128 = false;
        vm->pages.versions = 0;
        vm->pages.converting = false;
        vm->kernel_bytes = 0;
        for (unsigned i = 0; i < NOVA_VM_VCPUS; i++)
                vm->vcpu[i] = (struct vcpu){.portal = vm->vcpu[i].portal, .cpu = vm->vcpu[i].cpu};
        vm_unlock();
        vm_settle();
        vm_lock();
        vm->state = VM_NORMAL;
        vm_unlock();
}

/* Begins to end a VM of a session that is closed.
 * @return the VM's previous state; VM_FREE if it is not a VM of this session */
static enum vm_state begin_close(struct vm *vm, const void *session)
{
        enum vm_state state;

        vm_lock();
        state = vm->session == session ? vm->state : VM_FREE;
        if (state != VM_FREE && state != VM_NORMAL)
                vm->state = VM_ENDING;
        vm_unlock();
        return state;
}

/* Ends all VMs of a session that is closed. */
static void close_vms(const void *session)
{
        for (unsigned i = 0; i < VM_COUNT; i++) {
                struct vm *const vm = &vms[i];
                const enum vm_state state = begin_close(vm, session);

                if (state == VM_FREE)
                        continue;
                if (state != VM_NORMAL)
                        vm_stop(vm);
                for (unsigned j = 0; j < NOVA_VM_VCPUS; j++)
                        if (vm->vcpu[j].portal)
                                nova_service_drop(vm_service, vm->vcpu[j].portal);
                vm_lock();
                vm->state = VM_FREE;
                vm_unlock();
        }
}

void vm_close(const void *session)
{
        struct share *share;

        close_vms(session);
        vm_lock();
        share = share_of(nova_service_client(vm_service, session));
        if (share)
                share->sessions--;
        vm_unlock();
}
