"""Methods that RED-Net is compared with (journal Table 9), trained on the same faces and judged by the same code."""

from rednet_lab.experiments.baselines.baseline import Baseline, FirstBox
from rednet_lab.experiments.baselines.compare import METHODS, fitted
from rednet_lab.experiments.baselines.sdm import SDM, SdmConfig
from rednet_lab.experiments.baselines.trees import INSTALL, Trees, TreesConfig, have_dlib

__all__ = ["INSTALL", "METHODS", "SDM", "Baseline", "FirstBox", "SdmConfig", "Trees", "TreesConfig"]
__all__ += ["fitted", "have_dlib"]
