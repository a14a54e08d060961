/* SPDX-License-Identifier: BSD-2-Clause */
/* Resends data that was lost while the network service did not run, and sends data for which there
 * was no buffer. */
#include "interface.h"
#include "lwip/priv/tcp_priv.h"

/* Resends unacknowledged data at once. A timeout while the service does not run doubles the time to
 * the next timeout, so a connection could be silent for 20 seconds after some restarts of the
 * service. Here the service has lost the frames, so the network is not congested. */
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

/* Sends segments that found no free buffer. lwIP itself would try again at the stream's next
 * acknowledgement, or by a timer after half a second or more. If all buffers contained frames of
 * other streams, and all other bytes of this stream are acknowledged, no acknowledgement comes. */
void novanet_send_rest(void)
{
        for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
                if (pcb->flags & (TF_NAGLEMEMERR | TF_ACK_NOW))
                        tcp_output(pcb);
}
