#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Front end to kconfiglib: the few operations that the Makefile needs, with errors as errors.

usage: kconfig.py menuconfig | olddefconfig | defconfig FILE | savedefconfig FILE | header FILE
The configuration file is named by KCONFIG_CONFIG.
"""
import os
import sys

import kconfiglib


def load(path):
    """Load a configuration; an unknown symbol or a value that doesn't take effect is an error, not a warning."""
    kconf = kconfiglib.Kconfig("Kconfig", suppress_traceback=True, warn_to_stderr=False)
    kconf.warn_assign_undef = True
    if path and os.path.exists(path):
        kconf.load_config(path)
    if kconf.warnings:
        for warning in kconf.warnings:
            print(warning, file=sys.stderr)
        sys.exit(f"{path}: not a valid configuration; correct the lines above or run `make olddefconfig`")
    return kconf


def main(argv):
    if len(argv) < 2:
        sys.exit(__doc__)
    command, config = argv[1], os.environ["KCONFIG_CONFIG"]
    if command == "menuconfig":
        import menuconfig

        menuconfig.menuconfig(kconfiglib.Kconfig("Kconfig"))
    elif command == "olddefconfig":
        kconf = kconfiglib.Kconfig("Kconfig", warn=False)
        if os.path.exists(config):
            kconf.load_config(config)
        kconf.write_config(config)
    elif command == "defconfig":
        load(argv[2]).write_config(config)
    elif command == "savedefconfig":
        load(config).write_min_config(argv[2])
        print(f"wrote {argv[2]}")
    elif command == "header":
        load(config).write_autoconf(argv[2])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
