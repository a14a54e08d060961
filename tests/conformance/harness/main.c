/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the cases one by one in a worker thread, watches it, and prints TAP. */
#include "internal.h"

#define PERMANENT_SEL  0x40
#define CASE_SEL       PERMANENT_SEL_END
#define CASE_SEL_ORDER 12
#define CASE_WINDOWS   200
#define CASE_SECONDS   30
#define COM1_PORTS     0x3f8
#define EXIT_PORT_BASE 0xf4

enum outcome { RUNNING, PASSED, FAILED, NOT_RAISED, HUNG };

/* The running case, and the results that it leaves for the controller. */
static struct {
        const struct conformance_case *what;
        nova_sel_t base; /* first of the case's selectors */
        volatile word_t finished;
        volatile enum outcome outcome;
        const char *file, *text, *reason;
        int line;
        word_t actual, expected;
        volatile word_t stray; /* unexpected event: 1 in the case's thread, 2 in another; else 0 */
        word_t stray_number;
        struct nova_utcb_state stray_state;
        uint64_t deadline;
} run;

struct gpr start_gpr;
char start_stack[16384] __attribute__((aligned(16)));
extern char start_stack_top[];
__asm__(".globl start_stack_top\n.set start_stack_top, start_stack + 16384");

const struct nova_hip *hip;
struct thread *self;
static struct thread controller;
static struct context worker_context;
static nova_sel_t go, ended; /* semaphores: a case begins; a case has ended */
static char command_line[512];

extern const struct conformance_case *const __start_nova_cases[];
extern const struct conformance_case *const __stop_nova_cases[];

/* ---- Reported by the case -------------------------------------------------------------------- */

_Noreturn void case_abort(void)
{
        context_restore(&worker_context);
}

static void print_location(const char *file, int line)
{
        const char *name = file;
        for (const char *p = file; *p; p++) {
                if (*p == '/')
                        name = p + 1;
        }
        console_string(name);
        console_char(':');
        console_dec((word_t)line);
}

static void print_failure(void)
{
        console_string("  # ");
        print_location(run.file, run.line);
        console_string(" ");
        console_string(run.text);
        console_string(": expected ");
        console_hex(run.expected);
        console_string(" got ");
        console_hex(run.actual);
        console_string("\n");
}

_Noreturn void case_failed(const char *file, int line, const char *text, word_t actual,
                           word_t expected)
{
        run.file = file;
        run.line = line;
        run.text = text;
        run.actual = actual;
        run.expected = expected;
        if (!run.what) {
                console_string("Bail out! the harness could not start\n");
                print_failure();
                console_exit(1);
        }
        run.outcome = FAILED;
        case_abort();
}

_Noreturn void case_not_raised(const char *reason)
{
        run.reason = reason;
        run.outcome = NOT_RAISED;
        case_abort();
}

void case_seconds(unsigned seconds)
{
        run.deadline = tsc() + tsc_per_ms() * 1000 * seconds;
        hc_sm_ctrl(ended, NOVA_SM_UP_OP); /* wakes the controller, which reads the deadline */
}

uint64_t case_deadline(void)
{
        return run.deadline;
}

void case_stray_event(const struct thread *t, unsigned n, const struct nova_utcb_state *state)
{
        if (run.stray)
                return;
        run.stray = t == self ? 1 : 2;
        run.stray_number = n;
        run.stray_state = *state;
}

/* ---- The worker ------------------------------------------------------------------------------ */

