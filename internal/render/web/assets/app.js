// The page: what the server sends, in words, numbers and charts. It asks its own
// server for everything, and sends it a guess, and of the presenter that a run begins.
import { Chart, drawStatesAs, swatch } from "./chart.js";

const $ = (id) => document.getElementById(id);
const el = (tag, className, ...inside) => {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...inside);
  return e;
};
// put writes a text, and leaves alone what says it already.
const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

let begun = null, snapshot = null, points = [], panels = new Map();
let room = { viewers: 0, guessed: 0 }; // who else is there, and what was guessed
let chosen = null; // the end to show, once somebody has chosen

// end is the end that is shown, and ofEnd what there is to see of it.
const end = () => chosen && snapshot.ends[chosen] ? chosen : snapshot.end;
const ofEnd = () => snapshot.ends[end()];
const over = () => snapshot !== null && ofEnd().over;

// A side of a run has a sign and a colour beside its name.
const signs = { faulty: "✗ ", fixed: "✓ " };

// ---- what is sent -------------------------------------------------------

const silence = 12000; // a stream says something every 5 s
let stream, last = "", heard = 0;

const stored = (key) => { try { return sessionStorage.getItem(key) ?? kept.get(key) ?? null; } catch { return kept.get(key) ?? null; } };
const store = (key, value) => { kept.set(key, value); try { sessionStorage.setItem(key, value); } catch { /* for this visit only */ } };
const kept = new Map(); // where nothing may be stored

// viewer is a name for this tab that says nothing of who sits there.
const viewer = stored("viewer") ?? [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
store("viewer", viewer);

// send sends something about the newest question; a lost connection is shown anyway.
const send = (path, more) => fetch(path, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ viewer, poll: begun.poll, ...more }),
}).catch(() => {});

function connect() {
  heard = Date.now();
  stream = new EventSource("events?viewer=" + viewer + (last ? "&after=" + encodeURIComponent(last) : ""));
  const on = (kind, see) => stream.addEventListener(kind, (e) => {
    heard = Date.now();
    last = e.lastEventId || last;
    connected(true);
    if (see) see(JSON.parse(e.data));
  });
  on("begin", begin);
  on("more", more);
  on("room", (r) => { room = r; wait(); draw(); });
  on("beat");
  stream.onopen = () => { heard = Date.now(); connected(true); };
  stream.onerror = () => {
    connected(false);
    if (stream.readyState === EventSource.CLOSED) again(); // else the browser tries again itself
  };
}

function again() {
  stream.close();
  setTimeout(connect, 1000);
}

setInterval(() => {
  if (Date.now() - heard <= silence || stream.readyState === EventSource.CLOSED) return;
  connected(false);
  stream.close();
  connect();
}, 1000);

let live = false;
function connected(is) {
  live = is;
  const text = !is ? (over() ? "■ over, not connected" : "○ connection lost, trying again") : over() ? "■ over" : begun && !begun.waiting ? "● live" : "● waiting";
  put($("link"), text);
  $("link").classList.toggle("lost", !is && !over()); // after a run nothing is missed
}

function begin(b) {
  begun = b;
  drawStatesAs(b.states);
  snapshot = null;
  points = [];
  panels = new Map();
  $("panels").replaceChildren();
  document.title = b.title + " · sockwatch";
  $("whole").hidden = !b.code;
  put($("time"), "00:00");
  put($("length"), b.length_ns ? " of " + clock(b.length_ns) : "");
  put($("about"), [b.title, b.about].filter(Boolean).join(" · "));
  put($("now"), "");
  put($("because"), "");
  $("number").value = "";
  wait();
  if ($("ask").open) $("ask").close();
}

function more(m) {
  points.push(...m.points);
  if (!m.snapshot) return;
  snapshot = m.snapshot;
  while (points.length && points[0].at_ns < ofEnd().from_ns) points.shift();
  connected(true);
  ask();
  draw();
}

// ---- what is drawn ------------------------------------------------------

const two = (n) => String(n).padStart(2, "0");
const clock = (ns) => two(Math.floor(Math.round(ns / 1e9) / 60)) + ":" + two(Math.round(ns / 1e9) % 60);

