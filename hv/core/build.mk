# SPDX-License-Identifier: Apache-2.0
obj-y := pcpu.o time.o log.o console.o console_tx.o panic.o
hot-y := time.o pcpu.o
