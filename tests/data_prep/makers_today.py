"""Small data sets in the formats that came after the papers' own, in their real form: WFLW, 300W-LP, MERL-RAV, COFW."""

import numpy as np
from scipy.io import savemat

from data_prep.markup_shapes import sketch
from data_prep.markups import COFW29, WFLW98
from tests.data_prep.makers import encode, pair, picture, points_of, pts, put

POSE = np.radians([-8.0, 20.0, 5.0])  # pitch, yaw, roll in a .mat


def drawn(k, markup):
    """Points of the drawn face number k in a markup."""
    return sketch(points_of(k), markup)


def wflw_line(points, name, box=(20, 15, 85, 80), attributes=(0, 1, 0, 0, 1, 0)):
    numbers = [*(f"{v:.6f}" for v in points.ravel()), *map(str, box), *map(str, attributes)]
    return " ".join([*numbers, name])


def wflw(root, faces=((1, 2), (3,)), lines=()):
    """Training and test faces by number; lines are more lines of the training list."""
    for split, numbers in zip(("train", "test"), faces, strict=True):
        rows = []
        for k in numbers:
            name = f"{k}--Parade/{k}_Parade_{k}.jpg"
            put(root / "WFLW_images" / name, encode(picture(k), "jpg"))
            rows.append(wflw_line(drawn(k, WFLW98), name))
        place = root / "WFLW_annotations" / "list_98pt_rect_attr_train_test" / f"list_98pt_rect_attr_{split}.txt"
        put(place, "\n".join([*rows, *(lines if split == "train" else ())]).encode())


def fitted(path, k, variable, points, pose=POSE):
    """A picture and 3DDFA's .mat beside it."""
    put(path.with_suffix(".jpg"), encode(picture(k), "jpg"))
    parameters = np.r_[pose, 50, 40, 0, 0.001][None]
    savemat(path.with_suffix(".mat"), {variable: points, "Pose_Para": parameters, "roi": np.array([[1, 1, 90, 90]])})


def lp300w(root):
    for k, place in enumerate(("AFW/AFW_1_1_0", "AFW/AFW_1_1_5", "HELEN/HELEN_2_1_0", "AFW_Flip/AFW_1_1_0"), 1):
        fitted(root / place, k, "pt2d", points_of(k).T + 1)
        own = put(root / "landmarks" / f"{place}_pts.mat", b"")
        savemat(own, {"pts_2d": points_of(k) + 1, "pts_3d": points_of(k) + 1.5})


def aflw2000(root):
    for k in (2, 4):
        space = np.vstack([points_of(k).T + 1, np.zeros((1, 68))])
        fitted(root / f"image0000{k}", k, "pt3d_68", space)


def merl_rav(root):
    """A seen face, and one with covered and hidden points."""
    pair(root / "frontal" / "trainset", "image00001", 1, "jpg")
    pair(root / "righthalf" / "testset", "image00002_1", 2, "jpg")
    coded = points_of(2)
    coded[:3] = -1
    coded[3:6] *= -1
    put(root / "righthalf" / "testset" / "image00002_1.pts", pts(coded))


def family300w(root):
    for place, stem, kind in (
        ("afw", "1_1", "jpg"),
        ("helen/trainset", "2_1", "jpg"),
        ("helen/testset", "3_1", "jpg"),
        ("ibug", "image_003 _1", "jpg"),
        ("lfpw/trainset", "image_0001", "png"),
        ("lfpw/testset", "image_0001", "png"),
    ):
        pair(root / place, stem, len(stem), kind, base=1)


def dlib_xml(places, more=""):
    images = []
    for k, place in places:
        parts = "".join(f"<part name='{i:02}' x='{x:.0f}' y='{y:.0f}'/>" for i, (x, y) in enumerate(points_of(k)))
        box = f"<box top='15' left='20' width='60' height='60'>{parts}</box>"
        images.append(f"<image file='{place}' width='110' height='90'>{box}</image>")
    head = "<?xml version='1.0' encoding='ISO-8859-1'?>\n<?xml-stylesheet type='text/xsl' href='x.xsl'?>\n"
    return f"{head}{more}<dataset><name>iBUG</name><images>{''.join(images)}</images></dataset>\n".encode()


def dlib300w(root):
    halves = {"train": [(1, "helen/trainset/1_1.jpg"), (2, "afw/2_1_mirror.jpg")], "test": [(3, "afw/3_1.jpg")]}
    for split, places in halves.items():
        for k, place in places:
            put(root / place, encode(picture(k), "jpg"))
        put(root / f"labels_ibug_300W_{split}.xml", dlib_xml(places))


def _cofw_arrays(numbers):
    phis = [np.r_[(drawn(k, COFW29) + 1).T.ravel(), np.arange(29) % 5 == 0] for k in numbers]
    return np.array(phis, np.float64), np.array([[21, 16, 60, 60]] * len(numbers), np.float64)


def cofw(root, train=(1, 2), test=(3,)):
    """COFW as version 5 files, which need no HDF5."""
    for name, suffix, numbers in (("train", "Tr", train), ("test", "T", test)):
        cells = np.empty((len(numbers), 1), object)
        cells[:, 0] = [picture(k) for k in numbers]
        phis, boxes = _cofw_arrays(numbers)
        path = put(root / f"COFW_{name}_color.mat", b"")
        savemat(path, {f"Is{suffix}": cells, f"phis{suffix}": phis, f"bboxes{suffix}": boxes})


def cofw_hdf5(root, train=(1, 2), test=(3,), grey=()):
    """COFW as it is given out: version 7.3, which is HDF5 behind 512 bytes, with MATLAB's axes the other way round."""
    import h5py

    for name, suffix, numbers in (("train", "Tr", train), ("test", "T", test)):
        path = put(root / f"COFW_{name}_color.mat", b"")
        phis, boxes = _cofw_arrays(numbers)
        with h5py.File(path, "w", userblock_size=512) as file:
            pictures = [picture(k)[..., 0] if k in grey else picture(k) for k in numbers]
            places = [file.create_dataset(f"#refs#/{i}", data=one.T).ref for i, one in enumerate(pictures)]
            file.create_dataset(f"Is{suffix}", data=np.array([places], h5py.ref_dtype))
            file[f"phis{suffix}"], file[f"bboxes{suffix}"] = phis.T, boxes.T
        with open(path, "r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


def cofw68(root):
    cofw(root)
    (root / "COFW_train_color.mat").unlink()
    covered = np.arange(68) % 4 == 0
    path = put(root / "test_annotations" / "1_points.mat", b"")
    savemat(path, {"Points": points_of(3) + 1, "Occ": covered[:, None].astype(np.uint8)})
    savemat(root / "cofw68_test_bboxes.mat", {"bboxes": np.array([[21.0, 16, 60, 60]])})


MAKERS = {
    "300w": family300w,
    "300w_dlib": dlib300w,
    "wflw": wflw,
    "300w_lp": lp300w,
    "aflw2000": aflw2000,
    "merl_rav": merl_rav,
    "cofw": cofw,
    "cofw68": cofw68,
}
