/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile programs of init: arbitrary requests, events and ends, with arbitrary capabilities, while
 * init's own resources may be exhausted. A model of the system description predicts the result of a
 * request. A program must get only resources that the description grants, and init must get back
 * everything when a program has ended. */
#include "parent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child/request.h"
#include "nova/crd.h"
#include "nova/event.h"
#include "nova/utcb.h"
#include "novart/program.h"
#include "parent_model.h"

#define STEP    8 /* bytes of a step; its text follows them */
#define FINAL   NOVA_EXIT_FINAL
#define FITTING 0   /* number of words: as many as the operation has */
#define ALL     255 /* number of words: as many as the UTCB has */

/* Steps that are not requests; smaller numbers are operations. */
enum { ANY_OPERATION = 18, EVENT, KILL, HOLD, GO, FLUSH, TIME, REFUSE, DESTROY, LOSE };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct init init;

static const char description[] = "device uart\n ports 0x2f8-0x2ff\n"
                                  " memory 0xfed01000-0xfed03fff\n interrupts 3-4\n"
                                  "device nic\n class 0x020000\n dma-unprotected\n"
                                  "device disk\n class 0x010802\n at 00:04.0\n dma-unprotected\n"
                                  "program log\n file log\n memory 64K\n cpus 0\n"
                                  " provides log console\n devices serial uart\n priority 20\n"
                                  " restart on-failure limit 2\n"
                                  "program pci\n file pci\n memory 64K\n devices pci-config\n"
                                  " provides pci\n restart always limit 2\n"
                                  "program spy\n file spy\n memory 64K\n cpus 1\n"
                                  "program shell\n file shell\n memory 64K\n uses log\n"
                                  " modules disk.img\n grants children power status\n"
                                  " restart always limit 3\n"
                                  "program driver\n file driver\n memory 64K\n cpus 0\n uses pci\n"
                                  " provides disk\n devices disk\n grants dma\n"
                                  " restart on-failure limit 3\n";

static const uint8_t *input;
static size_t left;
static unsigned waits; /* waits of init since the end of the input */

/* A message of a program that the server of a CPU has not read yet. */
static struct {
        nova_sel_t portal; /* 0: none */
        unsigned restarts; /* restarts of the program when it sent the message */
        struct model_message message;
} held[PARENT_CPUS];

static void report(void *context, unsigned line, const char *sentence)
{
        (void)context;
        fprintf(stderr, "%u: %s\n", line, sentence);
}

/* Returns a word for a byte: small numbers, and the borders of types. */
static nova_word_t word_of(uint8_t byte)
{
        static const nova_word_t large[] = {~(nova_word_t)0,
                                            (nova_word_t)1 << 63,
                                            (nova_word_t)1 << 32,
                                            0xffffffff,
                                            0x80000000,
                                            0x100000001,
                                            1000,
                                            1001,
                                            NOVA_PARENT_LOG_TEXT,
                                            0x1000,
                                            0x10000,
                                            4072,
                                            508,
                                            507,
                                            0x7fffffff,
                                            255};

        return byte < 0xf0 ? byte : large[byte - 0xf0];
}

/* Writes the question of the service pci: page or number, then first and size in two words each. */
static void put_question(nova_word_t *word, const uint8_t *step)
{
        static const uint64_t addresses[] = {0xfe000000, 0xfe001000,
                                             0x0,        0xc000,
                                             0xc100,     0x2f8,
                                             0x3f8,      0x1000,
                                             0xfed01000, 0xfed00000,
                                             0xe0000000, 0x10000000,
                                             0xffff,     0xfffffffffffff000};
        static const uint64_t sizes[] = {0x1000,
                                         0x2000,
                                         8,
                                         1,
                                         0x100,
                                         0x10000,
                                         0x10000000,
                                         0x20000000,
                                         0,
                                         0x3000,
                                         0xfffffffffffff000};
        const uint64_t first = step[4] < 0x80 ? step[4] : addresses[step[4] % 14];
        const uint64_t bytes = sizes[step[5] % 11];

        word[2] = step[4] < 0x80 ? step[4] : step[6] >> 7;
        word[3] = step[3] == NOVA_PARENT_PCI_QUIET ? step[5] : (nova_word_t)(uint32_t)first;
        word[4] = (nova_word_t)(first >> 32);
        word[5] = (nova_word_t)(uint32_t)bytes;
        word[6] = (nova_word_t)(bytes >> 32);
}

