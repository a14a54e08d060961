/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface for conformance cases: expectations, hypercalls, threads, child PDs, messages. */
#ifndef CONFORMANCE_HARNESS_H
#define CONFORMANCE_HARNESS_H

#include <stdbool.h>

#include "gpr.h"
#include "nova/abi/crd.h"
#include "nova/abi/event.h"
#include "nova/abi/hip.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/inject.h"
#include "nova/abi/mtd.h"
#include "nova/abi/qpd.h"
#include "nova/abi/status.h"
#include "nova/abi/utcb.h"

typedef nova_word_t word_t;

/* ---- Cases ---------------------------------------------------------------------------------- */

/* Returns NULL, or the name of a feature that this machine or kernel lacks. */
typedef const char *need_fn(void);

struct conformance_case {
        const char *area;
        const char *name; /* a sentence, with underscores */
        const char *ids;  /* statements of spec-statements.tsv */
        void (*run)(void);
        need_fn *needs; /* NULL: nothing */
};

/* Defines a case; the name is a sentence, the ids are those of spec-statements.tsv. */
#define CASE(area_, name_, ids_) CASE_ON(area_, name_, ids_, NULL)

/* Defines a case for machines and kernels that have the needed feature; elsewhere it is `not raised
 * here`, with the feature's name as the reason. not-raised.tsv lists where that may happen. */
#define CASE_ON(area_, name_, ids_, needs_)                                                    \
        static void area_##_##name_(void);                                                     \
        static const struct conformance_case area_##_##name_##_case = {.area = #area_,         \
                                                                       .name = #name_,         \
                                                                       .ids = ids_,            \
                                                                       .run = area_##_##name_, \
                                                                       .needs = needs_};       \
        static const struct conformance_case *const area_##_##name_##_entry                    \
                __attribute__((used, section("nova_cases"))) = &area_##_##name_##_case;        \
        static void area_##_##name_(void)

need_fn needs_2_cpus, needs_x86_64, needs_x86_32, needs_virtualization, needs_no_virtualization;
need_fn needs_hardware, needs_sse, needs_avx, needs_nx, needs_pd_destroy, needs_deadlock_flag;
need_fn needs_small_pool, needs_r8_r15, needs_boot_info, needs_log, needs_timeout, needs_quota;
need_fn needs_large_pool, needs_exit, needs_names, needs_tls, needs_machine, needs_limit;
need_fn needs_pd_destroy_and_2_cpus;

/* Ends the case as failed unless both sides are equal. Only the thread that runs the case uses
 * EXPECT_EQ(), EXPECT() and NOT_RAISED(). */
