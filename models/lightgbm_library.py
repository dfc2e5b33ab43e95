"""LightGBM's shared library, found and declared without importing the lightgbm package."""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from ctypes import POINTER, c_char_p, c_double, c_int, c_int32, c_int64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

from features.errors import NextbestError

_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
_FOLDERS = ("lib", "bin", ".")

# Argument types as in LightGBM/c_api.h of 4.7; every function returns 0, or -1 on failure.
_SIGNATURES: dict[str, list[Any]] = {
    "LGBM_BoosterLoadModelFromString": [c_char_p, POINTER(c_int), POINTER(c_void_p)],
    "LGBM_BoosterFree": [c_void_p],
    "LGBM_BoosterGetNumClasses": [c_void_p, POINTER(c_int)],
    "LGBM_BoosterGetNumFeature": [c_void_p, POINTER(c_int)],
    "LGBM_BoosterPredictForMat": [
        # booster, data, type, rows, columns, row major, kind, first tree, trees, parameters
        *(c_void_p, c_void_p, c_int, c_int32, c_int32, c_int, c_int, c_int, c_int, c_char_p),
        *(POINTER(c_int64), c_void_p),
    ],
    "LGBM_BoosterPredictForMatSingleRowFastInit": [
        # booster, kind, first tree, trees, type, columns, parameters
        *(c_void_p, c_int, c_int, c_int, c_int, c_int32, c_char_p, POINTER(c_void_p)),
    ],
    "LGBM_BoosterPredictForMatSingleRowFast": [
        *(c_void_p, c_void_p, POINTER(c_int64), POINTER(c_double)),
    ],
    "LGBM_FastConfigFree": [c_void_p],
}


class BoosterError(NextbestError):
    """LightGBM is missing, or refused a model or a row."""


class Library:
    """The C functions that predicting needs, each checked for its return code.

    Parameters
    ----------
    path : Path
        The shared library.
    """

    def __init__(self, path: Path) -> None:
        try:
            c = ctypes.CDLL(str(path))
        except OSError as error:
            raise BoosterError(
                f"{path.name} cannot be loaded: {error}.",
                remedy="Install what it needs (on Debian: apt install libgomp1).",
            ) from error
        self._functions = {}
        for name, argument_types in _SIGNATURES.items():
            function = getattr(c, name, None)
            if function is None:
                raise BoosterError(
                    f"{path.name} has no function {name}.",
                    remedy="Install a newer one: pip install 'lightgbm>=4.6'.",
                )
            function.argtypes, function.restype = argument_types, c_int
            self._functions[name] = function
        self._last_error = c.LGBM_GetLastError
        self._last_error.restype = c_char_p
        self.single_row = self._functions["LGBM_BoosterPredictForMatSingleRowFast"]

    def call(self, name: str, *arguments: Any) -> None:
        """Call a C function; a failure raises with LightGBM's own words.

        Raises
        ------
        BoosterError
            The function returned another code than 0.
        """
        if self._functions[name](*arguments) != 0:
            raise self.error(name)

    def error(self, name: str) -> BoosterError:
        """The error LightGBM reports for the call that failed last in this thread."""
        return BoosterError(
            f"{name} failed: {self._last_error().decode(errors='replace')}.",
            remedy="Publish the model again with the installed LightGBM.",
        )


def library_path(package: str = "lightgbm") -> Path:
    """Where the installed package keeps its shared library; the package is not imported.

    Raises
    ------
    BoosterError
        The package is not installed, or holds no library for this system.
    """
    found = importlib.util.find_spec(package)
    roots = [Path(root) for root in (found and found.submodule_search_locations) or ()]
    for root in roots:
        for folder in _FOLDERS:
            path = root / folder / f"lib_lightgbm{_SUFFIX}"
            if path.is_file():
                return path
    raise BoosterError(
        f"The package {package!r} "
        + (f"holds no lib_lightgbm{_SUFFIX} in {roots[0]}." if roots else "is not installed."),
        remedy="Install it: pip install --force-reinstall lightgbm.",
    )


@cache
def library() -> Library:
    """The installed LightGBM library, loaded once a process.

    Raises
    ------
    BoosterError
        It is missing, cannot be loaded or is too old.
    """
    return Library(library_path())
