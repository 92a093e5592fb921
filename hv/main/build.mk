# SPDX-License-Identifier: Apache-2.0
obj-y := main.o monitor.o lineedit.o options.o
