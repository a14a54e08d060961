/* SPDX-License-Identifier: BSD-2-Clause */
/* Destructors of a thread's own objects (thread_local). A program without such objects does not
 * contain this file. */
#include <stdlib.h>
#include <unistd.h>

#include "thread/thread.h"

/* An object of a thread that has a destructor. */
struct thread_object {
        struct thread_object *next; /* object that was constructed before this one */
        void (*destroy)(void *object);
        void *object;
};

int __cxa_thread_atexit(void (*destroy)(void *object), void *object, void *library);

/* Compilers ignore the result, so a lack of memory ends the program, as in operator new. */
int __cxa_thread_atexit(void (*destroy)(void *object), void *object, void *library)
{
        static const char message[] = "thread_local: out of memory\n";
        struct nova_thread *const self = nova_thread_self();
        struct thread_object *const new = malloc(sizeof(*new));

        (void)library;
        if (!new) {
                write(STDERR_FILENO, message, sizeof(message) - 1);
                abort();
        }
        *new = (struct thread_object){self->objects, destroy, object};
        self->objects = new;
        return 0;
}

/* A destructor may construct further objects. */
void novart_thread_objects_end(struct nova_thread *thread)
{
        while (thread->objects) {
                const struct thread_object last = *thread->objects;

                free(thread->objects);
                thread->objects = last.next;
                last.destroy(last.object);
        }
}
