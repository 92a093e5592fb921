# SPDX-License-Identifier: Apache-2.0
obj-y := sched.o credit.o cap.o rt.o place.o set.o
hot-y := sched.o
