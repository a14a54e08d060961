/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends again what was lost while the service with frames did not run, and what it had no buffers
 * for. */
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

/* lwIP itself would try again with the stream's next acknowledgement, or with a timer after half a
 * second or more. No acknowledgement comes if all of the stream's other bytes have arrived, and the
 * buffers had frames of other streams. */
void novanet_send_rest(void)
{
        for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
                if (pcb->flags & (TF_NAGLEMEMERR | TF_ACK_NOW))
                        tcp_output(pcb);
}
