"use strict";

const MATHML = "http://www.w3.org/1998/Math/MathML";
const SECONDS_A_STEP = 1.5;
const MOST_PATHS = 12;
const SMALLEST_READABLE = 0.8;

const nodes = JSON.parse(document.getElementById("data").textContent);
const sections = [...document.querySelectorAll(".step")];
const svg = document.querySelector("#picture svg");
const element = Object.fromEntries([...document.querySelectorAll("[id]")].map((found) => [found.id, found]));

const numbersIn = (text) => (text ? text.split(" ").map(Number) : []);
const boxes = [...svg.querySelectorAll(".node")].map((drawn) => ({ drawn, nodes: numbersIn(drawn.dataset.nodes) }));
const edges = [...svg.querySelectorAll(".edge")].map((drawn) => ({
  drawn,
  tails: numbersIn(drawn.dataset.tails),
  heads: numbersIn(drawn.dataset.heads),
}));

// ---- the steps ----

let current = 0;
let timer = null;

// In a box for one node, its sum and its call follow each other; a leaf's follow when its cotangent is complete.
function stepOf(edge) {
  const [tail, head] = [edge.tails, edge.heads];
  if (tail.length === 1 && head.length === 1 && tail[0] === head[0]) {
    return [nodes[tail[0]].call ?? nodes[tail[0]].complete];
  }
  return tail.filter((i) => nodes[i].parents.some(([parent]) => head.includes(parent))).map((i) => nodes[i].call);
}

function show(step) {
  current = Math.min(Math.max(step, 0), sections.length - 1);
  sections.forEach((section, i) => { section.hidden = i !== current; });
  const title = sections[current].querySelector("h2").textContent;
  const place = title.split(":")[0];
  element.slider.value = current;
  element.slider.setAttribute("aria-valuetext", title);
  element.position.textContent = place;
  element.first.disabled = element.back.disabled = current === 0;
  element.last.disabled = element.forward.disabled = current === sections.length - 1;
  for (const box of boxes) {
    const lit = box.nodes.some((i) => nodes[i].call === current || (current === 0 && i === 0));
    box.drawn.classList.toggle("lit", lit);
    box.drawn.classList.toggle("complete", box.nodes.every((i) => nodes[i].complete <= current));
  }
  for (const edge of edges) {
    const steps = stepOf(edge);
    edge.drawn.classList.toggle("lit", steps.includes(current));
    edge.drawn.classList.toggle("done", steps.some((step) => step < current));
  }
  for (const box of boxes) if (box.drawn.classList.contains("lit")) reveal(box.drawn);
  element.panel.scrollTop = 0;
}

// Only the picture scrolls, so that the text beside or below it stays in place.
function reveal(drawn) {
  const [room, box] = [element.picture.getBoundingClientRect(), drawn.getBoundingClientRect()];
  if (box.top < room.top || box.bottom > room.bottom) {
    element.picture.scrollTop += box.top - room.top - (room.height - box.height) / 2;
  }
  if (box.left < room.left || box.right > room.right) {
    element.picture.scrollLeft += box.left - room.left - (room.width - box.width) / 2;
  }
}

function setPlaying(playing) {
  clearInterval(timer);
  timer = playing ? setInterval(() => {
    show(current + 1);
    if (current === sections.length - 1) setPlaying(false);
  }, SECONDS_A_STEP * 1000) : null;
  element.play.textContent = playing ? "Pause" : "Play";
}

function togglePlay() {
  if (timer === null && current === sections.length - 1) show(0);
  setPlaying(timer === null);
}

function go(step) {
  setPlaying(false);
  show(step);
}

element.first.addEventListener("click", () => go(0));
element.back.addEventListener("click", () => go(current - 1));
element.forward.addEventListener("click", () => go(current + 1));
element.last.addEventListener("click", () => go(sections.length - 1));
element.play.addEventListener("click", togglePlay);
element.slider.addEventListener("input", () => go(Number(element.slider.value)));

const keys = {
  ArrowLeft: () => go(current - 1),
  ArrowRight: () => go(current + 1),
  Home: () => go(0),
  End: () => go(sections.length - 1),
  Escape: () => choose(""),
};

