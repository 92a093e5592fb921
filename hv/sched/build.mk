# SPDX-License-Identifier: Apache-2.0
obj-y := sched.o
hot-y := sched.o
