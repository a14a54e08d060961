/* SPDX-License-Identifier: BSD-2-Clause */
/* The entry stub of a sealed image, at the address 0x8400. A normal VM begins here in protected
 * mode without paging, with flat segments of 4 GiB and interrupts off, and asks the ultravisor to
 * make it secure. That call returns only if it fails: the stub then reports the status on the
 * serial port COM1, and halts. seal_image.py contains the assembled bytes of the stub. A test
 * compares them with this source. */

#define START_PAGE     0x8000
#define BLOB_ADDRESS   0x30 /* fields of the start page */
#define PARAMS_ADDRESS 0x40
#define UV_ESM         0xf110
#define COM1           0x3f8

        .code32
        .globl _start
_start:
        cli
        cld
        xor     %eax, %eax
        cpuid
        mov     START_PAGE + BLOB_ADDRESS, %esi
        mov     START_PAGE + PARAMS_ADDRESS, %ecx
        mov     $UV_ESM, %eax
        cmp     $0x68747541, %ebx /* AuthenticAMD */
        je      1f
        cmp     $0x6f677948, %ebx /* HygonGenuine */
        je      1f
        mov     %esi, %ebx
        vmcall
        jmp     2f
1:      mov     %esi, %ebx
        vmmcall

        /* The text, then the status in EAX as eight hexadecimal digits. */
2:      mov     %eax, %ebp
        mov     $START_PAGE + 0x400 + text - _start, %esi
        mov     $COM1, %dx
3:      lodsb
        test    %al, %al
        jz      4f
        out     %al, %dx
        jmp     3b
4:      mov     $8, %ecx
5:      rol     $4, %ebp
        mov     %ebp, %eax
        and     $15, %al
        cmp     $10, %al
        sbb     $0x69, %al
        das
        out     %al, %dx
        loop    5b
        mov     $'\n', %al
        out     %al, %dx
6:      hlt
        jmp     6b

text:   .asciz  "The VM cannot become secure: UV_ESM returned 0x"
