"""What a result was made with: versions, machine, parameters and a hash of the code.

The hashes ignore comments, docstrings and formatting, and are the same on every system and Python version.
Nothing here imports torch, the packages that are hashed, or Jupyter.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import threading
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path

from rednet_lab.names import ROOT

PACKAGES = ("rednet_core", "data_prep", "rednet_lab")
# How a run is started, shown and told of does not change what it finds.
EXCLUDED = ("rednet_lab/runner", "rednet_lab/publish/site", "rednet_lab/publish/ledger")
SHOWN = (".js", ".css")  # what results carry along with them: the player
DISTRIBUTIONS = {
    "torch": ("torch",),
    "numpy": ("numpy",),
    "opencv": (
        "opencv-python-headless",
        "opencv-python",
        "opencv-contrib-python-headless",
        "opencv-contrib-python",
    ),
}
STANDARD = ("profile", "source", "data", "seed", "device")
PARSING = threading.Lock()  # CPython 3.11 counts the depth of ast.parse for all threads together, and may raise
UNHASHED = ("out",)  # where a result lies does not change what it is


def code_hash(*sources: str | os.PathLike, exclude: tuple[str, ...] = EXCLUDED) -> str:
    """Return the sha256 of packages (by name), folders, .py files and notebooks, of what they do and not how they look.

    A page's scripts and style sheets (SHOWN) count as they are written. `exclude` holds folders, as "package/folder".
    Raises FileNotFoundError for a source that is not there.
    """
    digest = hashlib.sha256()
    for source in sources or PACKAGES:
        base = _locate(source)
        files = sorted(p for p in base.rglob("*") if p.suffix in (".py", ".ipynb", *SHOWN)) if base.is_dir() else [base]
        for file in sorted(files, key=lambda p: p.relative_to(base.parent).as_posix()):
            name = file.relative_to(base.parent).as_posix()
            hidden = any(part.startswith(".") for part in file.relative_to(base.parent).parts[1:])
            if hidden or any(name.startswith(folder + "/") for folder in exclude):
                continue
            text = file.read_text(encoding="utf-8")
            reading = {".py": python_meaning, ".ipynb": notebook_code}.get(file.suffix, str)
            meaning = reading(text)
            digest.update(f"{name}\0{meaning}\0".encode())
    return digest.hexdigest()


@lru_cache
def module_hash(*modules: str) -> str:
    """Return the code_hash of modules and all they import, read once: a process runs the code that it has loaded."""
    return code_hash(*imported_files(*modules))


def imported_files(*modules: str) -> list[Path]:
    """Return the files of this checkout that modules ("package.module") are made of: their own and all they import.

    What is cached is keyed by these, so that a change of a plot does not throw a training away. Imports are read
    from the source, those inside functions too.
    """
    found: dict[Path, None] = {}
    todo = list(modules)
    while todo:
        module = todo.pop()
        parts = module.split(".")
        if parts[0] not in PACKAGES:
            continue
        base = ROOT.joinpath(*parts)
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file() and file not in found:
                found[file] = None
                todo += _imports(file)
        if len(parts) > 1:
            todo.append(".".join(parts[:-1]))  # a package's __init__ runs first; or this was a name in a module
    return sorted(found)


def _imports(file: Path) -> list[str]:
    """Return the modules, and the names that may be modules, that a file imports absolutely."""
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def _locate(source: str | os.PathLike) -> Path:
    """Return the folder or file of a package name or path; this checkout's own packages come first."""
    if not str(source).isidentifier():
        if Path(source).exists():
            return Path(source).resolve()
    elif (ROOT / source).is_dir():
        return ROOT / source
    elif spec := importlib.util.find_spec(str(source)):
        return Path(list(spec.submodule_search_locations or [spec.origin])[0])
    raise FileNotFoundError(f"neither a package nor a file: {source}")


def python_meaning(text: str) -> str:
    """Return Python source as a canonical text without comments, docstrings and layout."""
    with PARSING:
        tree = ast.parse(text)
    return _canonical(tree)


def _canonical(node: object) -> str:
    """Write a syntax tree as text; ast.dump and ast.unparse differ between Python versions, this does not."""
    if isinstance(node, ast.AST):
        fields = [(name, getattr(node, name, None)) for name in node._fields if name not in ("kind", "type_comment")]
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            fields = [(name, _without_docstring(value) if name == "body" else value) for name, value in fields]
        kept = [f"{name}={_canonical(value)}" for name, value in fields if value is not None and value != []]
        return f"{type(node).__name__}({','.join(kept)})"
    if isinstance(node, list):
        return "[" + ",".join(_canonical(item) for item in node) + "]"
    return f"{type(node).__name__}:{node!r}"


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return a body without the string it opens with."""
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:]
    return body


def notebook_code(text: str, markdown: bool = False) -> str:
    """Return the code cells of a notebook's JSON text in canonical form, with `markdown` the prose as it stands too."""
    parts = []
    for cell in json.loads(text)["cells"]:
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        source = "\n".join(source.splitlines())
        if cell["cell_type"] == "code":
            parts.append("code:" + _cell_meaning(source))
        elif markdown:
            parts.append("markdown:" + source.strip())
    return "\0".join(part for part in parts if part != "code:Module()")


def _cell_meaning(source: str) -> str:
    """Return a cell's canonical form; a cell with shell or magic lines is taken as text."""
    try:
        return python_meaning(source)
    except SyntaxError:
        return source.strip()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide the numbers, without importing them."""
    found = {"python": platform.python_version()}
    for name, distributions in DISTRIBUTIONS.items():
        found[name] = next(filter(None, map(_version, distributions)), "absent")
    return found


def _version(distribution: str) -> str | None:
    """Return the version of an installed distribution, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def machine() -> dict[str, str | int]:
    """Return what the speed depends on and nothing that names the machine or its owner."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"system": platform.system(), "architecture": platform.machine(), "cpus": available}


def parameter_hash(parameters: dict) -> str:
    """Return the sha256 of parameters, leaving out where results go and the folders above the data."""
    kept = {name: value for name, value in parameters.items() if name not in UNHASHED}
    if isinstance(kept.get("data"), str):
        kept["data"] = folder_name(kept["data"])
    return hashlib.sha256(json.dumps(kept, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def folder_name(path: str) -> str:
    """Return the last part of a path written on any system: results say which data, not whose home it lies in."""
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def make_stamp(parameters: dict) -> dict:
    """Return what goes with every result: the standard parameters, versions, machine, hashes and the time (UTC)."""
    stamp = {name: parameters.get(name) for name in STANDARD}
    stamp["data"] = folder_name(stamp["data"] or "")
    stamp.update(versions())
    stamp["machine"] = machine()
    torch = sys.modules.get("torch")  # a stamp never imports torch, but tells the GPU where torch is at work
    if torch is not None and stamp["device"] in ("auto", "cuda") and torch.cuda.is_available():
        stamp["machine"]["gpu"] = torch.cuda.get_device_name()
    stamp["code"] = code_hash()
    stamp["parameters"] = parameter_hash(parameters)
    stamp["time"] = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return stamp
