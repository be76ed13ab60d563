"""The first RED-Net (ECCV 2016): labels instead of response maps, and a shape regressor f_REG behind them.

What it shares with the journal's network is imported from rednet_core (layers, blocks, f_trn, f_cls, training);
what is here is its own. Importing the package also teaches `objective.terms` this network's losses.
"""

from rednet_core.eccv.network import EccvConfig, EccvNet, EccvPrediction
from rednet_core.eccv.objective import RATIO

__all__ = ["RATIO", "EccvConfig", "EccvNet", "EccvPrediction"]
