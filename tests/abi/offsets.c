/* SPDX-License-Identifier: BSD-2-Clause */
/* Every offset and number of the binary interface, written a second time from the specification. */
#include "nova/nova.h"

#define WIDTH(value32, value64) (sizeof(nova_word_t) == 8 ? (value64) : (value32))
#define STATE(field, offset32, offset64)                                    \
        _Static_assert(offsetof(struct nova_utcb, state.field) ==           \
                               WIDTH(0x10 + (offset32), 0x20 + (offset64)), \
                       #field)
#define EQUAL(a, b) _Static_assert((a) == (b), #a)

/* Header of the UTCB, spec 4.6 */
EQUAL(offsetof(struct nova_utcb, items), 0);
EQUAL(offsetof(struct nova_utcb, translate_window), WIDTH(0x4, 0x8));
EQUAL(offsetof(struct nova_utcb, delegate_window), WIDTH(0x8, 0x10));
EQUAL(offsetof(struct nova_utcb, tls), WIDTH(0xc, 0x18));
EQUAL(offsetof(struct nova_utcb, word), WIDTH(0x10, 0x20));
EQUAL(NOVA_UTCB_WORDS, WIDTH(1020, 508));
EQUAL(NOVA_UTCB_TYPED_MAX, WIDTH(510, 254));
EQUAL(sizeof(struct nova_utcb_state), WIDTH(0x120, 0x1c0));

/* State of events, spec 7.3 and 8.3 */
STATE(mtd, 0x0, 0x0);
STATE(inst_len, 0x4, 0x8);
STATE(ip, 0x8, 0x10);
STATE(flags, 0xc, 0x18);
STATE(intr_state, 0x10, 0x20);
STATE(actv_state, 0x14, 0x24);
STATE(inj_info, 0x18, 0x28);
STATE(inj_error, 0x1c, 0x2c);
STATE(ax, 0x20, 0x30);
STATE(cx, 0x24, 0x38);
STATE(dx, 0x28, 0x40);
STATE(bx, 0x2c, 0x48);
STATE(sp, 0x30, 0x50);
STATE(bp, 0x34, 0x58);
STATE(si, 0x38, 0x60);
STATE(di, 0x3c, 0x68);
STATE(qual[0], 0x40, 0xb0);
STATE(qual[1], 0x48, 0xb8);
STATE(ctrl[0], 0x50, 0xc0);
STATE(ctrl[1], 0x54, 0xc4);
STATE(tsc_offset, 0x58, 0xc8);
STATE(cr0, 0x60, 0xd0);
STATE(cr2, 0x64, 0xd8);
STATE(cr3, 0x68, 0xe0);
STATE(cr4, 0x6c, 0xe8);
STATE(dr7, 0x70, 0x100);
STATE(sysenter_cs, 0x74, 0x108);
STATE(sysenter_sp, 0x78, 0x110);
STATE(sysenter_ip, 0x7c, 0x118);
STATE(es, 0x80, 0x120);
STATE(cs, 0x90, 0x130);
STATE(ss, 0xa0, 0x140);
STATE(ds, 0xb0, 0x150);
STATE(fs, 0xc0, 0x160);
STATE(gs, 0xd0, 0x170);
STATE(ldtr, 0xe0, 0x180);
STATE(tr, 0xf0, 0x190);
STATE(gdtr, 0x100, 0x1a0);
STATE(idtr, 0x110, 0x1b0);

/* Segment descriptor */
EQUAL(offsetof(struct nova_segment, sel), 0);
EQUAL(offsetof(struct nova_segment, ar), 2);
EQUAL(offsetof(struct nova_segment, limit), 4);
EQUAL(offsetof(struct nova_segment, base), 8);

/* Hypervisor information page, spec 6.2 */
EQUAL(offsetof(struct nova_hip, signature), 0x0);
EQUAL(offsetof(struct nova_hip, checksum), 0x4);
EQUAL(offsetof(struct nova_hip, length), 0x6);
EQUAL(offsetof(struct nova_hip, cpu_offset), 0x8);
EQUAL(offsetof(struct nova_hip, cpu_size), 0xa);
EQUAL(offsetof(struct nova_hip, mem_offset), 0xc);
EQUAL(offsetof(struct nova_hip, mem_size), 0xe);
EQUAL(offsetof(struct nova_hip, features), 0x10);
EQUAL(offsetof(struct nova_hip, version), 0x14);
EQUAL(offsetof(struct nova_hip, sel), 0x18);
EQUAL(offsetof(struct nova_hip, exc), 0x1c);
EQUAL(offsetof(struct nova_hip, vmi), 0x20);
EQUAL(offsetof(struct nova_hip, gsi), 0x24);
EQUAL(offsetof(struct nova_hip, page_sizes), 0x28);
EQUAL(offsetof(struct nova_hip, utcb_sizes), 0x2c);
EQUAL(offsetof(struct nova_hip, tsc_khz), 0x30);
EQUAL(offsetof(struct nova_hip, bus_khz), 0x34);
EQUAL(offsetof(struct nova_hip, cpu), 0x38);
EQUAL(offsetof(struct nova_hip, mem), 0x238);
EQUAL(sizeof(struct nova_hip_cpu), 8);
EQUAL(sizeof(struct nova_hip_mem), 24);
EQUAL(offsetof(struct nova_hip_mem, size), 8);
EQUAL(offsetof(struct nova_hip_mem, type), 16);
EQUAL(offsetof(struct nova_hip_mem, aux), 20);
EQUAL(offsetof(struct nova_log, written), 0);
EQUAL(offsetof(struct nova_log, size), 4);
EQUAL(offsetof(struct nova_log, offset), 8);
EQUAL(offsetof(struct nova_boot, size), 0);
EQUAL(offsetof(struct nova_boot, tsc_start), 8);
EQUAL(offsetof(struct nova_boot, tsc_zero), 16);
EQUAL(offsetof(struct nova_boot, tsc_root), 24);
EQUAL(offsetof(struct nova_boot, loader), 32);
EQUAL(offsetof(struct nova_boot, flaws), 96);
EQUAL(offsetof(struct nova_boot, treated), 100);
EQUAL(sizeof(struct nova_boot), 104);
EQUAL(NOVA_HIP_SIGNATURE, 0x41564f4e);

/* Numbers of hypercalls and status codes, spec 5.1, 7.5, 8.5 */
EQUAL(NOVA_CALL, 0x0);
EQUAL(NOVA_REPLY, 0x1);
EQUAL(NOVA_CREATE_PD, 0x2);
EQUAL(NOVA_CREATE_EC, 0x3);
EQUAL(NOVA_CREATE_SC, 0x4);
EQUAL(NOVA_CREATE_PT, 0x5);
EQUAL(NOVA_CREATE_SM, 0x6);
EQUAL(NOVA_REVOKE, 0x7);
EQUAL(NOVA_LOOKUP, 0x8);
EQUAL(NOVA_EC_CTRL, 0x9);
EQUAL(NOVA_SC_CTRL, 0xa);
EQUAL(NOVA_SM_CTRL, 0xb);
EQUAL(NOVA_ASSIGN_PCI, 0xc);
EQUAL(NOVA_ASSIGN_GSI, 0xd);
EQUAL(NOVA_SUCCESS, 0);
EQUAL(NOVA_COM_TIM, 1);
EQUAL(NOVA_COM_ABT, 2);
EQUAL(NOVA_BAD_HYP, 3);
EQUAL(NOVA_BAD_CAP, 4);
EQUAL(NOVA_BAD_PAR, 5);
EQUAL(NOVA_BAD_FTR, 6);
EQUAL(NOVA_BAD_CPU, 7);
EQUAL(NOVA_BAD_DEV, 8);

/* Message transfer descriptor, spec 7.4 */
EQUAL(NOVA_MTD_ACDB, 1 << 0);
EQUAL(NOVA_MTD_BSD, 1 << 1);
EQUAL(NOVA_MTD_ESP, 1 << 2);
EQUAL(NOVA_MTD_EIP, 1 << 3);
EQUAL(NOVA_MTD_EFL, 1 << 4);
EQUAL(NOVA_MTD_DS_ES, 1 << 5);
EQUAL(NOVA_MTD_FS_GS, 1 << 6);
EQUAL(NOVA_MTD_CS_SS, 1 << 7);
EQUAL(NOVA_MTD_TR, 1 << 8);
EQUAL(NOVA_MTD_LDTR, 1 << 9);
EQUAL(NOVA_MTD_GDTR, 1 << 10);
EQUAL(NOVA_MTD_IDTR, 1 << 11);
EQUAL(NOVA_MTD_CR, 1 << 12);
EQUAL(NOVA_MTD_DR, 1 << 13);
EQUAL(NOVA_MTD_SYS, 1 << 14);
EQUAL(NOVA_MTD_QUAL, 1 << 15);
EQUAL(NOVA_MTD_CTRL, 1 << 16);
EQUAL(NOVA_MTD_INJ, 1 << 17);
EQUAL(NOVA_MTD_STA, 1 << 18);
EQUAL(NOVA_MTD_TSC, 1 << 19);

/* Root PD, spec 6.1.2 */
EQUAL(NOVA_SEL_ROOT_PD, 32);
EQUAL(NOVA_SEL_ROOT_EC, 33);
EQUAL(NOVA_SEL_ROOT_SC, 34);
EQUAL(NOVA_ROOT_HIP, WIDTH(0xbffff000, 0x00007fffffffe000));
EQUAL(NOVA_ROOT_UTCB, WIDTH(0xbfffe000, 0x00007fffffffd000));

/* Events, spec 7.2 */
EQUAL(NOVA_EXC_PF, 0xe);
EQUAL(NOVA_EXC_STARTUP, 0x1e);
EQUAL(NOVA_EXC_RECALL, 0x1f);
EQUAL(NOVA_VMX_EPT_VIOLATION, 0x30);
EQUAL(NOVA_SVM_NPT_FAULT, 0xfc);
EQUAL(NOVA_SVM_INVALID_GUEST_STATE, 0xfd);
EQUAL(NOVA_SVM_CR_READ, 0x00);
EQUAL(NOVA_SVM_CR_WRITE, 0x10);
EQUAL(NOVA_SVM_DR_READ, 0x20);
EQUAL(NOVA_SVM_DR_WRITE, 0x30);
EQUAL(NOVA_SVM_EXCEPTION, 0x40);
EQUAL(NOVA_SVM_CPUID, 0x72);
EQUAL(NOVA_VMX_CPUID, 0xa);
EQUAL(NOVA_VMX_INVALID_GUEST_STATE, 0x21);
EQUAL(NOVA_VMX_TDCALL, 0x4d);

/* Injection info, spec 7.3 and 8.3; APM 2, 15.20; SDM 3C, 24.8.3 */
EQUAL(NOVA_INJ_VECTOR, 0xff);
EQUAL(NOVA_INJ_TYPE, 7 << 8);
EQUAL(NOVA_INJ_INTERRUPT, 0 << 8);
EQUAL(NOVA_INJ_NMI, 2 << 8);
EQUAL(NOVA_INJ_EXCEPTION, 3 << 8);
EQUAL(NOVA_INJ_SOFTWARE_INTERRUPT, 4 << 8);
EQUAL(NOVA_INJ_INT1, 5 << 8);
EQUAL(NOVA_INJ_SOFTWARE_EXCEPTION, 6 << 8);
EQUAL(NOVA_INJ_ERROR, 1 << 11);
EQUAL(NOVA_INJ_WINDOW, 1 << 12);
EQUAL(NOVA_INJ_NMI_WINDOW, 1 << 13);
EQUAL(NOVA_INJ_CR8_WINDOW, 1 << 14);
EQUAL(NOVA_INJ_STEP, 1 << 15);
EQUAL(NOVA_INJ_VALID, 1u << 31);
EQUAL(NOVA_INJ_EVENT, 0x80000fff);
EQUAL(NOVA_STA_STI, 1);
EQUAL(NOVA_STA_SS, 2);
EQUAL(NOVA_STA_NMI, 8);
EQUAL(NOVA_ACTIVITY_RUNS, 0);
EQUAL(NOVA_ACTIVITY_HALTED, 1);

/* Execution controls: APM 2, B; SDM 3C, 24.6. */
EQUAL(NOVA_SVM_CTRL0_INTR, 1u << 0);
EQUAL(NOVA_SVM_CTRL0_NMI, 1u << 1);
EQUAL(NOVA_SVM_CTRL0_INIT, 1u << 3);
EQUAL(NOVA_SVM_CTRL0_VINTR, 1u << 4);
EQUAL(NOVA_SVM_CTRL0_RDPMC, 1u << 15);
EQUAL(NOVA_SVM_CTRL0_CPUID, 1u << 18);
EQUAL(NOVA_SVM_CTRL0_IRET, 1u << 20);
EQUAL(NOVA_SVM_CTRL0_INVD, 1u << 22);
EQUAL(NOVA_SVM_CTRL0_HLT, 1u << 24);
EQUAL(NOVA_SVM_CTRL0_INVLPGA, 1u << 26);
EQUAL(NOVA_SVM_CTRL0_IO, 1u << 27);
EQUAL(NOVA_SVM_CTRL0_MSR, 1u << 28);
EQUAL(NOVA_SVM_CTRL0_TASK, 1u << 29);
EQUAL(NOVA_SVM_CTRL0_SHUTDOWN, 1u << 31);
EQUAL(NOVA_SVM_CTRL1_VMMCALL, 1u << 1);
EQUAL(NOVA_SVM_CTRL1_STGI, 1u << 4);
EQUAL(NOVA_SVM_CTRL1_WBINVD, 1u << 9);
EQUAL(NOVA_SVM_CTRL1_MONITOR, 1u << 10);
EQUAL(NOVA_SVM_CTRL1_MWAIT, 1u << 11);
EQUAL(NOVA_VMX_CTRL0_WINDOW, 1u << 2);
EQUAL(NOVA_VMX_CTRL0_TSC_OFFSET, 1u << 3);
EQUAL(NOVA_VMX_CTRL0_HLT, 1u << 7);
EQUAL(NOVA_VMX_CTRL0_MWAIT, 1u << 10);
EQUAL(NOVA_VMX_CTRL0_RDPMC, 1u << 11);
EQUAL(NOVA_VMX_CTRL0_RDTSC, 1u << 12);
EQUAL(NOVA_VMX_CTRL0_NMI_WINDOW, 1u << 22);
EQUAL(NOVA_VMX_CTRL0_DR, 1u << 23);
EQUAL(NOVA_VMX_CTRL0_IO, 1u << 24);
EQUAL(NOVA_VMX_CTRL0_TRAP, 1u << 27);
EQUAL(NOVA_VMX_CTRL0_MONITOR, 1u << 29);
EQUAL(NOVA_VMX_CTRL0_PAUSE, 1u << 30);
EQUAL(NOVA_VMX_CTRL0_SECONDARY, 1u << 31);
EQUAL(NOVA_VMX_CTRL1_EPT, 1u << 1);
EQUAL(NOVA_VMX_CTRL1_TABLES, 1u << 2);
EQUAL(NOVA_VMX_CTRL1_RDTSCP, 1u << 3);
EQUAL(NOVA_VMX_CTRL1_VPID, 1u << 5);
EQUAL(NOVA_VMX_CTRL1_WBINVD, 1u << 6);
EQUAL(NOVA_VMX_CTRL1_UNRESTRICTED, 1u << 7);
EQUAL(NOVA_VMX_CTRL1_RDRAND, 1u << 11);
EQUAL(NOVA_VMX_CTRL1_INVPCID, 1u << 12);
EQUAL(NOVA_VMX_CTRL1_VMFUNC, 1u << 13);
EQUAL(NOVA_VMX_CTRL1_RDSEED, 1u << 16);
EQUAL(NOVA_VMX_CTRL0_CR8, 3u << 19);
