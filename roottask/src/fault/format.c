/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats a fault report. A child may have filled it in, so none of its fields is trusted. */
#include <stdarg.h>

#include "nova/event.h"
#include "nova/format.h"
#include "novart/fault.h"

#define LINE_BYTES 128
#define NAME_BYTES (NOVA_FAULT_NAME + 1)

/* Bits of a page fault's error code. SDM 3A, 4.7 */
#define ERROR_PRESENT 0x1
#define ERROR_WRITE   0x2
#define ERROR_FETCH   0x10

struct line {
        char text[LINE_BYTES];
        unsigned length;
        nova_fault_line *put;
        void *context;
};

static void put_char(void *context, char c)
{
        struct line *line = context;

        if (line->length + 1 < LINE_BYTES)
                line->text[line->length++] = c;
}

static void add(struct line *line, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        nova_vformat(put_char, line, format, arguments);
        va_end(arguments);
}

static void end(struct line *line)
{
        line->text[line->length] = 0;
        line->put(line->context, line->text);
        line->length = 0;
}

/* Copies a name that may be unterminated or unprintable. */
static const char *clean(const char *from, char to[NAME_BYTES], const char *otherwise)
{
        unsigned i = 0;

        for (; i < NOVA_FAULT_NAME && from[i]; i++)
                to[i] = from[i] < ' ' || from[i] > '~' ? '?' : from[i];
        to[i] = 0;
        return i ? to : otherwise;
}

/* Returns a description of an event. The default is enough for the other events, because the report
 * also contains their names. */
static const char *explain(unsigned event)
{
        switch (event) {
        case NOVA_EXC_DE:
                return "division by zero or too large a quotient";
        case NOVA_EXC_DB:
                return "debug exception";
        case NOVA_EXC_BP:
                return "breakpoint";
        case NOVA_EXC_OF:
                return "overflow";
        case NOVA_EXC_BR:
                return "bound exceeded";
        case NOVA_EXC_UD:
                return "invalid instruction";
        case NOVA_EXC_NP:
                return "segment not present";
        case NOVA_EXC_SS:
                return "stack segment";
        case NOVA_EXC_GP:
                return "general protection";
        case NOVA_EXC_PF:
                return "page fault";
        case NOVA_EXC_MF:
                return "x87 floating-point error";
        case NOVA_EXC_AC:
                return "unaligned access";
        case NOVA_EXC_XM:
                return "SSE floating-point error";
        default:
                return "unexpected event";
        }
}

static void page_fault(struct line *line, const struct nova_fault_report *r)
{
        char region[NAME_BYTES];
        const char *name = clean(r->region, region, NULL);

        add(line, "  %s 0x%llx, %s",
            r->error & ERROR_FETCH   ? "execution at"
            : r->error & ERROR_WRITE ? "write to"
                                     : "read from",
            (unsigned long long)r->address,
            r->error & ERROR_PRESENT ? "not permitted" : "where nothing is mapped");
        if (name)
                add(line, " (in %s)", name);
        end(line);
}

static void head(struct line *line, const struct nova_fault_report *r)
{
        char program[NAME_BYTES], thread[NAME_BYTES];
        const char *who = clean(r->thread, thread, "(unknown)");

        add(line, "FAULT: program %s, thread %s, CPU %u: %s, %s",
            clean(r->program, program, "(unknown)"), who, r->cpu, nova_exception_name(r->event),
            explain(r->event));
        end(line);
        if (r->reason == NOVA_FAULT_STACK_OVERFLOW)
                add(line, "  stack overflow of thread %s", who);
        else if (r->reason == NOVA_FAULT_OUT_OF_MEMORY)
                add(line, "  out of memory: no page is left");
        else if (r->reason == NOVA_FAULT_IN_HANDLER)
                add(line, "  raised by the program's own handler of events");
        if (line->length)
                end(line);
        if (r->event == NOVA_EXC_PF)
                page_fault(line, r);
        else if (r->error)
                add(line, "  error code 0x%llx", (unsigned long long)r->error);
        if (line->length)
                end(line);
}

#define WIDTH ((int)sizeof(nova_word_t) * 2)

static void registers(struct line *line, const struct nova_fault_registers *g)
{
        add(line, "  ip %0*zx  sp %0*zx  bp %0*zx  flags %zx", WIDTH, g->ip, WIDTH, g->sp, WIDTH,
            g->bp, g->flags);
        end(line);
        add(line, "  ax %0*zx  bx %0*zx  cx %0*zx", WIDTH, g->ax, WIDTH, g->bx, WIDTH, g->cx);
        end(line);
        add(line, "  dx %0*zx  si %0*zx  di %0*zx", WIDTH, g->dx, WIDTH, g->si, WIDTH, g->di);
        end(line);
#if __SIZEOF_POINTER__ == 8
        add(line, "  r8 %016zx  r9 %016zx r10 %016zx", g->r8, g->r9, g->r10);
        end(line);
        add(line, " r11 %016zx r12 %016zx r13 %016zx", g->r11, g->r12, g->r13);
        end(line);
        add(line, " r14 %016zx r15 %016zx", g->r14, g->r15);
        end(line);
#endif
}

static void code(struct line *line, const struct nova_fault_report *r)
{
        const unsigned count = r->codes < NOVA_FAULT_CODE ? r->codes : NOVA_FAULT_CODE;

        if (!count)
                return;
        add(line, "  code");
        for (unsigned i = 0; i < count; i++)
                add(line, i == r->code_at ? " <%02x>" : " %02x", r->code[i]);
        end(line);
}

static void backtrace(struct line *line, const struct nova_fault_report *r,
                      const struct nova_symbols *symbols)
{
        const unsigned count = r->frames < NOVA_FAULT_FRAMES ? r->frames : NOVA_FAULT_FRAMES;

        for (unsigned i = 0; i < count; i++) {
                /* The address after a call, or after INT3 or INTO, may lie past the end of the
                 * function. */
                const bool after = i || r->event == NOVA_EXC_BP || r->event == NOVA_EXC_OF;
                struct nova_symbol symbol;

                add(line, "  #%u %0*zx", i, WIDTH, r->frame[i]);
                if (nova_symbols_find(symbols, r->frame[i] - after, &symbol))
                        add(line, " %s+0x%llx", symbol.name,
                            (unsigned long long)symbol.offset + after);
                end(line);
        }
}

void nova_fault_format(const struct nova_fault_report *report, const struct nova_symbols *symbols,
                       nova_fault_line *put, void *context)
{
        struct line line = {.length = 0, .put = put, .context = context};

        head(&line, report);
        registers(&line, &report->regs);
        code(&line, report);
        backtrace(&line, report, symbols);
}