static void put_report(nova_word_t *word, const uint8_t *step, const char *text)
{
        struct nova_fault_report fault;

        memset(&fault, step[3], sizeof(fault));
        fault.event = step[4];
        fault.frames = step[5];
        memcpy(fault.thread, text, sizeof(fault.thread));
        memcpy(fault.region, text, sizeof(fault.region));
        memcpy(&word[1], &fault, sizeof(fault));
}

/* Returns the number of the word at which an operation's text begins. */
static unsigned text_at(unsigned operation)
{
        switch (operation) {
        case NOVA_PARENT_OPEN:
        case NOVA_PARENT_SERVE:
                return 1;
        case NOVA_PARENT_MODULE:
        case NOVA_PARENT_WRITE:
                return 2;
        default:
                return 4;
        }
}

/* Takes the text of a step: a name that the description may have, or bytes of the input. */
static size_t take_text(uint8_t length, char text[128])
{
        static const char *const names[] = {"log",  "console", "pci",      "disk",       "serial",
                                            "uart", "nic",     "disk.img", "pci-config", "shell",
                                            "",     "lo",      "loge",     "\n\x1b[2J"};
        size_t bytes = length < left ? length : left;

        memset(text, 0, 128);
        if (length >= 0x80) {
                strcpy(text, names[(length - 0x80u) % 14]);
                return NOVA_PARENT_NAME;
        }
        memcpy(text, input, bytes);
        input += bytes;
        left -= bytes;
        return bytes;
}

/* Writes a message's words into the UTCB, and returns their number. */
static unsigned put_words(struct nova_utcb *utcb, unsigned operation, const uint8_t *step)
{
        nova_word_t *const word = utcb->word;
        const unsigned at = text_at(operation);
        unsigned count;
        char text[128];
        const size_t bytes = take_text(step[7], text);

        word[0] = operation == ANY_OPERATION ? word_of(step[3]) : operation;
        for (unsigned i = 0; i < 3; i++)
                word[1 + i] = word_of(step[3 + i]);
        memcpy(&word[at], text, bytes > 128 ? 128 : bytes);
        count = at + (unsigned)((bytes + sizeof(*word) - 1) / sizeof(*word));
        if (operation == NOVA_PARENT_PCI)
                put_question(word, step);
        if (operation == NOVA_PARENT_FAULT)
                put_report(word, step, text);
        if (operation == NOVA_PARENT_FAULT)
                count = 1 + (sizeof(struct nova_fault_report) + 7) / 8;
        if (operation == NOVA_PARENT_PCI)
                count = 7;
        if (step[2] == ALL)
                return (unsigned)NOVA_UTCB_WORDS - 4;
        return step[2] == FITTING ? count : step[2];
}

/* Adds the typed items that the server receives: capabilities that the sender has delegated to the
 * window, or nothing. An item may fail after some of its capabilities have arrived. */
static struct model_item put_items(struct nova_utcb *utcb, const struct child_server *server,
                                   nova_sel_t child, uint8_t kind)
{
        static const enum object objects[] = {THREAD, SEMAPHORE, PORTAL, DOMAIN};
        struct model_item sent = {kind & 1, kind & 4 ? 1 : 0, kind & 4 || kind & 0x20 ? 0 : 6,
                                  objects[kind >> 3 & 3]};
        const struct nova_item nothing = {0, kind & 0x40 ? NOVA_ITEM_DELEGATE : 0};
        const struct nova_item item = {
                nova_crd_obj(server->window + sent.at, sent.order, NOVA_PERM_ALL),
                NOVA_ITEM_DELEGATE};

        if (kind & 2)
                nova_utcb_put_item(utcb, nothing);
        if (sent.is) {
                parent_receive(server, child, sent.at, sent.order, sent.object);
                nova_utcb_put_item(utcb, kind & 0x80 ? nothing : item);
                sent.is &= !(kind & 0x80);
        }
        return sent;
}