document.addEventListener("keydown", (event) => {
  const own = event.target.matches("input, select");
  if (own || event.altKey || event.ctrlKey || event.metaKey || !(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});

// ---- the size of the picture and the theme ----

const natural = { width: Number(svg.getAttribute("width")), height: Number(svg.getAttribute("height")) };
let scale = 1;

function setScale(wanted) {
  scale = Math.min(Math.max(wanted, 0.05), 4);
  svg.style.width = `${natural.width * scale}px`;
  svg.style.height = `${natural.height * scale}px`;
}

function fit(smallest = 0) {
  const across = (element.picture.clientWidth - 40) / natural.width;
  const down = (element.picture.clientHeight - 24) / natural.height;
  setScale(Math.max(Math.min(across, down, 1.5), Math.min(across, smallest)));
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  element.theme.textContent = theme === "dark" ? "Light" : "Dark";
}

element.smaller.addEventListener("click", () => setScale(scale / 1.25));
element.larger.addEventListener("click", () => setScale(scale * 1.25));
element.fit.addEventListener("click", () => fit());
element.theme.addEventListener("click", () => {
  setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
});
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
prefersDark.addEventListener("change", () => setTheme(prefersDark.matches ? "dark" : "light"));

// ---- the chain to a tensor ----

// Parents come after the nodes that use them, so one pass over the list finds the whole chain.
function chainTo(target) {
  const leads = nodes.map((_, i) => i === target);
  for (let i = target - 1; i >= 0; i--) leads[i] = nodes[i].parents.some(([parent]) => leads[parent]);
  return leads;
}

function pathsTo(target, leads) {
  const counts = nodes.map(() => 0);
  counts[target] = 1;
  for (let i = target - 1; i >= 0; i--) {
    for (const [parent] of nodes[i].parents) if (leads[parent]) counts[i] += counts[parent];
  }
  const found = [];
  const walk = [[]];
  while (walk.length && found.length < MOST_PATHS) {
    const path = walk.pop();
    const at = path.length ? path[path.length - 1].to : 0;
    if (at === target) {
      found.push(path);
      continue;
    }
    const links = nodes[at].parents.filter(([parent]) => leads[parent]);
    for (const [parent, derivative] of links.reverse()) walk.push([...path, { from: at, to: parent, derivative }]);
  }
  return { found, count: counts[0] };
}

function inMath(markup) {
  return `<math xmlns="${MATHML}"><mrow>${markup}</mrow></math>`;
}

function partial(of, by) {
  return `<mfrac><mrow><mo>∂</mo>${nodes[of].mathml}</mrow><mrow><mo>∂</mo>${nodes[by].mathml}</mrow></mfrac>`;
}

// Writes four significant digits, like Python's format .4g.
function inDigits(value) {
  const number = Number(value);
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "∞" : "−∞";
  const [digits, exponent] = Math.abs(number).toExponential(3).split("e");
  const power = Number(exponent);
  let text = Number(Math.abs(number).toPrecision(4)).toString();
  if (number !== 0 && (power < -4 || power >= 4)) {
    text = `${Number(digits)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  return number < 0 ? `−${text}` : text;
}

function inParentheses(value) {
  const text = inDigits(value);
  return `<mn>${text.startsWith("−") ? `(${text})` : text}</mn>`;
}

function joined(parts, sign) {
  return parts.map(inMath).join(` ${sign} `);
}

function pathAsText(path, start) {
  const symbols = path.map((link) => partial(link.from, link.to));
  if (path.some((link) => link.derivative === null)) return { text: joined(symbols, "·"), product: null };
  const factors = path.map((link) => Number(link.derivative));
  const product = factors.reduce((so_far, factor) => so_far * factor, start);
  const numbers = (start === 1 && factors.length ? factors : [start, ...factors]).map(inParentheses);
  const text = `${joined(symbols, "·") || inMath("<mn>1</mn>")} = ` +
    `<span class="factors">${joined(numbers, "·")}</span> = <strong class="product">${inDigits(product)}</strong>`;
  return { text, product };
}

function describeChain(target) {
  const { found, count } = pathsTo(target, chainTo(target));
  const start = nodes[0].value === null ? 1 : Number(nodes[0].value);
  const paths = found.map((path) => pathAsText(path, start));
  const scalar = nodes[0].value !== null && paths.every((path) => path.product !== null);
  const derivative = inMath(partial(0, target));
  const lines = [];
  if (target === 0) {
    lines.push(`<p>The pass starts at ${derivative}.</p>`);
  } else if (count === 1) {
    lines.push(`<p>One path leads to it:</p>`);
  } else {
    const shown = count > found.length ? `, of which the first ${found.length} are shown` : "";
    lines.push(`<p>${count.toLocaleString("en")} paths lead to it${shown}; their products are added:</p>`);
  }
  for (const path of paths) lines.push(`<p class="path">${derivative}${count > 1 ? " has " : " = "}${path.text}</p>`);
  if (scalar && count > 1) {
    const sum = found.length === count ? `${joined(paths.map((path) => inParentheses(path.product)), "+")} = ` : "";
    lines.push(`<p class="path">${derivative} = ${sum}<strong class="total">${inDigits(nodes[target].value)}</strong></p>`);
  }
  if (!scalar && target !== 0) {
    lines.push("<p>Each factor is the Jacobian of one step; the rules multiply by it without writing it out.</p>");
  }
  if (nodes[target].gradient) lines.push(`<p class="gradient-told">The engine's gradient: ${nodes[target].gradient}.</p>`);
  return lines.join("");
}

function choose(value) {
  const chosen = value !== "";
  element.tensor.value = value;
  element.chain.classList.toggle("chosen", chosen);
  svg.classList.toggle("chained", chosen);
  element.clear.disabled = !chosen;
  element.paths.innerHTML = chosen ? describeChain(Number(value)) : "";
  const leads = chosen ? chainTo(Number(value)) : [];
  const on = (numbers) => numbers.some((i) => leads[i]);
  for (const box of boxes) box.drawn.classList.toggle("on-chain", on(box.nodes));
  for (const edge of edges) edge.drawn.classList.toggle("on-chain", on(edge.tails) && on(edge.heads));
}

for (const box of boxes) {
  box.drawn.addEventListener("click", () => {
    if (!box.nodes.length) return;
    const leaf = box.nodes.find((i) => nodes[i].call === null);
    choose(String(box.nodes.length > 1 ? leaf ?? box.nodes[0] : box.nodes[0]));
    element.chain.scrollIntoView({ block: "nearest" });
  });
}
element.tensor.addEventListener("change", () => choose(element.tensor.value));
element.clear.addEventListener("click", () => choose(""));

setTheme(prefersDark.matches ? "dark" : "light");
fit(SMALLEST_READABLE);
if (!element.picture.clientWidth) {
  // In a notebook's frame that is not shown yet nothing has a size.
  const shown = new ResizeObserver(() => {
    if (!element.picture.clientWidth) return;
    fit(SMALLEST_READABLE);
    shown.disconnect();
  });
  shown.observe(element.picture);
}
choose("");
show(0);
