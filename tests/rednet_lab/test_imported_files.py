"""What cached work is keyed by: the files of a module and of all it imports, and no others."""

import ast

import pytest

from rednet_lab import stamp

FILES = {
    "rednet_core/__init__.py": "",
    "rednet_core/a.py": "from rednet_core import b\nimport numpy",
    "rednet_core/b.py": "def f():\n    from data_prep.deep import c",
    "rednet_core/alone.py": "import rednet_core.a",
    "data_prep/__init__.py": "import data_prep.root",
    "data_prep/root.py": "",
    "data_prep/deep/__init__.py": "",
    "data_prep/deep/c.py": "from rednet_core.a import thing",  # a circle
    "other/__init__.py": "",
}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(stamp, "ROOT", tmp_path)
    return tmp_path


def names(tree, *modules):
    return [path.relative_to(tree).as_posix() for path in stamp.imported_files(*modules)]


def test_a_module_all_it_imports_and_the_packages_around_them(tree):
    wanted = ["data_prep/__init__.py", "data_prep/deep/__init__.py", "data_prep/deep/c.py", "data_prep/root.py",
              "rednet_core/__init__.py", "rednet_core/a.py", "rednet_core/b.py"]  # fmt: skip
    assert names(tree, "rednet_core.a") == wanted
    assert names(tree, "rednet_core.alone") == sorted([*wanted, "rednet_core/alone.py"])
    assert names(tree, "data_prep.root") == ["data_prep/__init__.py", "data_prep/root.py"]
    assert names(tree, "other", "numpy", "rednet_core.nothing") == ["rednet_core/__init__.py"]
    assert names(tree, "data_prep.root", "rednet_core.alone") == names(tree, "rednet_core.alone", "data_prep.root")


def test_the_hash_follows_what_the_files_do(tree):
    def hashed():
        return stamp.code_hash(*stamp.imported_files("rednet_core.b"))

    first = hashed()
    (tree / "data_prep" / "deep" / "c.py").write_text("from rednet_core.a import thing  # words")
    (tree / "rednet_core" / "alone.py").write_text("x = 1")
    assert hashed() == first
    (tree / "data_prep" / "deep" / "c.py").write_text("from rednet_core.a import thing as other")
    assert hashed() != first


def test_a_training_is_made_of_the_core_and_not_of_plots():
    files = {path.relative_to(stamp.ROOT).as_posix() for path in stamp.imported_files("rednet_core.stages")}
    assert {f"rednet_core/{name}.py" for name in ("stages", "training", "rednet", "vgg", "losses", "maps")} <= files
    assert all(name.startswith("rednet_core/") for name in files)
    prepared = {path.name for path in stamp.imported_files("data_prep.prepare", "data_prep.readers.face_world")}
    assert {"prepare.py", "store.py", "picture.py", "geometry.py"} <= prepared
    assert not {"training.py", "vgg.py", "udacity.py", "lab.py"} & prepared


def test_the_hashed_packages_import_absolutely_and_keep_nothing_outside_python():
    # imported_files reads absolute imports of .py files: others would be missed without a word
    for package in ("rednet_core", "data_prep"):
        files = [path for path in (stamp.ROOT / package).rglob("*") if path.is_file()]
        assert not [path for path in files if path.suffix not in (".py", ".pyc")]
        for path in (path for path in files if path.suffix == ".py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level], path.name
