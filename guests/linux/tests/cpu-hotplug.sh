#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every CPU but 0 goes off and on again ROUNDS times, each time with timers armed on it (sleeping tasks bound to it,
# whose timers the kernel has to move), and runs a task afterwards that sleeps there. It fails if a CPU doesn't go,
# doesn't come back, or if a timer is lost. With one CPU there is nothing to test, which is a failure too.
set -eu

ROUNDS=3
SLEEPERS=4
# A lost timer shows as a sleeper that is still there long after its time; the margin is for a slow emulator.
SLEEP_S=2
GRACE_S=20

fail()
{
	echo "cpu-hotplug: $*"
	exit 1
}

online()
{
	cat "/sys/devices/system/cpu/cpu$1/online"
}

switch_cpu()
{
	echo "$2" > "/sys/devices/system/cpu/cpu$1/online" || fail "cpu $1: the kernel refused to write $2 to online"
	[ "$(online "$1")" = "$2" ] || fail "cpu $1: online is not $2 after writing it"
}

# Wait until a sleeper is asleep on its CPU: before that no timer is armed there. False if it has ended already.
armed()
{
	until grep -q '^State:[[:space:]]*S' "/proc/$1/status" && [ "$(cat "/proc/$1/comm")" = sleep ]; do
		[ -d "/proc/$1" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" || return 1
	done 2> /dev/null
}

# True once all tasks named have ended.
all_gone()
{
	for pid in "$@"; do
		[ ! -d "/proc/$pid" ] || return 1
	done
}

cpus=$(find /sys/devices/system/cpu -maxdepth 1 -name 'cpu[1-9]*' | sed 's/.*cpu//' | sort -n)
[ -n "$cpus" ] || fail "this guest has one CPU only"

for cpu in $cpus; do
	[ "$(online "$cpu")" = 1 ] || switch_cpu "$cpu" 1
	round=0
	while [ $round -lt $ROUNDS ]; do
		pids=
		i=0
		while [ $i -lt $SLEEPERS ]; do
			taskset -c "$cpu" sleep $SLEEP_S &
			pids="$pids $!"
			i=$((i + 1))
		done
		for pid in $pids; do
			armed "$pid" || fail "cpu $cpu: a sleeper ended before the CPU went off: too slow a machine"
		done
		switch_cpu "$cpu" 0
		switch_cpu "$cpu" 1
		taskset -c "$cpu" sleep 0.01 || fail "cpu $cpu: runs no task after coming back"
		deadline=$(($(cut -d. -f1 /proc/uptime) + SLEEP_S + GRACE_S))
		until all_gone $pids; do
			[ "$(cut -d. -f1 /proc/uptime)" -lt $deadline ] ||
				fail "cpu $cpu, round $round: a timer was lost"
			sleep 0.05
		done
		wait
		round=$((round + 1))
	done
	echo "cpu-hotplug: cpu $cpu off and on $ROUNDS times"
done