function draw() {
  if (!snapshot) return;
  const of = ofEnd();
  put($("time"), clock(of.at_ns));
  put($("length"), begun.length_ns ? " of " + clock(of.to_ns) : "");
  put($("about"), [begun.title, begun.about, end() + " end"].filter(Boolean).join(" · "));
  const other = Object.keys(snapshot.ends).find((e) => e !== end());
  $("end").hidden = !other;
  put($("end"), `Show ${other} end`);
  const ids = of.panels.map((p) => p.id);
  for (const [id, p] of panels) if (!ids.includes(id)) { p.section.remove(); panels.delete(id); }
  for (const p of of.panels) {
    if (!panels.has(p.id)) {
      panels.set(p.id, new Panel(p));
      $("panels").append(panels.get(p.id).section);
    }
  }
  $("panels").dataset.n = String(Math.min(ids.length, 4)); // 4 is any number from 4 on
  const guess = guessed();
  // What is guessed is the headline, where there is one, and else the sockets.
  const values = of.headline ? points.flatMap((q) => Object.values(q.headline ?? {})) : [];
  const highest = of.headline ? Math.max(1, ...values) * 1.05 : of.scale;
  const guesses = over() && room.guesses?.length > 1 ? room.guesses : [];
  const reach = Math.max(highest, ...[guess ?? 0, ...guesses].filter((n) => n <= 2 * highest));
  // Counts that are not far from those of the sockets have the sockets' scale.
  const counts = of.panels.every((p) => !/^(ms|MiB) /.test(p.number_of));
  const own = of.headline && !(counts && reach <= 3 * of.scale);
  const top = own ? of.scale : Math.max(of.scale, reach);
  const to = begun.length_ns ? of.to_ns : Math.max(of.to_ns, of.from_ns + 5e9);
  const chars = Math.max(...of.panels.map((p) => p.number.length)); // digits of one size, so that the larger number looks larger
  for (const p of of.panels) {
    panels.get(p.id).draw(p, {
      chars, from: of.from_ns / 1e9, to: to / 1e9, top, guess: p.id === "faulty" ? guess : null, guesses: p.id === "faulty" ? guesses : [], line: Boolean(of.headline), headline: own ? reach : null,
    });
  }
  explain(of, own);
  say(guess);
}

class Panel {
  constructor(p) {
    const id = "panel-" + panels.size;
    const sign = signs[p.id];
    this.name = sign ? p.name.toUpperCase() : p.name;
    const title = el("h2", "", ...(sign ? [el("span", "sign", sign)] : []), this.name);
    title.id = id;
    if (sign) title.firstChild.setAttribute("aria-hidden", "true");
    this.verdict = el("p", "verdict");
    this.big = el("span", "n");
    this.unit = el("span", "unit");
    this.says = el("p", "says");
    this.picture = el("p", "picture");
    this.trend = el("p", "trend");
    this.states = el("ul", "states");
    this.numbers = el("p", "numbers");
    this.why = el("p", "why");
    this.box = el("div", "chart");
    this.box.setAttribute("role", "img");
    const body = el("div", "body", this.box);
    this.section = el("section", "panel " + (sign ? p.id : "process"),
      el("div", "title", title, this.verdict),
      this.says,
      el("div", "top", el("p", "big", this.big, " ", this.unit), el("div", "now", this.picture, this.trend, this.states)),
      this.numbers, this.why, body);
    this.section.setAttribute("aria-labelledby", id);
    this.chart = new Chart(this.box);
  }

