"""The papers' claims as experiments: variants that differ in one typed option, several seeds, paired statistics.

variants   what is compared, by experiment
bench      trains and measures variants, from the cache where they are there
intervals  what a notebook measured, without words
endpoints  the rules of words, fixed beforehand; trial does the work, board gives the words
charts     tables and figures that the notebooks share, and the papers' own figures (`quoted`)

`python -m rednet_lab.experiments` trains everything beforehand, for several seeds or on several machines.
"""

from rednet_lab.experiments.bench import Bench
from rednet_lab.experiments.charts import quoted
from rednet_lab.experiments.intervals import Intervals
from rednet_lab.experiments.variants import EXPERIMENTS, Variant, difference
from rednet_lab.statistics import Effect, effect

__all__ = ["EXPERIMENTS", "Bench", "Effect", "Intervals", "Variant", "difference", "effect", "quoted"]
