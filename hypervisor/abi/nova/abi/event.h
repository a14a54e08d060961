/* SPDX-License-Identifier: BSD-2-Clause */
/* Event numbers: selector = event base + number. The events of a virtual CPU have the CPU's exit
 * numbers. @spec 7.2, 8.2 */
#ifndef NOVA_ABI_EVENT_H
#define NOVA_ABI_EVENT_H

#include "nova/abi/types.h"

/** Events of a thread: ROW(number, NAME, "name"). @spec 7.2 */
#define NOVA_EXCEPTION_ROWS(ROW)      \
        ROW(0x00, DE, "#DE")          \
        ROW(0x01, DB, "#DB")          \
        ROW(0x03, BP, "#BP")          \
        ROW(0x04, OF, "#OF")          \
        ROW(0x05, BR, "#BR")          \
        ROW(0x06, UD, "#UD")          \
        ROW(0x07, NM, "#NM")          \
        ROW(0x08, DF, "#DF")          \
        ROW(0x0a, TS, "#TS")          \
        ROW(0x0b, NP, "#NP")          \
        ROW(0x0c, SS, "#SS")          \
        ROW(0x0d, GP, "#GP")          \
        ROW(0x0e, PF, "#PF")          \
        ROW(0x10, MF, "#MF")          \
        ROW(0x11, AC, "#AC")          \
        ROW(0x12, MC, "#MC")          \
        ROW(0x13, XM, "#XM")          \
        ROW(0x1e, STARTUP, "STARTUP") \
        ROW(0x1f, RECALL, "RECALL")

/* Events of virtual CPUs under both SVM and VMX. */
#define NOVA_VMI_STARTUP 0xfe /**< first event of a virtual CPU */
#define NOVA_VMI_RECALL  0xff /**< a virtual CPU was recalled */

