/* SPDX-License-Identifier: BSD-2-Clause */
/* Which segments and datagrams novanet refuses while many receive buffers are in use. */
#include <gtest/gtest.h>

#include <algorithm>

extern "C" {
#include "pool.h"

#include "lwip/api.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/stats.h"
}

namespace
{

constexpr uint32_t next_byte = 5000; /* the next byte that a connection expects */
constexpr unsigned large = 41;       /* buffers of a datagram of 60,000 bytes */

unsigned unread, outputs;

} // namespace

extern "C" {
struct stats_ lwip_stats;

u16_t lwip_htons(u16_t value)
{
        return static_cast<u16_t>(value << 8 | value >> 8);
}

int lwip_netconn_is_err_msg(void *, err_t *)
{
        return 0;
}

u16_t pbuf_clen(const struct pbuf *data)
{
        u16_t count = 0;

        for (; data; data = data->next)
                count++;
        return count;
}

unsigned novanet_mailbox_weigh(struct novanet_mailbox *, unsigned (*)(const void *))
{
        return unread;
}

err_t tcp_output(struct tcp_pcb *)
{
        outputs++;
        return ERR_OK;
}
}

namespace
{

struct net_pool : testing::Test {
        struct stats_mem pool = {};
        struct netconn conn = {};
        struct tcp_pcb pcb = {};
        struct tcp_hdr header = {};
        struct pbuf part[large] = {};

        void SetUp() override
        {
                unread = outputs = 0;
                lwip_stats.memp[MEMP_PBUF_POOL] = &pool;
                pcb.state = ESTABLISHED;
                pcb.callback_arg = &conn;
                pcb.rcv_nxt = next_byte;
                conn.type = NETCONN_TCP;
        }

        /* Receives a segment. The argument @p at is its number, in the machine's byte order, as in
         * lwIP. */
        err_t take(uint32_t at, uint16_t bytes, uint16_t flags)
        {
                header.seqno = at;
                header._hdrlen_rsvd_flags = lwip_htons(flags);
                part[0].tot_len = part[0].len = bytes;
                return novanet_take_segment(&pcb, &header, part);
        }

        /* Receives a datagram of @p buffers buffers while @p others other ones are in use. */
        bool is_refused(unsigned buffers, unsigned others)
        {
                conn.type = NETCONN_UDP;
                for (unsigned i = 0; i < large; i++)
                        part[i].next = i + 1 < buffers ? &part[i + 1] : nullptr;
                pool.used = static_cast<mem_size_t>(others + buffers);
                return novanet_pool_refuses(&conn, part);
        }
};

/* After a refused segment, the other machine's acknowledgements have a number beyond the missing
 * data. The connection stalls without them if its program sends before it reads. */
TEST_F(net_pool, an_acknowledgement_beyond_missing_data_is_accepted)
{
        pool.used = 200;
        EXPECT_EQ(take(next_byte + 1460, 1460, TCP_ACK), ERR_MEM);
        EXPECT_EQ(outputs, 1U) << "the other machine learns which bytes are missing";
        EXPECT_EQ(take(next_byte + 1460, 0, TCP_ACK), ERR_OK);
        EXPECT_EQ(take(next_byte + 1460, 0, TCP_ACK | TCP_FIN), ERR_MEM);
        EXPECT_EQ(take(next_byte, 1460, TCP_ACK), ERR_OK) << "the connection holds nothing";
        EXPECT_EQ(outputs, 2U);
}

TEST_F(net_pool, a_socket_that_holds_nothing_gets_a_large_datagram)
{
        EXPECT_FALSE(is_refused(large, 0));
        EXPECT_FALSE(is_refused(large, 96)) << "all buffers but the reserve";
        unread = 1;
        EXPECT_TRUE(is_refused(large, 96));
}

/* Fragments that wait still have their buffers. */
TEST_F(net_pool, the_reserve_is_used_for_one_large_datagram_at_a_time)
{
        EXPECT_TRUE(is_refused(14, 96 + large));
        EXPECT_FALSE(is_refused(1, 96 + large));
        unread = 1;
        EXPECT_TRUE(is_refused(1, 96 + large));
}

TEST_F(net_pool, large_datagrams_leave_buffers_for_all_fragments_and_a_frame_of_each_socket)
{
        unsigned free = PBUF_POOL_SIZE;

        for (unsigned buffers = 2; buffers <= large; buffers++)
                for (unsigned taken = buffers; taken <= PBUF_POOL_SIZE; taken++)
                        if (!is_refused(buffers, taken - buffers))
                                free = std::min(free, PBUF_POOL_SIZE - taken);
        EXPECT_EQ(free, unsigned{2 * IP_REASS_MAX_PBUFS + MEMP_NUM_NETCONN});
        EXPECT_FALSE(is_refused(1, PBUF_POOL_SIZE - 1));
}

} // namespace
