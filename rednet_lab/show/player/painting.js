// Paints a storyboard (board.py): what the board holds, and no number of its own. Part of the script of page.py.

const make = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in node && key !== "list") node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
};

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// A board with what is chosen of it: its numbers in words, its pictures on canvases.
class Painting {
  constructor(board, bytes, sprite) {
    this.board = board;
    this.bytes = bytes;
    this.sprite = sprite;
    this.heat = board.heat.map(rgb);
    this.changes = board.change.map(rgb);
    this.labelled = board.labelled.map(rgb);
    this.state = { where: board.axes.map(() => 0), channel: -1, view: board.views[0], layers: board.layers[0],
      curve: 0, truth: true, boxes: true };
  }

  array([kind, offset, shape]) {
    const type = { u1: Uint8Array, i2: Int16Array, i4: Int32Array }[kind];
    return new type(this.bytes, offset, shape.reduce((a, b) => a * b, 1));
  }

  get moment() {
    return this.state.where.reduce((sum, at, i) => sum * this.board.axes[i][1].length + at, 0);
  }

  // --- numbers, as they are written everywhere ---

  value(row, column, moment) {
    const [, , [, moments, many]] = row.values;
    const at = many > 1 ? this.state.channel + 1 : 0;
    return this.array(row.values)[(column * moments + moment) * many + at];
  }

  text(row, column) {
    const value = this.value(row, column, this.moment);
    return value === this.board.missing ? "–" : (value / 10 ** row.digits).toFixed(row.digits);
  }

  caption(column, panel) {
    const cell = this.board.cells[column][this.moment];
    const words = panel === 0 ? [this.board.columns[column]] : [];
    words.push(cell.titles[panel] + (panel === 1 && this.state.view === this.board.views[2] ? this.board.less : ""));
    if (panel === cell.titles.length - 1) {
      const row = this.board.rows.find((r) => r.headline &&
        this.value(r, column, this.moment) !== this.board.missing);
      if (row) words.push(row.headline.replace("{}", this.text(row, column)));
    }
    return words.filter((word) => word).join(", ");
  }

  // --- pictures ---

  one(layer, channel) {
    const [count, size] = layer.maps[2], maps = this.array(layer.maps), area = size * size;
    const at = layer.channels.indexOf(channel);
    if (at >= 0) return { size, values: maps.subarray(at * area, (at + 1) * area) };
    const values = new Uint8Array(area);
    for (let c = 0; c < count; c++) for (let i = 0; i < area; i++) {
      values[i] = Math.max(values[i], maps[c * area + i]);
    }
    return { size, values };
  }

  difference(cell, channel) {
    let shared = cell.before.channels.filter((c) => cell.said.channels.includes(c));
    if (shared.includes(channel)) shared = [channel];
    const size = cell.said.maps[2][1], values = new Int16Array(size * size);
    for (const c of shared) {
      const now = this.one(cell.said, c).values, old = this.one(cell.before, c).values;
      for (let i = 0; i < values.length; i++) {
        if (Math.abs(now[i] - old[i]) > Math.abs(values[i])) values[i] = now[i] - old[i];
      }
    }
    return { size, values };
  }

  tile({ size, values }, colour) {
    const canvas = make("canvas", { width: size, height: size }), context = canvas.getContext("2d");
    const data = context.createImageData(size, size);
    for (let i = 0; i < values.length; i++) data.data.set(colour(values[i]), 4 * i);
    context.putImageData(data, 0, 0);
    return canvas;
  }

  lay(context, layer, channel, box, alone) {
    const { levels } = this.board, map = this.one(layer, channel), side = context.canvas.width;
    const tile = this.tile(map, layer.labels
      ? (v) => (v ? [...this.labelled[(v - 1) % this.labelled.length], alone ? 255 : 217] : [40, 40, 40, alone ? 255 : 0])
      : (v) => [...this.heat[v], alone ? 255 : Math.round(191 * Math.sqrt(v / levels))]);
    const [x, y, width] = box || [0.5, 0.5, 1];
    context.imageSmoothingEnabled = !layer.labels && !alone;
    context.drawImage(tile, (x - width / 2) * side, (y - width / 2) * side, width * side, width * side);
    context.imageSmoothingEnabled = true;
  }

  face(context, cell) {
    const { side, across } = this.board.sprite, size = context.canvas.width;
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.sprite, (cell.picture % across) * side, Math.floor(cell.picture / across) * side, side, side,
      0, 0, size, size);
  }

  mark(context, cell) {
    const { colours, share, truths } = this.board, size = context.canvas.width, { state } = this;
    const places = (where) => {
      const all = this.array(where);
      return Array.from({ length: all.length / 2 }, (_, i) => [all[2 * i] / share * size, all[2 * i + 1] / share * size]);
    };
    if (state.truth && cell.truth !== null) {
      context.strokeStyle = colours.truth;
      context.lineWidth = size / 180;
      const arm = size / 75;
      for (const [x, y] of places(truths[cell.truth])) {
        context.beginPath();
        context.moveTo(x - arm, y); context.lineTo(x + arm, y);
        context.moveTo(x, y - arm); context.lineTo(x, y + arm);
        context.stroke();
      }
    }
    const points = places(cell.points);
    context.fillStyle = colours.predicted;
    for (const [x, y] of points) {
      context.beginPath(); context.arc(x, y, size / 110, 0, 7); context.fill();
    }
    const at = cell.channels === "all" ? state.channel : cell.channels.indexOf(state.channel);
    if (at >= 0 && at < points.length) for (const [ink, wide] of [[colours.black, size / 90], [colours.white, size / 180]]) {
      context.strokeStyle = ink; context.lineWidth = wide;
      context.beginPath(); context.arc(...points[at], size / 26, 0, 7); context.stroke();
    }
  }

  panel(context, column, panel) {
    const cell = this.board.cells[column][this.moment], { channel, view, layers, boxes } = this.state;
    const [over, alone, change] = this.board.views;
    if (this.board.kind === "track") {
      this.face(context, cell);
      if (layers !== this.board.layers[0]) {
        this.lay(context, layers === this.board.layers[1] ? cell.given : cell.said, -1, cell.box, false);
      }
      this.mark(context, cell);
      if (boxes) {
        const size = context.canvas.width, [x, y, width] = cell.box;
        context.strokeStyle = this.board.colours.yellow; context.lineWidth = size / 200;
        context.strokeRect((x - width / 2) * size, (y - width / 2) * size, width * size, width * size);
      }
    } else if (panel === 0) {
      if (view !== alone) this.face(context, cell);
      this.lay(context, cell.given, channel, null, view === alone);
    } else if (panel === 1 && view === change) {
      const middle = (this.changes.length - 1) / 2;
      const tile = this.tile(this.difference(cell, channel), (v) => [...this.changes[v + middle], 255]);
      context.imageSmoothingEnabled = false;
      context.drawImage(tile, 0, 0, context.canvas.width, context.canvas.width);
    } else if (panel === 1) {
      if (view === over) this.face(context, cell);
      this.lay(context, cell.said, channel, null, view === alone);
    } else {
      this.face(context, cell);
      if (cell.merged) this.lay(context, cell.merged, channel, null, false);
      this.mark(context, cell);
    }
  }

  drawCurve() {
    const context = this.curve.getContext("2d"), { width, height } = this.curve, { board } = this;
    const row = board.rows[this.state.curve], count = board.cells[0].length, left = 104, right = width - 20;
    const x = (t) => left + (right - left) * t / Math.max(count - 1, 1);
    const lines = board.columns.map((_, c) => board.cells[c].map((_, t) => {
      const value = this.value(row, c, t);
      return value === board.missing ? null : value / 10 ** row.digits;
    }));
    const top = Math.max(...lines.flat().filter((v) => v !== null)) || 1;
    const y = (value) => height - 24 - (height - 80) * value / top;
    context.clearRect(0, 0, width, height);
    context.font = "30px system-ui, sans-serif"; // half as large on a page
    context.fillStyle = "#111"; context.textAlign = "left"; context.lineWidth = 2;
    context.fillText(row.label, left, 30);
    for (const share of [0, 0.5, 1]) {
      context.strokeStyle = "#ddd"; context.setLineDash([]);
      context.beginPath(); context.moveTo(left, y(share * top)); context.lineTo(right, y(share * top)); context.stroke();
      context.textAlign = "right"; context.fillStyle = "#111";
      context.fillText(String(Number((share * top).toPrecision(3))), left - 10, y(share * top) + 9);
    }
    let from = right;
    lines.forEach((line, c) => {
      context.strokeStyle = context.fillStyle = board.inks[c % board.inks.length];
      context.lineWidth = 4; context.setLineDash(c % 2 ? [12, 8] : []);
      context.beginPath();
      let on = false;
      line.forEach((value, t) => {
        if (value !== null) context[on ? "lineTo" : "moveTo"](x(t), y(value));
        on = value !== null;
      });
      context.stroke();
    });
    board.columns.map((name, c) => [name, c]).reverse().forEach(([name, c]) => {
      context.textAlign = "right"; context.fillStyle = board.inks[c % board.inks.length];
      context.fillText(name && (c % 2 ? "- - " : "— ") + name, from, 30);
      from -= context.measureText("— " + name).width + 30;
    });
    context.setLineDash([]); context.strokeStyle = "#000"; context.lineWidth = 2;
    context.beginPath(); context.moveTo(x(this.moment), 40); context.lineTo(x(this.moment), height - 14); context.stroke();
    this.curveX = { left, right, count };
  }
}
