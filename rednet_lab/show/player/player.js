// The player: what the reader moves, and what is drawn anew then. Part of the script of page.py, after painting.js.

class Player extends Painting {
  timer = null;

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
