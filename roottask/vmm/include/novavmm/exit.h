/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes of VM exits: one list for SVM and VMX. */
#ifndef NOVAVMM_EXIT_H
#define NOVAVMM_EXIT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Causes: ROW(NAME, "what happened", "what the library does"). */
#define NOVA_VM_EXIT_ROWS(ROW)                                                                 \
        ROW(OTHER, "an exit that the library does not know", "ends the machine with a report") \
        ROW(STARTUP, "the start", "loads nova_vcpu.start")                                     \
        ROW(RECALL, "a recall", "checks for interrupts")                                       \
        ROW(WINDOW, "a window for an interrupt or an NMI", "injects the interrupt or NMI")     \
        ROW(PORT, "a port access", "accesses the device at the port")                          \
        ROW(MEMORY, "an access to unmapped memory", "accesses the device there")               \
        ROW(CPUID, "CPUID", "returns the values of its table")                                 \
        ROW(RDMSR, "RDMSR", "reads a register of its table, else raises #GP")                  \
        ROW(WRMSR, "WRMSR", "writes a register of its table, else raises #GP")                 \
        ROW(HALT, "HLT", "waits for an interrupt")                                             \
        ROW(CACHE, "INVD or WBINVD", "skips it")                                               \
        ROW(PAUSE, "PAUSE", "skips it")                                                        \
        ROW(COUNTER, "RDPMC", "raises #GP")                                                    \
        ROW(HYPERCALL, "VMMCALL or VMCALL", "raises #UD")                                      \
        ROW(XSETBV, "XSETBV", "sets XCR0 if the CPU supports the value, else raises #GP")      \
        ROW(CR8, "a write to CR8", "sets the task priority of the local APIC")                 \
        ROW(FOREIGN, "an instruction that the guest may not use", "raises #UD")                \
        ROW(TASK, "a task switch", "ends the machine with a report; none with SVM")            \
        ROW(SHUTDOWN, "a triple fault", "ends the machine with a report")                      \
        ROW(INVALID, "state that the CPU refuses", "ends the machine with a report")

/** Causes of exits. Each comment describes the library's default action; nova_vm_on() replaces it
 * by a function of the monitor. */
enum nova_vm_exit {
#define NOVA_VM_EXIT_ENUM(name, text, answer) NOVA_VM_EXIT_##name,
        NOVA_VM_EXIT_ROWS(NOVA_VM_EXIT_ENUM)
#undef NOVA_VM_EXIT_ENUM
                NOVA_VM_EXIT_COUNT /**< number of causes */
};

/** A port access. */
struct nova_vm_exit_port {
        uint16_t port; /**< number of the port */
        uint8_t bytes; /**< size of the access: 1, 2 or 4 bytes */
        bool in;       /**< true if the guest reads */
        bool string;   /**< INS or OUTS */
        bool repeated; /**< string instruction with REP */
};

/** Returns the cause for an event number of SVM, NOVA_VM_EXIT_OTHER if it is unknown. @p
 * qualification is the first qualification, which distinguishes reads of MSRs from writes */
enum nova_vm_exit nova_vm_exit_of_svm(unsigned event, uint64_t qualification);

/** Returns the cause for an event number of VMX. */
enum nova_vm_exit nova_vm_exit_of_vmx(unsigned event);

/** Returns the port access that SVM's first qualification describes. */
struct nova_vm_exit_port nova_vm_exit_port_of_svm(uint64_t qualification);

/** Returns the port access that VMX's first qualification describes. */
struct nova_vm_exit_port nova_vm_exit_port_of_vmx(uint64_t qualification);

/**
 * Returns a description of the cause for messages.
 *
 * @code
 * extern struct nova_vcpu *vcpu; // at an exit
 *
 * printf("%s at %#llx\n", nova_vm_exit_text(vcpu->exit), (unsigned long long)vcpu->state->ip);
 * @endcode
 */
const char *nova_vm_exit_text(enum nova_vm_exit exit);

#ifdef __cplusplus
}
#endif

#endif
