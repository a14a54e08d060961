/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a thread's registers hold the arguments of hypercalls, on x86-32. @spec 7.5 */
#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H

#include "arch/x86/msr.h"
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

/** Where the hypercall table leads for a hypercall of five arguments: entry.S saves the last two.
 */
#define ENTRY_OF_FIVE(function) entry_##function

hypercall_result_t entry_create_pd(word_t id, struct ec *self);
hypercall_result_t entry_create_ec(word_t id, struct ec *self);
hypercall_result_t entry_create_sc(word_t id, struct ec *self);
hypercall_result_t entry_create_pt(word_t id, struct ec *self);

/** Sets the registers of a new thread. A hypercall returns to ECX, EDX. */
static inline void thread_init(struct ec *ec, word_t sp)
{
        ec->regs.sp = ec->regs.cx = sp;
        ec->regs.cs = SEL_USER_CODE;
        ec->regs.ss = SEL_USER_DATA;
        ec->regs.flags = FLAG_IF | FLAG_RESERVED;
}

/** Sets what the root EC starts with. @spec 7.1 */
static inline void thread_init_root(struct ec *ec, word_t entry, word_t cpu)
{
        ec->regs.ip = entry;
        ec->regs.ax = cpu;
        ec->regs.dx = entry;
}

/** Makes the frame of a hypercall one of an interrupt, which returns by IRET. */
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

/** Whether an address is where the kernel begins after SYSENTER. */
static inline bool thread_is_entry(word_t ip)
{
        return ip == (word_t)entry_hypercall;
}

/** Whether IRET can go where a frame says. */
static inline bool thread_can_return(const struct regs *regs)
{
        (void)regs;
        return true;
}

/** Whether SYSEXIT can go to an address. */
static inline bool thread_ip_is_user(word_t ip)
{
        (void)ip;
        return true;
}

/** Lets the next return from a hypercall go to a portal's entry. */
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

/** Every entry loads flat selectors into DS and ES; FS and GS stay. */
static always_inline void thread_reset_selectors(const struct cpu *cpu)
{
        (void)cpu;
}

/** Takes a name from a hypercall's arguments, and returns one. */
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
