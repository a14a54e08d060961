/* SPDX-License-Identifier: BSD-2-Clause */
/* getaddrinfo(): the addresses of a name, of both protocols, with the errors of POSIX. lwIP asks
 * the servers. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "interface.h"
#include "lwip/dns.h"
#include "lwip/tcpip.h"
#include "novart/sync.h"

/* A server's answer to the present name: its error in the header (RFC 1035, 4.1.1),
 * NOVANET_DNS_TRUNCATED, or NO_ANSWER. lwIP asks by UDP only, so a truncated answer stays
 * truncated. lwIP's lock protects it. */
#define NO_ANSWER (-1)
#define NO_ERROR  0
#define FAILED    2
#define NO_NAME   3
int novanet_dns_answer = NO_ANSWER;

#define FLAGS                                                                                 \
        (AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_NUMERICSERV | AI_V4MAPPED | AI_ALL | \
         AI_ADDRCONFIG)

/* A question to the servers. */
struct question {
        struct nova_semaphore done;
        ip_addr_t *address;
        int error; /* EAI_... */
};

/* A query of getaddrinfo(). */
struct request {
        const char *name;
        int flags, family, type, protocol;
        in_port_t port;
};

/* The list that becomes the result. */
struct list {
        struct addrinfo *first, **end;
};

struct entry {
        struct addrinfo info;
        struct sockaddr_storage address;
        char name[];
};

static int error_of(int answer)
{
        switch (answer) {
        case NO_ANSWER:
        case FAILED:
                return EAI_AGAIN;
        case NO_ERROR:
        case NO_NAME:
                return EAI_NONAME;
        default:
                return EAI_FAIL;
        }
}

static void found(const char *name, const ip_addr_t *address, void *argument)
{
        struct question *question = argument;

        (void)name;
        if (address)
                *question->address = *address;
        else
                question->error = error_of(novanet_dns_answer);
        novanet_dns_answer = NO_ANSWER;
        nova_semaphore_up(&question->done);
}

/* Asks for an address of one protocol. @return 0, or EAI_... */
static int ask(const char *name, u8_t type, ip_addr_t *address)
{
        struct question question = {.done = NOVA_SEMAPHORE_INITIALIZER(0), .address = address};
        err_t error;

        LOCK_TCPIP_CORE();
        error = dns_gethostbyname_addrtype(name, address, found, &question, type);
        UNLOCK_TCPIP_CORE();
        switch (error) {
        case ERR_OK:
                return 0;
        case ERR_INPROGRESS:
                nova_semaphore_down(&question.done);
                return question.error;
        case ERR_MEM:
                return EAI_AGAIN; /* lwIP cannot ask for more names at once */
        case ERR_VAL:
                return EAI_FAIL; /* no server is known */
        default:
                return EAI_NONAME; /* the name is empty, or too long */
        }
}

/* Appends an address, once for each type of socket. */
static int append(struct list *list, const struct request *request, const ip_addr_t *address)
{
        const int types[] = {SOCK_STREAM, SOCK_DGRAM}, protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
        const size_t size = request->flags & AI_CANONNAME ? strlen(request->name) + 1 : 0;

        for (unsigned i = 0; i < 2; i++) {
                struct entry *entry;
                struct sockaddr_in *v4;
                struct sockaddr_in6 *v6;

                if (request->type && request->type != types[i])
                        continue;
                entry = calloc(1, sizeof(*entry) + size);
                if (!entry)
                        return EAI_MEMORY;
                entry->info.ai_socktype = types[i];
                entry->info.ai_protocol = protocols[i];
                entry->info.ai_addr = (struct sockaddr *)&entry->address;
                if (IP_IS_V4(address)) {
                        v4 = (struct sockaddr_in *)&entry->address;
                        v4->sin_len = entry->info.ai_addrlen = sizeof(*v4);
                        v4->sin_family = AF_INET;
                        v4->sin_port = request->port;
                        v4->sin_addr.s_addr = ip_2_ip4(address)->addr;
                } else {
                        v6 = (struct sockaddr_in6 *)&entry->address;
                        v6->sin6_len = entry->info.ai_addrlen = sizeof(*v6);
                        v6->sin6_family = AF_INET6;
                        v6->sin6_port = request->port;
                        v6->sin6_scope_id = ip6_addr_zone(ip_2_ip6(address));
                        inet6_addr_from_ip6addr(&v6->sin6_addr, ip_2_ip6(address));
                }
                entry->info.ai_family = entry->address.ss_family;
                if (size && !list->first)
                        entry->info.ai_canonname = memcpy(entry->name, request->name, size);
                *list->end = &entry->info;
                list->end = &entry->info.ai_next;
        }
        return 0;
}

