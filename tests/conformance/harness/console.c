/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial console at COM1 and the end of the run at port 0xf4. */
#include "harness.h"

#define COM1      0x3f8
#define COM1_LSR  (COM1 + 5)
#define LSR_EMPTY 0x20
#define EXIT_PORT 0xf4

static void outb(uint16_t port, uint8_t value)
{
        __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t inb(uint16_t port)
{
        uint8_t value;
        __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
        return value;
}

void console_init(void)
{
        outb(COM1 + 1, 0);    /* no interrupts */
        outb(COM1 + 3, 0x83); /* 115200 baud, 8N1 */
        outb(COM1 + 0, 1);
        outb(COM1 + 1, 0);
        outb(COM1 + 3, 0x03);
        outb(COM1 + 2, 0x07);
}

void console_char(char c)
{
        while (!(inb(COM1_LSR) & LSR_EMPTY))
                ;
        outb(COM1, (uint8_t)c);
}

void console_string(const char *s)
{
        for (; *s; s++) {
                if (*s == '\n')
                        console_char('\r');
                console_char(*s);
        }
}

void console_words(const char *s)
{
        for (; *s; s++)
                console_char(*s == '_' ? ' ' : *s);
}

void console_hex(word_t value)
{
        console_string("0x");
        bool started = false;
        for (unsigned shift = NOVA_WORD_BITS; shift != 0; shift -= 4) {
                const unsigned digit = value >> (shift - 4) & 0xf;
                started |= digit != 0 || shift == 4;
                if (started)
                        console_char("0123456789abcdef"[digit]);
        }
}

void console_dec(word_t value)
{
        char text[24];
        unsigned n = sizeof(text) - 1;
        text[n] = 0;
        do {
                text[--n] = (char)('0' + value % 10);
                value /= 10;
        } while (value);
        console_string(text + n);
}

_Noreturn void console_exit(unsigned status)
{
        outb(EXIT_PORT, (uint8_t)status);
        for (;;)
                __asm__ volatile("pause");
}
