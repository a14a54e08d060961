/* SPDX-License-Identifier: BSD-2-Clause */
/* Substitutes for the kernel and for the parts of the runtime that OPEN needs (see open_fake.h). */
#include "open_fake.h"

#include "nova/hypercall.h"
#include "novart/guard.h"
#include "novart/selector.h"
#include "service/internal.h"

int open_room[2];
unsigned open_clears;
bool open_ended_lately;

static unsigned questions;

int novart_service_room(const struct nova_service *service)
{
        (void)service;
        return questions < 2 ? open_room[questions++] : 0;
}

bool novart_service_ended_lately(const struct nova_service *service)
{
        (void)service;
        return open_ended_lately;
}

void novart_service_clear_soon(struct nova_service *service)
{
        (void)service;
        open_clears++;
}

bool novart_service_enter(struct nova_service *service)
{
        return service;
}

void novart_service_leave(struct nova_service *service)
{
        (void)service;
}

bool novart_service_inside(const struct nova_service *service)
{
        return service;
}

int nova_copy_guarded(void *to, const void *from, size_t bytes)
{
        (void)to, (void)from, (void)bytes;
        return 0;
}

int nova_handler_portal(struct nova_handler *handler, nova_sel_t sel, nova_word_t label)
{
        (void)handler, (void)sel, (void)label;
        return 0;
}

void nova_sel_release(nova_sel_t base, unsigned order)
{
        (void)base, (void)order;
}

nova_word_t nova_trap_3(nova_word_t id, nova_word_t *a2, nova_word_t *a3)
{
        (void)id, (void)a2, (void)a3;
        return NOVA_SUCCESS;
}

nova_word_t nova_trap_2(nova_word_t id, nova_word_t *a2)
{
        (void)id, (void)a2;
        return NOVA_SUCCESS;
}

nova_word_t nova_trap_1(nova_word_t id)
{
        (void)id;
        return NOVA_SUCCESS;
}

int open_without_item(void)
{
        static struct nova_service service;
        static struct nova_request request;
        struct service_cpu cpu = {.service = &service, .request = &request, .window = 0x40};

        questions = open_clears = 0;
        return novart_service_open(&cpu, &request);
}
