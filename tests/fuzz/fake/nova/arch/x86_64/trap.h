/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls of the code under test, which the test serves. */
#ifndef NOVA_ARCH_X86_64_TRAP_H
#define NOVA_ARCH_X86_64_TRAP_H

#include "nova/abi/types.h"

nova_word_t nova_trap_1(nova_word_t id);
nova_word_t nova_trap_2(nova_word_t id, nova_word_t *a2);
nova_word_t nova_trap_3(nova_word_t id, nova_word_t *a2, nova_word_t *a3);
nova_word_t nova_trap_4(nova_word_t id, nova_word_t a2, nova_word_t a3, nova_word_t a4);
nova_word_t nova_trap_5(nova_word_t id, nova_word_t a2, nova_word_t a3, nova_word_t a4,
                        nova_word_t a5);
_Noreturn void nova_trap_reply(nova_word_t id, nova_word_t sp);

#endif
