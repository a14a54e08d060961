/* SPDX-License-Identifier: BSD-2-Clause */
/* Hides the file of this name of the host's C++ library, which each of its headers includes first.
 * Without it, the compiler would silently use the host's headers instead of the SDK's. */
#error "The SDK has no C++ standard library beyond <new>: use the flags of pkg-config novart-cxx."
