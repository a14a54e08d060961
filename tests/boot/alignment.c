/* SPDX-License-Identifier: BSD-2-Clause */
/* A roottask with a thread on CPU 1 that sets its AC flag. CPU 0 ends this thread by an interrupt,
 * so that CPU 1 becomes idle. Then the roottask prints `ready` and keeps running. */
#include <nova/console.h>
#include <nova/crd.h>
#include <nova/event.h>
#include <nova/nova.h>
#include <nova/portal.h>
#include <nova/root.h>

#define EVENTS ((nova_sel_t)1 << 12)
#define MOMENT 100000000 /* TSC ticks */

#if __SIZEOF_POINTER__ == 8
#define SP "%rsp"
#else
#define SP "%esp"
#endif

__asm__(".text\nspin_with_ac: pushf; orl $0x40000, (" SP "); popf; movl $1, has_ac\n1: jmp 1b\n");

extern const char spin_with_ac[];
static volatile unsigned has_ac __attribute__((used));

static struct nova_root root;
static struct nova_console console;
static unsigned char handler_stack[4096], stack[256];

static void serve(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        (void)portal;
        (void)argument;
        utcb->state.ip = NOVA_ADDRESS(spin_with_ac);
        utcb->state.sp = NOVA_ADDRESS(stack) + sizeof(stack);
        nova_utcb_event_reply(utcb, NOVA_MTD_EIP | NOVA_MTD_ESP);
}

static void wait_a_moment(void)
{
        const uint64_t start = __builtin_ia32_rdtsc();

        while (__builtin_ia32_rdtsc() - start < MOMENT)
                __asm__ volatile("pause");
}

int nova_main(const struct nova_hip *hip, nova_word_t cpu)
{
        if (nova_root_init(&root, hip, cpu) != NOVA_SUCCESS || !nova_console_init(&console, &root))
                return 1;

        struct nova_utcb *utcb = (struct nova_utcb *)nova_root_utcb(&root);
        const nova_word_t sp =
                nova_portal_stack(handler_stack, sizeof(handler_stack), serve, utcb, NULL);
        const nova_sel_t handler = nova_root_sel(&root, 3), ec = handler + 1, sc = handler + 2;

        nova_create_ec(handler, NOVA_SEL_ROOT_PD, NOVA_ADDRESS(utcb), 1, sp, 0, 0);
        nova_create_pt(EVENTS + NOVA_EXC_STARTUP, NOVA_SEL_ROOT_PD, handler,
                       NOVA_MTD_EIP | NOVA_MTD_ESP, NOVA_ADDRESS(nova_portal_entry));
        nova_create_ec(ec, NOVA_SEL_ROOT_PD, NOVA_ADDRESS(nova_root_utcb(&root)), 1, 0, EVENTS,
                       NOVA_EC_GLOBAL);
        if (nova_create_sc(sc, NOVA_SEL_ROOT_PD, ec, nova_qpd(10000, 1)) != NOVA_SUCCESS)
                return 1;
        while (!has_ac)
                __asm__ volatile("pause");
        wait_a_moment();
        nova_revoke(nova_crd_obj(sc, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        nova_revoke(nova_crd_obj(ec, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        wait_a_moment();
        nova_printf(&console, "ready\n");
        for (;;)
                __asm__ volatile("pause");
}
