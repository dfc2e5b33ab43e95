"""A folder of files whose hashes are known: written at once or not at all, read only if whole."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from features.errors import NextbestError

MANIFEST = "manifest.json"
FORMAT = 1


class BundleError(NextbestError):
    """A published folder that is not what it says it is.

    Parameters
    ----------
    file : str
        Which file.
    found, expected : str
        What it holds and what it should hold.
    remedy : str
        What to do next.
    """

    def __init__(self, file: str, *, found: str, expected: str, remedy: str) -> None:
        super().__init__(f"{file}: expected {expected}, found {found}.", remedy=remedy)
        self.file = file
        self.found = found
        self.expected = expected


def to_bytes(plain: Any, file: str) -> bytes:
    """Return plain values as JSON whose floats read back as the same bits.

    Raises
    ------
    BundleError
        Something is no plain value, or a number is NaN or infinite: JSON has neither.

    Examples
    --------
    >>> to_bytes({"rate": 0.1}, "spec.json")
    b'{\\n "rate": 0.1\\n}\\n'
    """
    try:
        text = json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=1)
    except (TypeError, ValueError) as error:
        raise BundleError(
            file,
            found=f"a value that JSON does not know ({error})",
            expected="texts, finite numbers, lists and mappings",
            remedy="Give None for what is not known, and plain int and float for numbers.",
        ) from error
    return text.encode() + b"\n"


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files and their manifest as a new folder that appears whole or not at all.

    Raises
    ------
    BundleError
        The folder exists: what was published is never changed.
    """
    if folder.exists():
        raise BundleError(
            str(folder),
            found="one that exists",
            expected="a new folder",
            remedy="Give a new folder, or delete this one first.",
        )
    hashes = {name: _sha256(content) for name, content in files.items()}
    manifest = to_bytes({"format": FORMAT, "files": hashes}, MANIFEST)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, content in {**files, MANIFEST: manifest}.items():
            (temporary / name).write_bytes(content)
        temporary.chmod(0o755)  # mkdtemp makes it unreadable for a server under another user
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return folder


def read_folder(folder: Path, remedy: str) -> dict[str, bytes]:
    """Return the files that the manifest lists, each compared with its hash.

    Raises
    ------
    BundleError
        The manifest or a file is missing, or a file is not what was published.
    """
    manifest = read_json(_read(folder, MANIFEST, remedy), MANIFEST, remedy)
    if manifest.get("format") != FORMAT or not isinstance(manifest.get("files"), dict):
        raise BundleError(
            MANIFEST,
            found=f"format {manifest.get('format')!r}",
            expected=f"format {FORMAT} with hashes of files",
            remedy="Install the version of nextbest that published it, or publish it again.",
        )
    files = {}
    for name, sha256 in manifest["files"].items():
        content = _read(folder, name, remedy)
        if _sha256(content) != sha256:
            raise BundleError(
                name,
                found=f"sha256 {_sha256(content)}",
                expected=f"sha256 {sha256}",
                remedy=f"It was changed after it was published. {remedy}",
            )
        files[name] = content
    return files


def read_json(content: bytes, file: str, remedy: str) -> dict[str, Any]:
    """Return the mapping that a JSON file holds.

    Raises
    ------
    BundleError
        It is no JSON, or no mapping.
    """
    try:
        plain = json.loads(content)
    except ValueError as error:
        raise BundleError(file, found=str(error), expected="JSON", remedy=remedy) from error
    if not isinstance(plain, dict):
        raise BundleError(
            file, found=type(plain).__name__, expected="a JSON mapping", remedy=remedy
        )
    return plain


def _read(folder: Path, name: str, remedy: str) -> bytes:
    # A manifest that names a path elsewhere must not be followed.
    if Path(name).name != name:
        raise BundleError(MANIFEST, found=repr(name), expected="a plain file name", remedy=remedy)
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise BundleError(
            name,
            found=f"nothing that can be read in {folder} ({error.strerror})",
            expected="the published file",
            remedy=remedy,
        ) from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
