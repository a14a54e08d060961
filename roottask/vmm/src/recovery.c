/* SPDX-License-Identifier: BSD-2-Clause */
/* Recovery of a guest's device whose service has ended (see recovery.h). */
#include "recovery.h"

#include <errno.h>
#include <stdbool.h>

#include "novart/time.h"

/* Time in ns between two attempts to open the session. */
#define AGAIN_NS 1000000000

/* Returns true if the error may pass: the service ends at the moment (ECONNRESET), does not run yet
 * (EAGAIN), or has another disk until the first one is connected again (ENODEV); other clients have
 * the disk, the card or the sessions until they end (EBUSY, EMFILE, ENFILE), or there is no memory
 * at the moment (ENOMEM). */
static bool may_pass(int error)
{
        static const int passing[] = {ECONNRESET, EAGAIN, ENODEV, EBUSY, EMFILE, ENFILE, ENOMEM};

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
