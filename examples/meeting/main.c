/* SPDX-License-Identifier: BSD-2-Clause */
/* Two programs that do not know each other: one publishes a semaphore, the other looks it up. */
#include <nova/crd.h>
#include <nova/hypercall.h>
#include <novart/program.h>
#include <novart/selector.h>
#include <novart/service/names.h>
#include <novart/sync.h>
#include <stdio.h>
#include <string.h>

static int publish(struct nova_session *names, nova_sel_t bell)
{
        nova_create_sm(bell, nova_program.pd, 0);
        /* Other programs may ring the bell, but not wait for it. */
        if (nova_names_publish(names, "bell", nova_crd_obj(bell, 0, NOVA_SM_UP)))
                return 1;
        nova_sm_down(bell);
        printf("the bell has rung\n");
        return 0;
}

static int look_up(struct nova_session *names, nova_sel_t bell)
{
        /* Waits until the other program publishes the bell. */
        if (nova_names_lookup(names, "bell", nova_crd_obj(bell, 0, NOVA_PERM_ALL), NOVA_FOREVER))
                return 1;
        if (nova_sm_down_until(bell, 0, 0) == NOVA_BAD_CAP)
                printf("this program may ring the bell, but not wait for it\n");
        nova_sm_up(bell);
        return 0;
}

int main(int argc, char **argv)
{
        struct nova_session *names;
        const nova_sel_t bell = nova_sel_alloc(0);

        if (nova_names_open(&names))
                return 1;
        return argc > 1 && !strcmp(argv[1], "publish") ? publish(names, bell)
                                                       : look_up(names, bell);
}
