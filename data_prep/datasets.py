"""The data sets that can be read: one line each for opening them, telling them, getting them, and what to expect."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from data_prep.errors import DataError
from data_prep.folders import unreadable

READS = ("data_prep/readers/*.py",)  # imported by name

NON_COMMERCIAL = "non-commercial research only"
VIEWS = ("frontal", "left*", "right*")  # MERL-RAV's folders


@dataclass(frozen=True)
class Sign:
    """Something that a data set's folder has: what it is, and patterns below the folder of which one must be there.

    What is optional is looked for and told, but does not help to tell which data set it is.
    """

    what: str
    patterns: tuple[str, ...]
    optional: bool = False

    @property
    def specific(self) -> bool:
        """Whether its patterns name files or folders, so that not any picture is the sign."""
        return all(re.search("[A-Za-z0-9]", pattern.rpartition(".")[0]) for pattern in self.patterns)


@dataclass(frozen=True)
class DataSet:
    """A data set: reader names "module:class" and the choices that make it this one; its first sign is needed.

    count: usable items in a whole copy (0: not known); table4: what the papers' Table 4 says of it.
    """

    name: str
    title: str
    reader: str
    signs: tuple[Sign, ...]
    count: int
    table4: str
    terms: str
    fixed: tuple[tuple[str, object], ...] = ()

    @property
    def maker(self) -> Callable:
        """The reader's class, imported when it is asked for."""
        module, _, name = self.reader.partition(":")
        return getattr(import_module(f"data_prep.readers.{module}"), name)

    @property
    def how_to_get(self) -> str:
        """Where a copy comes from."""
        maker = self.maker
        return getattr(maker, "how_to_get", "") or import_module(maker.__module__).HOW_TO_GET

    def choices(self) -> dict[str, object]:
        """Return the reader's options with their defaults."""
        given = {"folder", *(name for name, _ in self.fixed)}
        parameters = inspect.signature(self.maker).parameters
        return {name: one.default for name, one in parameters.items() if name not in given}

    def open(self, folder, **choices):
        """Return the reader of a folder; options may be text, as from a command line.

        Raise DataError for an option it does not have or of another type, and for a folder that it cannot read.
        """
        known = self.choices()
        for name in choices:
            if name not in known:
                there = ", ".join(known) or "none"
                raise DataError(f"{self.name} has no option {name!r}, known: {there}", field=name)
        given = {name: _typed(name, value, known[name]) for name, value in choices.items()}
        reader = self.maker(folder, **dict(self.fixed), **given)
        reader.warnings = [*getattr(reader, "warnings", []), *unreadable(Path(folder))]
        reader.description = {"dataset": self.name, **reader.description}
        return reader


YES, NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def _typed(name: str, value, default):
    """Return an option's value of the type of its default; raise DataError, in words, for any other.

    Text, as from a command line, is read: no word is silently true, and no number silently another.
    """
    text = str(value).strip().lower()
    if isinstance(default, bool):
        if text not in (*YES, *NO):
            raise DataError(f"{value!r} is neither yes nor no", field=name, fix=f"say {name}=yes or {name}=no")
        return text in YES
    if isinstance(default, int):
        if isinstance(value, bool) or not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
            raise DataError(f"{value!r} is no whole number", field=name, fix=f"say for example {name}={default}")
        if name == "base" and int(text) not in (0, 1):
            raise DataError(f"pixels begin at 0 or at 1, not at {value}", field=name)
        return int(text)
    return value


def _below(name: str, *patterns: str) -> tuple[str, ...]:
    """Return patterns in the folder itself and in a folder of the data set's name in it."""
    return (*patterns, *(f"{name}/{pattern}" for pattern in patterns))


def _halves(name: str, pictures: str, words: str) -> tuple[Sign, ...]:
    halves = [Sign(f"{half} with {words}", _below(name, f"{half}/{pictures}")) for half in ("trainset", "testset")]
    return (*halves, Sign("points (.pts)", _below(name, "trainset/*.pts", "testset/*.pts")))