#define EXPECT_EQ(actual, expected) \
        case_expect(__FILE__, __LINE__, #actual, (word_t)(actual), (word_t)(expected))
#define EXPECT(condition) case_expect(__FILE__, __LINE__, #condition, (condition) ? 1 : 0, 1)
/* Ends the case as not raised here. For a need that only the running case can detect. */
#define NOT_RAISED(reason) case_not_raised(reason)

_Noreturn void case_failed(const char *file, int line, const char *text, word_t actual,
                           word_t expected);
static inline void case_expect(const char *file, int line, const char *text, word_t actual,
                               word_t expected)
{
        if (actual != expected)
                case_failed(file, line, text, actual, expected);
}
_Noreturn void case_not_raised(const char *reason);
_Noreturn void case_abort(void);
/* Sets the number of seconds from now after which the running case counts as hung. */
void case_seconds(unsigned seconds);
/* Returns the number of times that a case repeats a step: a tenth of the usual number if the
 * command line has the word brief, for emulators that watch each instruction. */
unsigned case_rounds(unsigned usual);
/* Returns the decimal number after NAME, such as "seed=", in the command line, or `usual` if the
 * line does not contain NAME. */
word_t case_argument(const char *name, word_t usual);
/* Revokes everything that the running case has created. The case then has all its selectors and its
 * full time again. */
void case_start_over(void);

/* ---- Hypercalls; each returns the whole first argument register ------------------------------ */

void trap(struct gpr *registers);

struct args {
        word_t a1, a2, a3, a4, a5;
};

word_t hypercall(struct args *args);
word_t hc_call(nova_sel_t pt, word_t flags);
word_t hc_create_pd(nova_sel_t sel, nova_sel_t owner, nova_crd_t crd);
word_t hc_create_ec(nova_sel_t sel, nova_sel_t pd, word_t utcb_cpu, word_t sp, nova_sel_t events,
                    word_t flags);
word_t hc_create_sc(nova_sel_t sel, nova_sel_t owner, nova_sel_t ec, nova_qpd_t qpd);
word_t hc_create_pt(nova_sel_t sel, nova_sel_t owner, nova_sel_t ec, nova_mtd_t mtd, word_t ip);
word_t hc_create_sm(nova_sel_t sel, nova_sel_t owner, word_t count);
word_t hc_revoke(nova_crd_t crd, word_t flags);
word_t hc_lookup(nova_crd_t crd, nova_crd_t *result);
word_t hc_ec_ctrl(nova_sel_t ec);
word_t hc_sc_ctrl(nova_sel_t sc, uint64_t *time_us);
word_t hc_sm_ctrl(nova_sel_t sm, word_t flags);
/* Does a down with a deadline in TSC ticks, which is an extension. */
word_t hc_sm_until(nova_sel_t sm, word_t flags, uint64_t deadline);
word_t hc_assign_pci(nova_sel_t pd, word_t device, word_t rid);
word_t hc_assign_gsi(nova_sel_t sm, word_t device, word_t cpu, word_t *address, word_t *data);
word_t hc_pd_destroy(nova_sel_t pd);

/* Returns the descriptor that lookup gives for a selector. */
nova_crd_t look(unsigned type, nova_sel_t sel);

/* ---- Machine --------------------------------------------------------------------------------- */

extern struct gpr start_gpr; /* registers at the first instruction */
extern const struct nova_hip *hip;
/* Returns the first memory descriptor of a type, or NULL. */
const struct nova_hip_mem *hip_mem(int type);
extern unsigned boot_cpu;
extern unsigned cpu_count;                 /* CPUs that can be used */
extern unsigned cpu_numbers[NOVA_CPU_MAX]; /* the boot CPU first */

/* Prints a line that is not a result: a count for a test of the boot. */
void remark(const char *what, word_t number);

uint64_t tsc(void);
uint64_t tsc_per_ms(void);
void spin_us(unsigned us);
/* Waits without work, by the extension of deadlines, so that other threads run or the CPU is
 * idle. */
void rest(unsigned ms);
/* Waits until memory of ended objects is free; the kernel has 10 ms for that. */
void rest_until_freed(void);
/* Spins until *p == value; returns false shortly before the case's time is over. The limit is
 * generous because the host may be busy. */
bool wait_for(const volatile word_t *p, word_t value);
/* Returns true as soon as a counter keeps its value for 20 ms; false after a second. */
bool comes_to_rest(const volatile word_t *p);
void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

/* ---- Resources of a case --------------------------------------------------------------------- */

#define ROOT_PD NOVA_SEL_ROOT_PD

nova_sel_t sel_alloc(unsigned order); /* 2^order selectors of the root PD, aligned */
nova_sel_t sel_far(unsigned order);   /* 2^order other selectors; not revoked after a case */
word_t page_alloc(unsigned order);    /* page number of 2^order unused aligned pages */
word_t utcb_alloc(void);              /* address of an unused page */
bool frame_alloc(unsigned order, word_t *frame); /* unused memory: frame number */
nova_sel_t semaphore(word_t count);              /* a new semaphore */

/* ---- Threads --------------------------------------------------------------------------------- */

#define PRIO_LOW    50
#define PRIO_CASE   100 /* the thread that runs the case */
#define PRIO_HIGH   150
#define QUANTUM     10000
#define RX_ITEMS    8
#define STACK_BYTES 8192
#define EVENTS      32

struct thread;
typedef void thread_fn(struct thread *t);
/* Answers event number n by writing u->items and u->state (mtd first); false: default reply. */
typedef bool event_fn(struct thread *t, unsigned n, struct nova_utcb *u);

struct thread {
        struct child *child; /* NULL: root PD */
        struct nova_utcb *utcb;
        nova_sel_t ec, sc, pt; /* in the root PD */
        nova_sel_t events;     /* first event portal in the root PD */
        nova_sel_t own_events; /* first event portal in the thread's own PD */
        word_t sp;

        thread_fn *fn; /* global: its body; local: the function for the next call */
        void *arg;
        nova_crd_t win_t, win_d; /* windows for the message after this one */

        /* Local threads: the last message. */
        volatile word_t calls;
        word_t portal; /* first argument register at entry */
        word_t entry;  /* 0: portal_entry, 1: portal_entry_other */
        word_t rx_items;
        word_t rx_item[2 * RX_ITEMS];
        word_t rx_word[RX_ITEMS];

        /* Events. */
        event_fn *on_event;
        volatile word_t event; /* number of the last event, or NO_EVENT */
        volatile word_t event_count;
        word_t event_portal, event_items;
        struct nova_utcb_state state;
        word_t exec_target;

        volatile word_t started, done; /* of a global thread: its body has begun, has ended */
        volatile word_t value[8];      /* for the case; remote functions use 5 to 7 */
        unsigned cpu;
        bool global;
};

#define NO_EVENT ((word_t)-1)

extern struct thread *self; /* the thread that runs the case */

/* Makes a local EC of the root PD with one portal; calls to it record the message and run fn. */
struct thread *server(unsigned cpu);
/* Makes a global EC of the root PD; thread_start() binds an SC to it. */
struct thread *global(unsigned cpu, thread_fn *fn, void *arg);
void thread_start(struct thread *t, unsigned prio, unsigned quantum_us);
/* Makes a global EC and its SC, with the standard quantum. */
struct thread *run_thread(unsigned cpu, unsigned prio, thread_fn *fn, void *arg);
/* Makes one more portal of a local thread, with the entry of the first. Returns its selector. */
nova_sel_t portal(struct thread *t);
/* Replaces the standard event portal by one that carries mtd and leads to the CPU's event
 * handler. */
void event_portal(struct thread *t, unsigned n, nova_mtd_t mtd);
/* Revokes the event's portal: the event will end the thread. */
void event_remove(struct thread *t, unsigned n);
/* Returns the message buffer of the CPU's event handler. */
struct nova_utcb *event_utcb(unsigned cpu);
/* Prepares the registers of a new thread without objects. For cases that call create_ec
 * themselves. */
struct thread *thread_blank(unsigned cpu);
void thread_exit(void) __attribute__((noreturn));
/* Does nothing. */
void thread_exit_fn(struct thread *t);

extern char portal_entry[], portal_entry_other[], portal_registers[], global_entry[];
/* portal_forward: entry of a portal of an EC that has no thread structure. It makes the hypercall
 * whose first argument lies at the top of the EC's stack, and then replies. reply_now() replies at
 * once. */
extern char portal_forward[];
_Noreturn void reply_now(void);
extern struct gpr portal_gpr, portal_gpr_out;
extern word_t portal_gpr_sp;

/* Runs fn in t's context: a local thread of any PD. */
word_t remote(struct thread *t, thread_fn *fn, void *arg);
/* Makes a hypercall in t's context. Returns the first argument register. */
word_t remote_hypercall(struct thread *t, struct args *args);
word_t remote_sm(struct thread *t, nova_sel_t sm, word_t flags);
nova_crd_t remote_look(struct thread *t, unsigned type, nova_sel_t sel);

/* ---- Child PDs: the same image, own objects -------------------------------------------------- */

#define CHILD_ORDER    7 /* selectors 0 to 127: event portals of four threads */
#define CHILD_FREE_SEL 0x1000
#define CHILD_WAY_SEL  0x12 /* no event has this number */

struct child {
        nova_sel_t pd;
        nova_sel_t portals;
        unsigned cpu;
        unsigned threads;
};

struct child *child_new(unsigned cpu);
/* Does the same as child_new(); perms: mask of the initial capabilities. */
struct child *child_masked(unsigned cpu, unsigned perms);
/* Does the same as child_new(), with an account of a number of bytes. At CHILD_WAY_SEL the child
 * has a portal of the local thread `reaches`, on any CPU. create_pd delegates this portal, because
 * no message crosses CPUs. */
struct child *child_with_account(unsigned cpu, word_t bytes, const struct thread *reaches);
struct thread *child_server(struct child *c);
struct thread *child_global(struct child *c, thread_fn *fn, void *arg);

/* ---- Messages -------------------------------------------------------------------------------- */

/* Sets the windows of a local thread for the next message. */
void windows(struct thread *t, nova_crd_t translate, nova_crd_t delegate);
/* Sends one typed item to t. Returns the lower word of the receiver's item. */
nova_crd_t send(struct thread *t, nova_crd_t crd, word_t upper);
/* Does the same as send(), but from a local thread of any PD; pt: selector of t's portal in that
 * PD. */
nova_crd_t send_from(struct thread *from, nova_sel_t pt, struct thread *t, nova_crd_t crd,
                     word_t upper);
/* Delegates one range of objects, ports or pages to the range of the same order at dst of the
 * receiver. Returns the result. */
nova_crd_t give(struct thread *t, nova_crd_t crd, nova_sel_t dst);
/* Delegates within the root PD through the harness's own portal. */
nova_crd_t give_self(nova_crd_t crd, nova_sel_t dst);
/* Requests resources of the microhypervisor with an H item, to dst of the root PD. */
nova_crd_t request(nova_crd_t crd, nova_sel_t dst);
/* Returns the address of new memory, mapped read-write-execute. order: 2^order pages. */
char *memory(unsigned order);
static inline word_t item_upper(word_t flags, nova_sel_t hot)
{
        return flags | hot << NOVA_ITEM_HOTSPOT_SHIFT;
}
static inline nova_crd_t obj(nova_sel_t sel, unsigned perms)
{
        return nova_crd(NOVA_CRD_OBJ, sel, 0, perms);
}
static inline nova_crd_t mem(nova_sel_t page, unsigned order, unsigned perms)
{
        return nova_crd(NOVA_CRD_MEM, page, order, perms);
}
static inline nova_crd_t io(nova_sel_t port, unsigned order)
{
        return nova_crd(NOVA_CRD_IO, port, order, NOVA_IO_A);
}
static inline word_t page_of(const void *p)
{
        return (word_t)p >> NOVA_PAGE_BITS;
}

/* ---- Probes: 0 success, 1 an exception, which struct thread records -------------------------- */

extern char probe_begin[], probe_end[], probe_failed[], trap_return[], event_ud_at[];
int probe_read(const volatile void *address);
int probe_write(volatile void *address, word_t value);
int probe_in(word_t port);
int probe_out(word_t port, word_t value);
int probe_exec(const void *code);
int raise_de(void);
int raise_db(void);
int raise_bp(void);
int raise_of(void);
int raise_br(void);
int raise_ud(void);
int raise_gp(void);
int raise_mf(void);
int raise_nm(void);
int raise_xm(void);
int raise_ss(void);
int raise_int(void);
int raise_int11(void);
void event_ud(struct gpr *registers);
void spin_gprs(struct gpr *registers, volatile word_t *stop);

/* Probes in t's context (a local thread of any PD). */
int remote_read(struct thread *t, word_t address);
int remote_write(struct thread *t, word_t address, word_t value);
int remote_in(struct thread *t, word_t port);
int remote_exec(struct thread *t, word_t address);

/* ---- Contexts to which a case can return ---------------------------------------------------- */

struct context {
        word_t registers[8];
};

/* Returns 0, and 1 after the context has been restored. */
int context_save(struct context *context) __attribute__((returns_twice));
_Noreturn void context_restore(struct context *context);

/* ---- Interrupts ------------------------------------------------------------------------------ */

/* Returns the timer's interrupt semaphore in the root PD, with no interrupt pending. */
nova_sel_t timer_open(void);
/* Raises one interrupt after a number of microseconds, at most 54000. */
void timer_shot(unsigned us);

/* ---- Console --------------------------------------------------------------------------------- */

void console_init(void);
void console_char(char c);
void console_string(const char *s);
void console_words(const char *s); /* underscores as spaces */
void console_hex(word_t value);
void console_dec(word_t value);
_Noreturn void console_exit(unsigned status);

#endif
