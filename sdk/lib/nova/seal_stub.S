/* SPDX-License-Identifier: BSD-2-Clause */
/* The entry stub of a sealed image, at the address 0x8400. A normal VM begins here in protected
 * mode without paging, with flat segments of 4 GiB and interrupts off, and asks the ultravisor to
 * make it secure. That call returns only if it fails: the stub then reports the cause and the
 * status on the serial port COM1, and halts. seal_image.py contains the assembled bytes of the
 * stub. A test compares them with this source. */

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

        /* Prints the text, then the cause in the table's entry for the status in EAX. The last
         * entry is for any other status, which is printed after it as eight hexadecimal digits. */
2:      mov     %eax, %ebp
        mov     $START_PAGE + 0x400 + text - _start, %esi
        mov     $COM1, %dx
3:      lodsb
        test    %al, %al
        jz      4f
        out     %al, %dx
        jmp     3b
4:      lodsb
        movsbl  %al, %ebx
        test    %ebx, %ebx
        jz      6f
        cmp     %ebx, %ebp
        je      6f
5:      lodsb
        test    %al, %al
        jnz     5b
        jmp     4b
6:      lodsb
        test    %al, %al
        jz      7f
        out     %al, %dx
        jmp     6b
7:      test    %ebx, %ebx
        jnz     9f
        mov     $8, %ecx
8:      rol     $4, %ebp
        mov     %ebp, %eax
        and     $15, %al
        cmp     $10, %al
        sbb     $0x69, %al
        das
        out     %al, %dx
        loop    8b
        mov     $'.', %al
        out     %al, %dx
        mov     $'\n', %al
        out     %al, %dx
9:      hlt
        jmp     9b

        .macro  status value, cause, name
        .byte   \value
        .ascii  "\cause"
        .asciz  " (UV_ESM returned \name).\n"
        .endm

text:   .asciz  "The VM cannot become secure: "
        status  -11, "the ultravisor refuses its image", "U_PERMISSION"
        status  -76, "the image is not sealed for this machine", "U_NO_KEY"
        status  -2, "its monitor cannot use the ultravisor", "U_FUNCTION"
        status  9, "the ultravisor's report has the reason", "U_RETRY"
        status  -4, "there is no blob at the given address", "U_PARAMETER"
        status  -55, "the boot parameters are not at the given address", "U_P2"
        status  -75, "its state does not allow it", "U_INVALID"
        .byte   0
        .asciz  "UV_ESM returned 0x"
