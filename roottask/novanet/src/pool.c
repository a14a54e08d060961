/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool of buffers for received frames. The receive window of TCP limits bytes, but each frame
 * takes a whole buffer. So while few buffers are free, a socket with unread data gets no more
 * frames: other machines send lost segments again. Acknowledgements, and streams that the program
 * reads, continue. */
#include "pool.h"

#include "lwip/api.h"
#include "lwip/memp.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/stats.h"

#define LOW 96 /* free buffers: enough for fragments that wait, and for a frame of each socket */

/* A packet of several frames needs this number of free buffers. What is left is still enough for
 * one frame of each socket. */
#define LOW_FOR_CHAIN 72

_Static_assert(LOW_FOR_CHAIN > MEMP_NUM_NETCONN, "each socket can receive a frame");

static unsigned count_free(void)
{
        return PBUF_POOL_SIZE - (unsigned)lwip_stats.memp[MEMP_PBUF_POOL]->used;
}

bool novanet_pool_is_low(void)
{
        return count_free() < LOW;
}

bool novanet_pool_refuses(bool unread, const struct pbuf *data)
{
        const unsigned left = count_free();

        return left < LOW && (unread || (data->next && left < LOW_FOR_CHAIN));
}

/* lwIP calls this function before it processes a segment. A segment without new data takes no
 * buffer. One that fills no gap waits for others.
 * @return ERR_OK, or an error: lwIP drops the segment */
int8_t novanet_take_segment(const struct tcp_pcb *pcb, const struct tcp_hdr *header,
                            const struct pbuf *data)
{
        const struct netconn *conn;
        bool unread;

        if (pcb->state < ESTABLISHED || pcb->state > FIN_WAIT_2 || TCPH_FLAGS(header) & TCP_RST ||
            !TCP_SEQ_GT(header->seqno + data->tot_len, pcb->rcv_nxt))
                return ERR_OK;
        conn = pcb->callback_arg;
        unread = pcb->refused_data || TCP_SEQ_GT(header->seqno, pcb->rcv_nxt) ||
                 (conn && conn->recv_avail > 0);
        return novanet_pool_refuses(unread, data) ? ERR_MEM : ERR_OK;
}
