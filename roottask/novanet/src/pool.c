/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool of buffers for received frames. The receive window of TCP limits bytes, but each frame
 * takes a whole buffer. So a socket with unread data may hold at most as many buffers as are free
 * beyond a limit. Even if fewer are free, the socket may hold a few, as long as the reserve is
 * untouched. So if the program leaves N sockets unread, a stream that it does read has about as
 * many buffers as each of these sockets. The reserve is for sockets that hold no buffer, and for
 * fragments. One large datagram at a time may take its buffers from the reserve, so that an idle
 * socket still gets such a datagram. A segment of TCP that is refused is not lost, because the
 * other machine sends it again. */
#include "pool.h"

#include "lwip/api.h"
#include "lwip/memp.h"
#include "lwip/priv/api_msg.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/stats.h"

/* Free buffers below which a socket that holds none gets no data of several buffers: enough for the
 * fragments that wait, of IPv4 and IPv6, and for a frame of each socket. */
#define LEAST (2 * IP_REASS_MAX_PBUFS + MEMP_NUM_NETCONN)

/* The reserve: in addition, a large datagram, whose fragments no longer wait. */
#define RESERVE (LEAST + IP_REASS_MAX_PBUFS)

#define FEW 4 /* buffers that each socket may hold even if the shared ones are in use */
/* Buffers for which sockets that hold more than FEW compete. */
#define SHARED (PBUF_POOL_SIZE - RESERVE - 32)

/* Up to this number of buffers in use, nothing is refused: one socket may hold all of them. */
#define ALONE (SHARED / 2)

_Static_assert(RESERVE < PBUF_POOL_SIZE && ALONE >= TCP_WND / TCP_MSS,
               "a stream alone has its whole window");

static unsigned count_taken(void)
{
        return (unsigned)lwip_stats.memp[MEMP_PBUF_POOL]->used;
}

bool novanet_pool_is_shared(void)
{
        return count_taken() > ALONE;
}

static unsigned weigh_datagram(const void *message)
{
        return pbuf_clen(((const struct netbuf *)message)->p);
}

static unsigned weigh_bytes(const void *message)
{
        err_t error;

        return lwip_netconn_is_err_msg((void *)message, &error) ? 0 : pbuf_clen(message);
}

/* Returns the number of buffers that a socket's unread data takes. */
static unsigned count_unread(const struct netconn *conn)
{
        return novanet_mailbox_weigh(conn->recvmbox, NETCONNTYPE_GROUP(conn->type) == NETCONN_TCP
                                                             ? weigh_bytes
                                                             : weigh_datagram);
}

/* Returns true if a socket that holds @p held buffers must not get @p data. */
static bool refuses(unsigned held, const struct pbuf *data)
{
        const unsigned taken = count_taken();
        const unsigned share = taken < SHARED ? SHARED - taken : 0;

        if (PBUF_POOL_SIZE - taken < RESERVE)
                return held || (data->next && PBUF_POOL_SIZE - taken < LEAST);
        return held && held + pbuf_clen(data) > (share > FEW ? share : FEW);
}

bool novanet_pool_refuses(const struct netconn *conn, const struct pbuf *data)
{
        return novanet_pool_is_shared() && refuses(count_unread(conn), data);
}

/* Returns the number of buffers that a connection holds. For a segment that came too early (not
 * is_next), the count includes the other segments that came too early, and is at least 1: such a
 * segment must not take the last buffers, which the missing segment needs first. */
static unsigned count_held(const struct tcp_pcb *pcb, bool is_next)
{
        const struct netconn *const conn = pcb->callback_arg;
        unsigned held = conn ? count_unread(conn) : 0;

        if (pcb->refused_data)
                held += pbuf_clen(pcb->refused_data);
        if (is_next)
                return held;
        for (const struct tcp_seg *segment = pcb->ooseq; segment; segment = segment->next)
                held += pbuf_clen(segment->p);
        return held + 1;
}

/* lwIP calls this function before it processes a segment. A segment without new data takes no
 * buffer. This includes acknowledgements after a segment that was refused: their sequence numbers
 * are beyond the missing data. If a segment is refused, the other machine learns at once which
 * bytes are missing, and need not wait for its timeout.
 * @return ERR_OK, or an error: lwIP drops the segment */
int8_t novanet_take_segment(struct tcp_pcb *pcb, const struct tcp_hdr *header,
                            const struct pbuf *data)
{
        if (!data->tot_len && !(TCPH_FLAGS(header) & TCP_FIN))
                return ERR_OK;
        if (pcb->state < ESTABLISHED || pcb->state > FIN_WAIT_2 || TCPH_FLAGS(header) & TCP_RST ||
            !TCP_SEQ_GT(header->seqno + data->tot_len, pcb->rcv_nxt) || !novanet_pool_is_shared() ||
            !refuses(count_held(pcb, !TCP_SEQ_GT(header->seqno, pcb->rcv_nxt)), data))
                return ERR_OK;
        tcp_ack_now(pcb);
        tcp_output(pcb);
        return ERR_MEM;
}
