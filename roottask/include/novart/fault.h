/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of the program's threads. On a fault in lazy memory, the runtime maps a page. An event of
 * another kind that has no handler ends the thread or the program, after a report. */
#ifndef NOVART_FAULT_H
#define NOVART_FAULT_H

#include "nova/abi/utcb.h"
#include "novart/symbols.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Maximum numbers of code bytes, addresses and characters of a name in a report. */
#define NOVA_FAULT_CODE   16
#define NOVA_FAULT_FRAMES 24
#define NOVA_FAULT_NAME   24

/** Exit status of a child that an event ended: this value plus the event's number. */
#define NOVA_FAULT_STATUS 128

/** Result of nova_thread_join() for a thread of a root that an event ended. */
#define NOVA_FAULT_RESULT ((void *)-1)

/** Reasons why an event could not be handled. */
enum nova_fault_reason {
        NOVA_FAULT_UNHANDLED,      /**< the event has no handler */
        NOVA_FAULT_STACK_OVERFLOW, /**< the address lies in the guard page of a stack */
        NOVA_FAULT_OUT_OF_MEMORY,  /**< the address is lazy memory, and no page is left for it */
        NOVA_FAULT_IN_HANDLER      /**< the runtime's own event handler raised it */
};

/** Report about an event. A child sends it to its parent, which trusts no field of it. */
struct nova_fault_report {
        uint32_t bytes;  /**< sizeof(struct nova_fault_report) */
        uint16_t event;  /**< NOVA_EXC_… */
        uint16_t reason; /**< enum nova_fault_reason */
        uint16_t cpu;    /**< number of the CPU */
        uint8_t frames;  /**< valid entries of frame */
        uint8_t code_at; /**< index in code of the byte at ip */
        uint8_t codes;   /**< valid bytes of code */
        uint8_t reserved[3];
        uint64_t address; /**< address of a page fault */
        uint64_t error;   /**< the CPU's error code */
        /** Registers of the thread. */
        struct nova_fault_registers {
                nova_word_t ip, flags, ax, cx, dx, bx, sp, bp, si, di; /**< value at the event */
#if __SIZEOF_POINTER__ == 8
                nova_word_t r8, r9, r10, r11, r12, r13, r14, r15; /**< value at the event */
#endif
        } regs;
        nova_word_t frame[NOVA_FAULT_FRAMES]; /**< ip, then the return addresses, innermost first */
        unsigned char code[NOVA_FAULT_CODE];  /**< bytes around ip */
        char program[NOVA_FAULT_NAME]; /**< name of the program, without a 0 if it fills the array
                                        */
        char thread[NOVA_FAULT_NAME];  /**< name of the thread, like program */
        char region[NOVA_FAULT_NAME];  /**< name of the region at address, or empty */
};

/** Receives one line of a report, without the line feed. */
typedef void nova_fault_line(void *context, const char *line);

/**
 * Formats a report as text, line by line.
 *
 * No field of the report is trusted; unprintable characters in a name become '?'.
 * @param symbols symbols of the program's ELF file, or NULL
 * @param put     called for each line; the line is valid during the call
 * @param context handed to @p put
 */
void nova_fault_format(const struct nova_fault_report *report, const struct nova_symbols *symbols,
                       nova_fault_line *put, void *context);

/**
 * Writes a report to the console. Reports of several CPUs are not interleaved.
 *
 * @code
 * extern const struct nova_utcb_state *state; // of an event message
 * struct nova_fault_report report;
 *
 * nova_fault_fill(&report, state, NOVA_EXC_PF, 0);
 * nova_fault_print(&report, NULL);
 * @endcode
 * @param symbols symbols of the program's ELF file, or NULL
 */
void nova_fault_print(const struct nova_fault_report *report, const struct nova_symbols *symbols);

/**
 * Fills in a report from the state of an event message.
 *
 * Names, code and return addresses are left empty.
 * @param state the state, with the groups of NOVA_MTD_EXCEPTION, on x86-64 also R8_R15
 * @param event NOVA_EXC_…
 * @param cpu   number of the CPU
 */
void nova_fault_fill(struct nova_fault_report *report, const struct nova_utcb_state *state,
                     unsigned event, unsigned cpu);

#ifdef __cplusplus
}
#endif

#endif