/* Takes back everything that the case created and delegated. */
static void clean_up(void)
{
        hc_revoke(nova_crd(NOVA_CRD_OBJ, run.base, CASE_SEL_ORDER, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        self->on_event = NULL;
        self->exec_target = 0;
}

static void give_selectors(void)
{
        sel_range(run.base, run.base + ((nova_sel_t)1 << CASE_SEL_ORDER));
}

void case_start_over(void)
{
        clean_up();
        give_selectors();
        case_seconds(CASE_SECONDS);
}

static void worker_main(struct thread *t)
{
        (void)t;
        for (;;) {
                hc_sm_ctrl(go, NOVA_SM_DN_OP);
                if (!context_save(&worker_context)) {
                        const char *lacking = run.what->needs ? run.what->needs() : NULL;
                        if (lacking)
                                NOT_RAISED(lacking);
                        run.what->run();
                        run.outcome = PASSED;
                }
                /* Threads that a failed case has not ended could keep the CPU from the
                 * controller. */
                if (run.outcome != PASSED)
                        clean_up();
                run.finished = 1;
                hc_sm_ctrl(ended, NOVA_SM_UP_OP);
        }
}

static void worker_new(void)
{
        static nova_sel_t next = 0x1000;
        sel_range(next, next + 0x100);
        next += 0x100;
        self = &controller;
        struct thread *worker = global(boot_cpu, worker_main, NULL);
        go = semaphore(0);
        thread_start(worker, PRIO_CASE, QUANTUM);
        self = worker;
}

/* ---- The controller -------------------------------------------------------------------------- */

static void print_stray(void)
{
        console_string("  # unexpected event ");
        console_hex(run.stray_number);
        console_string(run.stray == 1 ? " in the case's thread" : " in a helper thread");
        console_string(", ip ");
        console_hex(run.stray_state.ip);
        console_string(" sp ");
        console_hex(run.stray_state.sp);
        console_string(" error ");
        console_hex((word_t)run.stray_state.qual[0]);
        console_string(" address ");
        console_hex((word_t)run.stray_state.qual[1]);
        console_string("\n");
}

static void print_result(unsigned number)
{
        const struct conformance_case *c = run.what;
        const bool bad = run.outcome == FAILED || run.outcome == HUNG;
        console_string(bad ? "not ok " : "ok ");
        console_dec(number);
        console_string(" - ");
        console_string(c->area);
        console_string(": ");
        console_words(c->name);
        console_string(" [");
        console_string(c->ids);
        console_string("]");
        if (run.outcome == NOT_RAISED) {
                console_string(" # SKIP not raised here: ");
                console_string(run.reason);
        }
        console_string("\n");
        if (run.outcome == HUNG)
                console_string("  # did not end: its thread hangs or was shut down\n");
        if (run.outcome == FAILED && run.file)
                print_failure();
        if (run.stray)
                print_stray();
}

void remark(const char *what, word_t number)
{
        console_string("# ");
        console_string(what);
        console_char(' ');
        console_dec(number);
        console_string("\n");
}

static void announce(unsigned number)
{
        console_string("# run ");
        console_dec(number);
        console_char(' ');
        console_string(run.what->area);
        console_string(": ");
        console_words(run.what->name);
        console_string("\n");
}

/* Waits until the case has ended or its deadline, which it may change, has passed. The controller
 * sleeps, so that the emulator's CPU is idle while the case waits. On a kernel without deadlines
 * for semaphores, it polls. */
static void await_end(void)
{
        const bool sleeps = !needs_timeout();
        while (!run.finished && tsc() < run.deadline) {
                if (sleeps)
                        hc_sm_until(ended, NOVA_SM_ZC, run.deadline);
                else
                        __asm__ volatile("pause");
        }
}

/* Runs the case, unless this machine or kernel lacks a feature that the case needs. Returns the
 * outcome. */
static enum outcome run_case(const struct conformance_case *c, unsigned number)
{
        run.base = CASE_SEL + ((nova_sel_t)(number % CASE_WINDOWS) << CASE_SEL_ORDER);
        run.what = c;
        run.finished = 0;
        run.outcome = RUNNING;
        run.file = NULL;
        run.stray = 0;
        case_seconds(CASE_SECONDS);
        announce(number);
        give_selectors();
        hc_sm_ctrl(go, NOVA_SM_UP_OP);
        await_end();
        if (!run.finished)
                run.outcome = HUNG;
        else if (run.stray || run.outcome == RUNNING)
                run.outcome = FAILED;
        print_result(number);
        clean_up();
        if (run.outcome == HUNG) {
                run.what = NULL;
                hc_revoke(obj(self->sc, NOVA_PERM_ALL), NOVA_REVOKE_SR);
                hc_revoke(obj(self->ec, NOVA_PERM_ALL), NOVA_REVOKE_SR);
                worker_new();
        }
        return run.outcome;
}

/* Returns the rest of s after prefix, or NULL. */
static const char *after(const char *s, const char *prefix)
{
        while (*prefix && *s == *prefix) {
                s++;
                prefix++;
        }
        return *prefix ? NULL : s;
}

/* Returns true if the roottask's command line does not contain PREFIX, or contains PREFIX directly
 * followed by the whole word NAME. */
static bool chosen(const char *prefix, const char *name)
{
        bool all = true;
        for (const char *s = command_line; *s; s++) {
                const char *word = after(s, prefix);
                if (!word)
                        continue;
                all = false;
                const char *end = after(word, name);
                if (end && (!*end || *end == ' '))
                        return true;
        }
        return all;
}

unsigned case_rounds(unsigned usual)
{
        for (const char *s = command_line; *s; s++)
                if (after(s, "brief"))
                        return usual / 10;
        return usual;
}

word_t case_argument(const char *name, word_t usual)
{
        for (const char *s = command_line; *s; s++) {
                const char *digit = after(s, name);
                word_t n = 0;
                if (!digit)
                        continue;
                for (; *digit >= '0' && *digit <= '9'; digit++)
                        n = n * 10 + (word_t)(*digit - '0');
                return n;
        }
        return usual;
}

/* Returns true if the command line chooses a case. area=NAME chooses an area, and case=NAME chooses
 * a case; there may be several of each. */
static bool selected(const struct conformance_case *c)
{
        return chosen("area=", c->area) && chosen("case=", c->name);
}

static const struct nova_hip_mem *own_module(void)
{
        for (unsigned at = hip->mem_offset; at < hip->length; at += hip->mem_size) {
                const struct nova_hip_mem *m = (const void *)((const char *)hip + at);
                if (m->type == NOVA_MEM_MODULE)
                        return m;
        }
        return NULL;
}

static void read_command_line(void)
{
        const struct nova_hip_mem *m = own_module();
        if (!m || !m->aux)
                return;
        const word_t page = page_alloc(1);
        const word_t frame = m->aux >> NOVA_PAGE_BITS;
        request(mem(frame, 0, NOVA_MEM_R), page);
        request(mem(frame + 1, 0, NOVA_MEM_R), page + 1);
        if (!look(NOVA_CRD_MEM, page) || !look(NOVA_CRD_MEM, page + 1))
                return;
        const char *s = (const char *)((page << NOVA_PAGE_BITS) + m->aux % NOVA_PAGE_SIZE);
        for (unsigned i = 0; i < sizeof(command_line) - 1 && s[i]; i++)
                command_line[i] = s[i];
}

static void start(void)
{
        hip = (const struct nova_hip *)start_gpr.sp;
        controller.utcb = (struct nova_utcb *)(start_gpr.sp - NOVA_PAGE_SIZE);
        self = &controller;
        boot_cpu = (unsigned)start_gpr.GPR_A1;
        machine_init();
        sel_range(PERMANENT_SEL, 0x1000);
        threads_init();
        request(io(COM1_PORTS, 3), COM1_PORTS);
        request(io(EXIT_PORT_BASE, 0), EXIT_PORT_BASE);
        console_init();
        console_string("TAP version 13\n");
        read_command_line();
        ended = semaphore(0);
        worker_new();
}

static void print_total(word_t count, const char *what)
{
        console_dec(count);
        console_string(what);
}

_Noreturn void harness_main(void)
{
        unsigned total = 0, number = 0, count[HUNG + 1] = {0};
        start();
        for (const struct conformance_case *const *c = __start_nova_cases; c < __stop_nova_cases;
             c++)
                total += selected(*c);
        console_string("1..");
        console_dec(total);
        console_string("\n");
        for (const struct conformance_case *const *c = __start_nova_cases; c < __stop_nova_cases;
             c++) {
                if (selected(*c))
                        count[run_case(*c, ++number)]++;
        }
        const unsigned failed = count[FAILED] + count[HUNG];
        console_string("# ");
        print_total(count[PASSED], " passed, ");
        print_total(failed, " failed, ");
        print_total(count[NOT_RAISED], " not raised here\n");
        console_exit(failed || !count[PASSED]);
}
