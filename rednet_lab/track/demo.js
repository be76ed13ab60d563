// The loop in the page: a crop of the frame, z0, the spatial steps, points, and from these the next frame's box and z0.
import * as ort from "./runtime/ort.wasm.min.mjs";

const $ = (id) => document.getElementById(id);
const told = await (await fetch("network.json")).json();
const { size, map, seven, steps } = told, area = map * map, last = steps.length, ALL = 4;
ort.env.wasm.numThreads = 1; // more would need a server with headers of its own
ort.env.wasm.proxy = true; // in a worker: the page answers while the network computes
ort.env.wasm.wasmPaths = new URL("./runtime/", import.meta.url).href;
$("status").textContent = "The network is loading: 19 MB, once.";

// --- geometry: as rednet_core.geometry, augment.resample and tracking._credible have it

const mean = (points, which) => [0, 1].map((a) => which.reduce((sum, i) => sum + points[seven[i]][a], 0) / which.length);

function faceBox(points) {
  const [ex, ey] = mean(points, [0, 1, 2, 3]), [mx, my] = mean(points, [5, 6]);
  return [(ex + mx) / 2, (ey + my) / 2, told.box_scale * Math.hypot(ex - mx, ey - my)];
}

function credible(now, old, { width, height }) {
  const growth = now[2] / old[2], moved = Math.hypot(now[0] - old[0], now[1] - old[1]) / old[2];
  const inside = now[0] > 0 && now[1] > 0 && now[0] < width && now[1] < height;
  const sized = now[2] > told.least_box && now[2] < 2 * Math.max(width, height);
  return growth > 0.6 && growth < 1.7 && moved < 0.5 && inside && sized ? now : old;
}

const toFrame = ([x, y, side], [u, v]) => [x + (u - (size - 1) / 2) * side / size, y + (v - (size - 1) / 2) * side / size];
const toInput = ([x, y, side], [u, v]) => [(u - x) * size / side + (size - 1) / 2, (v - y) * size / side + (size - 1) / 2];

// The crop of a box, planes of red, green and blue in [0, 1]: averaged over blocks where it shrinks, then bilinear.
function crop({ data, width, height }, box) {
  const shrink = box[2] / size, block = Math.max(1, Math.min(Math.floor(shrink + 1e-3), width, height));
  const axis = (centre, count) => Array.from({ length: size }, (_, i) => {
    const at = ((centre + (i - (size - 1) / 2) * shrink + 0.5) / block) - 0.5, top = Math.ceil(count / block) - 1;
    const held = Math.min(Math.max(at, 0), top), low = Math.floor(held);
    return [low, Math.min(low + 1, top), held - low];
  });
  const columns = axis(box[0], width), rows = axis(box[1], height);
  const left = columns[0][0], up = rows[0][0], wide = columns[size - 1][1] - left + 1, high = rows[size - 1][1] - up + 1;
  const blocks = new Float32Array(3 * wide * high), out = new Float32Array(3 * size * size);
  for (let r = 0; r < high; r++) for (let c = 0; c < wide; c++) {
    const y1 = Math.min((up + r + 1) * block, height), x1 = Math.min((left + c + 1) * block, width);
    let count = 0;
    for (let y = (up + r) * block; y < y1; y++) for (let x = (left + c) * block; x < x1; x++, count++) {
      for (let k = 0; k < 3; k++) blocks[(k * high + r) * wide + c] += data[4 * (y * width + x) + k];
    }
    for (let k = 0; k < 3; k++) blocks[(k * high + r) * wide + c] /= 255 * count;
  }
  for (let k = 0, i = 0; k < 3; k++) for (const [y0, y1, b] of rows) for (const [x0, x1, a] of columns) {
    const at = (y, x) => blocks[(k * high + y - up) * wide + x - left];
    out[i++] = (at(y0, x0) * (1 - a) + at(y0, x1) * a) * (1 - b) + (at(y1, x0) * (1 - a) + at(y1, x1) * a) * b;
  }
  return out;
}

// z0: a disc at each of the seven points, which are in input pixels.
function discs(points) {
  const z = new Float32Array(7 * area);
  seven.forEach((which, k) => {
    const [x, y] = points[which].map((v) => (v + 0.5) * map / size - 0.5);
    for (let i = 0; i < area; i++) z[k * area + i] = (i % map - x) ** 2 + (Math.floor(i / map) - y) ** 2 <= told.radius ** 2;
  });
  return z;
}

// --- the network

const session = await ort.InferenceSession.create("network.onnx", { executionProviders: ["wasm"] });
const many = (parts) => { const all = new Float32Array(parts.length * parts[0].length); parts.forEach((p, i) => all.set(p, i * p.length)); return all; };