  draw(p, scales) {
    put(this.big, p.number);
    this.section.style.setProperty("--chars", String(scales.chars));
    put(this.unit, p.number_of);
    put(this.says, p.says ?? "");
    put(this.picture, p.picture_of ?? ""); // the number is of the run, whichever end is shown
    const arrow = p.trend === "flat" ? "— " : p.growth_per_second > 0 ? "▲ " : "▼ ";
    put(this.trend, arrow + "sockets " + p.trend);
    if (this.states.children.length !== p.states.length) this.states.replaceChildren(...p.states.map(row));
    p.states.forEach((s, i) => {
      const li = this.states.children[i];
      if (li.dataset.state !== s.name) li.replaceWith(row(s));
      const at = this.states.children[i];
      put(at.querySelector(".count"), String(s.now));
      at.querySelector(".fill").style.width = 100 * Math.min(1, s.now / scales.top) + "%";
    });
    put(this.verdict, p.headline);
    const few = ofEnd().panels.length <= 3; // of more there is room for a sentence each
    const fix = p.verdict.fix && !signs[p.id] ? ["Fix: " + p.verdict.fix] : []; // the other side is the fix
    const why = [...p.sentences, ...fix];
    put(this.why, (few ? why : why.slice(0, 1)).join(" "));
    this.why.classList.toggle("short", !few);
    put(this.numbers, numbers(p.figures));
    const states = p.states.map((s) => s.name);
    this.box.setAttribute("aria-label", `Sockets of ${this.name} over time, at most ${p.most} at once; ` +
      `now ${p.states.map((s) => `${s.now} ${s.name}`).join(", ")}.` + (scales.guess !== null ? ` Your guess was ${scales.guess}.` : "") +
      (scales.guesses.length ? " " + room.result : ""));
    this.chart.draw(points, (q) => q.counts[p.end]?.[p.id] ?? {}, states, scales, (q) => q.headline?.[p.id] ?? null);
  }
}

// numbers writes figures, those of one group together: "requests sent 5, ok 4".
function numbers(figures) {
  const groups = new Map();
  for (const f of figures) {
    const group = f.metric.split(".")[0].replace("latency_ms", "latency");
    const key = group === "kernel_connections" ? f.name : group; // each with its rate
    groups.set(key, [...(groups.get(key) ?? []), key === group ? f : { ...f, name: "" }]);
  }
  return [...groups].map(([group, of]) => group + " " + (of.every((f) => f.text === of[0].text && !/\d/.test(f.text)) ? of[0].text :
    of.map((f) => [f.name, f.text].filter(Boolean).join(" ")).join(", "))).join(" · ");
}

function row(s) {
  const fill = el("span", "fill");
  fill.style.background = `var(--${s.name})`;
  const li = el("li", "", swatch(s.name), el("span", "name", s.name), el("span", "count"), el("span", "bar", fill));
  li.dataset.state = s.name;
  return li;
}

// explain says what each state means that is to be seen, and what the line is. own says
// that the line has a scale of its own.
function explain(of, own) {
  const seen = new Set(ofEnd().panels.flatMap((p) => p.states.map((s) => s.name)));
  const shown = begun.states.filter((s) => seen.has(s.name));
  const line = of.headline ? of.panels[0].number_of : "";
  const key = [line, own, ...shown.map((s) => s.name)].join();
  if ($("states").dataset.of === key) return;
  $("states").dataset.of = key;
  const items = shown.map((s) => el("div", "", el("dt", "", swatch(s.name), s.name), el("dd", "", s.meaning)));
  if (line) items.push(el("div", "", el("dt", "", el("span", "line"), line), el("dd", "", own ? "the line, with the scale at the right" : "the line")));
  $("states").replaceChildren(...items);
}

// say writes the sentence, and reads it out when what was found changes, and
// else not more than every ten seconds.
let said = { at: 0, found: "" };
function say(guess) {
  let text = ofEnd().sentence;
  const faulty = ofEnd().panels.some((p) => p.id === "faulty");
  if (over() && guess !== null && faulty) text += ` Your guess was ${guess}.`;
  if (over() && room.result) text += " " + room.result;
  put($("now"), text);
  put($("because"), ofEnd().why ?? "");
  const found = [over(), end(), ...ofEnd().panels.map((p) => p.verdict?.kind)].join();
  if (found === said.found && Date.now() - said.at < 10000) return;
  said = { at: Date.now(), found };
  put($("said"), text);
}

// ---- code ---------------------------------------------------------------

// code writes lines, each with its number; what differs has a sign and is marked.
function code(lines, side) {
  const pre = el("pre");
  lines.forEach((l) => {
    const sign = l.differs ? (side === "faulty" ? "− " : "+ ") : "  ";
    pre.append(el(l.differs ? "mark" : "span", "text", sign + l.text));
  });
  return pre;
}

