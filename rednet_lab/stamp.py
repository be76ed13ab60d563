"""What a result was made with: versions, machine, parameters and a hash of the code.

The hashes ignore comments, docstrings and formatting, and are the same on every system and Python version.
Nothing here imports torch, the packages that are hashed, or Jupyter.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rednet_lab.files import now
from rednet_lab.names import ROOT, THREADS

PACKAGES = ("rednet_core", "data_prep", "rednet_lab")
LISTED = "READS"  # a constant of modules and notebooks: what they read or import by name, patterns from the root
OPENCV = ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python")
DISTRIBUTIONS = {"torch": ("torch",), "numpy": ("numpy",), "opencv": OPENCV}
UNRELATED = ("runner", "publish")  # rooms: how a run is started and told of does not change what it finds
STANDARD = ("profile", "source", "data", "seed", "device")
PARSING = threading.Lock()  # CPython 3.11 counts the depth of ast.parse for all threads together, and may raise
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
MAGIC = re.compile(r"^(\s*)[%!].*$", re.M)

# ----------------------------------------------------------------------------------------------- hashes of code


def code_hash(*files: str | os.PathLike) -> str:
    """Return the sha256 of .py files and notebooks, of what they do and not how they look; of others as they stand."""
    digest = hashlib.sha256()
    for file in map(Path, files):
        digest.update(f"{file.name}\0{read_source(file).meaning}\0".encode())
    return digest.hexdigest()


@lru_cache
def module_hash(*modules: str) -> str:
    """Return the code_hash of modules and all they import, read once: a process runs the code that it has loaded."""
    return code_hash(*imported_files(*modules))


def notebook_hash(notebook: Path, packages: tuple[str, ...] = PACKAGES) -> str:
    """Return the code_hash of a notebook's cells and of all files of its checkout that they import."""
    facts, root = read_source(notebook), notebook.resolve().parents[1]
    read = [file for pattern in facts.reads for file in root.glob(pattern)]
    return code_hash(notebook, *read, *imported_files(*facts.imports, root=root, packages=packages))


def imported_files(*modules: str, root: Path | None = None, packages: tuple[str, ...] = PACKAGES) -> list[Path]:
    """Return the files of a checkout that modules ("package.module") are made of: their own and all they import.

    Results are keyed by these, so that a change of a plot does not throw a training away. Imports are read from the
    source, those inside functions too; what a module reads by name (a style sheet, readers that a registry imports)
    it lists itself, in a constant READS of patterns such as "data_prep/readers/*.py".
    """
    found: dict[Path, None] = {}
    todo, seen, root = list(modules), set(), root or ROOT
    while todo:
        module = todo.pop()
        if module in seen or module.partition(".")[0] not in packages:
            continue
        seen.add(module)
        todo.append(module.rpartition(".")[0])  # a package's __init__ runs first; or this was a name in a module
        base = root.joinpath(*module.split("."))
        for file in filter(Path.is_file, (base.with_suffix(".py"), base / "__init__.py")):
            found[file] = None
            todo += read_source(file).imports
            for read in (one for pattern in read_source(file).reads for one in root.glob(pattern)):
                if read.suffix == ".py":
                    todo.append(".".join(read.relative_to(root).with_suffix("").parts))
                else:
                    found[read] = None
    return sorted(found)


@dataclass(frozen=True)
class FileFacts:
    """What a file says: its canonical text, the modules it imports, the patterns of files it reads."""

    meaning: str
    imports: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


