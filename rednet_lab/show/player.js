// Puts a player in the place of each contact sheet of the page: what player.py packed is painted, and answers moves.
(() => {
"use strict";

const CSS = `figure[data-rednet-player] { margin: 8px 0; }
.rednet { font: 15px/1.35 system-ui, sans-serif; border: 1px solid #8888; border-radius: 6px; padding: 8px 12px; margin: 8px 0; max-width: 940px; }
.rednet * { box-sizing: border-box; }
.rednet h4 { margin: 0 0 4px; font-size: 16px; font-weight: 700; }
.rednet-bar { display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: center; margin-bottom: 6px; }
.rednet-bar label { display: inline-flex; gap: 6px; align-items: center; max-width: 100%; white-space: nowrap; }
.rednet-bar output { min-width: 2.5em; font-variant-numeric: tabular-nums; }
.rednet-bar input[type=range] { width: 150px; }
.rednet-bar input[type=checkbox] { width: 18px; height: 18px; }
.rednet button, .rednet select { font: inherit; color: inherit; background: transparent; border: 1px solid #888;
  border-radius: 4px; padding: 2px 8px; min-height: 30px; min-width: 0; max-width: 22em; }
.rednet option { color: #111; background: #fff; }
.rednet :focus-visible, .rednet:focus-visible { outline: 3px solid #0072b2; outline-offset: 1px; }
.rednet-panels { display: grid; gap: 6px 8px; justify-content: start; }
.rednet-panels figure { margin: 0; min-width: 0; }
.rednet-panels figcaption { font: inherit; font-size: 14px; min-height: 1.35em; text-align: left; color: inherit; }
.rednet-panels canvas { display: block; width: 100%; height: auto; }
.rednet-curve { display: block; width: 100%; height: 140px; margin-top: 6px; cursor: pointer; background: #fff; }
.rednet-table { overflow-x: auto; }
.rednet table { border-collapse: collapse; margin: 6px 0 0; font-size: 14px; line-height: 1.25; width: auto;
  table-layout: auto; color: inherit; }
.rednet th, .rednet td, .rednet tr { text-align: right !important; border: 0; background: transparent !important;
  color: inherit; max-width: none; white-space: normal; }
.rednet th, .rednet td { padding: 1px 12px; }
.rednet th:first-child { text-align: left !important; font-weight: 400; padding-left: 0; }
.rednet td { font-weight: 600; font-variant-numeric: tabular-nums; }
.rednet-hint { font-size: 13px; opacity: .75; margin: 4px 0 0; }
.rednet-problem { font-weight: 600; margin: 0; }
@media (max-width: 600px) { .rednet { padding: 6px; } .rednet-panels figcaption { font-size: 12px; }
  .rednet th, .rednet td { padding: 1px 5px; } }
@media print { .rednet { display: none; } figure[data-rednet-player] > img { display: inline !important; } }`;

const make = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
};

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const calm = matchMedia("(prefers-reduced-motion: reduce)");

class Player {
  constructor(story, bytes, sprite) {
    Object.assign(this, { story, bytes, sprite, timer: null });
    for (const name of ["heat", "change", "labelled"]) this[name] = story[name].map(rgb);
    this.state = { where: story.axes.map(() => 0), channel: -1, view: story.views[0], layers: story.layers[0],
      curve: 0, truth: true, boxes: true };
  }

  array([kind, offset, shape]) {
    const type = { u1: Uint8Array, i2: Int16Array, i4: Int32Array }[kind];
    return new type(this.bytes, offset, shape.reduce((a, b) => a * b, 1));
  }

  get moment() {
    return this.state.where.reduce((sum, at, i) => sum * this.story.axes[i][1].length + at, 0);
  }

  get steps() { return this.story.kind === "steps"; }

  // --- numbers, as they are written everywhere ---

  value(row, column, moment) {
    const [, , [, moments, many]] = row.values;
    return this.array(row.values)[(column * moments + moment) * many + (many > 1 ? this.state.channel + 1 : 0)];
  }

  text(row, column) {
    const value = this.value(row, column, this.moment);
    return value === this.story.missing ? "–" : (value / 10 ** row.digits).toFixed(row.digits);
  }

  caption(column, panel) {
    const { titles } = this.story.cells[column][this.moment];
    const words = [panel === 0 ? this.story.columns[column] : "", titles[panel]];
    if (panel === 1 && this.state.view === this.story.views[2]) words[1] += ", change";
    if (panel === titles.length - 1) {
      const row = this.story.rows.find((r) => r.headline && this.text(r, column) !== "–");
      if (row) words.push(row.headline.replace("{}", this.text(row, column)));
    }
    return words.filter((word) => word).join(", ");
  }

  // --- pictures ---

  // A channel's map, or where there is none of it the highest of all at each place.
  one(layer, channel) {
    const [count, size] = layer.maps[2], maps = this.array(layer.maps), area = size * size;
    const at = layer.channels.indexOf(channel);
    if (at >= 0) return { size, values: maps.subarray(at * area, (at + 1) * area) };
    const values = new Uint8Array(area);
    for (let i = 0; i < count * area; i++) values[i % area] = Math.max(values[i % area], maps[i]);
    return { size, values };
  }

  // What a step made of the step before: of a channel, or of all that both have where most changed.
  difference(cell, channel) {
    let shared = cell.before.channels.filter((c) => cell.answer.channels.includes(c));
    if (shared.includes(channel)) shared = [channel];
    const size = cell.answer.maps[2][1], other = cell.before.maps[2][1], values = new Int16Array(size * size);
    const at = (i) => Math.floor((i + 0.5) * other / size); // a step's maps may be smaller than those before
    for (const c of shared) {
      const now = this.one(cell.answer, c).values, old = this.one(cell.before, c).values;
      for (let i = 0; i < values.length; i++) {
        const change = now[i] - old[at(Math.floor(i / size)) * other + at(i % size)];
        if (Math.abs(change) > Math.abs(values[i])) values[i] = change;
      }
    }
    return { size, values };
  }

  lay(context, { size, values }, colour, smooth, [x, y, width] = [0.5, 0.5, 1]) {
    const tile = make("canvas", { width: size, height: size }), pen = tile.getContext("2d"), side = context.canvas.width;
    const data = pen.createImageData(size, size);
    for (let i = 0; i < values.length; i++) data.data.set(colour(values[i]), 4 * i);
    pen.putImageData(data, 0, 0);
    context.imageSmoothingEnabled = smooth;
    context.drawImage(tile, (x - width / 2) * side, (y - width / 2) * side, width * side, width * side);
    context.imageSmoothingEnabled = true;
  }

  layer(context, layer, channel, box, alone) {
    const many = this.labelled.length, dark = [40, 40, 40, alone ? 255 : 0];
    const colour = layer.labels
      ? (v) => (v ? [...this.labelled[(v - 1) % many], alone ? 255 : 217] : dark)
      : (v) => [...this.heat[v], alone ? 255 : Math.round(191 * Math.sqrt(v / this.story.levels))];
    this.lay(context, this.one(layer, channel), colour, !layer.labels && !alone, box);
  }

  face(context, cell) {
    const { used, side, across, image } = this.sprite, at = used.indexOf(cell.picture), size = context.canvas.width;
    context.imageSmoothingQuality = "high";
    context.drawImage(image, (at % across) * side, Math.floor(at / across) * side, side, side, 0, 0, size, size);
  }

  pairs(where, scale) {
    const all = this.array(where);
    return Array.from({ length: all.length / 2 }, (_, i) => [all[2 * i] * scale, all[2 * i + 1] * scale]);
  }

  mark(context, cell) {
    const { colours, share, truths } = this.story, size = context.canvas.width, { state } = this;
    const stroke = (colour, width, path) => {
      Object.assign(context, { strokeStyle: colour, lineWidth: width });
      context.beginPath();
      path();
      context.stroke();
    };
    if (state.truth && cell.truth !== null) {
      const arm = size / 75;
      for (const [x, y] of this.pairs(truths[cell.truth], size / share)) stroke(colours.truth, size / 180, () => {
        context.moveTo(x - arm, y); context.lineTo(x + arm, y);
        context.moveTo(x, y - arm); context.lineTo(x, y + arm);
      });
    }
    const points = this.pairs(cell.points, size / share), chosen = points[cell.channels.indexOf(state.channel)];
    context.fillStyle = colours.predicted;
    for (const [x, y] of points) { context.beginPath(); context.arc(x, y, size / 110, 0, 7); context.fill(); }
    if (chosen) for (const [colour, wide] of [[colours.black, size / 90], [colours.white, size / 180]]) {
      stroke(colour, wide, () => context.arc(...chosen, size / 26, 0, 7));
    }
  }

  panel(context, column, panel) {
    const cell = this.story.cells[column][this.moment], { channel, view, layers, boxes } = this.state;
    const [over, alone, change] = this.story.views, size = context.canvas.width;
    if (!this.steps) {
      const box = Array.from(this.array(cell.box), (v) => v / this.story.share), [x, y, width] = box;
      this.face(context, cell);
      if (layers !== this.story.layers[0]) {
        this.layer(context, layers === this.story.layers[1] ? cell.given : cell.answer, -1, box, false);
      }
      this.mark(context, cell);
      Object.assign(context, { strokeStyle: this.story.colours.yellow, lineWidth: size / 200 });
      if (boxes) context.strokeRect((x - width / 2) * size, (y - width / 2) * size, width * size, width * size);
    } else if (panel === 2) {
      this.face(context, cell);
      if (cell.merged) this.layer(context, cell.merged, channel);
      this.mark(context, cell);
    } else if (panel === 1 && view === change) {
      const middle = (this.change.length - 1) / 2;
      this.lay(context, this.difference(cell, channel), (v) => [...this.change[v + middle], 255], false);
    } else {
      if (view !== alone) this.face(context, cell);
      this.layer(context, panel ? cell.answer : cell.given, channel, undefined, view === alone);
    }
  }

  drawCurve() {
    const { story, curve } = this, width = 2 * (curve.clientWidth || 900), height = 280; // half as large on a page
    if (curve.width !== width) Object.assign(curve, { width, height });
    const pen = curve.getContext("2d");
    const row = story.rows[this.state.curve], count = story.cells[0].length, left = 104, right = width - 20;
    const x = (t) => left + (right - left) * t / Math.max(count - 1, 1);
    const lines = story.columns.map((_, c) => story.cells[c].map((_, t) => {
      const value = this.value(row, c, t);
      return value === story.missing ? null : value / 10 ** row.digits;
    }));
    const top = Math.max(...lines.flat().filter((v) => v !== null)) || 1;
    const y = (value) => height - 24 - (height - 80) * value / top;
    const style = (colour, width, dash = []) => {
      Object.assign(pen, { strokeStyle: colour, fillStyle: colour, lineWidth: width });
      pen.setLineDash(dash);
    };
    const line = (...places) => { pen.beginPath(); places.forEach((at, i) => pen[i ? "lineTo" : "moveTo"](...at)); pen.stroke(); };
    const write = (text, align, ...at) => { pen.textAlign = align; pen.fillText(text, ...at); };
    pen.clearRect(0, 0, width, height);
    pen.font = "30px system-ui, sans-serif";
    for (const share of [0, 0.5, 1]) {
      style("#ddd", 2);
      line([left, y(share * top)], [right, y(share * top)]);
      style("#111", 2);
      write(String(Number((share * top).toPrecision(3))), "right", left - 10, y(share * top) + 9);
    }
    let from = right;
    story.columns.map((name, c) => [name, c]).reverse().forEach(([name, c]) => {
      style(story.lines[c % story.lines.length], 4, c % 2 ? [12, 8] : []);
      const runs = [[]];
      lines[c].forEach((value, t) => { if (value === null) runs.push([]); else runs.at(-1).push([x(t), y(value)]); });
      runs.forEach((run) => line(...run));
      write(name && (c % 2 ? "- - " : "— ") + name, "right", from, 30);
      from -= pen.measureText("— " + name).width + 30;
    });
    style("#111", 2);
    if (left + pen.measureText(row.label).width < from) write(row.label, "left", left, 30);
    line([x(this.moment), 40], [x(this.moment), height - 14]);
    this.curveX = { left, right, count };
  }

  draw() {
    this.panels.forEach(({ canvas, caption, column, panel }) => {
      this.panel(canvas.getContext("2d"), column, panel);
      caption.textContent = this.caption(column, panel);
      canvas.setAttribute("aria-label", caption.textContent);
    });
    if (this.curve) this.drawCurve();
    this.story.rows.forEach((row, r) => this.cells[r].forEach((cell, c) => { cell.textContent = this.text(row, c); }));
    this.sliders.forEach(([slider, output, labels], i) => {
      slider.value = this.state.where[i];
      output.textContent = labels[this.state.where[i]];
      slider.setAttribute("aria-valuetext", output.textContent);
    });
  }

  // --- moves ---

  go(axis, by, around = false) {
    const count = this.story.axes[axis][1].length, to = this.state.where[axis] + by;
    this.state.where[axis] = around ? (to + count) % count : Math.min(Math.max(to, 0), count - 1);
    this.draw();
  }

  play(on) {
    clearInterval(this.timer);
    const pace = Math.max(this.steps ? 900 : 120, calm.matches ? 1200 : 0);
    this.timer = !on ? null : setInterval(() => {
      if (!this.root.isConnected) this.play(false);
      else this.guard(() => this.go(this.story.axes.length - 1, 1, true));
    }, pace);
    this.button.textContent = on ? "❚❚ pause" : "▶ play";
    this.button.setAttribute("aria-pressed", String(on));
    this.table.setAttribute("aria-live", on ? "off" : "polite");
  }

  // An error in answering a move is shown, and what was shown before stays.
  guard(action) {
    try {
      action();
      this.problem.textContent = "";
    } catch (error) {
      this.problem.textContent = String(error);
      clearInterval(this.timer);
      throw error;
    }
  }

  on(node, event, action) {
    node.addEventListener(event, (given) => this.guard(() => { action(given); if (event !== "keydown") this.draw(); }));
    return node;
  }

  choice(label, key, options) {
    const select = make("select", { "aria-label": label },
      ...options.map((text, i) => make("option", { value: i, textContent: text })));
    const values = { channel: (i) => i - 1, curve: (i) => i }[key] ?? ((i) => options[i]);
    this.on(select, "change", () => { this.state[key] = values(Number(select.value)); });
    return make("label", {}, label, select);
  }

  tick(label, key) {
    const box = make("input", { type: "checkbox", checked: true });
    return make("label", {}, this.on(box, "change", () => { this.state[key] = box.checked; }), label);
  }

  build() {
    const { story, steps } = this, last = story.axes.length - 1;
    const named = (name) => (name === "step" ? "spatial step" : name);
    this.button = this.on(make("button", { type: "button" }), "click", () => this.play(this.timer === null));
    const nudge = (by, sign, word) => this.on(make("button", { type: "button", textContent: sign,
      "aria-label": `${word} ${named(story.axes[last][0])}` }), "click", () => this.go(last, by));
    this.sliders = story.axes.map(([name, labels], i) => {
      const slider = make("input", { type: "range", min: 0, max: labels.length - 1, step: 1, "aria-label": named(name) });
      this.on(slider, "input", () => { this.state.where[i] = Number(slider.value); });
      return [slider, make("output"), labels];
    });
    const bar = make("div", { className: "rednet-bar", role: "group", "aria-label": "controls" },
      make("span", {}, this.button, " ", nudge(-1, "◀", "previous"), " ", nudge(1, "▶", "next")),
      ...this.sliders.map(([slider, output], i) => make("label", {}, named(story.axes[i][0]), slider, output)),
      this.choice("point", "channel", ["all", ...story.channels]),
      ...(steps ? [this.choice("maps", "view", story.views)] : [this.choice("maps", "layers", story.layers),
        this.choice("curve", "curve", story.rows.map((row) => row.label)), this.tick("face box", "boxes")]),
      ...(story.truths.length ? [this.tick("the truth (green crosses)", "truth")] : []));

    // As large as fits a window of 1280 x 800 with the table below.
    const across = steps ? 3 : story.columns.length, down = steps ? story.columns.length : 1;
    const grid = make("div", { className: "rednet-panels" });
    const most = Math.min(300, Math.floor(900 / across), Math.floor(430 / down));
    grid.style.gridTemplateColumns = `repeat(${across}, minmax(0, ${most}px))`;
    this.panels = story.columns.flatMap((_, column) => story.cells[column][0].titles.map((_, panel) => {
      const canvas = make("canvas", { width: 480, height: 480, role: "img" }), caption = make("figcaption");
      grid.append(make("figure", {}, caption, canvas));
      return { canvas, caption, column, panel };
    }));
    if (!steps) {
      this.curve = make("canvas", { className: "rednet-curve", role: "img",
        "aria-label": "curve over the frames; the line marks the frame shown" });
      this.on(this.curve, "click", (event) => {
        const box = this.curve.getBoundingClientRect(), { left, right, count } = this.curveX;
        const share = ((event.clientX - box.left) / box.width * this.curve.width - left) / (right - left);
        this.state.where[0] = Math.min(Math.max(Math.round(share * (count - 1)), 0), count - 1);
      });
      new ResizeObserver(() => this.drawCurve()).observe(this.curve);
    }
    this.cells = story.rows.map(() => story.columns.map(() => make("td")));
    this.table = make("table", {});
    if (story.columns.some((name) => name)) {
      this.table.append(make("tr", {}, make("th"), ...story.columns.map((name) => make("th", { textContent: name, scope: "col" }))));
    }
    story.rows.forEach((row, r) => this.table.append(
      make("tr", {}, make("th", { textContent: row.label, scope: "row" }), ...this.cells[r])));
    this.problem = make("p", { className: "rednet-problem", role: "alert" });
    const keys = ["Keys: ← → ", steps ? "step, ↑ ↓ face" : "frame", ", space plays.", ...story.notes.map((note) => ` Shown: ${note}.`)];
    this.root = make("section", { className: "rednet", tabIndex: 0, role: "group", "data-lm-suppress-shortcuts": "true",
      "aria-label": story.title || (steps ? "spatial steps of a face" : "a tracked video") },
      ...(story.title ? [make("h4", { textContent: story.title })] : []), bar, grid, ...(this.curve ? [this.curve] : []),
      make("div", { className: "rednet-table" }, this.table), make("p", { className: "rednet-hint", textContent: keys.join("") }),
      this.problem);
    this.on(this.root, "keydown", (event) => this.key(event));
    this.play(false);
    this.draw();
    return this.root;
  }

  key(event) {
    event.stopPropagation(); // a notebook's own keys must not act on what is typed here
    if (event.target.closest("select, button") || event.ctrlKey || event.altKey || event.metaKey) return;
    const last = this.story.axes.length - 1;
    const move = { ArrowLeft: [last, -1], ArrowRight: [last, 1], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (move && event.target.type !== "range") this.go(...move);
    else if (event.key === " " && event.target.type !== "checkbox") this.play(this.timer === null);
    else return;
    event.preventDefault();
  }
}

const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

async function start(figure) {
  const sheet = figure.querySelector("img");
  try {
    const [packed, used, side, across, jpeg] = figure.querySelector("script[type='text/plain']").textContent.split(" ");
    const stream = new Blob([bytesOf(packed)]).stream().pipeThrough(new DecompressionStream("deflate"));
    const raw = await new Response(stream).arrayBuffer(), length = new DataView(raw).getUint32(0, true);
    const story = JSON.parse(new TextDecoder().decode(new Uint8Array(raw, 4, length)));
    const image = await createImageBitmap(new Blob([bytesOf(jpeg)], { type: "image/jpeg" }));
    const sprite = { used: used.split(",").map(Number), side: Number(side), across: Number(across), image };
    sheet.before(new Player(story, raw.slice(4 + length), sprite).build());
    for (const node of [sheet, ...figure.querySelectorAll(":scope > figcaption")]) node.style.display = "none";
  } catch (error) {
    sheet.before(make("p", { role: "alert", textContent: `The player could not start (${error}); its pictures:` }));
    throw error;
  }
}

// It may stand once for each player of a page; all but the first see that their figure is the only one left. A figure
// is not whole while its own script runs at a page's loading, but all that is needed stands before it.
if (!document.querySelector("style[data-rednet]")) document.head.append(make("style", { "data-rednet": "", textContent: CSS }));
document.querySelectorAll("figure[data-rednet-player]:not([data-started])").forEach((figure) => {
  figure.setAttribute("data-started", "");
  start(figure);
});
})();
