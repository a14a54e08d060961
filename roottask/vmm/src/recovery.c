/* SPDX-License-Identifier: BSD-2-Clause */
/* Recovery of a guest's device whose service has ended (see recovery.h). */
#include "recovery.h"

#include <errno.h>
#include <stdbool.h>

#include "novart/time.h"

/* Time in ns between two attempts to open the session. */
#define AGAIN_NS 1000000000

/* Returns true if the error may pass. */
static bool may_pass(int error)
{
        static const int passing[] = {
                ECONNRESET, /* the service ended during the attempt */
                EAGAIN,     /* it does not run yet */
                ENODEV,     /* it has another disk until the first one is connected again */
                EBUSY,      /* another client has the disk or the card until it ends */
                EMFILE,     /* the program's other sessions are at its limit until one is closed */
                ENFILE,     /* other clients have all sessions until one is closed */
                ENOMEM,     /* no memory is free at the moment */
        };

        for (unsigned i = 0; i < sizeof(passing) / sizeof(*passing); i++)
                if (error == passing[i])
                        return true;
        return false;
}

int novavmm_recovery_wait(int (*reopen)(void *device), void *device)
{
        int error;

        while ((error = reopen(device)) && may_pass(error))
                if (error != ECONNRESET) /* the attempts of `reopen` have taken a second */
                        nova_sleep(AGAIN_NS);
        return error;
}