async function forward(xs, zs, { z1 = null, memory = null } = {}) {
  const n = xs.length, cells = 2 * last * told.hidden, tensor = (data, ...shape) => new ort.Tensor("float32", data, shape);
  const feeds = { x: tensor(many(xs), n, 3, size, size), z0: tensor(many(zs), n, 7, map, map), mix: tensor([z1 ? 1 : 0], 1),
    z1: tensor(z1?.slice() ?? new Float32Array(7 * area * n), n, 7, map, map) }; // the worker takes what it is given away
  if (told.hidden) feeds.memory = tensor(memory?.slice() ?? new Float32Array(n * cells), n, 2 * last, told.hidden);
  const out = await session.run(feeds), points = out[`points${last}`].data, count = points.length / 2 / n;
  return { maps: steps.map((kind, k) => respond(out[`maps${k + 1}`].data, kind)), memory: out.memory_out?.data ?? null,
    points: xs.map((_, i) => Array.from({ length: count }, (_, l) => [0, 1].map((a) => points[2 * (i * count + l) + a]))) };
}

const respond = (raw, kind) => raw.map(kind === "detection" ? (v) => 1 / (1 + Math.exp(-v)) : (v) => Math.min(Math.max(v / told.heat, 0), 1));

// One frame from what is known before it: {box, points, memory}; the answer has the same for the frame behind it.
async function look(image, before, { z1 = null, z0 = null } = {}) {
  const x = crop(image, before.box), guess = z0 ?? (before.points ? discs(before.points.map((p) => toInput(before.box, p))) : discs(told.mean));
  const out = await forward([x], [guess], { z1, memory: before.memory });
  const points = out.points[0].map((p) => toFrame(before.box, p));
  return { x, z0: guess, maps: out.maps, points, memory: out.memory, box: credible(faceBox(points), before.box, image) };
}

// How far the points go along with a crop that is moved: rednet_lab.track.follow.slip.
async function slipOf(image, box) {
  const far = told.slip.shift * box[2], boxes = [[1, 0], [-1, 0], [0, 1], [0, -1]].map(([x, y]) => [box[0] + x * far, box[1] + y * far, box[2]]);
  const { points } = await forward(boxes.map((b) => crop(image, b)), boxes.map(() => discs(told.mean)));
  const all = points.map((some, i) => some.map((p) => toFrame(boxes[i], p)));
  const spread = all[0].map((_, l) => {
    const [x, y] = [0, 1].map((a) => all.reduce((sum, p) => sum + p[l][a], 0) / 4);
    return Math.sqrt(all.reduce((sum, p) => sum + (p[l][0] - x) ** 2 + (p[l][1] - y) ** 2, 0) / 4);
  });
  return spread.reduce((a, b) => a + b) / spread.length / far;
}

// --- sources: each gives the next frame as ImageData, at most 640 px wide

const sheet = new Image();
sheet.src = told.sample.file;
await sheet.decode();

function painted(paint, width, height) {
  const canvas = new OffscreenCanvas(width, height), pen = canvas.getContext("2d", { willReadFrequently: true });
  paint(pen, width, height);
  return pen.getImageData(0, 0, width, height);
}

function tile(i) {
  const { side, across } = told.sample;
  return painted((pen) => pen.drawImage(sheet, -(i % across) * side, -Math.floor(i / across) * side), side, side);
}

function reduced(thing, width, height) {
  const scale = Math.min(1, 640 / Math.max(width, height));
  return painted((pen, w, h) => pen.drawImage(thing, 0, 0, w, h), Math.round(width * scale), Math.round(height * scale));
}

let source = null, stop = () => {};

async function film(video) {
  Object.assign(video, { muted: true, playsInline: true, loop: true });
  await video.play();
  source = () => reduced(video, video.videoWidth, video.videoHeight);
}

const sources = {
  sample() { // there and back again
    const count = told.sample.count - 1;
    let i = 0;
    source = () => tile(Math.abs((i++ + count) % (2 * count) - count));
    return told.sample.box;
  },
  async camera() {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480, facingMode: "user" } });
    stop = () => stream.getTracks().forEach((track) => track.stop());
    await film(Object.assign(document.createElement("video"), { srcObject: stream }));
  },
  async file() {
    const file = $("file").files[0];
    if (!file) { $("file").focus(); throw new Error("choose a file"); }
    const address = URL.createObjectURL(file);
    if (!file.type.startsWith("image/")) {
      const video = Object.assign(document.createElement("video"), { src: address });
      stop = () => { video.pause(); URL.revokeObjectURL(address); };
      return film(video);
    }
    const image = Object.assign(new Image(), { src: address });
    await image.decode();
    const still = reduced(image, image.naturalWidth, image.naturalHeight);
    source = () => still;
  },
};