/** Basic exit reasons of VMX: ROW(number, NAME, "name"). @spec 7.2 */
#define NOVA_VMX_ROWS(ROW)                                      \
        ROW(0x00, EXCEPTION_OR_NMI, "Exception or NMI")         \
        ROW(0x01, INTR, "INTR")                                 \
        ROW(0x02, TRIPLE_FAULT, "Triple Fault")                 \
        ROW(0x03, INIT, "INIT")                                 \
        ROW(0x04, SIPI, "SIPI")                                 \
        ROW(0x05, IO_SMI, "I/O SMI")                            \
        ROW(0x06, OTHER_SMI, "Other SMI")                       \
        ROW(0x07, INTERRUPT_WINDOW, "Interrupt Window")         \
        ROW(0x08, NMI_WINDOW, "NMI Window")                     \
        ROW(0x09, TASK_SWITCH, "Task Switch")                   \
        ROW(0x0a, CPUID, "CPUID")                               \
        ROW(0x0b, GETSEC, "GETSEC")                             \
        ROW(0x0c, HLT, "HLT")                                   \
        ROW(0x0d, INVD, "INVD")                                 \
        ROW(0x0e, INVLPG, "INVLPG")                             \
        ROW(0x0f, RDPMC, "RDPMC")                               \
        ROW(0x10, RDTSC, "RDTSC")                               \
        ROW(0x11, RSM, "RSM")                                   \
        ROW(0x12, VMCALL, "VMCALL")                             \
        ROW(0x13, VMCLEAR, "VMCLEAR")                           \
        ROW(0x14, VMLAUNCH, "VMLAUNCH")                         \
        ROW(0x15, VMPTRLD, "VMPTRLD")                           \
        ROW(0x16, VMPTRST, "VMPTRST")                           \
        ROW(0x17, VMREAD, "VMREAD")                             \
        ROW(0x18, VMRESUME, "VMRESUME")                         \
        ROW(0x19, VMWRITE, "VMWRITE")                           \
        ROW(0x1a, VMXOFF, "VMXOFF")                             \
        ROW(0x1b, VMXON, "VMXON")                               \
        ROW(0x1c, CR_ACCESS, "CR Access")                       \
        ROW(0x1d, DR_ACCESS, "DR Access")                       \
        ROW(0x1e, IO_ACCESS, "I/O Access")                      \
        ROW(0x1f, RDMSR, "RDMSR")                               \
        ROW(0x20, WRMSR, "WRMSR")                               \
        ROW(0x21, INVALID_GUEST_STATE, "Invalid Guest State")   \
        ROW(0x22, MSR_LOAD_FAILURE, "MSR Load Failure")         \
        ROW(0x24, MWAIT, "MWAIT")                               \
        ROW(0x25, MTF, "MTF")                                   \
        ROW(0x27, MONITOR, "MONITOR")                           \
        ROW(0x28, PAUSE, "PAUSE")                               \
        ROW(0x29, MACHINE_CHECK, "Machine Check")               \
        ROW(0x2b, TPR_BELOW_THRESHOLD, "TPR Below Threshold")   \
        ROW(0x2c, APIC_ACCESS, "APIC Access")                   \
        ROW(0x2d, VIRTUALIZED_EOI, "Virtualized EOI")           \
        ROW(0x2e, GDTR_IDTR_ACCESS, "GDTR/IDTR Access")         \
        ROW(0x2f, LDTR_TR_ACCESS, "LDTR/TR Access")             \
        ROW(0x30, EPT_VIOLATION, "EPT Violation")               \
        ROW(0x31, EPT_MISCONFIGURATION, "EPT Misconfiguration") \
        ROW(0x32, INVEPT, "INVEPT")                             \
        ROW(0x33, RDTSCP, "RDTSCP")                             \
        ROW(0x34, VMX_PREEMPTION_TIMER, "VMX Preemption Timer") \
        ROW(0x35, INVVPID, "INVVPID")                           \
        ROW(0x36, WBINVD, "WBINVD")                             \
        ROW(0x37, XSETBV, "XSETBV")                             \
        ROW(0x38, APIC_WRITE, "APIC Write")                     \
        ROW(0x39, RDRAND, "RDRAND")                             \
        ROW(0x3a, INVPCID, "INVPCID")                           \
        ROW(0x3b, VMFUNC, "VMFUNC")                             \
        ROW(0x3c, ENCLS, "ENCLS")                               \
        ROW(0x3d, RDSEED, "RDSEED")                             \
        ROW(0x3e, PML_FULL, "PML Full")                         \
        ROW(0x3f, XSAVES, "XSAVES")                             \
        ROW(0x40, XRSTORS, "XRSTORS")                           \
        ROW(0x43, UMWAIT, "UMWAIT")                             \
        ROW(0x44, TPAUSE, "TPAUSE")                             \
        ROW(0x4c, SEAMCALL, "SEAMCALL")                         \
        ROW(0x4d, TDCALL, "TDCALL")                             \
        ROW(0xfe, STARTUP, "STARTUP")                           \
        ROW(0xff, RECALL, "RECALL")