function showCode() {
  if (!begun?.code || $("code").open) return;
  const both = $("code").querySelector(".both");
  both.replaceChildren(...["faulty", "fixed"].map((side) => {
    const pane = el("div", "side " + side, el("h3", "", side + ".go"), code(begun.code[side], side));
    pane.tabIndex = 0;
    pane.setAttribute("role", "region");
    pane.setAttribute("aria-label", side + ".go");
    return pane;
  }));
  $("code").showModal();
  // Where not all fits, each pane begins with what differs, and a few lines before it.
  for (const pane of both.children) {
    const first = pane.querySelector("mark");
    if (first) pane.scrollTop = first.offsetTop - pane.offsetTop - pane.clientHeight / 4;
  }
}
$("whole").onclick = showCode;
document.addEventListener("keydown", (e) => {
  if (e.key === "c" && !e.ctrlKey && !e.metaKey && !e.altKey && !$("ask").open) showCode();
});
$("end").onclick = () => {
  chosen = Object.keys(snapshot.ends).find((e) => e !== end());
  draw();
};
$("close").onclick = () => $("code").close();

// ---- the question -------------------------------------------------------

const answer = () => begun ? stored("guess " + begun.poll) : null;
function guessed() {
  const a = answer();
  return a === null || a === "skip" ? null : Number(a);
}

// alone says that this is the presenter, and that there is no other to wait for.
const alone = () => room.presenter && room.viewers === 1 && !room.address;

// wait shows the question before its run, how many have answered, and to the presenter
// the address and a button.
function wait() {
  const waits = Boolean(begun?.waiting);
  $("room").hidden = !waits;
  $("panels").hidden = waits;
  if (!waits) return;
  put($("asked"), begun.question || "The run has not begun.");
  const guess = guessed();
  $("first").hidden = !begun.question || guess !== null;
  put($("mine"), guess === null ? "" : `Your guess: ${guess}`);
  put($("count"), begun.question && room.viewers > 1 ? `${room.guessed} of ${room.viewers} have guessed` : "");
  put($("first").querySelector("button"), alone() ? "Guess and start" : "Guess");
  $("start").hidden = !room.presenter;
  put($("start"), alone() && begun.question && guess === null ? "Start without a guess" : "Start the run");
  $("wait").hidden = room.presenter;
  $("share").hidden = !room.address;
  if (room.address && $("address").textContent !== room.address) {
    put($("address"), room.address);
    $("qr").src = "qr.svg";
  }
}
$("first").onsubmit = (e) => {
  e.preventDefault();
  answered(whole($("number").value));
  if (alone()) send("start"); // as the button says
};
$("start").onclick = () => send("start");

// ask asks before anything is to be seen; a run that is over asks nobody.
function ask() {
  const box = $("ask");
  if (box.open || !begun.question || over() || answer() !== null) return;
  put($("question"), begun.question);
  $("guess").value = "";
  box.showModal();
}

// whole is a number that was typed, as the server takes it.
const whole = (text) => String(Math.min(1e6, Math.max(0, Math.round(Number(text)))));

function answered(text) {
  store("guess " + begun.poll, text);
  if (text !== "skip" && room.accepting) send("guess", { guess: Number(text) });
  if ($("ask").open) $("ask").close();
  wait();
  draw();
}
$("ask").querySelector("form").onsubmit = (e) => {
  e.preventDefault();
  answered(whole($("guess").value));
};
$("skip").onclick = () => answered("skip");
$("ask").oncancel = (e) => { e.preventDefault(); answered("skip"); };

// ---- dark and light -----------------------------------------------------

const dark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
function repaint() {
  for (const p of panels.values()) { p.chart.forget(); p.states.replaceChildren(); }
  delete $("states").dataset.of;
  draw();
}
$("theme").onclick = () => {
  const now = root.dataset.theme ?? (dark.matches ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* for this visit only */ }
  repaint();
};
try {
  const theme = localStorage.getItem("theme");
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;
} catch { /* the system's */ }
dark.addEventListener("change", repaint);

// Paper is light.
let screen;
addEventListener("beforeprint", () => {
  screen = root.dataset.theme;
  root.dataset.theme = "light";
  repaint();
});
addEventListener("afterprint", () => {
  if (screen) root.dataset.theme = screen;
  else delete root.dataset.theme;
  repaint();
});

connect();
