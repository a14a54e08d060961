# SPDX-License-Identifier: BSD-2-Clause
"""What the kit changes in newlib's source: (file, what stands there once, what takes its place)."""

STDIO = "newlib/libc/stdio/"

PATCHES = (
    # longjmp(buffer, 0) makes setjmp() return 1.
    (
        "newlib/libc/machine/x86_64/setjmp.S",
        "  movq    rsi, rax        /* Return value */\n",
        "  movl    esi, eax\n  cmpl    $1, eax\n  adcl    $0, eax\n",
    ),
    # The small printf knows all length modifiers, not only h and l, and prints (null).
    (STDIO + "nano-vfprintf_local.h", "#define quad_t long\n", "#define quad_t long long\n"),
    (
        STDIO + "nano-vfprintf_local.h",
        "#define u_quad_t unsigned long\n",
        "#define u_quad_t unsigned long long\n",
    ),
    (STDIO + "nano-vfprintf_local.h", "#define QUADINT\t\tLONGINT\n", "#define QUADINT\t\t0x200\n"),
    (STDIO + "nano-vfprintf_local.h", "# define CHARINT\t0\n", "# define CHARINT\t0x800\n"),
    (
        STDIO + "nano-vfprintf_local.h",
        "#define\tSARG(flags) \\\n\t(flags&LONGINT ? GET_ARG (N, (*ap), long) : \\\n"
        "\t    flags&SHORTINT ? (long)(short)GET_ARG (N, (*ap), int) : \\\n"
        "\t    flags&CHARINT ?",
        "#define\tSARG(flags) \\\n\t(flags&QUADINT ? GET_ARG (N, (*ap), quad_t) : \\\n"
        "\t    flags&LONGINT ? GET_ARG (N, (*ap), long) : \\\n"
        "\t    (flags&(SHORTINT|CHARINT)) == SHORTINT ? (short)GET_ARG (N, (*ap), int) : \\\n"
        "\t    flags&CHARINT ?",
    ),
    (
        STDIO + "nano-vfprintf_local.h",
        "#define\tUARG(flags) \\\n\t(flags&LONGINT ? GET_ARG (N, (*ap), u_long) : \\\n"
        "\t    flags&SHORTINT ? (u_long)(u_short)GET_ARG (N, (*ap), int) : \\\n"
        "\t    flags&CHARINT ?",
        "#define\tUARG(flags) \\\n\t(flags&QUADINT ? GET_ARG (N, (*ap), u_quad_t) : \\\n"
        "\t    flags&LONGINT ? GET_ARG (N, (*ap), u_long) : \\\n"
        "\t    (flags&(SHORTINT|CHARINT)) == SHORTINT ? (u_short)GET_ARG (N, (*ap), int) : \\\n"
        "\t    flags&CHARINT ?",
    ),
    (
        STDIO + "nano-vfprintf.c",
        '      flag_chars = "hlL";\n      if ((cp = memchr (flag_chars, *fmt, 3)) != NULL)\n'
        "\t{\n\t  prt_data.flags |= (SHORTINT << (cp - flag_chars));\n\t  fmt++;\n\t}\n",
        "      for (;; fmt++)\n\t{\n\t  if (*fmt == 'h')\n"
        "\t    prt_data.flags |= prt_data.flags & SHORTINT ? CHARINT : SHORTINT;\n"
        "\t  else if (*fmt == 'l')\n"
        "\t    prt_data.flags |= prt_data.flags & LONGINT ? QUADINT : LONGINT;\n"
        "\t  else if (*fmt == 'L')\n\t    prt_data.flags |= LONGDBL | QUADINT;\n"
        "\t  else if (*fmt == 'j')\n\t    prt_data.flags |= QUADINT;\n"
        "\t  else if (*fmt == 'z' || *fmt == 't')\n\t    prt_data.flags |= LONGINT;\n"
        "\t  else\n\t    break;\n\t}\n",
    ),
    (STDIO + "nano-vfprintf_i.c", "if ((long) _uquad < 0)", "if ((quad_t) _uquad < 0)"),
    (
        STDIO + "nano-vfprintf_i.c",
        "      cp = GET_ARG (N, *ap, char_ptr_t);\n",
        '      cp = GET_ARG (N, *ap, char_ptr_t);\n      if (!cp)\n\tcp = "(null)";\n',
    ),
    # So does the small scanf.
    (
        STDIO + "nano-vfscanf.c",
        '      p = "hlL";\n      if ((cp = memchr (p, *fmt, 3)) != NULL) {\n'
        "\tscan_data.flags |= (SHORT << (cp - p));\n\tfmt++;\n      }\n",
        "      for (;; fmt++)\n\t{\n\t  if (*fmt == 'h')\n"
        "\t    scan_data.flags |= scan_data.flags & SHORT ? CHAR : SHORT;\n"
        "\t  else if (*fmt == 'l')\n"
        "\t    scan_data.flags |= scan_data.flags & LONG ? LONGDBL : LONG;\n"
        "\t  else if (*fmt == 'L' || *fmt == 'j')\n\t    scan_data.flags |= LONGDBL;\n"
        "\t  else if (*fmt == 'z' || *fmt == 't')\n\t    scan_data.flags |= LONG;\n"
        "\t  else\n\t    break;\n\t}\n",
    ),
    (
        STDIO + "nano-vfscanf_i.c",
        "      else if (pdata->flags & SHORT)\n",
        "      else if (pdata->flags & LONGDBL)\n"
        "\t*GET_ARG (N, *ap, long long *) = pdata->code == CT_INT\n"
        "\t  ? _strtoll_r (rptr, pdata->buf, (char **) NULL, pdata->base)\n"
        "\t  : (long long) _strtoull_r (rptr, pdata->buf, (char **) NULL, pdata->base);\n"
        "      else if (pdata->flags & CHAR)\n\t*GET_ARG (N, *ap, char *) = ul;\n"
        "      else if (pdata->flags & SHORT)\n",
    ),
    # Numbers with a point are printed and read without being asked for when a program is linked.
    (
        STDIO + "nano-vfprintf_local.h",
        "\t       va_list *ap) _ATTRIBUTE((__weak__));\n",
        "\t       va_list *ap);\n",
    ),
    (
        STDIO + "nano-vfscanf_local.h",
        "FILE *fp, va_list *ap) _ATTRIBUTE((__weak__));\n",
        "FILE *fp, va_list *ap);\n",
    ),
)
