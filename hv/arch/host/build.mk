# SPDX-License-Identifier: Apache-2.0
obj-y := cache.o cpu.o model.o stage2.o vcpu.o
