"""The data sets that can be read: one line each for opening them, telling them, getting them, and what to expect."""

from difflib import get_close_matches

from data_prep.dataset import NOT_IN_IT, DataSet, Sign
from data_prep.errors import DataError

NON_COMMERCIAL = "non-commercial research only"
VIEWS = ("frontal", "left*", "right*")  # MERL-RAV's folders


def _below(name: str, *patterns: str) -> tuple[str, ...]:
    """Return patterns in the folder itself and in a folder of the data set's name in it."""
    return (*patterns, *(f"{name}/{pattern}" for pattern in patterns))


def _halves(name: str, pictures: str, words: str) -> tuple[Sign, ...]:
    halves = [Sign(f"{half} with {words}", _below(name, f"{half}/{pictures}")) for half in ("trainset", "testset")]
    return (*halves, Sign("points (.pts)", _below(name, "trainset/*.pts", "testset/*.pts")))


def _ibug(name: str, title: str, signs: tuple[Sign, ...], count: int, table4: str = NOT_IN_IT) -> DataSet:
    terms = f"{NON_COMMERCIAL}; cite iBUG's 300-W papers"
    return DataSet(name, title, "ibug:IbugFaces", signs, count, terms, table4, (("name", name),))


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
            f"{NON_COMMERCIAL}; the images are the Flickr users', no redistribution",
            "21,080 images, 21 points, 16,864 train / 4,216 test",
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
            "research use; the images are their news sources'",
            "12,007 images, 7 points, 5,371 subjects, 12,007 train / 0 test",
        ),
        DataSet(
            "lfw10",
            "LFW with Dantone's ten points (no nose tip)",
            "lfw:LfwTen",
            (Sign("lfw_ffd_ann.txt", ("lfw_ffd_ann.txt",)), Sign("images", ("lfw/*/*_0001.jpg", "*/*_0001.jpg"))),
            13232,
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
            f"{NON_COMMERCIAL}; cite iBUG's 300-W papers",
            "Helen and LFPW of it",
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
            f"{NON_COMMERCIAL}; cite iBUG's 300-W papers",
        ),
        _ibug(
            "helen",
            "Helen in iBUG's form, 68 points",
            _halves("helen", "[0-9]*_[0-9]*.jpg", "<number>_<k>.jpg"),
            2330,
            "2,330 images, 194 points (+68), 2,330 train / 0 test",
        ),
        _ibug(
            "lfpw",
            "LFPW in iBUG's form, 68 points",
            _halves("lfpw", "image_*.[pj][np]g", "image_<number>.png (or .jpg)"),
            1035,
            "1,035 images, 68 points, 1,035 train / 0 test",
        ),
        _ibug(
            "afw",
            "AFW in iBUG's form, 68 points",
            (Sign("<number>_<k>.pts", _below("afw", "[0-9]*_[0-9]*.pts")), Sign("images", _below("afw", "[0-9]*.jpg"))),
            337,
        ),
        _ibug(
            "ibug",
            "iBUG, 68 points",
            (Sign("image_<number>.pts", _below("ibug", "image_*.pts")), Sign("images", _below("ibug", "image_*.jpg"))),
            135,
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
            "research use; the images are the Flickr users'",
            "2,330 images, 194 points (+68), 2,330 train / 0 test",
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
            "free; cite FGNet",
            "500 frames, 5 videos, 1 subject, 0 train / 500 test (its owner: 5,000 frames in 5 archives)",
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
            f"{NON_COMMERCIAL}; register first",
            "114,000 frames, 114 videos, 105 subjects, 90,000 train / 24,000 test (owner: 218,597, 2,127 excluded)",
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
            "not known",
            "2,150 frames, 6 videos, 6 subjects, 0 train / 2,150 test",
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
