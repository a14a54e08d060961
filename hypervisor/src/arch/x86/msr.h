/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of model-specific registers and their bits, and of the bits of control registers, debug
 * registers and EFLAGS. */
#ifndef ARCH_X86_MSR_H
#define ARCH_X86_MSR_H

#define MSR_TSC            0x10
#define MSR_APIC_BASE      0x1b
#define MSR_FEATURE_CTRL   0x3a
#define MSR_SPEC_CTRL      0x48
#define MSR_PRED_CMD       0x49
#define MSR_ARCH_CAPS      0x10a /* flaws that the CPU does not have (SDM 4, table 2-2) */
#define MSR_FLUSH_CMD      0x10b
#define MSR_SYSENTER_CS    0x174
#define MSR_SYSENTER_ESP   0x175
#define MSR_SYSENTER_EIP   0x176
#define MSR_MCG_CAP        0x179
#define MSR_MCG_STATUS     0x17a
#define MSR_PAT            0x277
#define MSR_MC0_STATUS     0x401
#define MSR_U_CET          0x6a0 /* control-flow enforcement of user mode */
#define MSR_S_CET          0x6a2 /* control-flow enforcement of the kernel */
#define MSR_TSC_DEADLINE   0x6e0
#define MSR_X2APIC         0x800 /* registers of the local APIC: number n is 0xn0 in memory */
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_CSTAR          0xc0000083
#define MSR_FMASK          0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX        0xc0000103

#define MSR_VMX_BASIC      0x480 /* VMX capabilities (SDM 3D, appendix A) */
#define MSR_VMX_CTRL1      0x48b
#define MSR_VMX_EPT        0x48c
#define MSR_VMX_TRUE_PIN   0x48d
#define MSR_VMX_TRUE_CTRL0 0x48e
#define MSR_VMX_TRUE_EXIT  0x48f
#define MSR_VMX_TRUE_ENTRY 0x490

#define ARCH_CAPS_RDCL_NO        0x1
#define ARCH_CAPS_IBRS_ALL       0x2
#define ARCH_CAPS_RSBA           0x4
#define ARCH_CAPS_SKIP_L1D       0x8
#define ARCH_CAPS_SSB_NO         0x10
#define ARCH_CAPS_MDS_NO         0x20
#define ARCH_CAPS_PSCHANGE_MC_NO 0x40
#define ARCH_CAPS_TAA_NO         0x100
#define ARCH_CAPS_MMIO_NO        0xe000 /* SBDR_SSDP_NO, FBSDP_NO, PSDP_NO */
#define ARCH_CAPS_FB_CLEAR       0x20000
#define ARCH_CAPS_FB_CLEAR_CTRL  0x40000
#define ARCH_CAPS_BHI_NO         0x100000
#define ARCH_CAPS_GDS_CTRL       0x2000000
#define ARCH_CAPS_GDS_NO         0x4000000
#define ARCH_CAPS_RFDS_NO        0x8000000
#define ARCH_CAPS_RFDS_CLEAR     0x10000000
#define ARCH_CAPS_ITS_NO         (1ull << 62)

#define SPEC_CTRL_IBRS    0x1
#define SPEC_CTRL_BHI_DIS 0x400
#define PRED_CMD_IBPB     0x1
#define FLUSH_CMD_L1D     0x1

#define CET_ENDBR 0x4 /* U_CET, S_CET: indirect branches must reach ENDBR */

#define MCG_STATUS_IN_PROGRESS 0x4

#define FEATURE_CTRL_LOCKED 0x1
#define FEATURE_CTRL_VMX    0x4

#define MSR_MCU_OPT_CTRL 0x123 /* Intel */

/* Bits that switch treatments of the microcode off. GDS_OFF may be locked. */
#define MCU_OPT_SRBDS_OFF 0x1
#define MCU_OPT_VERW_OFF  0x8
#define MCU_OPT_GDS_OFF   0x10
#define MCU_OPT_OFF       (MCU_OPT_SRBDS_OFF | MCU_OPT_VERW_OFF | MCU_OPT_GDS_OFF)

#define MSR_HYPERV_TSC_HZ 0x40000022

#define MSR_LS_CFG 0xc0011020 /* AMD */
#define MSR_DC_CFG 0xc0011022 /* AMD */
#define MSR_DE_CFG 0xc0011029 /* AMD */

#define DC_CFG_CONTAIN_MATCHES ((uint64_t)1 << 47) /* family 10h: part of erratum 383 */

#define LS_CFG_NO_HANG 0x8000 /* family 16h: treats erratum 793 */

#define DE_CFG_KEEP_UPPER 0x200 /* Zen 2: treats Zenbleed (AMD-SB-7008) */

#define MSR_VM_CR       0xc0010114
#define MSR_VM_HSAVE_PA 0xc0010117

#define VM_CR_SVMDIS 0x10

#define APIC_BASE_ENABLE 0x800
#define APIC_BASE_X2APIC 0x400

#define PAT_DEFAULT 0x0007040600070406 /* value after reset (SDM 3A, 11.12.4) */

#define EFER_SCE       0x1
#define EFER_LME       0x100
#define EFER_LMA       0x400
#define EFER_NXE       0x800
#define EFER_SVME      0x1000
#define EFER_AUTO_IBRS 0x200000 /* AMD */

#define CR0_PE 0x1
#define CR0_MP 0x2
#define CR0_TS 0x8
#define CR0_ET 0x10
#define CR0_NE 0x20
#define CR0_WP 0x10000
#define CR0_AM 0x40000
#define CR0_NW 0x20000000
#define CR0_CD 0x40000000
#define CR0_PG 0x80000000

#define CR4_PAE        0x20
#define CR4_MCE        0x40
#define CR4_PGE        0x80
#define CR4_OSFXSR     0x200
#define CR4_OSXMMEXCPT 0x400
#define CR4_UMIP       0x800
#define CR4_VMXE       0x2000
#define CR4_PCIDE      0x20000
#define CR4_OSXSAVE    0x40000
#define CR4_SMEP       0x100000
#define CR4_SMAP       0x200000
#define CR4_CET        0x800000

#define XCR0_X87_SSE 0x3

/* Values of the debug registers while the kernel does not use them. */
#define DR6_CLEAR 0xffff0ff0
#define DR7_CLEAR 0x400

#define FLAG_TF       0x100
#define FLAG_IF       0x200
#define FLAG_DF       0x400
#define FLAG_IOPL     0x3000
#define FLAG_NT       0x4000
#define FLAG_RF       0x10000
#define FLAG_VM       0x20000
#define FLAG_AC       0x40000
#define FLAG_ID       0x200000
#define FLAG_RESERVED 0x2 /* always set */

#define FLAGS_ARITHMETIC 0x8d5
/* Flags that a thread may change for itself. */
#define FLAGS_OF_USER (FLAGS_ARITHMETIC | FLAG_TF | FLAG_DF | FLAG_AC | FLAG_ID | FLAG_RF)

#endif
