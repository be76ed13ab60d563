"""A small whole folder of every data set that can be read, by its name."""

import numpy as np
from scipy.io import savemat

from data_prep.markups import HELEN194, LFW10, TALKING_FACE68
from rednet_core.markup import SEVEN
from tests.data_prep import makers, makers_today, makers_udacity
from tests.data_prep.makers import encode, pair, picture, points_of, put, vw300


def make_aflw(root):
    makers.aflw(root, [{"id": k, "file": f"image{k:05d}.jpg"} for k in (1, 2)])


def make_lfw(root):
    for k in (1, 2):
        put(root / "lfw" / "Ada_Lovelace" / f"Ada_Lovelace_000{k}.jpg", encode(picture(k), "jpg"))
    rows = [makers.lfw_row(f"Ada_Lovelace_000{k}.jpg", points_of(k, SEVEN)) for k in (1, 2)]
    put(root / "LFW_annotation.txt", "\n".join(rows).encode())


def make_lfw10(root):
    put(root / "lfw" / "Ada_Lovelace" / "Ada_Lovelace_0001.jpg", encode(picture(), "jpg"))
    numbers = " ".join(map(str, points_of(0, LFW10).round().astype(int).ravel()))
    put(root / "lfw_ffd_ann.txt", f"# x\nAda_Lovelace/Ada_Lovelace_0001.jpg 0 0 80 80 0 10 {numbers}\n".encode())


def make_halves(pattern, kind):
    def make(root):
        for k, half in enumerate(("trainset", "testset")):
            pair(root / half, pattern.format(k), k, kind)

    return make


def make_flat(stem):
    return lambda root: pair(root, stem, 0, "jpg")


def make_helen194(root):
    put(root / "helen_1" / "face.jpg", encode(picture(), "jpg"))
    put(root / "annotation" / "1.txt", makers.helen_text("face", points_of(0, HELEN194)))
    put(root / "trainnames.txt", b"face\n")


def make_talking_face(root):
    pair(root / "images", "franck_00000", 0, "jpg", TALKING_FACE68)


def make_face_movies(root):
    put(root / "film" / "img" / "1.jpg", encode(picture(), "jpg"))
    put(root / "film" / "annot" / "1.pts", makers.pts(points_of(0)))


def make_300vw(root):
    vw300(root, "001", 3)
    (root / "extra").mkdir()
    savemat(root / "extra" / "401.mat", {"error": np.array([1, 2])})


def make_youtube(root):
    makers.npz(root / "part" / "Ada_Lovelace_0.npz", 2)
    put(root / "index.csv", b"videoID,personName\nAda_Lovelace_0,Ada_Lovelace\n")


def make_udacity(root):
    halves = {half: [makers_udacity.good("Ada_Lovelace_00.jpg", k)] for k, half in enumerate(("training", "test"))}
    makers_udacity.write(root, halves)


MAKERS = {
    "aflw": make_aflw,
    "lfw": make_lfw,
    "lfw10": make_lfw10,
    "helen": make_halves("1004{}_1", "jpg"),
    "lfpw": make_halves("image_000{}", "png"),
    "afw": make_flat("1051618_1"),
    "ibug": make_flat("image_003_1"),
    "helen194": make_helen194,
    "talking_face": make_talking_face,
    "300vw": make_300vw,
    "face_movies": make_face_movies,
    "youtube_faces": make_youtube,
    "udacity": make_udacity,
    **makers_today.MAKERS,
}
