# SPDX-License-Identifier: BSD-2-Clause
# Headers with the names of those headers of the C++ standard library that the SDK does not have.
# Each one stops the compiler with a message that says which headers to include instead.

# C headers under their C++ names.
set(NOVA_CXX_OF_C assert complex ctype errno fenv float inttypes limits locale math setjmp signal
  stdarg stddef stdint stdio stdlib string time uchar wchar wctype)
set(NOVA_CXX_ONLY algorithm any array atomic bitset charconv chrono compare concepts
  condition_variable deque exception filesystem format forward_list fstream functional future
  initializer_list iomanip ios iosfwd iostream istream iterator limits list locale map memory mutex
  numeric optional ostream queue random ranges regex semaphore set shared_mutex span sstream stack
  stdexcept streambuf string string_view system_error thread tuple type_traits typeinfo
  unordered_map unordered_set utility valarray variant vector)

# nova_cxx_headers(<folder>): writes these headers into the folder.
function(nova_cxx_headers folder)
  set(only "is not in the SDK, which has only <new> of the C++ standard library")
  foreach(name IN LISTS NOVA_CXX_OF_C)
    set(sentence "<c${name}> ${only}: include <${name}.h>.")
    file(CONFIGURE OUTPUT "${folder}/c${name}" CONTENT "#error \"@sentence@\"\n" @ONLY)
  endforeach()
  foreach(name IN LISTS NOVA_CXX_ONLY)
    set(sentence "<${name}> ${only}: use the headers of C, such as <string.h>.")
    file(CONFIGURE OUTPUT "${folder}/${name}" CONTENT "#error \"@sentence@\"\n" @ONLY)
  endforeach()
endfunction()
