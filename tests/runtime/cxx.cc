// SPDX-License-Identifier: BSD-2-Clause
// C++ without exceptions: static and thread-local objects, virtual functions, new and delete,
// static variables.
#include <pthread.h>
#include <stdint.h>

#include <new>

#include "check.h"
#include "nova/nova.h"
#include "novart/console.h"
#include "novart/error.h"
#include "novart/layout.h"
#include "novart/program.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

namespace
{

int alive;

class Shape
{
      public:
        Shape()
        {
                alive++;
        }
        virtual ~Shape()
        {
                alive--;
        }
        virtual int area() const = 0;
};

class Square : public Shape
{
      public:
        explicit Square(int side) : side_(side)
        {
        }
        int area() const override
        {
                return side_ * side_;
        }

      private:
        int side_;
};

struct Announcer {
        const char *name;
        explicit Announcer(const char *what) : name(what)
        {
                printf("constructor of %s\n", name);
        }
        ~Announcer()
        {
                printf("destructor of %s\n", name);
        }
};

struct alignas(128) Large {
        char bytes[256];
};

Announcer first("the first"), second("the second");
int made;

struct Once {
        Once()
        {
                nova_sleep(10000000);
                made++;
        }
};

void *use_once(void *)
{
        static Once once;

        return &once;
}

/* Constructed by the destructor of another object of its thread. */
struct Late {
        Late()
        {
                __atomic_add_fetch(&alive, 1, __ATOMIC_RELAXED);
        }
        ~Late()
        {
                __atomic_sub_fetch(&alive, 1, __ATOMIC_RELAXED);
        }
        void use()
        {
        }
};

pthread_key_t key;

/* An object of each thread that uses it. */
struct Own {
        int number = 7;
        Own()
        {
                __atomic_add_fetch(&alive, 1, __ATOMIC_RELAXED);
        }
        ~Own()
        {
                thread_local Late late;

                late.use();
                CHECK(pthread_getspecific(key) == this);
                __atomic_sub_fetch(&alive, 1, __ATOMIC_RELAXED);
        }
};

thread_local Own own;

void *use_own(void *)
{
        CHECK(!pthread_setspecific(key, &own) && own.number++ == 7);
        thread_local Announcer last("a thread's last object");

        return last.name[0] ? &own : nullptr;
}

/* Each thread destroys its objects before another thread can join it. */
void check_own()
{
        pthread_t thread[4];
        void *object[4];

        CHECK(!pthread_key_create(&key, nullptr));
        for (auto &one : thread)
                CHECK(!pthread_create(&one, nullptr, use_own, nullptr));
        for (int i = 0; i < 4; i++)
                CHECK(!pthread_join(thread[i], &object[i]) && object[i] != &own);
        CHECK(alive == 1 && own.number == 7); // only the main thread's
        CHECK(!pthread_setspecific(key, &own));
}

Announcer *announce_main()
{
        thread_local Announcer one("main's first object"), two("main's second object");

        return two.name[0] ? &one : nullptr;
}

void at_exit()
{
        printf("atexit after %d objects\n", alive);
}

} // namespace

int main()
{
        volatile size_t too_much = SIZE_MAX / 4;
        pthread_t thread[4];
        Shape *shape = new Square(7);
        Large *large = new Large;
        alignas(Square) unsigned char memory[sizeof(Square)];

        CHECK(shape->area() == 49 && alive == 1 && reinterpret_cast<uintptr_t>(large) % 128 == 0);
        Shape *placed = new (memory) Square(3);
        CHECK(placed->area() == 9 && alive == 2);
        placed->~Shape();
        delete shape;
        delete large;
        char *volatile none = new (std::nothrow) char[too_much];
        CHECK(alive == 0 && !none);
        for (auto &one : thread)
                CHECK(!pthread_create(&one, nullptr, use_once, nullptr));
        for (auto &one : thread)
                CHECK(!pthread_join(one, nullptr));
        CHECK(made == 1 && getline(nullptr, nullptr, stdin) == -1);
        check_own();
        CHECK(announce_main() && !atexit(at_exit));
        printf("main\n");
        return 0;
}
