/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors of creating a machine: a sentence that names the missing resource and the remedy. */
#include "create_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nova/hip.h"
#include "nova/hypercall.h"
#include "nova/qpd.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novavmm/secure.h"

#define MIB   (1u << 20)
#define BLOCK ((size_t)2 * MIB) /* size of the blocks of a guest's RAM */

/* Timers have the priority of virtual CPUs + 1. */
#define PRIORITY_MAX (NOVA_PRIO_MAX - 1)

__attribute__((format(printf, 3, 4))) static int refuse(struct nova_vm *vm, int error,
                                                        const char *format, ...)
{
        va_list list;

        va_start(list, format);
        vsnprintf(vm->why, sizeof(vm->why), format, list);
        va_end(list);
        return error;
}

int novavmm_create_error_config(struct nova_vm *vm, const struct nova_vm_config *config)
{
        const uint32_t features = nova_program.hip->features;

        if (!(features & (NOVA_HIP_SVM | NOVA_HIP_VMX)))
                return refuse(
                        vm, ENOTSUP,
                        "this CPU cannot run guests: it has neither SVM with NPT nor VMX with EPT, "
                        "or its firmware has disabled them (--cpu qemu64,+svm,+npt has them)");
        if (!(features & NOVA_HIP_VCPU))
                return refuse(vm, ENOTSUP,
                              "this kernel does not support the virtual CPUs of this library");
        if (config->vcpus > NOVA_VM_VCPUS)
                return refuse(vm, EINVAL, "%u virtual CPUs are too many; the maximum is %u",
                              config->vcpus, NOVA_VM_VCPUS);
        if (config->vcpus > 1 && !config->local_apic)
                return refuse(vm, EINVAL, "%u virtual CPUs need local APICs (local_apic)",
                              config->vcpus);
        if (config->priority > PRIORITY_MAX)
                return refuse(vm, EINVAL, "priority %u is above %u", config->priority,
                              PRIORITY_MAX);
        if (config->own_memory && config->memory)
                return refuse(vm, EINVAL,
                              "%zu bytes of RAM are requested of a monitor that provides the RAM "
                              "itself (own_memory)",
                              config->memory);
        if (!config->own_memory && (!config->memory || config->memory > NOVA_GUEST_MEMORY_MAX))
                return refuse(vm, EINVAL,
                              "%zu bytes of RAM are out of range; write 1 byte to %u MiB",
                              config->memory, NOVA_GUEST_MEMORY_MAX / MIB);
        return 0;
}

int novavmm_create_error_memory(struct nova_vm *vm, int error, size_t bytes)
{
        const size_t needed = (bytes + BLOCK - 1) & ~(BLOCK - 1), found = vm->memory.bytes;
        const bool is_root = nova_program_is_root();

        switch (error) {
        case EACCES:
                return refuse(
                        vm, error,
                        "executable guest memory needs 'grants children' without 'dma' in the "
                        "description of program %s",
                        nova_program.name);
        case EAGAIN:
                return novavmm_create_error_objects(vm, error);
        default:
                if (found >= needed)
                        return refuse(vm, error,
                                      "%zu MiB of RAM need more addresses in one piece than "
                                      "program %s has free; give the guest less RAM, or build the "
                                      "system for x86-64",
                                      needed / MIB, nova_program.name);
                return refuse(
                        vm, error,
                        "%zu MiB of RAM are needed, but there are blocks of 2 MiB for %zu MiB; "
                        "enlarge %s%s by %zu MiB or more",
                        needed / MIB, found / MIB,
                        is_root ? "--memory" : "'memory' in the description of program ",
                        is_root ? "" : nova_program.name, (needed - found) / MIB);
        }
}

int novavmm_create_error_account(struct nova_vm *vm, size_t bytes)
{
        return refuse(vm, EINVAL,
                      "an account of kernel memory needs more than %zu bytes (kernel_memory)",
                      bytes);
}

int novavmm_create_error_selectors(struct nova_vm *vm, unsigned order)
{
        return refuse(vm, EAGAIN,
                      "%u selectors in a row are needed for its kernel objects; enlarge "
                      "'selectors' in the description of program %s",
                      1u << order, nova_program.name);
}

/* With fewer free bytes in an account, or fewer free pages, the next object may fail: the kernel
 * charges whole frames, and a frame holds objects of one kind. */
#define SHORT_BYTES ((nova_word_t)24 << 10)
#define SHORT_PAGES 64

enum resource { KERNEL_MEMORY, MEMORY, SELECTORS };

/* Returns the resource of which the program has too little now, after a function that needs all of
 * them has failed. */
static enum resource missing(void)
{
        nova_word_t used = 0;
        nova_word_t limit = 0;
        nova_sel_t sel;

