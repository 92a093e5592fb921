# SPDX-License-Identifier: Apache-2.0
obj-y := pl011.o pl031.o wdt.o
hot-y := 
