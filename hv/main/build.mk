# SPDX-License-Identifier: Apache-2.0
obj-y := main.o monitor.o monitor_sched.o lineedit.o options.o
