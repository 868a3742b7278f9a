#!/usr/bin/env python3
"""Runs the source tester's cases: run.py BIN_DIR WORK_DIR [CASE...]; without names all of cases.py."""
import pathlib
import sys
import time
import traceback

import cases
import kit


def main():
    bin_dir, work = sys.argv[1], pathlib.Path(sys.argv[2])
    words = kit.Words(kit.load_protocol(work / "protocol"))
    chosen = [case for case in cases.CASES if not sys.argv[3:] or case.__name__ in sys.argv[3:]]
    failed = [name for name in sys.argv[3:] if name not in {case.__name__ for case in chosen}]
    for case in chosen:
        bench = kit.Bench(bin_dir, words)
        began = time.monotonic()
        try:
            case(bench)
            print(f"ok    {case.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception:
            failed.append(case.__name__)
            print(f"FAIL  {case.__name__}", traceback.format_exc(), sep="\n", flush=True)
        finally:
            bench.close()
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


main()
