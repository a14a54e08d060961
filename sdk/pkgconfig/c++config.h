/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces the file c++config.h of the host's C++ library, which each header of that library
 * includes first. Otherwise the compiler would silently use the host's headers, not the SDK's. */
#error "The SDK has no C++ standard library beyond <new>: use the flags of pkg-config novart-cxx."
