"""usage: run.py PROGRAM STORE WORK_DIR [CASE... | random_operations:SEED]    STORE: a name of stores.STORES

Runs the cases of cases.py against a destination program, each in a fresh folder. Exit code 1 when one fails; its folder is
kept and its name printed.
"""
import os
import shutil
import sys
import tempfile
import time
import traceback

import cases
import kit
import stores


def main():
    program, store, work = sys.argv[1], stores.STORES[sys.argv[2]], os.path.abspath(sys.argv[3])
    wanted = sys.argv[4:] or [case.__name__ for case in cases.CASES]
    os.makedirs(work, exist_ok=True)
    protocol = kit.load_protocol(tempfile.mkdtemp(dir=work, prefix="protocol-"))
    failed = []
    for name in wanted:
        name, _, seed = name.partition(":")
        folder = tempfile.mkdtemp(dir=work, prefix=f"{store.name}-{name}-")
        bench = cases.Bench(os.path.abspath(program), store, folder, protocol)
        began = time.monotonic()
        try:
            getattr(cases, name)(bench, *([int(seed)] if seed else []))
            bench.stop()
            print(f"ok      {name} {seed} {time.monotonic() - began:.1f} s", flush=True)
            shutil.rmtree(folder)
        except Exception:
            traceback.print_exc()
            print(f"FAILED  {name} {seed}, see {folder}", flush=True)
            failed.append(name)
            if bench.running:
                bench.running.kill()
    print(f"{len(wanted) - len(failed)} of {len(wanted)} cases passed" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
