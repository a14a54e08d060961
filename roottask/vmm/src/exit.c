/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes of exits by the event numbers of SVM and VMX (see novavmm/exit.h). @spec 7.2 */
#include "novavmm/exit.h"

#include <stddef.h>

#include "nova/abi/event.h"

struct row {
        uint8_t event, exit;
};

/* APM 2, appendix C. */
static const struct row svm[] = {
        {NOVA_SVM_CR_WRITE + 8, NOVA_VM_EXIT_CR8},
        {NOVA_SVM_EXCEPTION + NOVA_EXC_DB, NOVA_VM_EXIT_WINDOW},
        {NOVA_SVM_INTERRUPT_WINDOW, NOVA_VM_EXIT_WINDOW},
        {NOVA_SVM_RDPMC, NOVA_VM_EXIT_COUNTER},
        {NOVA_SVM_CPUID, NOVA_VM_EXIT_CPUID},
        {NOVA_SVM_RSM, NOVA_VM_EXIT_FOREIGN},
        {NOVA_SVM_IRET, NOVA_VM_EXIT_WINDOW},
        {NOVA_SVM_INVD, NOVA_VM_EXIT_CACHE},
        {NOVA_SVM_PAUSE, NOVA_VM_EXIT_PAUSE},
        {NOVA_SVM_HLT, NOVA_VM_EXIT_HALT},
        {NOVA_SVM_INVLPGA, NOVA_VM_EXIT_FOREIGN},
        {NOVA_SVM_IO_ACCESS, NOVA_VM_EXIT_PORT},
        {NOVA_SVM_TASK_SWITCH, NOVA_VM_EXIT_TASK},
        {NOVA_SVM_TRIPLE_FAULT, NOVA_VM_EXIT_SHUTDOWN},
        {NOVA_SVM_VMRUN, NOVA_VM_EXIT_FOREIGN},
        {NOVA_SVM_VMMCALL, NOVA_VM_EXIT_HYPERCALL},
        {NOVA_SVM_VMLOAD, NOVA_VM_EXIT_FOREIGN},
        {NOVA_SVM_VMSAVE, NOVA_VM_EXIT_FOREIGN},
        {NOVA_SVM_STGI, NOVA_VM_EXIT_FOREIGN},
        {NOVA_SVM_CLGI, NOVA_VM_EXIT_FOREIGN},
        {NOVA_SVM_SKINIT, NOVA_VM_EXIT_FOREIGN},
        {NOVA_SVM_RDTSCP, NOVA_VM_EXIT_FOREIGN},
        {NOVA_SVM_WBINVD, NOVA_VM_EXIT_CACHE},
        {NOVA_SVM_MONITOR, NOVA_VM_EXIT_FOREIGN},
        {NOVA_SVM_MWAIT, NOVA_VM_EXIT_FOREIGN},
        {NOVA_SVM_MWAIT_COND, NOVA_VM_EXIT_FOREIGN},
        {NOVA_SVM_NPT_FAULT, NOVA_VM_EXIT_MEMORY},
        {NOVA_SVM_INVALID_GUEST_STATE, NOVA_VM_EXIT_INVALID},
};