        if (nova_quota_query(nova_program.pd, &used, &limit) == NOVA_SUCCESS &&
            limit - used < SHORT_BYTES)
                return KERNEL_MEMORY;
        if (nova_page_free_count() < SHORT_PAGES)
                return MEMORY;
        sel = nova_sel_alloc(0);
        if (sel == NOVA_SEL_NONE)
                return SELECTORS;
        nova_sel_free(sel, 0);
        return KERNEL_MEMORY;
}

static int refuse_shortage(struct nova_vm *vm, int error)
{
        static const struct {
                const char *what, *word, *at_boot;
        } rows[] = {
                [KERNEL_MEMORY] = {"little kernel memory is", "kernel-memory",
                                   "boot the kernel with a larger kmem="},
                [MEMORY] = {"little memory is", "memory", "enlarge --memory"},
                [SELECTORS] = {"few selectors are", "selectors", "destroy another machine first"},
        };
        const enum resource resource = missing();

        if (nova_program_is_root())
                return refuse(vm, error, "too %s left; %s", rows[resource].what,
                              rows[resource].at_boot);
        return refuse(vm, error, "too %s left; enlarge '%s' in the description of program %s",
                      rows[resource].what, rows[resource].word, nova_program.name);
}

static bool is_shortage(int error)
{
        return error == EAGAIN || error == ENOMEM;
}

_Static_assert(NOVA_GUEST_MEMORY_MAX <= NOVA_UV_NORMAL_BYTES,
               "a machine's RAM can be shared with the ultravisor");

int novavmm_create_error_secure(struct nova_vm *vm, int error)
{
        if (error == ENOSPC)
                return refuse(vm, error,
                              "the ultravisor's table has no room for it: all programs together "
                              "can have %u machines, a session %u, and a program of 'vmms=N' %u/N; "
                              "destroy one of them first",
                              NOVA_UV_VMS, NOVA_UV_SESSION_VMS, NOVA_UV_VMS);
        if (error == ENODEV)
                return refuse(vm, error,
                              "the ultravisor may not use a CPU of its virtual CPUs; write 'cpus "
                              "all' in the description of the ultravisor");
        if (is_shortage(error) && missing() == KERNEL_MEMORY)
                return refuse(vm, error,
                              "too little kernel memory is left for it; enlarge 'kernel-memory' in "
                              "the descriptions of the ultravisor and of program %s",
                              nova_program.name);
        return error;
}

_Static_assert(NOVA_UV_VMS == 8 && NOVA_UV_SESSION_VMS == 2, "the sentences have these numbers");

const char *nova_secure_why(int error)
{
        switch (error) {
        case EMFILE:
                return "this program has as many sessions with it as it can have (2, or 1 if the "
                       "ultravisor has vmms=5 or more); close one of them first";
        case ENFILE:
                return "all programs together have 8 sessions with it, the maximum; close one of "
                       "them first";
        case ENOSPC:
                return "other programs have all shares of its memory; enlarge N of 'vmms=N' in its "
                       "description";
        case ENOENT:
                return "no program provides it; add the program ultravisor to the description of "
                       "the system";
        case EACCES:
                return "this program may not use it; write 'uses ultravisor' in its description, "
                       "and add the program ultravisor if the system has none";
        case ENOMEM:
                return "too little memory is left for a session; enlarge 'memory' and "
                       "'kernel-memory' of this program in its description";
        case EAGAIN:
        case ECONNRESET:
                return "the program that provides it has ended; look for its report above";
        case EHOSTUNREACH:
                return "it does not run on the CPU of this thread; write 'cpus all' in the "
                       "description of the ultravisor";
        default:
                return strerror(error);
        }
}

int novavmm_create_error_objects(struct nova_vm *vm, int error)
{
        return is_shortage(error) ? refuse_shortage(vm, EAGAIN) : error;
}

int nova_vm_no_memory(struct nova_vm *vm, size_t bytes)
{
        const bool is_root = nova_program_is_root();
        const size_t left = nova_page_free_count();

        if (bytes / NOVA_PAGE_SIZE + SHORT_PAGES <= left)
                return refuse_shortage(vm, ENOMEM);
        return refuse(vm, ENOMEM,
                      "%zu MiB of memory are needed, but %zu MiB are free; enlarge %s%s",
                      (bytes + MIB - 1) / MIB, left / (MIB / NOVA_PAGE_SIZE),
                      is_root ? "--memory" : "'memory' in the description of program ",
                      is_root ? "" : nova_program.name);
}

const char *nova_vm_why(struct nova_vm *vm, int error)
{
        if (!vm->why[0] && is_shortage(error))
                refuse_shortage(vm, error);
        return error && vm->why[0] ? vm->why : strerror(error);
}
