"""The papers' claims as experiments: variants that differ in one typed option, several seeds, paired statistics.

`python -m rednet_lab.experiments` trains everything beforehand, for several seeds or on several machines.
"""

from rednet_lab.experiments.bench import Bench
from rednet_lab.experiments.charts import quoted
from rednet_lab.experiments.intervals import Intervals
from rednet_lab.experiments.variants import EXPERIMENTS, Variant, difference
from rednet_lab.statistics import Effect, effect

__all__ = ["EXPERIMENTS", "Bench", "Effect", "Intervals", "Variant", "difference", "effect", "quoted"]