DATASETS = {
    one.name: one
    for one in (
        DataSet(
            "aflw",
            "AFLW, 21 points",
            "aflw:Aflw",
            (
                Sign("aflw.sqlite", ("aflw.sqlite", "data/aflw.sqlite")),
                Sign("images", ("data/flickr/*/*.jpg", "flickr/*/*.jpg", "images/*/*.jpg", "images/*.jpg")),
            ),
            21080,
            "21,080 images, 21 points, 16,864 train / 4,216 test",
            f"{NON_COMMERCIAL}; the images are the Flickr users', no redistribution",
        ),
        DataSet(
            "lfw",
            "LFW with flandmark's seven points",
            "lfw:LfwSeven",
            (
                Sign("LFW_annotation.txt", ("LFW_annotation.txt",)),
                Sign("images", ("lfw/*/*_0001.jpg", "*/*_0001.jpg")),
            ),
            12007,
            "12,007 images, 7 points, 5,371 subjects",
            "research use; the images are their news sources'",
        ),
        DataSet(
            "lfw10",
            "LFW with Dantone's ten points (no nose tip)",
            "lfw:LfwTen",
            (Sign("lfw_ffd_ann.txt", ("lfw_ffd_ann.txt",)), Sign("images", ("lfw/*/*_0001.jpg", "*/*_0001.jpg"))),
            13232,
            "not in it",
            "research use; the images are their news sources'",
        ),
        DataSet(
            "300w",
            "300-W's family in one folder (afw, helen, ibug, lfpw), 68 points",
            "family300w:Family300W",
            (
                Sign("lfpw with .pts", ("lfpw/trainset/*.pts", "lfpw/testset/*.pts")),
                Sign("helen with .pts", ("helen/trainset/*.pts", "helen/testset/*.pts")),
                Sign("afw with .pts", ("afw/*.pts",), optional=True),
                Sign("ibug with .pts", ("ibug/*.pts",), optional=True),
            ),
            2330 + 1035 + 337 + 135,
            "Helen and LFPW of it",
            f"{NON_COMMERCIAL}; cite iBUG's 300-W papers",
        ),
        DataSet(
            "300w_dlib",
            "300-W in dlib's copy, 68 points in XML",
            "family300w:Dlib300W",
            (
                Sign("labels_ibug_300W_train.xml", ("labels_ibug_300W_train.xml",)),
                Sign("images", ("afw/*.jpg", "helen/*/*.jpg", "lfpw/*/*.png")),
            ),
            2330 + 1035 + 337 + 135,
            "not in it",
            f"{NON_COMMERCIAL}; cite iBUG's 300-W papers",
        ),
        DataSet(
            "helen",
            "Helen in iBUG's form, 68 points",
            "ibug:IbugFaces",
            _halves("helen", "[0-9]*_[0-9]*.jpg", "<number>_<k>.jpg"),
            2330,
            "2,330 images, 194 points (+68)",
            f"{NON_COMMERCIAL}; cite iBUG's 300-W papers",
            (("name", "helen"),),
        ),
        DataSet(
            "lfpw",
            "LFPW in iBUG's form, 68 points",
            "ibug:IbugFaces",
            _halves("lfpw", "image_*.[pj][np]g", "image_<number>.png (or .jpg)"),
            1035,
            "1,035 images, 68 points",
            f"{NON_COMMERCIAL}; cite iBUG's 300-W papers",
            (("name", "lfpw"),),
        ),
        DataSet(
            "afw",
            "AFW in iBUG's form, 68 points",
            "ibug:IbugFaces",
            (Sign("<number>_<k>.pts", _below("afw", "[0-9]*_[0-9]*.pts")), Sign("images", _below("afw", "[0-9]*.jpg"))),
            337,
            "not in it",
            f"{NON_COMMERCIAL}; cite iBUG's 300-W papers",
            (("name", "afw"),),
        ),
        DataSet(
            "ibug",
            "iBUG, 68 points",
            "ibug:IbugFaces",
            (Sign("image_<number>.pts", _below("ibug", "image_*.pts")), Sign("images", _below("ibug", "image_*.jpg"))),
            135,
            "not in it",
            f"{NON_COMMERCIAL}; cite iBUG's 300-W papers",
            (("name", "ibug"),),
        ),
        DataSet(
            "helen194",
            "Helen as first released, 194 points (not for RED-Net's seven)",
            "helen194:HelenOriginal",
            (
                Sign("annotation/1.txt ...", ("annotation/*.txt",)),
                Sign("images", ("*/*.jpg", "*.jpg")),
                Sign("trainnames.txt", ("trainnames.txt",), optional=True),
            ),
            2330,
            "2,330 images, 194 points (+68)",
            "research use; the images are the Flickr users'",
        ),
        DataSet(
            "wflw",
            "WFLW, 98 points",
            "wflw:Wflw",
            (
                Sign("list_98pt_rect_attr_*.txt", tuple(f"{p}list_98pt_rect_attr_*.txt" for p in ("", "*/", "*/*/"))),
                Sign("WFLW_images/<event>/*.jpg", ("WFLW_images/*/*.jpg", "*/WFLW_images/*/*.jpg", "images/*/*.jpg")),
            ),
            10000,
            "not in it",
            "research use; the pictures are WIDER Face's",
        ),
        DataSet(
            "300w_lp",
            "300W-LP, 68 points, faces turned by a model",
            "lp300w:Lp300W",
            (
                Sign("<SET>/<stem>.mat", _below("300W_LP", "AFW/*.mat", "HELEN/*.mat", "IBUG/*.mat", "LFPW/*.mat")),
                Sign("images", _below("300W_LP", "AFW/*.jpg", "HELEN/*.jpg", "IBUG/*.jpg", "LFPW/*.jpg")),
                Sign("landmarks/<SET>/*_pts.mat", _below("300W_LP", "landmarks/*/*_pts.mat"), optional=True),
            ),
            61225,
            "not in it",
            f"{NON_COMMERCIAL}; cite 3DDFA",
        ),
        DataSet(
            "aflw2000",
            "AFLW2000-3D, 68 points of a model in space",
            "lp300w:Aflw2000",
            (
                Sign("image<number>.mat", ("image[0-9]*.mat", "AFLW2000*/image[0-9]*.mat")),
                Sign("image<number>.jpg", ("image[0-9]*.jpg", "AFLW2000*/image[0-9]*.jpg")),
            ),
            2000,
            "not in it",
            f"{NON_COMMERCIAL}; the images are AFLW's",
        ),
        DataSet(
            "merl_rav",
            "MERL-RAV: AFLW with 68 points and what hides them",
            "merl_rav:MerlRav",
            (
                Sign("<view>/trainset/*.pts", tuple(f"{p}{v}/*set/*.pts" for p in ("", "merl_rav_*/") for v in VIEWS)),
                Sign("images beside them", tuple(f"{p}{v}/*set/*.jpg" for p in ("", "merl_rav_*/") for v in VIEWS)),
            ),
            19314,
            "not in it",
            "see its licence; the images are AFLW's",
        ),
        DataSet(
            "cofw",
            "COFW in colour, 29 points and what covers them",
            "cofw:Cofw",
            (
                Sign("COFW_train_color.mat", _below("COFW_color", "COFW_train_color.mat", "COFW/COFW_train_color.mat")),
                Sign("COFW_test_color.mat", _below("COFW_color", "COFW_test_color.mat", "COFW/COFW_test_color.mat")),
            ),
            1852,
            "not in it",
            "research use",
        ),
        DataSet(
            "cofw68",
            "COFW-68: COFW's test faces with 68 points",
            "cofw:Cofw68",
            (
                Sign("test_annotations/1_points.mat", ("*test_annotations/*_points.mat", "*/*test_annotations/*.mat")),
                Sign("COFW_test_color.mat", ("COFW_test_color.mat", "*/COFW_test_color.mat")),
            ),
            507,
            "not in it",
            "research use",
        ),
        DataSet(
            "talking_face",
            "Talking Face, 68 points of its own markup",
            "talking_face:TalkingFace",
            (
                Sign("franck_00000.pts ...", ("franck_*.pts", "*/franck_*.pts", "*/*/franck_*.pts")),
                Sign("franck_00000.jpg ...", ("franck_*.jpg", "*/franck_*.jpg", "*/*/franck_*.jpg", "*/franck_*.png")),
            ),
            5000,
            "500 frames, 5 videos, 1 subject (its owner: 5,000 frames in 5 archives)",
            "free; cite FGNet",
        ),
        DataSet(
            "300vw",
            "300-VW, 68 points",
            "vw300:VW300",
            (
                Sign("NNN/vid.avi", ("[0-9][0-9][0-9]/vid.avi", "*/[0-9][0-9][0-9]/vid.avi")),
                Sign("NNN/annot/*.pts", ("[0-9][0-9][0-9]/annot/*.pts", "*/[0-9][0-9][0-9]/annot/*.pts")),
                Sign(
                    "extra.zip or extra/*.mat",
                    ("extra.zip", "extra/*.mat", "*/extra.zip", "*/extra/*.mat"),
                    optional=True,
                ),
            ),
            218597 - 2127,
            "114,000 frames, 114 videos, 105 subjects, 90,000 train / 24,000 test (owner: 218,597, 2,127 excluded)",
            f"{NON_COMMERCIAL}; register first",
        ),
        DataSet(
            "face_movies",
            "Face Movies, 68 points (layout guessed)",
            "face_movies:FaceMovies",
            (
                Sign("<video>/annot/*.pts", ("*/annot/*.pts",)),
                Sign("<video>/img/*.jpg or vid.avi", ("*/img/*.jpg", "*/vid.avi")),
            ),
            2150,
            "2,150 frames, 6 videos, 6 subjects",
            "not known",
        ),
        DataSet(
            "youtube_faces",
            "YouTube Faces with Facial Keypoints, 68 points by an aligner",
            "youtube_faces:YouTubeFaces",
            (
                Sign("<Person_Name_k>.npz", ("*.npz", "*/*.npz", "*/*/*.npz")),
                Sign("index (.csv)", ("*.csv", "*/*.csv"), optional=True),
            ),
            0,
            "not in it",
            "see its Kaggle page; made from YouTube Faces (Tel Aviv University, research)",
        ),
        DataSet(
            "udacity",
            "YouTube Faces in Udacity's layout, 68 points by an aligner",
            "udacity:UdacityFaces",
            (
                Sign("training_frames_keypoints.csv", ("training_frames_*.csv", "data/training_frames_*.csv")),
                Sign("test_frames_keypoints.csv", ("test_frames_*.csv", "data/test_frames_*.csv")),
                Sign("training/*.jpg", ("training/*.jpg", "data/training/*.jpg")),
                Sign("test/*.jpg", ("test/*.jpg", "data/test/*.jpg")),
            ),
            4232,
            "not in it",
            "the code MIT; the images are from YouTube Faces (research)",
        ),
    )
}


def dataset(name: str) -> DataSet:
    """Return the data set of that name; raise DataError naming those there are."""
    if name not in DATASETS:
        near = get_close_matches(name, DATASETS, 1)
        fix = f"say {near[0]}" if near else ""
        raise DataError(f"unknown data set {name!r}, known: {', '.join(DATASETS)}", field="dataset", fix=fix)
    return DATASETS[name]