/* SDM 3D, appendix C. */
static const struct row vmx[] = {
        {NOVA_VMX_TRIPLE_FAULT, NOVA_VM_EXIT_SHUTDOWN},
        {NOVA_VMX_INTERRUPT_WINDOW, NOVA_VM_EXIT_WINDOW},
        {NOVA_VMX_NMI_WINDOW, NOVA_VM_EXIT_WINDOW},
        {NOVA_VMX_TASK_SWITCH, NOVA_VM_EXIT_TASK},
        {NOVA_VMX_CPUID, NOVA_VM_EXIT_CPUID},
        {NOVA_VMX_GETSEC, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_HLT, NOVA_VM_EXIT_HALT},
        {NOVA_VMX_INVD, NOVA_VM_EXIT_CACHE},
        {NOVA_VMX_RDPMC, NOVA_VM_EXIT_COUNTER},
        {NOVA_VMX_VMCALL, NOVA_VM_EXIT_HYPERCALL},
        {NOVA_VMX_VMCLEAR, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_VMLAUNCH, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_VMPTRLD, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_VMPTRST, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_VMREAD, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_VMRESUME, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_VMWRITE, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_VMXOFF, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_VMXON, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_CR_ACCESS, NOVA_VM_EXIT_CR8},
        {NOVA_VMX_IO_ACCESS, NOVA_VM_EXIT_PORT},
        {NOVA_VMX_RDMSR, NOVA_VM_EXIT_RDMSR},
        {NOVA_VMX_WRMSR, NOVA_VM_EXIT_WRMSR},
        {NOVA_VMX_INVALID_GUEST_STATE, NOVA_VM_EXIT_INVALID},
        {NOVA_VMX_MSR_LOAD_FAILURE, NOVA_VM_EXIT_INVALID},
        {NOVA_VMX_MWAIT, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_MONITOR, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_PAUSE, NOVA_VM_EXIT_PAUSE},
        {NOVA_VMX_EPT_VIOLATION, NOVA_VM_EXIT_MEMORY},
        {NOVA_VMX_INVEPT, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_INVVPID, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_WBINVD, NOVA_VM_EXIT_CACHE},
        {NOVA_VMX_XSETBV, NOVA_VM_EXIT_XSETBV},
        {NOVA_VMX_SEAMCALL, NOVA_VM_EXIT_FOREIGN},
        {NOVA_VMX_TDCALL, NOVA_VM_EXIT_FOREIGN},
};

static enum nova_vm_exit find(const struct row *row, size_t rows, unsigned event)
{
        if (event == NOVA_VMI_STARTUP)
                return NOVA_VM_EXIT_STARTUP;
        if (event == NOVA_VMI_RECALL)
                return NOVA_VM_EXIT_RECALL;
        for (size_t i = 0; i < rows; i++)
                if (row[i].event == event)
                        return (enum nova_vm_exit)row[i].exit;
        return NOVA_VM_EXIT_OTHER;
}

enum nova_vm_exit nova_vm_exit_of_svm(unsigned event, uint64_t qualification)
{
        if (event == NOVA_SVM_MSR_ACCESS)
                return qualification & 1 ? NOVA_VM_EXIT_WRMSR : NOVA_VM_EXIT_RDMSR;
        return find(svm, sizeof(svm) / sizeof(*svm), event);
}

enum nova_vm_exit nova_vm_exit_of_vmx(unsigned event)
{
        return find(vmx, sizeof(vmx) / sizeof(*vmx), event);
}

/* APM 2, 15.10.2: bit 0 in, bit 2 string, bit 3 REP, bits 4 to 6: 1, 2 or 4 bytes, bits 16 to 31
 * the port. */
struct nova_vm_exit_port nova_vm_exit_port_of_svm(uint64_t qualification)
{
        const struct nova_vm_exit_port port = {
                .port = (uint16_t)(qualification >> 16),
                .bytes = (uint8_t)(qualification >> 4 & 7),
                .in = qualification & 1,
                .string = qualification >> 2 & 1,
                .repeated = qualification >> 3 & 1,
        };

        return port;
}

/* SDM 3C, table 28-5: bits 0 to 2 number of bytes minus 1, bit 3 in, bit 4 string, bit 5 REP, bits
 * 16 to 31 the port. */
struct nova_vm_exit_port nova_vm_exit_port_of_vmx(uint64_t qualification)
{
        const struct nova_vm_exit_port port = {
                .port = (uint16_t)(qualification >> 16),
                .bytes = (uint8_t)((qualification & 7) + 1),
                .in = qualification >> 3 & 1,
                .string = qualification >> 4 & 1,
                .repeated = qualification >> 5 & 1,
        };

        return port;
}

const char *nova_vm_exit_text(enum nova_vm_exit exit)
{
        static const char *const text[] = {
#define TEXT(name, words, answer) words,
                NOVA_VM_EXIT_ROWS(TEXT)
#undef TEXT
        };

        return (unsigned)exit < NOVA_VM_EXIT_COUNT ? text[exit] : text[NOVA_VM_EXIT_OTHER];
}
