# SPDX-License-Identifier: Apache-2.0
"""Debian's kernels as shipped reach a shell: every variant with 1, 2 and 4 vCPUs."""
import re

import pytest
from camber import linux


@pytest.mark.parametrize("vcpus", [1, 2, 4])
@pytest.mark.parametrize("variant", linux.VARIANTS, ids=lambda suffix: f"debian{suffix}")
def test_shell(boot, variant, vcpus):
    q = boot(f"linux{vcpus}", **linux.variant(variant))
    release = q.expect(r"^\[linux\] linux: kernel (\S+) ").group(1)
    q.expect(rf"^\[linux\] linux: cpus {vcpus} online$")
    q.expect(linux.up())
    q.expect(r"linux# ")
    q.line("echo answer-$((6 * 7))-$(uname -r)")
    answer = q.expect(r"answer-42-(\S+)$").group(1)
    assert answer == release and re.fullmatch(linux.VARIANTS[variant], release)