static struct nova_child *running(unsigned number)
{
        const struct program *const program = &init.program[number];

        return program->state == PROGRAM_RUNS && program->child->state == CHILD_RUNNING
                       ? program->child
                       : NULL;
}

static void serve(nova_word_t cpu)
{
        const struct child_server *const server = novart_child_server_of(cpu);

        parent_serve(cpu);
        require(server->request->text.bytes || parent_window_is_empty(server));
}

/* Lets the server write the lines of the program's text, one at a time. The program may end in
 * between. */
static void serve_text(struct nova_child *child, nova_word_t cpu, bool kill)
{
        const struct child_text *const text = &novart_child_server_of(cpu)->request->text;
        const size_t name = strlen(child->name);

        for (unsigned lines = 0; text->bytes; lines++) {
                require(lines <= NOVA_UTCB_WORDS * sizeof(nova_word_t) &&
                        text->bytes <= sizeof(text->text));
                require(!memcmp(text->text, child->name, name) && text->text[name] == ':');
                parent_check_line(text->text, text->bytes);
                if (kill && child->state == CHILD_RUNNING)
                        nova_child_kill(child, 1);
                serve(cpu);
        }
}

static nova_word_t flushed[PARENT_CPUS]; /* number of closings at the last flush */

static void flush(nova_word_t cpu)
{
        if (held[cpu].portal || flushed[cpu] == novart_child_closings())
                return;
        flushed[cpu] = novart_child_closings();
        parent_sent(cpu);
        nova_mutex_lock(&novart_child_mutex);
        novart_child_flushed(cpu, flushed[cpu]);
        nova_mutex_unlock(&novart_child_mutex);
}

static void lose(void)
{
        parent_reclaim();
        model_forget_ended();
}

static void send(unsigned operation, const uint8_t *step)
{
        const unsigned number = (step[1] & 0xf) % init.system.programs;
        struct nova_child *const child = running(number);
        nova_word_t cpu = step[1] >> 4 & 1;

        if (!child)
                return;
        if (!(child->cpus >> cpu & 1))
                cpu = child->cpu;
        if (held[cpu].portal)
                return;

        struct child_server *const server = novart_child_server_of(cpu);
        struct model_message message = {number, child, server->window, {0}, 0, {0}, 0};

        memset(&server->utcb->word, 0x5a, sizeof(server->utcb->word));
        server->utcb->items = 0;
        message.words = put_words(server->utcb, operation, step);
        server->utcb->items = nova_utcb_items(message.words, 0);
        message.item = put_items(server->utcb, server, child->block, step[6]);
        message.words = nova_utcb_word_count(server->utcb);
        memcpy(message.word, server->utcb->word, message.words * sizeof(*message.word));
        model_expect(&message);
        server->portal = child->block + CHILD_PARENT + cpu;
        if (step[1] & 0x80) {
                message.expected =
                        MODEL_UNKNOWN; /* the state may change until the server reads it */
                held[cpu].portal = server->portal;
                held[cpu].restarts = init.program[number].restarts;
                held[cpu].message = message;
                return;
        }
        serve(cpu);
        serve_text(child, cpu, step[1] & 0x40);
        if (child->state == CHILD_RUNNING)
                model_check(&message, server->utcb);
        lose();
}

/* Lets the server read a message that it has received earlier. If the sender has ended, nothing
 * happens. */
static void go(nova_word_t cpu)
{
        struct child_server *const server = novart_child_server_of(cpu);
        const struct parent_counts before = parent_counts;
        const struct model_message *const message = &held[cpu].message;
        const unsigned number = message->number;
        struct nova_child *const child =
                init.program[number].restarts == held[cpu].restarts ? running(number) : NULL;

        if (!held[cpu].portal)
                return;
        held[cpu].portal = 0;
        serve(cpu);
        if (child)
                serve_text(child, cpu, false);
        else
                require(!memcmp(&before, &parent_counts, sizeof(before)) &&
                        !server->request->text.bytes);
        if (child && child->state == CHILD_RUNNING)
                model_check(message, server->utcb);
        lose();
}

