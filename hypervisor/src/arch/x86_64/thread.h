/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's registers, and the arguments of hypercalls in them, on x86-64. @spec 8.5 */
#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H

#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
#include "arch/x86/tracking.h"
#include "layout.h"
#include "object/ec.h"
#include "object/pt.h"
#include "sched/cpu.h"

/** Argument registers of a hypercall, 1 to 5; argument 1 is also the status. */
#define REG_P1(ec) ((ec)->regs.di)
#define REG_P2(ec) ((ec)->regs.si)
#define REG_P3(ec) ((ec)->regs.dx)
#define REG_P4(ec) ((ec)->regs.ax)
#define REG_P5(ec) ((ec)->regs.r8)

/** Entry in the hypercall table for a hypercall of five arguments, all of which are already
 * saved. */
#define ENTRY_OF_FIVE(function) hypercall_##function
/** Marks the handler of a hypercall of five arguments. */
#define TARGET_OF_FIVE indirect_target

/** Sets the registers of a new thread. */
static inline void thread_init(struct ec *ec, word_t sp)
{
        ec->regs.sp = sp;
        ec->regs.cs = SEL_USER_CODE;
        ec->regs.ss = SEL_USER_DATA;
        ec->regs.flags = FLAG_IF | FLAG_RESERVED;
}

/** Sets the initial registers of the root EC. @spec 8.1 */
static inline void thread_init_root(struct ec *ec, word_t entry, word_t cpu)
{
        ec->regs.ip = entry;
        ec->regs.di = cpu;
        ec->regs.cx = entry;
        ec->regs.r11 = FLAG_IF;
}

/** Turns the frame of a hypercall into an interrupt frame, from which IRET returns. */
static inline void thread_frame_from_hypercall(struct ec *ec)
{
        ec->regs.cs = SEL_USER_CODE;
        ec->regs.ss = SEL_USER_DATA;
        ec->regs.cx = ec->regs.ip;
        ec->regs.r11 = ec->regs.flags;
}

/* entry.S */
extern char entry_hypercall[], entry_compat[];

/* Size in bytes of each CPU's entry. The last CPU's entry comes first in memory. */
#define THREAD_ENTRY_SIZE 48

/** Returns the target address of SYSCALL on a CPU. */
static inline word_t thread_entry(unsigned cpu)
{
        return (word_t)entry_hypercall + (NOVA_CPU_MAX - 1 - cpu) * THREAD_ENTRY_SIZE +
               tracking_skip;
}

/** Returns true if an address is the kernel's first instruction after SYSCALL. */
static inline bool thread_is_entry(word_t ip)
{
        const word_t at = ip - tracking_skip - (word_t)entry_hypercall;

        return (at < NOVA_CPU_MAX * THREAD_ENTRY_SIZE && at % THREAD_ENTRY_SIZE == 0) ||
               ip == (word_t)entry_compat + tracking_skip;
}

/** Returns true if an address is canonical. */
static inline bool thread_ip_is_canonical(word_t ip)
{
        return likely(!(ip >> 47)) || !(~ip >> 47);
}

/** Returns true if IRET can return to the address in a frame: canonical for 64-bit code, in the
 * first 4 GiB for 32-bit code. For other addresses, CPUs may fault in the kernel. Most programs lie
 * below 4 GiB. */
static inline bool thread_can_return(const struct regs *regs)
{
        return likely(!(regs->ip >> 32)) ||
               (regs->cs == SEL_USER_CODE && thread_ip_is_canonical(regs->ip));
}

/** Returns true if SYSRET may go to an address. For other addresses it would fault in the
 * kernel. */
static inline bool thread_ip_is_user(word_t ip)
{
        return ip < NOVA_USER_END;
}

/** Makes the next return from a hypercall enter a portal. */
static inline void thread_enter_portal(struct ec *ec, word_t ip)
{
        ec->regs.ip = ip;
        ec->regs.flags = FLAG_IF | FLAG_RESERVED;
}

/* Defined in entry.S, which ignores self. The handlers of calls get self in RSI, the second
 * argument register. Because self is the second argument here, too, no argument moves. */
_Noreturn void leave_to_portal(word_t id, const struct ec *self, struct ec *ec, word_t ip);

/** Enters a portal of ec by SYSRET, on its CPU. */
static always_inline _Noreturn void thread_leave_to_portal(const struct ec *self, struct ec *ec,
                                                           const struct pt *pt)
{
        leave_to_portal(pt->id, self, ec, pt->ip);
}

/** Gives user mode flat data segments, so that no PD sees the segment selectors of another PD. This
 * also clears the bases of FS and GS. */
static always_inline void thread_reset_selectors(const struct cpu *cpu)
{
        load_ds_from(&cpu->user_data);
        load_es_from(&cpu->user_data);
        load_fs_from(&cpu->user_data);
        load_gs_from(&cpu->user_data);
}

/** Copies a name from or to the arguments of a hypercall. */
static inline void thread_read_name(const struct ec *ec, char *name)
{
        __builtin_memcpy(name, &REG_P3(ec), sizeof(word_t));
}

static inline void thread_write_name(struct ec *ec, const char *name)
{
        __builtin_memcpy(&REG_P2(ec), name, sizeof(word_t));
}

#endif
