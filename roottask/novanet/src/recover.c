/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends again what was lost while the service with frames did not run. */
#include "interface.h"
#include "lwip/priv/tcp_priv.h"

/* Each timeout that meets a service which does not run doubles the time to the next one, so that a
 * connection could be silent for 20 seconds after some ends of the service. But here it is known
 * that frames were lost, and that no other machine is the reason. */
void novanet_recover(void)
{
        for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
                if (!pcb->unacked)
                        continue;
                pcb->nrtx = 0;
                pcb->rtime = 0;
                pcb->rto = (s16_t)((pcb->sa >> 3) + pcb->sv);
                tcp_rexmit_rto(pcb);
        }
}
