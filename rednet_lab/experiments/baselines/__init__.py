"""Methods that RED-Net is compared with (journal Table 9), trained on the same faces and judged by the same code.

aligner  what they look like from outside: networks, to `rednet_core`'s predict_stills, predict_videos and Tracker
sift     the descriptors of SDM
sdm      SDM (Xiong and De la Torre 2013)
trees    an ensemble of regression trees (Kazemi and Sullivan 2014), by dlib where it is installed
keep     trained ones from the cache
"""

from rednet_lab.experiments.baselines.baseline import Aligner, FirstBox
from rednet_lab.experiments.baselines.fitted import METHODS, Fitted, fitted
from rednet_lab.experiments.baselines.sdm import SDM, SdmConfig
from rednet_lab.experiments.baselines.trees import INSTALL, Trees, TreesConfig, have_dlib

__all__ = [
    "INSTALL",
    "METHODS",
    "SDM",
    "Aligner",
    "FirstBox",
    "Fitted",
    "SdmConfig",
    "Trees",
    "TreesConfig",
    "fitted",
    "have_dlib",
]
