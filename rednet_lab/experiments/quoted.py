"""The papers' own figures, as printed, to stand beside ours. Nothing here was measured by this project.

Tables 5 to 9 are the journal's and normalise by the distance of the outer eye corners (Table 4 names the data). The
rows on 300-W's common subset are other authors', each with its normaliser and where it was printed.
"""

import pandas as pd


def _table(rows: dict[str, tuple], columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


TABLE5 = _table(  # journal; rows 1-2 AFLW, 3-4 300-VW; Tesla K40
    {
        "VGG design, AFLW": (6.85, 4.52, 43.6, 184),
        "ResNet design, AFLW": (6.33, 3.61, 54.9, 257),
        "VGG design, 300-VW": (5.16, 2.57, 42.5, 184),
        "ResNet design, 300-VW": (4.75, 2.10, 56.2, 257),
    },
    ("mean (%)", "std (%)", "time (ms)", "memory (Mb)"),
)
TABLE6 = _table(  # journal, AFLW
    {
        "one step, detection": (6.05, 4.62, 8.14, 12.4),
        "one step, regression": (5.92, 4.75, 7.87, 14.5),
        "detection twice": (5.86, 3.44, 7.33, 8.20),
        "detection, then regression": (5.71, 3.30, 6.97, 8.75),
    },
    ("common mean (%)", "common failure (%)", "challenging mean (%)", "challenging failure (%)"),
)
TABLE7 = _table(  # journal, AFLW (its caption says challenging; its last row is Table 5's of all of AFLW)
    {"unshared cascade": (6.81, 4.53, 468), "recurrent": (6.33, 3.61, 257)},
    ("mean (%)", "std (%)", "memory (Mb)"),
)
TABLE8 = _table(  # journal, 300-VW
    {
        "without f_trn": (4.52, 2.24, 3.48, 6.27, 5.33, 13.3, 5.83, 3.42, 6.43),
        "with f_trn": (4.21, 1.85, 1.71, 5.64, 3.28, 5.40, 5.25, 2.15, 2.82),
    },
    tuple(f"{group} {what} (%)" for group in ("common", "challenging", "all") for what in ("mean", "std", "failure")),
)
TABLE9 = {  # journal, mean error in the tracking protocol
    7: _table(
        {
            "DRMF": (4.43, 8.53, 9.16),
            "ESR": (3.81, 7.58, 7.83),
            "SDM": (4.01, 7.49, 7.65),
            "IFA": (3.45, 6.39, 6.78),
            "DCNC": (3.67, 6.16, 6.43),
            "RED-Net": (2.89, 5.14, 5.29),
        },
        ("TF", "FM", "300-VW"),
    ),
    68: _table(
        {
            "ESR": (3.49, 6.74, 7.09),
            "SDM": (3.80, 7.38, 7.25),
            "CFAN": (3.31, 6.47, 6.64),
            "TCDCN": (3.45, 6.92, 7.59),
            "CFSS": (3.04, 5.67, 6.13),
            "RED-Net": (2.77, 4.93, 5.15),
        },
        ("TF", "FM", "300-VW"),
    ),
}
FIGURE6_GAIN = {"0-15": 6.1, "45-90": 23.3}  # ECCV, per cent of the first step's error, as its text says
FIGURE8 = {"with f_cls": 0.84, "without f_cls": 0.80}  # journal, left eye, epoch 10, as its text says
ENCODER_MILLIONS = {"with fully connected layers": 117.0, "fully convolutional": 14.8}  # journal 4.1

WHOLE = {"300-W common": 554, "300-W challenging": 135}  # faces in a whole test set (`PreparedSource.test_sets`)
# 68 points, networks trained on 300-W's 3,148 faces. HRNet's row is read from its authors' repository, DAN's from a
# port of it that prints the paper's; the others are as LAB's paper lists them (to be checked against the print).
LAB = "Wu et al. (LAB), CVPR 2018, Table 1"
COMMON_SUBSET = _table(
    {
        "ESR (2012)": (5.28, "pupils", LAB),
        "SDM (2013)": (5.57, "pupils", LAB),
        "CFAN (2014)": (5.50, "pupils", LAB),
        "LBF (2014)": (4.95, "pupils", LAB),
        "CFSS (2015)": (4.73, "pupils", LAB),
        "TCDCN (2016)": (4.80, "pupils", LAB),
        "DAN (2017)": (4.42, "pupils", "Kowalski et al., CVPR Workshops 2017, Table 1"),
        "LAB (2018)": (2.98, "corners", LAB),
        "HRNetV2-W18 (2019)": (2.91, "corners", "its authors' repository"),
    },
    ("NME (%)", "normaliser", "source"),
)
