# SPDX-License-Identifier: Apache-2.0
obj-y := boot.o vectors.o fault.o trap.o abort.o sysreg.o idregs.o smccc.o vendor.o psci.o pvtime.o vcpu.o context.o fp.o fpsimd.o timer.o \
	vgic.o vgic_lr.o vgic_dist.o vgic_hw.o gic.o gicv3.o gicv3_lr.o stage2.o el2_mmu.o cache.o copy.o smp.o psci_host.o errata.o platform.o device.o record.o start.o

# x18 is never touched: the entry code leaves the guest's in place (vectors.S).
arch_cflags := -ffixed-x18 -mgeneral-regs-only -mno-outline-atomics -mstrict-align -march=armv8-a+crc -fno-pic -fPIE \
	-mbranch-protection=none
arch_ldflags := -Wl,--fix-cortex-a53-843419

hot-y := gic.o gicv3.o timer.o trap.o vcpu.o vgic.o vgic_lr.o
