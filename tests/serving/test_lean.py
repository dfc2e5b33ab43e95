"""A library whose pages were given back is as it was; what the loader changed is left alone."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from pathlib import Path
from serving.lean import clean, give_back

def mib():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024

from llvmlite import binding as llvm
llvm.initialize_native_target()
llvm.initialize_native_asmprinter()
CODE = "define i64 @five() { ret i64 5 }"
def five():
    machine = llvm.Target.from_default_triple().create_target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(CODE), machine)
    engine.finalize_object()
    import ctypes
    answer = ctypes.CFUNCTYPE(ctypes.c_int64)(engine.get_function_address("five"))()
    return answer, engine

assert five()[0] == 5
before = mib()
given = give_back() / 2**20
assert given > 5, given
assert mib() < before - given / 2, (before, mib(), given)
assert five()[0] == 5
"""


def test_the_compiler_still_compiles_after_its_pages_were_given_back() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
