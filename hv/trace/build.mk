# SPDX-License-Identifier: Apache-2.0
ifeq ($(CONFIG_TRACE),y)
obj-y := record.o ring.o stream.o frame.o
hot-y := record.o
else
obj-y := none.o
endif
