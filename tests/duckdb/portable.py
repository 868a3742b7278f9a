#!/usr/bin/env python3
"""weir is one file that needs the system's C library and nothing else, so that it may open DuckDB when it is needed."""
import re
import subprocess
import sys

ALLOWED = re.compile(r"linux-vdso\.so|libc\.so|libm\.so|libdl\.so|libpthread\.so|/ld-linux")

program = sys.argv[1]
listed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout.splitlines()
foreign = [line.strip() for line in listed if not ALLOWED.search(line)]
assert any("libc.so" in line for line in listed), "a static program cannot open DuckDB: " + " ".join(listed)
assert not foreign, f"{program} needs {foreign}"
print("needs only:", ", ".join(line.split()[0] for line in listed))
