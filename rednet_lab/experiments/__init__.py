"""The papers' claims as experiments: variants that differ in one typed option, several seeds, paired statistics.

variants   what is compared, by experiment
bench      trains and measures variants, from the cache where they are there
verdict    what an interval allows to say of a claim
charts     tables and figures that the notebooks share, and the papers' own figures (`quoted`)

`python -m rednet_lab.experiments` trains everything beforehand, for several seeds or on several machines.
"""

from rednet_lab.experiments.bench import Bench
from rednet_lab.experiments.charts import quoted
from rednet_lab.experiments.variants import EXPERIMENTS, Variant, difference
from rednet_lab.experiments.verdict import Verdicts
from rednet_lab.statistics import Effect, effect

__all__ = ["EXPERIMENTS", "Bench", "Effect", "Variant", "Verdicts", "difference", "effect", "quoted"]
