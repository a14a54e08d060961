/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits of a virtual CPU's execution controls in a message: `ctrl[0]` and `ctrl[1]`, which
 * NOVA_MTD_CTRL selects. A bit makes the guest exit at an instruction, unless its line says
 * something else. The kernel sets the bits that isolation needs, and ignores bits that a VMM may
 * not choose. @spec 7.3
 *
 * The bits have the positions that SVM (APM 2, 15.9) and VMX (SDM 3C, 24.6) use. */
#ifndef NOVA_ABI_CONTROL_H
#define NOVA_ABI_CONTROL_H

/* SVM, ctrl[0]. */
#define NOVA_SVM_CTRL0_INTR     0x1u        /**< external interrupts; always set */
#define NOVA_SVM_CTRL0_NMI      0x2u        /**< NMIs; always set */
#define NOVA_SVM_CTRL0_INIT     0x8u        /**< INIT signals; always set */
#define NOVA_SVM_CTRL0_VINTR    0x10u       /**< the guest can take an interrupt; kernel only */
#define NOVA_SVM_CTRL0_RDPMC    0x8000u     /**< RDPMC; always set */
#define NOVA_SVM_CTRL0_CPUID    0x40000u    /**< CPUID */
#define NOVA_SVM_CTRL0_IRET     0x100000u   /**< IRET */
#define NOVA_SVM_CTRL0_INVD     0x400000u   /**< INVD; always set */
#define NOVA_SVM_CTRL0_HLT      0x1000000u  /**< HLT; always set */
#define NOVA_SVM_CTRL0_INVLPGA  0x4000000u  /**< INVLPGA; always set */
#define NOVA_SVM_CTRL0_IO       0x8000000u  /**< I/O ports by the I/O permission map; always set */
#define NOVA_SVM_CTRL0_MSR      0x10000000u /**< RDMSR, WRMSR by the MSR map; always set */
#define NOVA_SVM_CTRL0_TASK     0x20000000u /**< task switches */
#define NOVA_SVM_CTRL0_SHUTDOWN 0x80000000u /**< shutdowns; always set */

/* SVM, ctrl[1]. VMRUN, VMLOAD, VMSAVE, CLGI, SKINIT and XSETBV always exit. */
#define NOVA_SVM_CTRL1_VMMCALL 0x2u   /**< VMMCALL */
#define NOVA_SVM_CTRL1_STGI    0x10u  /**< STGI */
#define NOVA_SVM_CTRL1_WBINVD  0x200u /**< WBINVD is an event; else the kernel skips it */
#define NOVA_SVM_CTRL1_MONITOR 0x400u /**< MONITOR */
#define NOVA_SVM_CTRL1_MWAIT   0x800u /**< MWAIT */

/* VMX, ctrl[0]. */
#define NOVA_VMX_CTRL0_WINDOW     0x4u        /**< the guest can take an interrupt; kernel only */
#define NOVA_VMX_CTRL0_TSC_OFFSET 0x8u        /**< the TSC has an offset; always set */
#define NOVA_VMX_CTRL0_HLT        0x80u       /**< HLT; always set */
#define NOVA_VMX_CTRL0_MWAIT      0x400u      /**< MWAIT */
#define NOVA_VMX_CTRL0_RDPMC      0x800u      /**< RDPMC; always set */
#define NOVA_VMX_CTRL0_RDTSC      0x1000u     /**< RDTSC and RDTSCP */
#define NOVA_VMX_CTRL0_CR8        0x180000u   /**< loads and stores of CR8; set on x86-64 */
#define NOVA_VMX_CTRL0_NMI_WINDOW 0x400000u   /**< the guest can take an NMI; kernel only */
#define NOVA_VMX_CTRL0_DR         0x800000u   /**< accesses to debug registers */
#define NOVA_VMX_CTRL0_IO         0x1000000u  /**< all I/O ports; always set */
#define NOVA_VMX_CTRL0_TRAP       0x8000000u  /**< after one instruction: the monitor trap flag */
#define NOVA_VMX_CTRL0_MONITOR    0x20000000u /**< MONITOR */
#define NOVA_VMX_CTRL0_PAUSE      0x40000000u /**< PAUSE */
#define NOVA_VMX_CTRL0_SECONDARY  0x80000000u /**< ctrl[1] is in use; always set */

/* VMX, ctrl[1]. */
#define NOVA_VMX_CTRL1_EPT          0x2u     /**< nested page tables are in use; always set */
#define NOVA_VMX_CTRL1_TABLES       0x4u     /**< LGDT, SIDT, LTR and others */
#define NOVA_VMX_CTRL1_RDTSCP       0x8u     /**< RDTSCP exists for the guest */
#define NOVA_VMX_CTRL1_VPID         0x20u    /**< the guest has a VPID; kernel only */
#define NOVA_VMX_CTRL1_WBINVD       0x40u    /**< WBINVD is an event; else the kernel skips it */
#define NOVA_VMX_CTRL1_UNRESTRICTED 0x80u    /**< the guest may run without paging; always set */
#define NOVA_VMX_CTRL1_RDRAND       0x800u   /**< RDRAND */
#define NOVA_VMX_CTRL1_INVPCID      0x1000u  /**< INVPCID exists for the guest */
#define NOVA_VMX_CTRL1_VMFUNC       0x2000u  /**< VMFUNC, which exits in any case */
#define NOVA_VMX_CTRL1_RDSEED       0x10000u /**< RDSEED */

#endif
