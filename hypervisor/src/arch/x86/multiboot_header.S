/* SPDX-License-Identifier: BSD-2-Clause */
/* The headers by which boot loaders recognise a kernel, for both versions of multiboot. */

#define MAGIC 0x1badb002
#define FLAGS 0x3                 /* requests page-aligned modules and memory sizes */

/* Version 2: tags are aligned to 8 bytes. A loader ignores optional tags that it does not know. */
#define MAGIC2       0xe85250d6
#define PROTECTED_32 0
#define LENGTH2      (end2 - header2)
#define OPTIONAL     1
#define TAG_END      0
#define TAG_REQUEST  1
#define TAG_ALIGN    6

        .section .boot.header, "ax"
        .balign 8
header2:
        .long   MAGIC2, PROTECTED_32, LENGTH2, -(MAGIC2 + PROTECTED_32 + LENGTH2)
        .short  TAG_REQUEST, OPTIONAL
        .long   28
        .long   1, 3, 6, 14, 15         /* command line, modules, memory map, ACPI old and new */
        .long   0                       /* tags are aligned */
        .short  TAG_ALIGN, OPTIONAL
        .long   8
        .short  TAG_END, 0
        .long   8
end2:

        .long   MAGIC, FLAGS, -(MAGIC + FLAGS)
