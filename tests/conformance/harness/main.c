/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the cases one by one in a worker thread, watches it, and prints TAP. */
#include "internal.h"

#define PERMANENT_SEL  0x40
#define CASE_SEL       PERMANENT_SEL_END
#define CASE_SEL_ORDER 12
#define CASE_WINDOWS   200
#define CASE_SECONDS   15
#define COM1_PORTS     0x3f8
#define EXIT_PORT_BASE 0xf4

enum outcome { RUNNING, PASSED, FAILED, SKIPPED, HUNG };

/* What the running case tells the controller. */
static struct {
        const struct conformance_case *what;
        volatile word_t finished;
        volatile enum outcome outcome;
        const char *file, *text, *reason;
        int line;
        word_t actual, expected;
        volatile word_t stray; /* an event came that the case did not expect */
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
static nova_sel_t go;
static char filter[32];
static char command_line[256];

extern const struct conformance_case *const __start_nova_cases[];
extern const struct conformance_case *const __stop_nova_cases[];

/* ---- Told by the case ------------------------------------------------------------------------ */

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

_Noreturn void case_skip(const char *reason)
{
        run.reason = reason;
        run.outcome = SKIPPED;
        case_abort();
}

void case_seconds(unsigned seconds)
{
        run.deadline = tsc() + tsc_per_ms() * 1000 * seconds;
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

static void worker_main(struct thread *t)
{
        (void)t;
        for (;;) {
                hc_sm_ctrl(go, NOVA_SM_DN_OP);
                if (!context_save(&worker_context)) {
                        run.what->run();
                        run.outcome = PASSED;
                }
                run.finished = 1;
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
        if (run.outcome == SKIPPED) {
                console_string(" # SKIP ");
                console_string(run.reason);
        } else {
                console_string(" # ");
                console_string(c->ids);
        }
        console_string("\n");
        if (run.outcome == HUNG)
                console_string("  # did not end: its thread hangs or was shut down\n");
        if (run.outcome == FAILED && run.file)
                print_failure();
        if (run.stray)
                print_stray();
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

/* Takes back what the case created, with all that was derived from it. */
static void clean_up(nova_sel_t base)
{
        hc_revoke(nova_crd(NOVA_CRD_OBJ, base, CASE_SEL_ORDER, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        self->on_event = NULL;
        self->exec_target = 0;
}

static bool run_case(const struct conformance_case *c, unsigned number)
{
        const nova_sel_t base = CASE_SEL + ((nova_sel_t)(number % CASE_WINDOWS) << CASE_SEL_ORDER);
        run.what = c;
        run.finished = 0;
        run.outcome = RUNNING;
        run.file = NULL;
        run.stray = 0;
        case_seconds(CASE_SECONDS);
        announce(number);
        sel_range(base, base + ((nova_sel_t)1 << CASE_SEL_ORDER));
        hc_sm_ctrl(go, NOVA_SM_UP_OP);
        while (!run.finished && tsc() < run.deadline)
                __asm__ volatile("pause");
        if (!run.finished)
                run.outcome = HUNG;
        else if (run.stray || run.outcome == RUNNING)
                run.outcome = FAILED;
        print_result(number);
        const bool bad = run.outcome == FAILED || run.outcome == HUNG;
        clean_up(base);
        if (run.outcome == HUNG) {
                run.what = NULL;
                hc_revoke(obj(self->sc, NOVA_PERM_ALL), NOVA_REVOKE_SR);
                hc_revoke(obj(self->ec, NOVA_PERM_ALL), NOVA_REVOKE_SR);
                worker_new();
        }
        return !bad;
}

static bool equal(const char *a, const char *b)
{
        while (*a && *a == *b) {
                a++;
                b++;
        }
        return *a == *b;
}

/* In the chosen area, and possible here. */
static bool selected(const struct conformance_case *c)
{
        return (!filter[0] || equal(filter, c->area)) && (!c->needs || !c->needs());
}

/* area=NAME in the roottask's own command line chooses one area. */
static void find_filter(const char *s)
{
        for (; *s; s++) {
                const char *key = "area=";
                const char *p = s;
                while (*key && *p == *key) {
                        p++;
                        key++;
                }
                if (*key)
                        continue;
                unsigned n = 0;
                while (*p && *p != ' ' && n < sizeof(filter) - 1)
                        filter[n++] = *p++;
        }
}

/* Cases that this machine or kernel cannot run are named, but no part of the plan. */
static void print_not_planned(void)
{
        for (const struct conformance_case *const *c = __start_nova_cases; c < __stop_nova_cases;
             c++) {
                if ((filter[0] && !equal(filter, (*c)->area)) || selected(*c))
                        continue;
                console_string("# not run: ");
                console_string((*c)->area);
                console_string(": ");
                console_words((*c)->name);
                console_string(" (");
                console_string((*c)->needs());
                console_string(")\n");
        }
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
        find_filter(command_line);
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
        worker_new();
}

_Noreturn void harness_main(void)
{
        unsigned total = 0, number = 0, failed = 0, skipped = 0;
        start();
        for (const struct conformance_case *const *c = __start_nova_cases; c < __stop_nova_cases;
             c++)
                total += selected(*c);
        print_not_planned();
        console_string("1..");
        console_dec(total);
        console_string("\n");
        for (const struct conformance_case *const *c = __start_nova_cases; c < __stop_nova_cases;
             c++) {
                if (!selected(*c))
                        continue;
                failed += !run_case(*c, ++number);
                skipped += run.outcome == SKIPPED;
        }
        console_string("# ");
        console_dec(number - failed - skipped);
        console_string(" passed, ");
        console_dec(failed);
        console_string(" failed, ");
        console_dec(skipped);
        console_string(" not run\n");
        console_exit(failed || !total);
}
