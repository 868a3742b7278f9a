#!/usr/bin/env python3
"""run.py BIN CASE...: runs cases of cases.py (or grammar.py) against the programs in BIN."""
import pathlib
import sys
import time

import cases
import grammar


def main():
    bench = pathlib.Path(sys.argv[1]).resolve()
    skipped = False
    for name in sys.argv[2:]:
        begun = time.monotonic()
        skipped = (getattr(cases, name, None) or getattr(grammar, name))(bench) == 77 or skipped
        print(f"{name}: {time.monotonic() - begun:.1f} s")
    return 77 if skipped else 0


sys.exit(main())
