/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands before the file of this name of the host's C++ library, which each of its headers includes
 * first: without it, they would be taken for the SDK's without a word. */
#error "The SDK has no C++ standard library beyond <new>: use the flags of pkg-config novart-cxx."