static void raise_event(const uint8_t *step)
{
        const unsigned number = (step[1] & 0xf) % init.system.programs;
        struct nova_child *const child = running(number);
        const nova_word_t cpu = child ? child->cpu : 0;
        struct child_server *const server = novart_child_server_of(cpu);
        const unsigned event = step[3] % CHILD_EVENTS;
        const nova_sel_t base =
                step[4] & 1 ? child ? NOVA_SEL_MAIN_EVENTS : 0 : CHILD_FAULT + CHILD_EVENTS * cpu;

        if (!child || held[cpu].portal || parent_object(child->block + base + event) != PORTAL)
                return;
        memset(server->utcb, step[5], sizeof(*server->utcb));
        server->utcb->state.qual[0] = step[5];
        server->utcb->state.qual[1] = step[4] & 2 ? child->layout.pool : word_of(step[5]);
        server->utcb->items = nova_utcb_items((unsigned)NOVA_UTCB_STATE_WORDS, step[4] >> 2 & 1);
        server->portal = child->block + base + event;
        serve(cpu);
        require(!nova_utcb_untyped(
                server->utcb->items)); /* the reply has no words of earlier messages */
        if (child->state == CHILD_RUNNING)
                model_check_pages(number, child, server->utcb);
        lose();
}

static void run_step(const uint8_t *step)
{
        struct nova_child *const child = running((step[1] & 0xf) % init.system.programs);

        switch (step[0]) {
        case EVENT:
                raise_event(step);
                break;
        case KILL:
                if (child)
                        nova_child_kill(child, step[3]);
                if (step[4] & 1)
                        lose();
                break;
        case GO:
                go(step[1] >> 4 & 1);
                break;
        case FLUSH:
                flush(step[1] >> 4 & 1);
                break;
        case TIME:
                parent_pass_time((uint64_t)step[3] << 24);
                break;
        case REFUSE:
                parent_refuses = step[3];
                break;
        case DESTROY:
                if (child)
                        parent_destroy_objects(child->block);
                break;
        case LOSE:
                lose();
                break;
        default:
                send(step[0] % (ANY_OPERATION + 1), step);
                break;
        }
        model_check_devices();
}

/* Lets the servers answer. Init may have forgotten the child that sent a message, so the answers
 * are not compared with the model. */
void parent_answer(void)
{
        for (unsigned i = 0; i < PARENT_CPUS; i++) {
                const struct request *const request = novart_child_server_of(i)->request;

                if (held[i].portal)
                        serve(i);
                while (request->text.bytes)
                        serve(i);
                held[i].portal = 0;
                flush(i);
        }
}

/* Ends all programs after the end of the input. They do not start again. */
static void end_programs(void)
{
        parent_refuses = 0;
        for (unsigned i = 0; i < PARENT_CPUS; i++)
                go(i);
        for (unsigned i = 0; i < init.system.programs; i++)
                if (running(i))
                        nova_child_kill(running(i), FINAL);
        lose();
        for (unsigned i = 0; i < PARENT_CPUS; i++)
                flush(i);
        parent_pass_time(UINT64_C(100000000000));
}

void parent_wait(void)
{
        if (left < STEP) {
                require(waits++ < 20);
                end_programs();
                return;
        }
        do {
                const uint8_t *const step = input;

                input += STEP;
                left -= STEP;
                run_step(step);
        } while (left >= STEP && init.news.count <= 0);
}

/* Lets the server read the last message, after all programs have ended. */
static void finish(nova_word_t cpu)
{
        if (held[cpu].portal)
                serve(cpu);
        held[cpu].portal = 0;
        flush(cpu);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        unsigned pages;

        if (!init.system.programs)
                require(!nova_system_read(&init.system, description, sizeof(description) - 1,
                                          report, NULL));
        memset(init.program, 0, sizeof(init.program));
        memset(&init.news, 0, sizeof(init.news));
        memset(held, 0, sizeof(held));
        parent_begin();
        model_begin();
        status_begin();
        input = data;
        left = size;
        waits = 0;
        programs_run();
        for (unsigned i = 0; i < PARENT_CPUS; i++)
                finish(i);

        const unsigned selectors = parent_forget_init(&pages);

        parent_end(selectors, pages);
        return 0;
}
