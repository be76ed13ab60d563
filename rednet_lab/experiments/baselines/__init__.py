"""Methods that RED-Net is compared with (journal Table 9), trained on the same faces and judged by the same code.

baseline  what they look like from outside: networks, to `rednet_core`'s predict_stills, predict_videos and Tracker
sdm       SDM (Xiong and De la Torre 2013) on SIFT
trees     an ensemble of regression trees (Kazemi and Sullivan 2014), by dlib where it is installed
esr       ESR (Cao and others 2012)
neural    TCDCN (Zhang and others 2014) and DCNC (Sun and others 2013)
cfan      CFAN (Zhang and others 2014)
compare   trains them, measures them, and draws Table 9
"""

from rednet_lab.experiments.baselines.baseline import Baseline, FirstBox
from rednet_lab.experiments.baselines.compare import METHODS, fitted
from rednet_lab.experiments.baselines.sdm import SDM, SdmConfig
from rednet_lab.experiments.baselines.trees import INSTALL, Trees, TreesConfig, have_dlib

__all__ = ["INSTALL", "METHODS", "SDM", "Baseline", "FirstBox", "SdmConfig", "Trees", "TreesConfig"]
__all__ += ["fitted", "have_dlib"]
