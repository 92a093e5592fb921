#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Timer latency as cyclictest sees it, one thread a CPU. The figures are for the reader; it fails if a thread did not
# get its cycles: the first one ends the run, the others may be some cycles behind by then.
set -eu

LOOPS=500

cyclictest --quiet --mlockall --smp --priority=80 --interval=2000 --distance=0 --loops=$LOOPS > /run/cyclictest
sed 's/^/cyclictest: /' /run/cyclictest
threads=$(awk -v least=$((LOOPS / 2)) '
	/^T:/ { sub(/.* C: */, ""); if ($1 >= least) n++ }
	END { print n + 0 }' /run/cyclictest)
[ "$threads" -eq "$(nproc)" ] || { echo "cyclictest: $threads of $(nproc) threads had their cycles"; exit 1; }
