/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's registers, and the arguments of hypercalls in them, on x86-32. @spec 7.5 */
#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H

#include "arch/x86/msr.h"
#include "arch/x86/tracking.h"
#include "layout.h"
#include "object/ec.h"
#include "object/pt.h"
#include "object/result.h"

/** Argument registers of a hypercall, 1 to 5; argument 1 is also the status. */
#define REG_P1(ec) ((ec)->regs.ax)
#define REG_P2(ec) ((ec)->regs.di)
#define REG_P3(ec) ((ec)->regs.si)
#define REG_P4(ec) ((ec)->regs.bx)
#define REG_P5(ec) ((ec)->regs.bp)

/** Entry in the hypercall table for a hypercall of five arguments; entry.S saves the last two. */
#define ENTRY_OF_FIVE(function) entry_##function
/** Marks the handler of a hypercall of five arguments. Empty, because only entry.S calls it. */
#define TARGET_OF_FIVE

hypercall_result_t entry_create_pd(word_t id, struct ec *self);
hypercall_result_t entry_create_ec(word_t id, struct ec *self);
hypercall_result_t entry_create_sc(word_t id, struct ec *self);
hypercall_result_t entry_create_pt(word_t id, struct ec *self);

/** Sets the registers of a new thread. A hypercall returns to the SP in ECX and the IP in EDX. */
static inline void thread_init(struct ec *ec, word_t sp)
{
        ec->regs.sp = ec->regs.cx = sp;
        ec->regs.cs = SEL_USER_CODE;
        ec->regs.ss = SEL_USER_DATA;
        ec->regs.flags = FLAG_IF | FLAG_RESERVED;
}

/** Sets the initial registers of the root EC. @spec 7.1 */
static inline void thread_init_root(struct ec *ec, word_t entry, word_t cpu)
{
        ec->regs.ip = entry;
        ec->regs.ax = cpu;
        ec->regs.dx = entry;
}

/** Turns the frame of a hypercall into an interrupt frame, from which IRET returns. */
static inline void thread_frame_from_hypercall(struct ec *ec)
{
        ec->regs.sp = ec->regs.cx;
        ec->regs.ip = ec->regs.dx;
        ec->regs.cs = SEL_USER_CODE;
        ec->regs.ss = SEL_USER_DATA;
        ec->regs.flags = FLAG_IF | FLAG_RESERVED;
}

/* entry.S */
extern char entry_hypercall[];

/** Returns the target address of SYSENTER. */
static inline word_t thread_entry(void)
{
        return (word_t)entry_hypercall + tracking_skip;
}

/** Returns true if an address is the kernel's first instruction after SYSENTER. */
static inline bool thread_is_entry(word_t ip)
{
        return ip == thread_entry();
}

/** Returns true if IRET can return to the address in a frame. */
static inline bool thread_can_return(const struct regs *regs)
{
        (void)regs;
        return true;
}

/** Returns true if SYSEXIT can go to an address. */
static inline bool thread_ip_is_user(word_t ip)
{
        (void)ip;
        return true;
}

/** Makes the next return from a hypercall enter a portal. */
static inline void thread_enter_portal(struct ec *ec, word_t ip)
{
        ec->regs.dx = ip;
}

/* entry.S */
_Noreturn void leave_to_portal(word_t id, word_t ip, struct ec *ec);

/** Enters a portal of ec by SYSEXIT, on its CPU. */
static always_inline _Noreturn void thread_leave_to_portal(const struct ec *self, struct ec *ec,
                                                           const struct pt *pt)
{
        (void)self;
        leave_to_portal(pt->id, pt->ip, ec);
}

/** Does nothing: every entry loads flat selectors into DS and ES; FS and GS stay. */
static always_inline void thread_reset_selectors(const struct cpu *cpu)
{
        (void)cpu;
}

/** Copies a name from or to the arguments of a hypercall. */
static inline void thread_read_name(const struct ec *ec, char *name)
{
        __builtin_memcpy(name, &REG_P3(ec), sizeof(word_t));
        __builtin_memcpy(name + sizeof(word_t), &REG_P4(ec), sizeof(word_t));
}

static inline void thread_write_name(struct ec *ec, const char *name)
{
        __builtin_memcpy(&REG_P2(ec), name, sizeof(word_t));
        __builtin_memcpy(&REG_P3(ec), name + sizeof(word_t), sizeof(word_t));
}

#endif