/** Exit codes of SVM, 0x60 and above: ROW(number, NAME, "name"). @spec 7.2 */
#define NOVA_SVM_ROWS(ROW)                                    \
        ROW(0x60, INTR, "INTR")                               \
        ROW(0x61, NMI, "NMI")                                 \
        ROW(0x62, SMI, "SMI")                                 \
        ROW(0x63, INIT, "INIT")                               \
        ROW(0x64, INTERRUPT_WINDOW, "Interrupt Window")       \
        ROW(0x65, CR0_SELECTIVE_WRITE, "CR0 Selective Write") \
        ROW(0x66, IDTR_READ, "IDTR Read")                     \
        ROW(0x67, GDTR_READ, "GDTR Read")                     \
        ROW(0x68, LDTR_READ, "LDTR Read")                     \
        ROW(0x69, TR_READ, "TR Read")                         \
        ROW(0x6a, IDTR_WRITE, "IDTR Write")                   \
        ROW(0x6b, GDTR_WRITE, "GDTR Write")                   \
        ROW(0x6c, LDTR_WRITE, "LDTR Write")                   \
        ROW(0x6d, TR_WRITE, "TR Write")                       \
        ROW(0x6e, RDTSC, "RDTSC")                             \
        ROW(0x6f, RDPMC, "RDPMC")                             \
        ROW(0x70, PUSHF, "PUSHF")                             \
        ROW(0x71, POPF, "POPF")                               \
        ROW(0x72, CPUID, "CPUID")                             \
        ROW(0x73, RSM, "RSM")                                 \
        ROW(0x74, IRET, "IRET")                               \
        ROW(0x75, INT, "INT")                                 \
        ROW(0x76, INVD, "INVD")                               \
        ROW(0x77, PAUSE, "PAUSE")                             \
        ROW(0x78, HLT, "HLT")                                 \
        ROW(0x79, INVLPG, "INVLPG")                           \
        ROW(0x7a, INVLPGA, "INVLPGA")                         \
        ROW(0x7b, IO_ACCESS, "I/O Access")                    \
        ROW(0x7c, MSR_ACCESS, "MSR Access")                   \
        ROW(0x7d, TASK_SWITCH, "Task Switch")                 \
        ROW(0x7e, FERR_FREEZE, "FERR Freeze")                 \
        ROW(0x7f, TRIPLE_FAULT, "Triple Fault")               \
        ROW(0x80, VMRUN, "VMRUN")                             \
        ROW(0x81, VMMCALL, "VMMCALL")                         \
        ROW(0x82, VMLOAD, "VMLOAD")                           \
        ROW(0x83, VMSAVE, "VMSAVE")                           \
        ROW(0x84, STGI, "STGI")                               \
        ROW(0x85, CLGI, "CLGI")                               \
        ROW(0x86, SKINIT, "SKINIT")                           \
        ROW(0x87, RDTSCP, "RDTSCP")                           \
        ROW(0x88, ICEBP, "ICEBP")                             \
        ROW(0x89, WBINVD, "WBINVD")                           \
        ROW(0x8a, MONITOR, "MONITOR")                         \
        ROW(0x8b, MWAIT, "MWAIT")                             \
        ROW(0x8c, MWAIT_COND, "MWAIT (cond.)")                \
        ROW(0x8d, XSETBV, "XSETBV")                           \
        ROW(0x8e, RDPRU, "RDPRU")                             \
        ROW(0x8f, EFER_WRITE, "EFER Write")                   \
        ROW(0xa0, INVLPGB, "INVLPGB")                         \
        ROW(0xa1, INVLPGB_ILLEGAL, "INVLPGB (illegal)")       \
        ROW(0xa2, INVPCID, "INVPCID")                         \
        ROW(0xa3, MCOMMIT, "MCOMMIT")                         \
        ROW(0xa4, TLBSYNC, "TLBSYNC")                         \
        ROW(0xfc, NPT_FAULT, "NPT Fault")                     \
        ROW(0xfd, INVALID_GUEST_STATE, "Invalid Guest State") \
        ROW(0xfe, STARTUP, "STARTUP")                         \
        ROW(0xff, RECALL, "RECALL")

/* Groups of SVM exit codes. Exit code = group + number of the register or exception. */
#define NOVA_SVM_CR_READ   0x00 /**< + number of the control register */
#define NOVA_SVM_CR_WRITE  0x10 /**< + number of the control register */
#define NOVA_SVM_DR_READ   0x20 /**< + number of the debug register */
#define NOVA_SVM_DR_WRITE  0x30 /**< + number of the debug register */
#define NOVA_SVM_EXCEPTION 0x40 /**< + number of the exception */

#ifndef __ASSEMBLER__

/** Numbers of the events of a thread: portal = event base + number. @spec 7.2 */
enum nova_exception {
#define NOVA_EXCEPTION_ENUM(number, name, text) NOVA_EXC_##name = number,
        NOVA_EXCEPTION_ROWS(NOVA_EXCEPTION_ENUM)
#undef NOVA_EXCEPTION_ENUM
};

/** Events of a virtual CPU under VMX: portal = event base + number. @spec 7.2 */
enum nova_vmx_event {
#define NOVA_VMX_ENUM(number, name, text) NOVA_VMX_##name = (number),
        NOVA_VMX_ROWS(NOVA_VMX_ENUM)
#undef NOVA_VMX_ENUM
};

/** Events of a virtual CPU under SVM, 0x60 and above; lower numbers form groups. @spec 7.2 */
enum nova_svm_event {
#define NOVA_SVM_ENUM(number, name, text) NOVA_SVM_##name = (number),
        NOVA_SVM_ROWS(NOVA_SVM_ENUM)
#undef NOVA_SVM_ENUM
};

#endif /* __ASSEMBLER__ */
#endif
