/* SPDX-License-Identifier: BSD-2-Clause */
/* A multiboot kernel of a few bytes: prints TEXT on COM1 and ends as END specifies. */
#define END_EXIT   0 /* writes VALUE to the exit device */
#define END_LOOP   1
#define END_RESET  2 /* by a triple fault */
#define END_POWER  3 /* switches the q35 machine off */
#define END_INPUT  4 /* prints its input until the input is VALUE, then exits with 0 */

        .set    MAGIC, 0x1badb002
        .set    FLAGS, 0x3

        .text
        .balign 4
        .long   MAGIC, FLAGS, -(MAGIC + FLAGS)

        .globl  _start
_start:
        mov     $0x3fb, %dx
        mov     $3, %al                 /* 8 bits per character */
        outb    %al, %dx
        mov     $text, %esi
1:
        lodsb
        test    %al, %al
        jz      2f
        mov     %al, %ah
4:
        mov     $0x3fd, %dx
        inb     %dx, %al
        test    $0x20, %al              /* can take a character */
        jz      4b
        mov     $0x3f8, %dx
        mov     %ah, %al
        outb    %al, %dx
        jmp     1b
2:
#if END == END_EXIT
        mov     $VALUE, %al
        outb    %al, $0xf4
#elif END == END_RESET
        lidt    no_table
        int3
#elif END == END_POWER
        mov     $0x604, %dx
        mov     $0x2000, %ax
        outw    %ax, %dx
#elif END == END_INPUT
5:
        mov     $0x3fd, %dx
        inb     %dx, %al
        test    $0x01, %al              /* has a character */
        jz      5b
        mov     $0x3f8, %dx
        inb     %dx, %al
        cmp     $VALUE, %al
        je      6f
        outb    %al, %dx
        jmp     5b
6:
        xor     %al, %al
        outb    %al, $0xf4
#endif
3:
        jmp     3b

        .data
no_table:
        .long   0, 0
text:
        .asciz  TEXT