/* Returns true if the program has an address of the protocol that reaches other networks. */
static bool is_connected(bool v6)
{
        bool connected = false;

        LOCK_TCPIP_CORE();
        if (v6) {
                for (s8_t i = 1; i < LWIP_IPV6_NUM_ADDRESSES; i++)
                        connected |= ip6_addr_isvalid(netif_ip6_addr_state(&novanet_interface, i));
        } else {
                connected = !ip4_addr_isany_val(*netif_ip4_addr(&novanet_interface));
        }
        UNLOCK_TCPIP_CORE();
        return connected;
}

/* Returns the error that says more about the name. */
static int worse(int one, int other)
{
        static const int order[] = {EAI_MEMORY, EAI_AGAIN, EAI_FAIL, EAI_NONAME};

        for (unsigned i = 0; i < sizeof(order) / sizeof(*order); i++) {
                if (one == order[i] || other == order[i])
                        return order[i];
        }
        return EAI_NONAME;
}

/* Asks the servers for the addresses of both protocols, or of one. */
static int ask_servers(struct list *list, const struct request *request)
{
        const bool first6 = is_connected(true);
        int error = EAI_NONAME;

        for (unsigned i = 0; i < 2; i++) {
                const bool v6 = first6 == !i;
                ip_addr_t address;
                int now;

                if ((request->family != AF_UNSPEC &&
                     request->family != (v6 ? AF_INET6 : AF_INET)) ||
                    (request->flags & AI_ADDRCONFIG && !is_connected(v6)))
                        continue;
                now = ask(request->name, v6 ? LWIP_DNS_ADDRTYPE_IPV6 : LWIP_DNS_ADDRTYPE_IPV4,
                          &address);
                if (!now)
                        now = append(list, request, &address);
                error = now ? worse(error, now) : error;
                if (now == EAI_AGAIN || now == EAI_MEMORY)
                        break;
        }
        return list->first ? 0 : error;
}

/* Appends the program's own addresses, for a request without a name. */
static int append_own(struct list *list, const struct request *request)
{
        int error = 0;

        for (unsigned v6 = 0; !error && v6 < 2; v6++) {
                ip_addr_t address;

                if (request->family != AF_UNSPEC && request->family != (v6 ? AF_INET6 : AF_INET))
                        continue;
                if (request->flags & AI_PASSIVE)
                        ip_addr_set_any(v6, &address);
                else
                        ip_addr_set_loopback(v6, &address);
                error = append(list, request, &address);
        }
        return error;
}

static int find(struct list *list, const struct request *request)
{
        ip_addr_t address;

        if (!request->name)
                return append_own(list, request);
        if (ipaddr_aton(request->name, &address)) {
                if (request->family != AF_UNSPEC &&
                    request->family != (IP_IS_V6(&address) ? AF_INET6 : AF_INET))
                        return EAI_NONAME;
                return append(list, request, &address);
        }
        return request->flags & AI_NUMERICHOST ? EAI_NONAME : ask_servers(list, request);
}

/* Reads the hints and the port. @return 0, or EAI_... */
static int read_request(struct request *request, const char *service, const struct addrinfo *hints)
{
        char *end = NULL;
        unsigned long port = 0;

        if (hints) {
                request->flags = hints->ai_flags;
                request->family = hints->ai_family;
                request->type = hints->ai_socktype;
        }
        if (!request->name && !service)
                return EAI_NONAME;
        if (request->flags & ~FLAGS || (request->flags & AI_CANONNAME && !request->name))
                return EAI_BADFLAGS;
        if (request->family != AF_UNSPEC && request->family != AF_INET &&
            request->family != AF_INET6)
                return EAI_FAMILY;
        if (request->type && request->type != SOCK_STREAM && request->type != SOCK_DGRAM)
                return EAI_SOCKTYPE;
        if (service)
                port = strtoul(service, &end, 10);
        if (service && (*end || end == service || *service == '-' || port > 0xffff))
                return EAI_SERVICE;
        request->port = htons((uint16_t)port);
        return 0;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
        struct request request = {.name = name, .family = AF_UNSPEC};
        struct list list = {.end = &list.first};
        int error = read_request(&request, service, hints);

        *result = NULL;
        if (!error)
                error = find(&list, &request);
        if (error)
                freeaddrinfo(list.first);
        else
                *result = list.first;
        return error;
}

void freeaddrinfo(struct addrinfo *list)
{
        while (list) {
                struct addrinfo *next = list->ai_next;

                free(list);
                list = next;
        }
}

const char *gai_strerror(int error)
{
        switch (error) {
        case EAI_AGAIN:
                return "no name server answered";
        case EAI_BADFLAGS:
                return "a flag is not known";
        case EAI_FAIL:
                return "no name server is known, or it refused the question or cut its answer";
        case EAI_FAMILY:
                return "the family of addresses is not known";
        case EAI_MEMORY:
                return "out of memory";
        case EAI_NONAME:
                return "there is no such name";
        case EAI_SERVICE:
                return "the port is not a number";
        case EAI_SOCKTYPE:
                return "the type of socket is not known";
        default:
                return error ? "an unknown error" : "no error";
        }
}
