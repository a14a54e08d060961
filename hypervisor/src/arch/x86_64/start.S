/* SPDX-License-Identifier: BSD-2-Clause */
/* From the boot loader, or an AP's trampoline, to C code with paging in long mode. */
#include "arch/x86/start.inc"

        .section .boot, "ax"
        .code32

        start_of_boot_cpu

        /* The first GiB of memory, mapped at 0 and at IMAGE_OFFSET with pages of 2 MiB. */
        movl    $PHYS(early_pdpt) + 3, PHYS(early_root)
        movl    $PHYS(early_pdpt) + 3, PHYS(early_root) + 511 * 8
        movl    $PHYS(early_pd) + 3, PHYS(early_pdpt)
        movl    $PHYS(early_pd) + 3, PHYS(early_pdpt) + 510 * 8
        fill_early_pd

start_paging:                           /* EDI: 0 on an AP */
        load_early_root
        mov     $0x80000001, %eax
        cpuid
        and     $1 << 20, %edx          /* NX; its EFER bit is 9 lower */
        shr     $9, %edx
        mov     %edx, %ebp
        mov     $MSR_EFER, %ecx
        rdmsr
        or      $EFER_LME, %eax
        or      %ebp, %eax
        wrmsr
        mov     $CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG, %eax
        mov     %eax, %cr0
        lgdt    boot_gdt_pointer
        ljmp    $SEL_CODE, $1f

        .code64
1:      mov     $SEL_DATA, %eax
        mov     %eax, %ss
        mov     %eax, %ds
        mov     %eax, %es
        movabs  $start_high, %rax
        jmp     *%rax

        .code32
/* Checks for long mode, which only this width needs. Returns for start_check. */
        .globl start_check_mode
start_check_mode:
        mov     $name_long_mode, %edx
        push    %edx
        mov     $0x80000000, %eax
        cpuid
        pop     %edx
        cmp     $0x80000001, %eax
        jb      lacking
        push    %edx
        mov     $0x80000001, %eax
        cpuid
        mov     %edx, %eax
        pop     %edx
        bt      $29, %eax
        jnc     lacking
        ret

        start_of_ap

name_long_mode:
        .asciz  "the 64-bit mode"

        .balign 8
        .globl boot_gdt
boot_gdt:
        .quad   0
        .quad   0x00af9b000000ffff      /* 64-bit code */
        .quad   0x00cf93000000ffff      /* data */
        .quad   0x00cf9b000000ffff      /* 32-bit code, for the trampoline */
boot_gdt_pointer:
        .word   . - boot_gdt - 1
        .long   boot_gdt

        .text
        .code64
start_high:
        xor     %ebp, %ebp
        test    %edi, %edi
        jz      1f
        mov     $boot_stack_top, %rsp
        call    boot_main

1:      check_no_execute
        find_own_number %rdi
        mov     kernel_root_phys, %rax
        mov     %rax, %cr3
        mov     %rdi, %rsp
        imul    $CPU_BLOCK_SIZE, %rsp
        add     $CPU_BASE + CPU_STACK_TOP, %rsp
        call    ap_main
2:      cli
        hlt
        jmp     2b

        .section .bss.page, "aw", @nobits
        .balign 4096
        .globl early_root
early_root:
        .skip   4096
early_pdpt:
        .skip   4096
early_pd:
        .skip   4096
        .globl boot_stack, boot_stack_top
boot_stack:
        .skip   4096
boot_stack_top:
