"""The bench in words: each claim's primary endpoint, all lines with their gates, and the page of what can be said."""

from __future__ import annotations

from rednet_core.rednet import NetConfig
from rednet_lab.experiments import board, endpoints
from rednet_lab.experiments.board import Judged
from rednet_lab.files import figures, signed
from rednet_lab.publish.ledger.tables import Ledger, Table, legend, markdown, notebooks_of, word
from rednet_lab.workbench.price import multiply_adds


def said(line: Judged) -> str:
    """Return a line's word and why."""
    why = line.judgement.why if line.judgement.word not in (endpoints.SUPPORTED, endpoints.REPRODUCED) else ""
    return word(line.judgement.word) + (f": {why}" if why else "")


def claims_short(ledger: Ledger) -> Table:
    """Return each claim's primary endpoint, favourable or not: what is asked, the gain, the word, its notebooks."""
    rows = []
    for claim in ledger.of("claim"):
        line = ledger.primary(claim.id)
        asked = f"**{claim.id}** {line.endpoint.says}\n*{line.endpoint.measure}; {line.data}*"
        rows.append([asked, line.asked, line.gain, said(line), " ".join(notebooks_of(claim))])
    return Table("", ("claim, its one endpoint, data", "papers' gain", "gain here [95 %]", "word", "notebook"), rows)


def bench_lines(ledger: Ledger) -> Table:
    """Return all lines of the bench with their gates, the smallest effect to be seen, and what is still to train."""
    rules, rows = endpoints.load()[0], []
    for line in ledger.lines:
        one, hours, sampled = line.endpoint, line.hours(rules), line.endpoint.kind == "sampled"
        fall = "not tried" if line.converged is None else f"{line.converged:.1f} (under {one.effect:g})"
        gate = "not tried" if line.gate is None else f"{line.gate:.2f} (over {one.gate and one.gate.least:g})"
        least = "" if line.trainings < 2 else f"{line.judgement.detectable:.1f}"
        cells = [line.claim, line.data + ("" if line.primary else ", beside"), line.gain, said(line)]
        cells += [str(line.trainings), fall] if sampled else ["", ""]
        cells += [gate if one.gate else "", least, f"{one.effect:g}", f"{hours:.1f}" if hours is not None else ""]
        rows.append(cells)
    columns = "|data|gain [95 %]|word|trainings|fall by twice the steps|gate|smallest gain to be seen|that matters"
    columns = (*columns.split("|"), "hours to a word")
    return Table("The bench: every claim on every kind of data", columns, rows)


def beside(ledger: Ledger) -> Table:
    """Return what is shown beside the endpoints of claims that have trainings, and never decides."""
    rows = []
    for claim in (line.claim for line in ledger.lines if line.primary and line.trainings):
        for name, one in board.beside(claim, ledger.results / "bench").items():
            known = abs(one.low) < float("inf")  # of one training of one person there is no interval
            interval = signed(one.mean) + (f" [{signed(one.low)}, {signed(one.high)}]" if known else "")
            rows.append([claim, name, figures(one.first), figures(one.second), interval])
    columns = ("", "part", "without (%)", "with (%)", "difference [95 %]")
    return Table("Beside the one endpoint of each claim: shown, and never decides", columns, rows)


def page(ledger: Ledger, made: str) -> str:
    """Return figures/what_can_be_said.md: what the bench allows to say of the papers, and what it does not."""
    rules, primary = endpoints.load()[0], [line for line in ledger.lines if line.primary]
    groups = {}
    for line in primary:
        groups.setdefault(line.judgement.word, []).append(line)
    asked = {word: "; ".join(f"{line.claim} ({line.endpoint.says})" for line in some) for word, some in groups.items()}
    counted = "\n".join(f"- **{word}** ({len(groups[word])}): {text}." for word, text in asked.items())
    sampled = [line for line in primary if line.endpoint.kind == "sampled"]
    weak = [f"{one.claim} ({h:.0f} hours)" for one in groups.get(endpoints.OPEN, ()) if (h := one.hours(rules))]
    many = sum(line.trainings for line in sampled)
    lines, more, meanings = (markdown(table, "figures") for table in (bench_lines(ledger), beside(ledger), legend()))
    timed = ledger.primary("C10").facts.get("hardware", "not timed yet")
    billions = {kind: multiply_adds(NetConfig(design=kind)) / 1e9 for kind in ("vgg", "resnet")}
    adds = ", ".join(f"{each:.1f} billion ({kind})" for kind, each in billions.items())
    return f"""# What we can and cannot say about these papers

{made}

Two papers make 14 claims here. Their data cannot be redistributed, their sizes of network want days on a GPU. So we ask
the same 14 questions of other faces and a smaller network, and say how far the answers carry.

## In a line each

{counted}

## How it was asked

- **Before any run** one question was written down for each claim, with the smallest effect that matters: half of the
  papers' own, or where they print none a size of ours
  ([the rules](../rednet_lab/experiments/endpoints.yaml); their hash stands in every record).
- **Data**: YouTube Faces points, six folds of persons, each person's stills tested once. Helen and LFPW beside
  it for stills. The rendered face world where only known factors can answer (turned and covered faces). None are the
  papers'.
- **Chance**: {rules.trainings} trainings or more, each with a seed and other training persons (two share about 70 % of
  them). Intervals draw whole persons. Holm's correction runs over all sampled claims. Pairs of trainings so far:
  {many} of {rules.trainings * len(sampled)}.
- **Gates**: twice the steps must change the error of the side without by less than the effect that matters, and the
  treatment must have arrived. Else the comparison is not testable here, whatever its interval says.

## What we cannot say

- Nothing about the papers' own numbers: only their data at profile `full` could reproduce or contradict them.
- Too little about undecided claims whose trainings are too few to see the effect that matters. Would tell:
  {", ".join(weak) or "none"}. An undecided claim that is not among them has enough: its gain is near that effect.
- A gain that is *not seen* here may be there with larger networks; one that is *supported* may be smaller there.
- YouTube Faces in this layout has no videos: its videos are stills in synthetic motion. Who is recognised there (C7,
  C13) is recognised in other frames of videos that were trained on; only the face world asks for new pictures.
- C12's gate cannot bind: it sets a share of steps against a fall of the error. Trainings that never reach the error
  count as twice the steps.

{lines}

A gain is in per cent of the side without (points where the claim counts in points), positive where the claim wants it.
The smallest gain to be seen is what these trainings would find in four of five tries, as the
first of all claims to be corrected. C10 is processor time of a frame ({timed}); multiply-adds of a frame:
{adds}.

{more}

NME, floored, of the same trainings; spread is its standard deviation, failures are faces above 10 %. Intervals are not
corrected for how many there are.

{meanings}
"""
