/* SPDX-License-Identifier: Apache-2.0 */
/* The properties of Linux' ramoops that a reserved@ node may pass on: bindings/reserved-memory/ramoops.yaml. */
#ifndef MKBUNDLE_RESERVED_H
#define MKBUNDLE_RESERVED_H

#include "rules.h"

#define RAMOOPS_PROPS 7u
extern const char *const ramoops_props[RAMOOPS_PROPS];

#endif
