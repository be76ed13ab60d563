"""Random faults in whole folders of every data set: each command ends in a sentence, and what was fine is kept."""

import os
import random
import shutil

import pytest

from data_prep.cli import main
from data_prep.store import Store
from tests.data_prep.folders import MAKERS

ROUNDS = 60


def some_file(root, draw):
    return draw.choice(sorted(path for path in root.rglob("*") if path.is_file()))


def cut_off(root, draw):
    path = some_file(root, draw)
    path.write_bytes(path.read_bytes()[: draw.randrange(path.stat().st_size + 1)])


def other_bytes(root, draw):
    path = some_file(root, draw)
    data = bytearray(path.read_bytes())
    for _ in range(draw.randint(1, 30)):
        data[draw.randrange(len(data))] = draw.randrange(256)
    path.write_bytes(bytes(data))


def gone(root, draw):
    some_file(root, draw).unlink()


def a_folder(root, draw):
    path = some_file(root, draw)
    path.unlink()
    path.mkdir()


def a_link_to_nowhere(root, draw):
    path = some_file(root, draw)
    path.unlink()
    path.symlink_to(root / "nowhere")


def links_in_a_circle(root, draw):
    for place in [root, *sorted(path for path in root.rglob("*") if path.is_dir())][:4]:
        for name in ("one", "other"):
            (place / name).symlink_to(root, target_is_directory=True)


def no_utf8(root, draw):
    path = draw.choice(sorted(root.rglob("*")))
    try:
        os.rename(path, os.fsencode(path.parent) + b"/" + os.fsencode(path.stem) + b"\xff" + os.fsencode(path.suffix))
    except OSError:  # a file system that takes no such name
        pass


FAULTS = [cut_off, other_bytes, other_bytes, gone, a_folder, no_utf8]
FAULTS += [] if os.name == "nt" else [a_link_to_nowhere, links_in_a_circle]


def test_faults_anywhere_end_in_a_sentence(tmp_path, capsys):
    seed = int.from_bytes(os.urandom(4), "big")
    draw = random.Random(seed)
    for round_ in range(ROUNDS):
        name, fault = draw.choice(list(MAKERS)), draw.choice(FAULTS)
        root, store = tmp_path / "x", tmp_path / "store"
        MAKERS[name](root)
        fault(root, draw)
        where = f"seed {seed}, round {round_}: {fault.__name__} in {name}"
        prepare = ["prepare", str(root), str(store), "--dataset", name, "--size", "16"]
        for command in (["doctor", str(root)], ["doctor", str(root), "--dataset", name, "--read"], prepare, prepare):
            try:
                status = main(command)
            except BaseException as error:
                pytest.fail(f"{where}: {command[0]} raised {error!r}")
            assert status in (0, 1), where
        assert store.exists() == (status == 0), where
        if store.exists():
            Store(store).verify()
            shutil.rmtree(store)
        shutil.rmtree(root)
        capsys.readouterr()
