# SPDX-License-Identifier: Apache-2.0
obj-y := string.o spinlock.o printf.o crc32.o bitmap.o
hot-y := crc32.o
