# SPDX-License-Identifier: Apache-2.0
"""Several VMs in one machine."""


def test_two_linux_and_rtos_on_4_cpus(boot):
    q = boot("two-linux")
    q.expect_all([r"^\[ivi\] linux: up$", r"^\[cluster\] linux: up$", r"^\[rtos\] rtos: up$"])


def test_eight_vms_on_8_cpus(boot):
    q = boot("eight")
    q.expect_all([r"^\[linux\] linux: up$", r"^\[rtos1\] rtos: up$", r"^\[rtos2\] rtos: up$"] +
                 [rf"^\[probe{i}\] probe: up$" for i in range(1, 6)])
