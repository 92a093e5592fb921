# SPDX-License-Identifier: Apache-2.0
obj-y := page.o gmap.o guestmem.o

