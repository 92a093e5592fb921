#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Restart the machine by PSCI SYSTEM_RESET. It must not come back: returning is the failure.
reboot -f
exit 1