def read_source(file: Path) -> FileFacts:
    """Return what a file says, parsed once until it changes."""
    status = file.stat()
    return _parsed(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _parsed(file: Path, *_: int) -> FileFacts:
    text = file.read_text(encoding="utf-8", errors="backslashreplace")  # records of the bench are no text
    if file.suffix == ".ipynb":
        trees = [_tree(MAGIC.sub(r"\1pass", cell)) for kind, cell in _cells(text) if kind == "code"]
        meaning = notebook_code(text)
    elif file.suffix == ".py":
        trees = [_tree(text)]
        meaning = _canonical(trees[0])
    else:
        return FileFacts(text)
    assigned = [node for tree in trees for node in tree.body if isinstance(node, ast.Assign)]
    listed = [node.value for node in assigned if getattr(node.targets[0], "id", "") == LISTED]
    reads = tuple(pattern for value in listed for pattern in ast.literal_eval(value))
    return FileFacts(meaning, tuple(name for tree in trees for name in _imports(tree)), reads)


def _imports(tree: ast.AST) -> list[str]:
    """Return the modules, and the names that may be modules, that a file imports absolutely."""
    names, todo = [], [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        todo += [one for one in ast.iter_child_nodes(node) if not isinstance(one, ast.expr)]  # no import in those
    return names


def _tree(text: str) -> ast.Module:
    with PARSING:
        return ast.parse(text)


def _canonical(node: object) -> str:
    """Write a syntax tree as text without comments, docstrings and layout, the same on every version of Python."""
    if isinstance(node, ast.AST):
        kept = []
        for name in node._fields:
            value = getattr(node, name, None)
            if name == "body" and isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
                value = value[1:]
            if value is not None and value != [] and name not in ("kind", "type_comment"):
                kept.append(f"{name}={_canonical(value)}")
        return f"{type(node).__name__}({','.join(kept)})"
    if isinstance(node, list):
        return "[" + ",".join(_canonical(item) for item in node) + "]"
    return f"{type(node).__name__}:{node!r}"


def notebook_code(text: str, markdown: bool = False) -> str:
    """Return the code cells of a notebook's JSON text in canonical form, with `markdown` the prose as it stands too."""
    parts = []
    for kind, source in _cells(text):
        if kind == "code":
            with suppress(SyntaxError):  # of a cell with shell or magic lines, which is taken as text
                source = _canonical(_tree(source))
        if source != "Module()" and (kind == "code" or markdown):
            parts.append(f"{'code' if kind == 'code' else 'markdown'}:{source.strip()}")
    return "\0".join(parts)


def _cells(text: str) -> list[tuple[str, str]]:
    """Return (type, source) of a notebook's cells."""
    cells = [(cell["cell_type"], cell["source"]) for cell in json.loads(text)["cells"]]
    whole = [(kind, source if isinstance(source, str) else "".join(source)) for kind, source in cells]
    return [(kind, "\n".join(source.splitlines())) for kind, source in whole]


# ------------------------------------------------------------------------------------- what else decides a result


def fingerprint(folder: Path) -> str:
    """Return the sha256 of the names, sizes and times of all files in a folder, or of one file; nothing is read."""
    digest = hashlib.sha256()
    for place, below, names in os.walk(folder) if folder.is_dir() else [(folder.parent, [], [folder.name])]:
        below.sort()
        for name in sorted(names):
            file = os.path.join(place, name)
            try:
                status = os.stat(file)
            except OSError:  # a link that leads nowhere
                continue
            told = f"{os.path.relpath(file, folder)}\0{status.st_size}\0{status.st_mtime_ns}\0"
            digest.update(told.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide the numbers, without importing them."""
    found = {"python": platform.python_version()}
    for name, distributions in DISTRIBUTIONS.items():
        found[name] = "absent"
        for distribution in reversed(distributions):  # the first of those that are installed
            with suppress(importlib.metadata.PackageNotFoundError):
                found[name] = importlib.metadata.version(distribution)
    return found


def machine() -> dict[str, str | int]:
    """Return what the speed depends on and nothing that names the machine or its owner."""
    return {"system": platform.system(), "architecture": platform.machine(), "cpus": cores()}


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parameter_hash(parameters: dict) -> str:
    """Return the sha256 of parameters, leaving out where results go and the folders above the data."""
    kept = {name: value for name, value in parameters.items() if name != "out"}
    kept["data"] = folder_name(kept.get("data") or "")
    return hashlib.sha256(json.dumps(kept, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def folder_name(path: str) -> str:
    """Return the last part of a path written on any system: results say which data, not whose home it lies in."""
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def make_stamp(parameters: dict, notebook: Path | None = None) -> dict:
    """Return what goes with every result: the standard parameters, versions, machine, hashes and the time (UTC).

    The hash of the code is that of the notebook and what it imports; where there is none, of all but UNRELATED.
    """
    stamp = {name: parameters.get(name) for name in STANDARD}
    stamp["data"] = folder_name(stamp["data"] or "")
    stamp.update(versions())
    stamp["threads"] = THREADS
    stamp["machine"] = machine()
    torch = sys.modules.get("torch")  # a stamp never imports torch, but tells the GPU where torch is at work
    if torch is not None and stamp["device"] in ("auto", "cuda") and torch.cuda.is_available():
        stamp["machine"]["gpu"] = torch.cuda.get_device_name()
    own = notebook is not None and notebook.is_file()
    every = (file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")))
    every = (file for file in every if file.relative_to(ROOT).parts[1] not in UNRELATED)
    stamp["code"] = notebook_hash(notebook) if own else code_hash(*every)
    stamp["parameters"] = parameter_hash(parameters)
    stamp["time"] = now()
    return stamp