// --- the loop over frames

let image, track, seen = null, running = false, stage = ALL, busy = Promise.resolve(), other = null, frames = 0, frozen = null, opened = null;

function* places({ width, height }) { // where a search looks: large boxes first
  for (const share of [0.75, 0.5, 0.33]) {
    const side = share * Math.min(width, height);
    for (let y = side / 2; y <= height - side / 2 + 1; y += 0.45 * side) {
      for (let x = side / 2; x <= width - side / 2 + 1; x += 0.45 * side) yield [x, y, side];
    }
  }
}

let search = null;
function elsewhere() {
  search ??= places(image);
  let next = search.next();
  if (next.done) next = (search = places(image)).next();
  return { box: next.value, points: null, memory: null, held: false, age: 0, doubts: 0, slip: NaN };
}

async function compute() {
  const [x, y, side] = track.box, by = ["right", "down", "size"].map((id) => Number($(id).value) / 100);
  const box = [x + by[0] * side, y + by[1] * side, side * by[2]], how = document.querySelector("[name=feedback]:checked").value;
  const z1 = how === "own" ? null : how === "cut" ? new Float32Array(7 * area) : other, began = performance.now();
  seen = await look(image, { ...track, box, memory: $("wipe").checked ? null : track.memory }, { z1, z0: frozen });
  Object.assign(seen, { used: box, fed: z1 ?? seen.maps[0], took: performance.now() - began });
}

async function advance() {
  if (seen) track = { ...track, box: seen.box, points: seen.points, memory: seen.memory, age: track.age + 1 };
  image = source();
  track ??= elsewhere();
  if ($("watch").checked && (track.held ? frames % told.slip.every === 0 : track.age >= 2)) {
    track.slip = await slipOf(image, track.box);
    track.doubts = track.held && track.slip > told.slip.lost ? track.doubts + 1 : 0;
    if (track.doubts >= 2 || (!track.held && track.slip > told.slip.found)) track = elsewhere();
    else if (!track.held) { track.held = true; search = null; }
  }
  frames++;
  await compute();
}

// --- pictures

function onto(id, x, maps, colours) {
  const canvas = $(id), pen = canvas.getContext("2d"), side = 288, count = maps.length / area;
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const under = new ImageData(size, size), over = new ImageData(map, map);
  for (let i = 0; i < size * size; i++) under.data.set([0, 1, 2].map((k) => 200 * x[k * size * size + i]).concat(255), 4 * i);
  for (let i = 0; i < area; i++) {
    let top = 0, which = 0;
    for (let k = 0; k < count; k++) if (maps[k * area + i] > top) { top = maps[k * area + i]; which = k; }
    over.data.set([...colours[which % colours.length], 230 * top], 4 * i);
  }
  const laid = (data) => { const part = new OffscreenCanvas(data.width, data.height); part.getContext("2d").putImageData(data, 0, 0); pen.drawImage(part, 0, 0, side, side); };
  laid(under);
  laid(over);
}

function cells() {
  const canvas = $("cells"), many = told.hidden, rows = 2 * last;
  Object.assign(canvas, { width: many, height: 8 * rows });
  const data = new ImageData(many, 8 * rows);
  for (let i = 0; i < data.width * data.height; i++) {
    const v = Math.tanh(seen.memory[Math.floor(i / many / 8) * many + i % many]);
    data.data.set([v > 0 ? 255 * v : 0, 90 * Math.abs(v), v < 0 ? -255 * v : 0, 255], 4 * i);
  }
  canvas.getContext("2d").putImageData(data, 0, 0);
}

