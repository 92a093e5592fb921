#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Timer latency as cyclictest sees it, one thread a CPU; cyclictest=<loops>,<interval in us> on the kernel's command line
# chooses how long. The figures, in nanoseconds, are for whoever reads them; it fails if a thread did not get its cycles: the
# first one ends the run, the others may be some cycles behind by then.
#
# The threads begin at a full second. What cyclictest does before that (it starts, locks its memory) would be measured else:
# the first cycles of a machine that has a limited share of its CPU would wait for it.
set -eu

wanted=$(sed -n 's/.*\bcyclictest=\([0-9]*,[0-9]*\).*/\1/p' /proc/cmdline)
wanted=${wanted:-500,2000}
loops=${wanted%,*}
interval=${wanted#*,}

# count <file>: its numbers, CPUs added up, as lines "name sum"; in /proc/interrupts the last word is the name.
count()
{
	awk 'NR > 1 {
		sum = 0
		for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++)
			sum += $i
		print ($1 ~ /^[0-9]/ ? $NF : substr($1, 1, length($1) - 1)), sum
	}' "$1"
}

count /proc/interrupts > /run/before
count /proc/softirqs >> /run/before
cyclictest --quiet --mlockall --smp --priority=90 --interval="$interval" --distance=0 --loops="$loops" --nsecs --secaligned \
	> /run/cyclictest
count /proc/interrupts > /run/after
count /proc/softirqs >> /run/after
sed 's/^/cyclictest: /' /run/cyclictest

# What else has woken the machine meanwhile, start and end of cyclictest included.
awk 'NR == FNR { before[$1] = $2; next }
	$2 > before[$1] { line = line " " $1 "=" $2 - before[$1] }
	END { print "cyclictest: interrupts and softirqs" line }' /run/before /run/after
awk -v loops="$loops" -v interval="$interval" '
	/^T:/ {
		sub(/.*Min: */, "")
		if (!threads || $1 < min) min = $1
		if ($NF > max) max = $NF
		avg += $(NF - 2)
		threads++
	}
	END {
		if (threads)
			printf "cyclictest: threads=%d loops=%d interval=%d min=%d avg=%d max=%d\n", threads, loops,
				interval * 1000, min, avg / threads, max
	}' /run/cyclictest
threads=$(awk -v least=$((loops / 2)) '
	/^T:/ { sub(/.* C: */, ""); if ($1 >= least) n++ }
	END { print n + 0 }' /run/cyclictest)
[ "$threads" -eq "$(nproc)" ] || { echo "cyclictest: $threads of $(nproc) threads had their cycles"; exit 1; }
