# SPDX-License-Identifier: Apache-2.0
obj-y := vm.o vcpu.o lifecycle.o bundle.o mmio.o
hot-y := vcpu.o mmio.o
