#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What the kernel says of each CPU's time while this script computes on all of them for steal=<seconds> (kernel's command line,
# else 5): figures of /proc/stat, in hundredths of a second. It fails where no hypervisor tells the kernel what it steals.
set -eu

# now: hundredths of a second since boot.
uptime_cs()
{
	read -r up _ < /proc/uptime
	now=$((${up%.*} * 100 + 1${up#*.} - 100))
}

uptime_cs
if [ "${1:-}" = spin ]; then
	while [ $now -lt "$2" ]; do
		uptime_cs
	done
	exit
fi

wanted=$(sed -n 's/.*\bsteal=\([0-9]*\).*/\1/p' /proc/cmdline)
dmesg | grep -q 'using stolen time PV' || { echo "steal: the kernel was offered no stolen time"; exit 1; }

start=$now
grep '^cpu[0-9]' /proc/stat > /run/before
for cpu in $(sed 's/^cpu\([0-9]*\).*/\1/' /run/before); do
	taskset -c "$cpu" "$0" spin $((start + ${wanted:-5} * 100)) &
done
wait
grep '^cpu[0-9]' /proc/stat > /run/after
uptime_cs
# proc(5): cpu user nice system idle iowait irq softirq steal
awk -v elapsed=$((now - start)) '
	NR == FNR {
		for (i = 2; i <= 9; i++)
			before[$1, i] = $i
		next
	}
	{
		for (i = 2; i <= 9; i++)
			$i -= before[$1, i]
		printf "steal: %s elapsed=%d busy=%d idle=%d steal=%d\n", $1, elapsed, $2 + $3 + $4 + $7 + $8, $5 + $6, $9
	}' /run/before /run/after
