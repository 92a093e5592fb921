/* SPDX-License-Identifier: Apache-2.0 */
/* For libfdt: the compiler's own <limits.h> wants a C library beside it, and a freestanding build has none. */
#ifndef LIBFDT_LIMITS_H
#define LIBFDT_LIMITS_H

#define CHAR_BIT __CHAR_BIT__
#define INT_MAX __INT_MAX__
#define INT_MIN (-INT_MAX - 1)
#define UINT_MAX (INT_MAX * 2u + 1u)

#endif
