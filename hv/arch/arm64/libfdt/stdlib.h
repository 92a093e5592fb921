/* SPDX-License-Identifier: Apache-2.0 */
/* For libfdt: the parts that EL2 uses need nothing from here but strtoul's declaration in one unused inline. */
#ifndef LIBFDT_STDLIB_H
#define LIBFDT_STDLIB_H

unsigned long strtoul(const char *s, char **end, int base);

#endif
