/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI by HVC: how this machine ends. Both return only if the firmware refuses; the value is its error. */
#ifndef RTOS_ARCH_PSCI_H
#define RTOS_ARCH_PSCI_H

#include <stdint.h>

int64_t psci_system_off(void);
int64_t psci_system_reset(void);

#endif
