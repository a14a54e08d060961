// SPDX-License-Identifier: BSD-2-Clause
// A C++ program with the runtime: static objects, classes and templates; no exceptions, no RTTI.
#include <stdio.h>

namespace
{

// Prints lines and counts them. Static objects are constructed before main() and destroyed after
// it.
class Printer
{
      public:
        Printer() : lines_(0)
        {
        }
        ~Printer()
        {
                printf("There were %u lines.\n", lines_);
        }

        template <typename Function> void table(unsigned last, Function function)
        {
                for (unsigned i = 1; i <= last; i++, lines_++)
                        printf("%u squared is %u\n", i, function(i));
        }

      private:
        unsigned lines_;
};

Printer printer;

} // namespace

int main()
{
        printer.table(12, [](unsigned i) { return i * i; });
        return 0;
}
