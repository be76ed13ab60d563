"""The style sheet of a run's page: light and dark by the reader's own setting, readable from a phone up."""

CSS = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #fbfbf9; --panel: #ffffff;
  --line: #dfe3e8; --accent: #0b6e99; --ok: #18794e; --old: #8a5a00; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa6b5; --paper: #12161c; --panel: #1a2028;
  --line: #2e3742; --accent: #5cb8e4; --ok: #5fd39a; --old: #e6b450; --bad: #ff8a7a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
header, main, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.5rem; }
h1 { font-size: clamp(1.4rem, 3.5vw, 2.1rem); line-height: 1.2; margin: .2rem 0 .6rem; letter-spacing: -.01em; }
h2 { font-size: 1.25rem; margin: 0; }
a { color: var(--accent); text-underline-offset: .15em; }
.kicker { color: var(--soft); margin: 0; }
.banner { margin: 0; padding: .8rem 1.25rem; background: var(--bad); color: var(--paper); text-align: center;
  font-weight: 700; font-size: 1.1rem; position: sticky; top: 0; z-index: 1; }
.stamp { list-style: none; display: flex; flex-wrap: wrap; gap: .35rem; padding: 0; margin: .8rem 0 0;
  font-size: .8rem; }
.stamp li { border: 1px solid var(--line); border-radius: 1rem; padding: .1rem .65rem; }
.stamp b { color: var(--soft); font-weight: 500; }
.hero figure { margin: 1.75rem 0 0; }
.hero img, .hero video { max-height: 36rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 1rem; margin: 1.75rem 0 0; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1.1rem; }
.card p { margin: 0; }
.card .value { font-size: 1.9rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.25; }
.card small { font-size: .95rem; font-weight: 400; color: var(--soft); }
.card .note, figcaption, .caption, .facts, footer { color: var(--soft); font-size: .88rem; }
nav { margin: 1.75rem 0 0; background: var(--panel); border: 1px solid var(--line); border-radius: .6rem;
  padding: .4rem 1rem; overflow-x: auto; }
nav table { width: 100%; border-collapse: collapse; }
nav tr + tr td { border-top: 1px solid var(--line); }
nav td { padding: .3rem .5rem; } nav td.number { width: 3rem; }
.number { color: var(--soft); font-variant-numeric: tabular-nums; }
td.time, td.num, .table th.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.ok, span.ok { color: var(--ok); } td.old, span.old { color: var(--old); }
td.bad, span.bad { color: var(--bad); font-weight: 600; } td.none, span.none { color: var(--soft); }
article { margin: 2.25rem 0 0; padding: 1.25rem 0 0; border-top: 1px solid var(--line); scroll-margin-top: 3.5rem; }
article.bad { border-top: 3px solid var(--bad); }
.facts { margin: .15rem 0 .8rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1.25rem; }
.figures:empty { display: none; }
figure { margin: 0; min-width: 0; }
figure.wide { grid-column: 1 / -1; }
img, video { display: block; max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: .4rem; margin: 0 auto; }
figcaption { margin-top: .4rem; }
.table { overflow-x: auto; }
.table table, details table { border-collapse: collapse; font-size: .9rem; }
.caption { margin: 1.25rem 0 .2rem; }
th { text-align: left; } .table th { border-bottom: 2px solid var(--line); }
.table th, .table td, details td { padding: .25rem .8rem .25rem 0; }
.table tbody tr + tr td { border-top: 1px solid var(--line); }
details { margin-top: 1rem; } summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
.error { color: var(--bad); }
pre.error { background: var(--panel); border: 1px solid var(--line); border-left: 4px solid var(--bad);
  border-radius: .4rem; padding: .8rem 1rem; overflow: auto; max-height: 22rem; font-size: .82rem; }
footer { padding-top: 3rem; padding-bottom: 2rem; }
@media print { .banner { position: static; } article { break-inside: avoid; } }
"""
