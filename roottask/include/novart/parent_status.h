/* SPDX-License-Identifier: BSD-2-Clause */
/* Queries that a program with the grant `status` sends to its parent, such as init. They are about
 * CPUs, sessions, the parent's own resources, and the text that it writes. A query changes
 * nothing. */
#ifndef NOVART_PARENT_STATUS_H
#define NOVART_PARENT_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "novart/parent.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Maximum number of bytes of text in an answer. */
#define NOVA_PARENT_LOG_TEXT 1000

/** Kinds of NOVA_PARENT_STATUS, word 1 of the message. */
enum nova_parent_status_kind {
        NOVA_PARENT_STATUS_CPU = 1, /**< answer: struct nova_parent_cpu */
        NOVA_PARENT_STATUS_SESSION, /**< index; answer: struct nova_parent_session */
        NOVA_PARENT_STATUS_LOG,     /**< position, 64 bits; answer: struct nova_parent_log */
        NOVA_PARENT_STATUS_OWN,     /**< answer: struct nova_parent_own */
};

/** The times of a CPU in microseconds. */
struct nova_parent_cpu {
        uint64_t time_us; /**< time since boot */
        uint64_t idle_us; /**< time in which the CPU had nothing to do */
};

/** A program that uses a service. */
struct nova_parent_session {
        char client[NOVA_PARENT_NAME];   /**< the program's name in the description */
        char service[NOVA_PARENT_NAME];  /**< name of the service */
        char provider[NOVA_PARENT_NAME]; /**< the program that provides it */
        uint64_t opened; /**< number of sessions that the client has opened since the last start of
                          * either program, including closed ones */
};

/** Resources of the parent itself, without those of its programs. */
struct nova_parent_own {
        uint64_t kernel_used, kernel_limit; /**< kernel memory of its account, in bytes */
        uint64_t free_bytes; /**< memory that it may still give to programs that start; init
                              * requests further memory from the kernel when it needs some */
        uint64_t selectors;  /**< number of selectors in use */
};

/** A piece of the text that the parent writes. */
struct nova_parent_log {
        uint64_t next;                   /**< position after the piece */
        uint64_t bytes;                  /**< size of the text */
        char text[NOVA_PARENT_LOG_TEXT]; /**< without a terminating 0 */
};

/**
 * Reads the times of the CPU on which the caller runs.
 *
 * @code
 * struct nova_parent_cpu before, after;
 *
 * nova_parent_cpu_describe(&before);
 * nova_sleep(1000000000);
 * if (nova_parent_cpu_describe(&after) == 0)
 *         printf("idle for %u us\n", (unsigned)(after.idle_us - before.idle_us));
 * @endcode
 * @param[out] cpu the times
 * @retval 0      done
 * @retval EACCES the program does not have the grant `status`
 * @retval ENOSYS the program is a root: it has no parent
 */
int nova_parent_cpu_describe(struct nova_parent_cpu *cpu);

/**
 * Reads an entry of the list of clients: a client, the service that it uses, and the provider.
 *
 * @code
 * struct nova_parent_session session;
 *
 * for (unsigned i = 0; nova_parent_session_describe(i, &session) == 0; i++)
 *         printf("%s uses %s\n", session.client, session.service);
 * @endcode
 * @param number index, beginning with 0. Indices may change when a program starts or ends
 * @param[out] session client and service
 * @retval ENOENT no entry has this index
 * @return otherwise as nova_parent_cpu_describe()
 */
int nova_parent_session_describe(unsigned number, struct nova_parent_session *session);

/**
 * Reads text that the parent has written: its own, and that of programs which do not use the
 * service `log`. The parent keeps only the last part. If the text at @p position is lost, the
 * piece begins with the next whole line.
 *
 * @code
 * static struct nova_parent_log piece;
 * uint64_t position = 0;
 *
 * while (nova_parent_log_read(position, &piece) == 0 && piece.bytes) {
 *         fwrite(piece.text, 1, (size_t)piece.bytes, stdout);
 *         position = piece.next;
 * }
 * @endcode
 * @param position 0: the oldest text; otherwise @c next of the last piece
 * @param[out] log the piece; 0 bytes: there is no more text
 * @return as nova_parent_cpu_describe()
 */
int nova_parent_log_read(uint64_t position, struct nova_parent_log *log);

/**
 * Reads the resources that the parent itself uses. They return to their old values after a program
 * has started and ended.
 *
 * @code
 * struct nova_parent_own own;
 *
 * if (nova_parent_own_describe(&own) == 0)
 *         printf("init uses %u KiB of kernel memory\n", (unsigned)(own.kernel_used / 1024));
 * @endcode
 * @param[out] own the resources
 * @return as nova_parent_cpu_describe()
 */
int nova_parent_own_describe(struct nova_parent_own *own);

#ifdef __cplusplus
}
#endif

#endif
