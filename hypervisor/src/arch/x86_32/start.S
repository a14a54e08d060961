/* SPDX-License-Identifier: BSD-2-Clause */
/* From the boot loader, or an AP's trampoline, to C code with PAE paging. */
#include "arch/x86/start.inc"

        .section .boot, "ax"

        start_of_boot_cpu

        /* The first GiB of memory, mapped at 0 and at IMAGE_OFFSET with pages of 2 MiB. */
        movl    $PHYS(early_pd) + 1, PHYS(early_root)
        movl    $PHYS(early_pd) + 1, PHYS(early_root) + 3 * 8
        fill_early_pd

start_paging:                           /* EDI: 0 on an AP */
        load_early_root
        mov     $0x80000000, %eax
        cpuid
        cmp     $0x80000001, %eax
        jb      1f
        mov     $0x80000001, %eax
        cpuid
        bt      $20, %edx               /* NX */
        jnc     1f
        mov     $MSR_EFER, %ecx
        rdmsr
        or      $EFER_NXE, %eax
        wrmsr
1:      mov     $CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG, %eax
        mov     %eax, %cr0
        lgdt    boot_gdt_pointer
        ljmp    $SEL_CODE, $start_high

/* This width needs no other features. Returns for start_check. */
        .globl start_check_mode
start_check_mode:
        ret

        start_of_ap

        .balign 8
        .globl boot_gdt
boot_gdt:
        .quad   0
        .quad   0x00cf9b000000ffff      /* code */
        .quad   0x00cf93000000ffff      /* data */
        .quad   0x00cf9b000000ffff      /* code, for the trampoline */
boot_gdt_pointer:
        .word   . - boot_gdt - 1
        .long   boot_gdt

        .text
start_high:
        mov     $SEL_DATA, %eax
        mov     %eax, %ss
        mov     %eax, %ds
        mov     %eax, %es
        xor     %ebp, %ebp
        test    %edi, %edi
        jz      1f
        mov     $boot_stack_top, %esp
        mov     %edi, %eax
        mov     %esi, %edx
        call    boot_main

1:      check_no_execute
        find_own_number %edi
        mov     kernel_root_phys, %eax
        mov     %eax, %cr3
        imul    $CPU_BLOCK_SIZE, %edi, %esp
        add     $CPU_BASE + CPU_STACK_TOP, %esp
        mov     %edi, %eax
        call    ap_main
2:      cli
        hlt
        jmp     2b

        .section .bss.page, "aw", @nobits
        .balign 4096
        .globl early_root
early_root:
        .skip   4096
early_pd:
        .skip   4096
        .globl boot_stack, boot_stack_top
boot_stack:
        .skip   4096
boot_stack_top:
