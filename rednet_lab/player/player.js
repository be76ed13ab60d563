// Plays a storyboard (board.py) in a page by itself. It draws what the board holds and computes no number of its own.
(() => {
  "use strict";
  const CSS = "PLAYER_CSS";

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

  async function unpack(text) {
    const raw = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).arrayBuffer();
  }

  async function picture(src) {
    const image = new Image();
    image.src = src;
    await image.decode();
    return image;
  }

  class Player {
    constructor(board, bytes, sprite) {
      this.board = board;
      this.bytes = bytes;
      this.sprite = sprite;
      this.heat = board.heat.map(rgb);
      this.changes = board.change.map(rgb);
      this.labelled = board.labelled.map(rgb);
      this.state = { where: board.axes.map(() => 0), channel: -1, view: board.views[0], layers: board.layers[0],
        curve: 0, truth: true, boxes: true };
      this.timer = null;
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
      const row = board.rows[this.state.curve], count = board.cells[0].length, left = 92, right = width - 20;
      const x = (t) => left + (right - left) * t / Math.max(count - 1, 1);
      const lines = board.columns.map((_, c) => board.cells[c].map((_, t) => {
        const value = this.value(row, c, t);
        return value === board.missing ? null : value / 10 ** row.digits;
      }));
      const top = Math.max(...lines.flat().filter((v) => v !== null)) || 1;
      const y = (value) => height - 24 - (height - 80) * value / top;
      context.clearRect(0, 0, width, height);
      context.font = "26px system-ui, sans-serif";
      context.fillStyle = "#111"; context.textAlign = "left"; context.lineWidth = 2;
      context.fillText(row.label, left, 26);
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
        context.fillText(name && (c % 2 ? "- - " : "— ") + name, from, 26);
        from -= context.measureText("— " + name).width + 30;
      });
      context.setLineDash([]); context.strokeStyle = "#000"; context.lineWidth = 2;
      context.beginPath(); context.moveTo(x(this.moment), 40); context.lineTo(x(this.moment), height - 14); context.stroke();
      this.curveX = { left, right, count };
    }

    draw() {
      this.panels.forEach(({ canvas, caption, column, panel }) => {
        this.panel(canvas.getContext("2d"), column, panel);
        caption.textContent = this.caption(column, panel);
        canvas.setAttribute("aria-label", caption.textContent);
      });
      if (this.curve) this.drawCurve();
      this.board.rows.forEach((row, r) => this.cells[r].forEach((cell, c) => { cell.textContent = this.text(row, c); }));
      this.sliders.forEach(([slider, output, labels], i) => {
        slider.value = this.state.where[i];
        output.textContent = labels[this.state.where[i]];
        slider.setAttribute("aria-valuetext", labels[this.state.where[i]]);
      });
    }

    // --- controls ---

    go(axis, by, around = false) {
      const count = this.board.axes[axis][1].length, to = this.state.where[axis] + by;
      this.state.where[axis] = around ? (to + count) % count : Math.min(Math.max(to, 0), count - 1);
      this.draw();
    }

    play(on) {
      clearInterval(this.timer);
      this.timer = null;
      if (on) {
        const last = this.board.axes.length - 1;
        this.timer = setInterval(() => {
          if (!this.root.isConnected) this.play(false);
          else this.guard(() => this.go(last, 1, true));
        }, this.board.kind === "steps" ? 900 : 120);
      }
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

    choice(label, key, options) {
      const select = make("select", { "aria-label": label }, ...options.map(([value, text]) =>
        make("option", { value, textContent: text })));
      select.addEventListener("change", () => this.guard(() => {
        this.state[key] = typeof this.state[key] === "number" ? Number(select.value) : select.value;
        this.draw();
      }));
      return make("label", {}, label, select);
    }

    tick(label, key) {
      const box = make("input", { type: "checkbox", checked: true });
      box.addEventListener("change", () => this.guard(() => { this.state[key] = box.checked; this.draw(); }));
      return make("label", {}, box, label);
    }

    build() {
      const { board } = this, last = board.axes.length - 1, steps = board.kind === "steps";
      const named = (name) => (name === "step" ? "spatial step" : name);
      this.button = make("button", { type: "button" });
      this.button.addEventListener("click", () => this.guard(() => this.play(this.timer === null)));
      const nudge = (by, sign) => {
        const button = make("button", { type: "button", textContent: sign,
          "aria-label": `${by < 0 ? "previous" : "next"} ${named(board.axes[last][0])}` });
        button.addEventListener("click", () => this.guard(() => this.go(last, by)));
        return button;
      };
      this.sliders = board.axes.map(([name, labels], i) => {
        const slider = make("input", { type: "range", min: 0, max: labels.length - 1, step: 1, value: 0,
          "aria-label": named(name) });
        slider.addEventListener("input", () => this.guard(() => { this.state.where[i] = Number(slider.value); this.draw(); }));
        return [slider, make("output"), labels];
      });
      const ranges = this.sliders.map(([slider, output], i) => make("label", {}, named(board.axes[i][0]), slider, output));
      const channels = [[-1, "all"], ...board.channels.map((name, i) => [i, name])];
      const bar = make("div", { className: "rednet-bar", role: "group", "aria-label": "controls" },
        make("span", {}, this.button, " ", nudge(-1, "◀"), " ", nudge(1, "▶")), ...ranges,
        this.choice("point", "channel", channels),
        ...(steps ? [this.choice("maps", "view", board.views.map((v) => [v, v]))] : [
          this.choice("maps", "layers", board.layers.map((v) => [v, v])),
          this.choice("curve", "curve", board.rows.map((row, i) => [i, row.label])),
          this.tick("face box", "boxes")]),
        ...(board.truths.length ? [this.tick("the truth (green crosses)", "truth")] : []));

      const across = steps ? 3 : board.columns.length;
      const grid = make("div", { className: "rednet-panels" });
      grid.style.gridTemplateColumns = `repeat(${across}, minmax(0, ${Math.min(360, Math.floor(900 / across), Math.floor(560 / (steps ? board.columns.length : 1)))}px))`;
      this.panels = board.columns.flatMap((_, column) => board.cells[column][0].titles.map((_, panel) => {
        const canvas = make("canvas", { width: 480, height: 480, role: "img" }), caption = make("figcaption");
        grid.append(make("figure", {}, caption, canvas));
        return { canvas, caption, column, panel };
      }));
      if (!steps) {
        this.curve = make("canvas", { className: "rednet-curve", width: 1800, height: 300, role: "img",
          "aria-label": "curve over the frames; the line marks the frame shown" });
        this.curve.addEventListener("click", (event) => this.guard(() => {
          const box = this.curve.getBoundingClientRect(), { left, right, count } = this.curveX;
          const at = (event.clientX - box.left) / box.width * this.curve.width;
          const share = (at - left) / (right - left);
          this.state.where[0] = Math.min(Math.max(Math.round(share * (count - 1)), 0), count - 1);
          this.draw();
        }));
      }
      this.cells = board.rows.map(() => board.columns.map(() => make("td")));
      this.table = make("table", { "aria-live": "polite" });
      if (board.columns.some((name) => name)) {
        this.table.append(make("tr", {}, make("th"), ...board.columns.map((name) => make("th", { textContent: name, scope: "col" }))));
      }
      board.rows.forEach((row, r) => this.table.append(
        make("tr", {}, make("th", { textContent: row.label, scope: "row" }), ...this.cells[r])));
      this.problem = make("p", { className: "rednet-problem", role: "alert" });
      const keys = (steps ? "Keys: ← → step, ↑ ↓ face" : "Keys: ← → frame") + ", space plays." +
        board.notes.map((note) => ` Shown: ${note}.`).join("");
      this.root = make("section", { className: "rednet", tabIndex: 0, role: "group",
        "aria-label": board.title || (steps ? "spatial steps of a face" : "a tracked video") },
        ...(board.title ? [make("h4", { textContent: board.title })] : []), bar, grid, ...(this.curve ? [this.curve] : []),
        this.table, make("p", { className: "rednet-hint", textContent: keys }), this.problem);
      this.root.addEventListener("keydown", (event) => this.guard(() => this.key(event)));
      this.root.rednet = this;
      this.play(false);
      this.draw();
      return this.root;
    }

    key(event) {
      event.stopPropagation(); // a notebook's own keys must not act on what is typed here
      if (event.target.closest("select, button") || event.ctrlKey || event.altKey || event.metaKey) return;
      const moves = { ArrowLeft: [this.board.axes.length - 1, -1], ArrowRight: [this.board.axes.length - 1, 1],
        ArrowUp: [0, -1], ArrowDown: [0, 1] };
      const slider = event.target.type === "range";
      if (moves[event.key] && !slider) this.go(...moves[event.key]);
      else if (event.key === " " && event.target.type !== "checkbox") this.play(this.timer === null);
      else return;
      event.preventDefault();
    }
  }

  async function start(figure) {
    const sheet = figure.querySelector("img");
    try {
      const board = JSON.parse(figure.querySelector("script[data-rednet-board]").textContent);
      const [bytes, sprite] = await Promise.all([unpack(board.bytes), picture(board.sprite.src)]);
      const player = new Player(board, bytes, sprite).build();
      sheet.style.display = "none";
      figure.querySelectorAll(":scope > figcaption").forEach((caption) => { caption.style.display = "none"; });
      sheet.before(player);
    } catch (error) {
      sheet.before(make("p", { role: "alert", textContent: `The player could not start (${error}); its pictures:` }));
      throw error;
    }
  }

  const begin = () => {
    if (!document.querySelector("style[data-rednet]")) document.head.append(make("style", { "data-rednet": "", textContent: CSS }));
    document.querySelectorAll("figure[data-rednet-player]:not([data-started])").forEach((figure) => {
      figure.setAttribute("data-started", "");
      start(figure);
    });
  };
  // The figure is not whole while its own script runs at a page's loading, but all that is needed stands before it.
  begin();
})();
