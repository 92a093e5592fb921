# SPDX-License-Identifier: Apache-2.0
obj-y := main.o monitor.o monitor_sched.o monitor_trace.o lineedit.o options.o