function draw() {
  const canvas = $("view"), pen = canvas.getContext("2d"), [x, y, side] = seen.used, wide = Math.max(1.5, image.width / 250);
  Object.assign(canvas, { width: image.width, height: image.height });
  pen.putImageData(image, 0, 0);
  Object.assign(pen, { lineWidth: wide, strokeStyle: track.held ? "#f0e442" : "#bbb" });
  pen.setLineDash(track.held ? [] : [4, 4]);
  pen.strokeRect(x - side / 2, y - side / 2, side, side);
  if (stage === ALL) told.groups.forEach((group, g) => {
    pen.fillStyle = `rgb(${told.colours[g % told.colours.length]})`;
    for (const i of group) { pen.beginPath(); pen.arc(...seen.points[i], wide, 0, 7); pen.fill(); }
  });
  const byGroup = seen.points.map((_, i) => told.colours[told.groups.findIndex((g) => g.includes(i)) % told.colours.length]);
  onto("z0", seen.x, seen.z0, told.colours);
  onto("maps1", seen.x, seen.maps[0], told.colours);
  onto("fed", seen.x, seen.fed, told.colours);
  onto("maps2", seen.x, seen.maps[last - 1], byGroup);
  if (seen.memory) cells();
  ["z0", "maps1", "fed", "maps2"].forEach((id, at) => $(id).parentElement.classList.toggle("later", at > stage));
  $("slip").value = Number.isNaN(track.slip) ? 0 : track.slip;
  $("held").textContent = `${track.held ? "a face" : "looking for a face"}, slip ${Number.isNaN(track.slip) ? "–" : track.slip.toFixed(2)}, ${seen.took.toFixed(0)} ms a frame`;
}

// --- moves; whatever computes waits for what was begun before

const told_stage = ["the frame, its box and z0", "step 1 answers", "what step 2 is fed", "step 2 answers", "points, and the next frame's box"];
const say = (text, bad = false) => { $("status").textContent = text; $("status").className = bad ? "bad" : ""; };
const then = (action) => (busy = busy.then(action).then(draw).catch((error) => { run(false); say(`${error.name}: ${error.message}`, true); }));

function run(on) {
  if (on) stage = ALL;
  running = on;
  $("run").textContent = on ? "Pause" : "Run";
  if (on) say("Running.");
}

async function cycle() {
  if (running) await then(advance);
  requestAnimationFrame(cycle);
}

async function open(name) {
  running = false;
  opened = null;
  await busy; // what was begun is not left without its picture
  stop();
  [stop, source, track, seen, search, frozen] = [() => {}, null, null, null, null, null];
  $("freeze").checked = false;
  try {
    const box = await sources[name]();
    if (box) track = { ...elsewhere.call(image = source()), box, held: true };
    await then(advance);
    opened = name;
    if (name !== "sample" || !matchMedia("(prefers-reduced-motion: reduce)").matches) run(true);
    else say("The first frame. Run starts the clip.");
  } catch (error) {
    run(false);
    say(name === "camera" ? `No camera: ${error.message}. Allow it in the browser, or take a file.` : `Nothing opened: ${error.message}.`, true);
  }
}

function next() {
  run(false);
  stage = (stage + 1) % (ALL + 1);
  say(`Paused: ${told_stage[stage]}.`);
  return stage ? then(() => {}) : then(advance);
}

const again = () => { if (!running && seen) then(compute); };
$("run").onclick = () => { stage = ALL; run(!running); if (!running) say("Paused."); };
$("next").onclick = next;
$("source").onchange = () => { $("pick").hidden = $("source").value !== "file"; if ($("source").value !== "file") open($("source").value); };
$("file").onchange = () => open("file");
$("freeze").onchange = () => { frozen = $("freeze").checked && seen ? seen.z0 : null; again(); };
document.querySelectorAll("[name=feedback], #wipe").forEach((input) => { input.onchange = again; });
document.querySelectorAll("input[type=range]").forEach((slider) => {
  slider.oninput = () => { slider.nextElementSibling.textContent = `${slider.value} %`; again(); };
  slider.nextElementSibling.textContent = `${slider.value} %`;
});
$("reset").onclick = () => { ["right", "down", "size"].forEach((id, i) => { $(id).value = i < 2 ? 0 : 100; $(id).oninput(); }); };
document.onkeydown = (event) => {
  if (/INPUT|SELECT|BUTTON/.test(event.target.tagName) || ![" ", "n"].includes(event.key)) return;
  event.preventDefault();
  $(event.key === "n" ? "next" : "run").click();
};

// --- first of all: the same points as PyTorch's on the sample clip, and another face's maps

$("memory").hidden = $("wipes").hidden = !told.hidden;
let before = { box: told.sample.box, points: null, memory: null }, off = 0;
for (const [i, points] of told.check.entries()) {
  before = await look(tile(i), before);
  before.points.forEach((p, l) => { off = Math.max(off, Math.hypot(p[0] - points[l][0], p[1] - points[l][1])); });
}
$("parity").textContent = `On ${told.check.length} frames of the sample clip its points are ${off.toPrecision(1)} px from PyTorch's.`;
$("parity").className = off < 0.01 ? "" : "bad";
other = (await look(tile(told.sample.count), { box: told.sample.other, points: null, memory: null })).maps[0];
window.demo = { told, off, look, slipOf, tile, state: () => ({ track, seen, stage, running, opened }) };
await open("sample");
cycle();
