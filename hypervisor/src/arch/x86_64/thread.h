/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a thread's registers hold the arguments of hypercalls, on x86-64. @spec 8.5 */
#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H

#include "arch/x86/insn.h"
#include "arch/x86/msr.h"
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

/** Where the hypercall table leads for a hypercall of five arguments: all are saved already. */
#define ENTRY_OF_FIVE(function) hypercall_##function

/** Sets the registers of a new thread. */
static inline void thread_init(struct ec *ec, word_t sp)
{
        ec->regs.sp = sp;
        ec->regs.cs = SEL_USER_CODE;
        ec->regs.ss = SEL_USER_DATA;
        ec->regs.flags = FLAG_IF | FLAG_RESERVED;
}

/** Sets what the root EC starts with. @spec 8.1 */
static inline void thread_init_root(struct ec *ec, word_t entry, word_t cpu)
{
        ec->regs.ip = entry;
        ec->regs.di = cpu;
        ec->regs.cx = entry;
        ec->regs.r11 = FLAG_IF;
}

/** Makes the frame of a hypercall one of an interrupt, which returns by IRET. */
static inline void thread_frame_from_hypercall(struct ec *ec)
{
        ec->regs.cs = SEL_USER_CODE;
        ec->regs.ss = SEL_USER_DATA;
        ec->regs.cx = ec->regs.ip;
        ec->regs.r11 = ec->regs.flags;
}

/* entry.S */
extern char entry_hypercall[], entry_compat[];

/* Each CPU has its entry, the last one first. */
#define THREAD_ENTRY_SIZE 40

/** Where a CPU's SYSCALL goes. */
static inline word_t thread_entry(unsigned cpu)
{
        return (word_t)entry_hypercall + (NOVA_CPU_MAX - 1 - cpu) * THREAD_ENTRY_SIZE;
}

/** Whether an address is where the kernel begins after SYSCALL. */
static inline bool thread_is_entry(word_t ip)
{
        const word_t at = ip - (word_t)entry_hypercall;

        return (at < NOVA_CPU_MAX * THREAD_ENTRY_SIZE && at % THREAD_ENTRY_SIZE == 0) ||
               ip == (word_t)entry_compat;
}

/** Whether an address is canonical. */
static inline bool thread_ip_is_canonical(word_t ip)
{
        return likely(!(ip >> 47)) || !(~ip >> 47);
}

/** Whether IRET can go where a frame says: 64-bit code has canonical addresses, 32-bit code the
 * first 4 GiB, and CPUs may fault in the kernel for others. Most programs lie below 4 GiB. */
static inline bool thread_can_return(const struct regs *regs)
{
        return likely(!(regs->ip >> 32)) ||
               (regs->cs == SEL_USER_CODE && thread_ip_is_canonical(regs->ip));
}

/** Whether SYSRET may be used to go there: it faults in the kernel for others. */
static inline bool thread_ip_is_user(word_t ip)
{
        return ip < NOVA_USER_END;
}

/** Lets the next return from a hypercall go to a portal's entry. */
static inline void thread_enter_portal(struct ec *ec, word_t ip)
{
        ec->regs.ip = ip;
        ec->regs.flags = FLAG_IF | FLAG_RESERVED;
}

/* entry.S. What the second register holds is of no use there: self is where calls have it. */
_Noreturn void leave_to_portal(word_t id, const struct ec *self, struct ec *ec, word_t ip);

/** Enters a portal of ec by SYSRET, on its CPU. */
static always_inline _Noreturn void thread_leave_to_portal(const struct ec *self, struct ec *ec,
                                                           const struct pt *pt)
{
        leave_to_portal(pt->id, self, ec, pt->ip);
}

/** Gives user mode flat data segments, so that no PD meets the selectors of another one. This also
 *  clears the bases of FS and GS. */
static always_inline void thread_reset_selectors(const struct cpu *cpu)
{
        load_ds_from(&cpu->user_data);
        load_es_from(&cpu->user_data);
        load_fs_from(&cpu->user_data);
        load_gs_from(&cpu->user_data);
}

/** Takes a name from a hypercall's arguments, and returns one. */
static inline void thread_read_name(const struct ec *ec, char *name)
{
        __builtin_memcpy(name, &REG_P3(ec), sizeof(word_t));
}

static inline void thread_write_name(struct ec *ec, const char *name)
{
        __builtin_memcpy(&REG_P2(ec), name, sizeof(word_t));
}

#endif
