# SPDX-License-Identifier: Apache-2.0
obj-y := hypercall.o
hot-y := hypercall.o
