# SPDX-License-Identifier: Apache-2.0
obj-y := vm.o vcpu.o lifecycle.o bundle.o mmio.o
