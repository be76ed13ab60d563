// What a page of JupyterLab shows, read inside the page: widgets, pictures, words, and what went wrong.

window.course = (() => {
  const VIEW = "application/vnd.jupyter.widget-view+json";
  const LOOKS = 100; // at a cell that should come to rest
  const runs = new Map(); // path -> the promise of "all cells ran"
  const ran = new Set(); // paths of notebooks whose cells have all run
  const troubles = new Map(); // path -> errors of cells and callbacks since the run began
  const managers = new Map();
  let path = ""; // of the notebook that is looked at

  const panelOf = (name) => [...window.jupyterapp.shell.widgets("main")].find((w) => w.context?.path === name);
  const panel = () => panelOf(path);
  const kernelOf = (name) => panelOf(name)?.sessionContext?.session?.kernel;
  const idle = (name) => kernelOf(name)?.connectionStatus === "connected" && kernelOf(name).status === "idle";

  // The manager of a notebook's widgets: the renderer of widget views holds it.
  async function manager() {
    if (!managers.has(path)) managers.set(path, await panel().content.rendermime.createRenderer(VIEW)._manager.promise);
    return managers.get(path);
  }

  // Open a notebook in a tab of its own; it can be run when its kernel is idle, or looked at without one.
  async function open(name, kernel = true) {
    const kernelPreference = kernel ? undefined : { shouldStart: false, autoStartDefault: false };
    await window.jupyterapp.commands.execute("docmanager:open", { path: name, factory: "Notebook", kernelPreference });
    await panelOf(name).context.ready;
    if (!kernel) path = name;
    if (!kernel) return;
    await panelOf(name).sessionContext.ready;
    troubles.set(name, []);
    ran.delete(name); // its kernel is a new one
    panelOf(name).sessionContext.iopubMessage.connect((_, message) => {
      const { header, content, parent_header } = message;
      const said = (text) => troubles.get(name).push(`answering ${parent_header?.msg_type ?? "nobody"}: ${text}`);
      if (header.msg_type === "error") said(`${content.ename}: ${content.evalue}`);
      if (header.msg_type !== "stream" || content.name !== "stderr") return;
      // JupyterLab greets a kernel that has not seen ipywidgets yet, and that kernel says so.
      if (!ran.has(name) && /^No such comm( target registered: jupyter\.widget\.control|: [-0-9a-f]+)\s*$/.test(content.text)) return;
      said(content.text);
    });
  }

  // Run all cells of the notebook in front, as the menu does, without waiting for them.
  function run(name) {
    runs.set(name, window.jupyterapp.commands.execute("notebook:run-all-cells").finally(() => ran.add(name)));
  }

  // The numbers of a notebook's code cells.
  const codeCells = (name) =>
    panelOf(name).content.widgets.flatMap((cell, index) => (cell.model.type === "code" ? [index] : []));

  // Run one cell: [did it run to its end, milliseconds until its first widget's first picture was decoded and painted].
  // A widget without pictures counts from its first words; null where there is no widget.
  async function firstPaint(name, index, seconds) {
    path = name;
    const { content } = panel();
    content.activeCellIndex = index;
    await content.scrollToItem(index);
    await frame();
    const start = performance.now(), passed = () => performance.now() - start;
    let until = Infinity, words = null;
    const whole = window.jupyterapp.commands.execute("notebook:run-cell");
    const ended = () => { until = passed() + 1000 * seconds; };
    whole.then(ended, ended);
    for (;;) {
      await new Promise(requestAnimationFrame);
      const widgets = [...(root(index)?.querySelectorAll(".jupyter-widgets") ?? [])].filter(shown);
      const pictures = widgets.flatMap((widget) => [...widget.querySelectorAll("img")]);
      const picture = pictures.find((image) => shown(image) && image.complete && image.naturalWidth);
      if (picture) {
        await picture.decode().catch(() => null);
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
        words = passed();
      } else if (widgets.some((widget) => widget.innerText.trim())) words ??= passed();
      const due = until < Infinity && (!widgetCells().some(({ cell }) => cell === index) || passed() > until);
      const wordy = until < Infinity && words !== null && !pictures.length;
      if (picture || wordy || due) break;
    }
    ran.add(name);
    runs.set(name, whole);
    return [await whole, words];
  }

  // Fails where a promise takes longer than it may: a page that is stuck says where. Time in which the notebook's kernel
  // works counts a twentieth, and time in which this page is not given the processor does not count.
  function within(seconds, what, promise, name = path) {
    let waited = 0, over = false;
    const end = () => { over = true; };
    promise.then(end, end);
    const watch = async () => {
      while (!over) {
        await pause(100);
        waited += kernelOf(name)?.status === "busy" ? 0.005 : 0.1;
        if (waited > seconds) throw new Error(`${what}: no end in ${seconds} s`);
      }
    };
    return Promise.race([promise, watch()]);
  }

  // Bring a notebook to the front and wait until it has run; says whether it did to the end.
  async function show(name, seconds) {
    path = name;
    window.jupyterapp.shell.activateById(panel().id);
    return await within(seconds, `running ${name}`, runs.get(name), name);
  }

  // Close a tab without its kernel, and nothing is saved.
  const drop = (name) => panelOf(name).dispose();

  // Save a notebook, end its kernel and close its tab.
  async function close(name) {
    await within(20, `saving ${name}`, panelOf(name).context.save());
    await within(20, `ending the kernel of ${name}`, panelOf(name).sessionContext.shutdown());
    panelOf(name).dispose();
    managers.delete(name);
  }

  // Code cells that hold a widget, of those that were run: [{cell: index, views: how many}]
  function widgetCells() {
    return panel().content.widgets.flatMap((cell, index) => {
      const outputs = cell.model.type === "code" ? cell.model.outputs.toJSON() : [];
      const views = outputs.filter((output) => VIEW in (output.data ?? {})).length;
      return views ? [{ cell: index, views, source: cell.model.sharedModel.getSource() }] : [];
    });
  }

  const root = (index) => panel().content.widgets[index].node.querySelector(".jp-Cell-outputWrapper");

  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  // No widget has a message under way or waiting, and the kernel is idle.
  async function quiet() {
    const models = await Promise.all(Object.values((await manager())._models));
    return idle(path) && !models.some((model) => model.comm_live && (model._pending_msgs > 0 || model._msg_buffer));
  }

  // Wait for that, and until what came back is on the screen.
  // What was sent to the kernel last is answered before this question is: a click leaves no trace in the page by itself.
  async function settle(seconds) {
    await within(seconds, "asking the kernel", kernelOf(path).requestKernelInfo());
    const rest = async () => { while (!(await quiet())) await pause(5); };
    await within(seconds, "widgets wait for the kernel", rest());
    await frame();
  }

  async function print(picture) {
    if (picture.decode) await picture.decode().catch(() => null);
    const width = picture.naturalWidth ?? picture.width, height = picture.naturalHeight ?? picture.height;
    if (!width || !height) return "empty";
    const canvas = new OffscreenCanvas(width, height), pen = canvas.getContext("2d");
    pen.drawImage(picture, 0, 0);
    const pixels = pen.getImageData(0, 0, width, height).data;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", pixels));
    return `${width}x${height} ${[...digest.slice(0, 8)].map((v) => v.toString(16).padStart(2, "0")).join("")}`;
  }

  const shown = (element) => element.checkVisibility({ checkOpacity: false, visibilityProperty: true });
  const OWN = "select, button, input, textarea, .noUi-target, .widget-readout, .jp-OutputPrompt";

  // The words of an output, without those that a control shows of itself.
  function words(node) {
    const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      const said = text.textContent.trim();
      if (said && !text.parentElement.closest(OWN) && shown(text.parentElement)) found.push(said);
    }
    return found;
  }

  // Everything a cell's output shows: fingerprints of pictures (pixels, not addresses), drawings, words.
  async function state(index) {
    const node = root(index);
    const pictures = [...node.querySelectorAll("img, canvas")].filter(shown);
    const drawings = [...node.querySelectorAll("svg:not([data-icon])")].filter(shown);
    return {
      pictures: await Promise.all(pictures.map(print)),
      drawings: drawings.map((svg) => svg.outerHTML),
      words: words(node),
    };
  }

  // The state of a cell's output at rest: two looks, `apart` milliseconds from one another, see the same.
  async function atRest(index, seconds, apart) {
    let last = "";
    for (let look = 0; look < LOOKS; look++) {
      await settle(seconds);
      const now = await state(index);
      if (JSON.stringify(now) === last) return now;
      last = JSON.stringify(now);
      await pause(apart);
    }
    throw new Error(`cell ${index} does not come to rest in ${LOOKS} looks: ${last}`);
  }

  // What is written on the screen of a notebook though it should not be.
  function red() {
    const node = panel().content.node;
    const bad = '[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type="application/vnd.jupyter.error"]';
    const found = [...node.querySelectorAll(`${bad}, .jupyter-widgets-error-widget`)].map((e) => e.innerText.slice(0, 800));
    const wrong = /Error displaying widget|Error creating widget|Loading widget\.\.\.|state key missing|model not found/i;
    for (const output of node.querySelectorAll(".jp-OutputArea-output")) {
      if (wrong.test(output.innerText)) found.push(output.innerText.slice(0, 300));
    }
    // An error that a widget tells of in its own words.
    for (const widget of node.querySelectorAll(".jupyter-widgets")) {
      const said = widget.closest(".jupyter-widgets .jupyter-widgets") ? "" : widget.innerText;
      const named = /\b[A-Z][A-Za-z]+(Error|Exception|Interrupt)\b.*/.exec(said);
      if (named) found.push(named[0].slice(0, 300));
    }
    return found;
  }

  // Pixels by which widgets are wider than the notebook's column.
  function overflow(index) {
    const room = root(index).getBoundingClientRect();
    const shown = [...root(index).querySelectorAll(".jupyter-widgets, img, canvas")].map((e) => e.getBoundingClientRect());
    return Math.max(0, ...shown.map((box) => box.right - room.right));
  }

  const trouble = () => [...(troubles.get(path) ?? []), ...red()];
  // Pictures of a cell that are not shown in their own proportions: [shown, own] width by height.
  function distorted(index) {
    return [...root(index).querySelectorAll("img, canvas")].filter(shown).flatMap((picture) => {
      const { width, height } = picture.getBoundingClientRect();
      const own = [picture.naturalWidth ?? picture.width, picture.naturalHeight ?? picture.height];
      const off = Math.abs(width / height / (own[0] / own[1]) - 1);
      return off > 0.02 ? [`${Math.round(width)} x ${Math.round(height)} of ${own.join(" x ")}`] : [];
    });
  }

  return { codeCells, firstPaint, drop, state, open, idle, run, show, close, widgetCells, root, settle, atRest, trouble, overflow, distorted, shown };
})();
