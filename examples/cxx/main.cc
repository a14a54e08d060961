// SPDX-License-Identifier: BSD-2-Clause
// A program in C++: static objects, virtual functions, templates and RAII, without exceptions.
#include <stdio.h>

#include "nova/nova.h"
#include "novart/sync.h"

namespace
{

// Holds a mutex of the runtime during its lifetime.
class Guard
{
      public:
        explicit Guard(nova_mutex &mutex) : mutex_(mutex)
        {
                nova_mutex_lock(&mutex_);
        }
        ~Guard()
        {
                nova_mutex_unlock(&mutex_);
        }
        Guard(const Guard &) = delete;
        Guard &operator=(const Guard &) = delete;

      private:
        nova_mutex &mutex_;
};

class Animal
{
      public:
        virtual ~Animal() = default;
        virtual const char *says() const = 0;
};

class Cow : public Animal
{
      public:
        const char *says() const override
        {
                return "moo";
        }
};

class Duck : public Animal
{
      public:
        const char *says() const override
        {
                return "quack";
        }
};

template <typename T, unsigned room> class List
{
      public:
        bool add(T item)
        {
                Guard guard(mutex_);

                if (count_ == room)
                        return false;
                items_[count_++] = item;
                return true;
        }
        T *begin()
        {
                return items_;
        }
        T *end()
        {
                return items_ + count_;
        }

      private:
        nova_mutex mutex_ = NOVA_MUTEX_INITIALIZER;
        T items_[room] = {};
        unsigned count_ = 0;
};

// Constructed before main() and destroyed after it.
struct Farm {
        List<Animal *, 4> animals;

        Farm()
        {
                animals.add(new Cow);
                animals.add(new Duck);
        }
        ~Farm()
        {
                for (Animal *animal : animals)
                        delete animal;
                printf("the farm is closed\n");
        }
};

Farm farm;

} // namespace

int main()
{
        for (const Animal *animal : farm.animals)
                printf("an animal says %s\n", animal->says());
        return 0;
}
