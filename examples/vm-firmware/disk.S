/* SPDX-License-Identifier: BSD-2-Clause */
/* The first two sectors of a disk. The firmware loads the first one. Its code loads the second one
 * with the firmware's service for disks, waits 10 ms with the service for time, and prints the text
 * with the service for serial ports. */

#define LOADED_AT 0x7c00
#define TEXT_AT   0x7e00

        .section .rodata
        .globl disk_begin, disk_end
        .balign 512
        .code16
disk_begin:
        xorw %ax, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movw $LOADED_AT, %sp
        movw $0x0201, %ax               /* read one sector, */
        movw $0x0002, %cx               /* the second one, */
        xorb %dh, %dh                   /* of the disk whose number is in DL, */
        movw $TEXT_AT, %bx              /* to this address */
        int $0x13
        jc 3f
        movb $0x86, %ah                 /* wait, which needs interrupts of the real-time clock, */
        xorw %cx, %cx
        movw $10000, %dx                /* for 10 ms */
        int $0x15
        jc 3f
        movw $TEXT_AT, %si
1:      lodsb
        testb %al, %al
        jz 2f
        movb $1, %ah                    /* send a byte */
        xorw %dx, %dx                   /* through the first serial port */
        int $0x14
        jmp 1b
2:      movw $0x604, %dx                /* ACPI: switch off */
        movw $0x3400, %ax
        outw %ax, %dx
3:      cli
        hlt
        jmp 3b

        .org disk_begin - disk_begin + 510
        .word 0xaa55
        .ascii "Booted from a disk by the firmware.\r\n"
        .byte 0
        .balign 512
disk_end:

        .section .note.GNU-stack, "", @progbits
