#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What this guest sees of its machine, for a reader of the log. It changes nothing.
set -eu

echo "info: cmdline $(cat /proc/cmdline)"
echo "info: model $(tr -d '\0' < /proc/device-tree/model 2> /dev/null || echo unknown)"
echo "info: cpus online $(cat /sys/devices/system/cpu/online) of $(cat /sys/devices/system/cpu/possible)"
echo "info: memory $(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
echo "info: clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
echo "info: interfaces $(ls /sys/class/net | tr '\n' ' ')"
echo "info: modules $(cut -d' ' -f1 /proc/modules | tr '\n' ' ')"
sed 's/^/info: /' /proc/interrupts
