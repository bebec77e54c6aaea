// The stacked chart of one panel. Fills differ by pattern, not by colour alone.

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// looks says how states are drawn, by their names: the lines over the colour.
const looks = new Map();

// drawStatesAs sets how states are drawn, as the server says.
export function drawStatesAs(states) {
  for (const s of states) looks.set(s.name, s);
}

// fillOf is the state's fill for a canvas.
function fillOf(state, context) {
  const tile = document.createElement("canvas");
  const size = 8;
  tile.width = tile.height = size;
  const c = tile.getContext("2d");
  c.fillStyle = css("--" + state) || css("--dim");
  c.fillRect(0, 0, size, size);
  const { lines, width } = looks.get(state) ?? {};
  if (lines) {
    c.strokeStyle = css("--panel");
    c.lineWidth = Number(width);
    c.stroke(new Path2D(lines));
  }
  return context.createPattern(tile, "repeat");
}

// swatch is a small piece of the state's fill.
export function swatch(state) {
  const canvas = document.createElement("canvas");
  canvas.className = "swatch";
  canvas.width = canvas.height = 16;
  canvas.setAttribute("aria-hidden", "true");
  const c = canvas.getContext("2d");
  c.fillStyle = fillOf(state, c);
  c.fillRect(0, 0, 16, 16);
  return canvas;
}

// textSize is that of a chart's labels, in pixels: they are read from the back of the
// room, and a phone is narrow.
const textSize = () => Math.max(12, Math.round(Math.min(innerHeight / 54, innerWidth / 80)));

// steps are those between two labels of an axis.
const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 1000000];

// labels are at most three values of an axis up to top: none, and two as far apart as can be
// that are easily read.
function labels(top) {
  const ten = 10 ** Math.floor(Math.log10(Math.max(top, 2) / 2));
  const step = [8, 7.5, 6, 5, 4, 3, 2.5, 2, 1.5, 1].map((n) => n * ten).find((n) => 2 * n <= top && Number.isInteger(n)) ?? 1;
  return [0, step, 2 * step].filter((n) => n <= top);
}

// tail is how wide the newest sample is, as a part of the chart.
const tail = 0.006;

// Chart draws one panel's points, of each of which `of` returns the sockets by
// state. All charts of a page have the same scales.
export class Chart {
  constructor(box) {
    this.box = box;
    this.states = "";
    new ResizeObserver(() => this.size()).observe(box);
  }

  size() {
    const { clientWidth: width, clientHeight: height } = this.box;
    if (!this.plot || width <= 0 || height <= 0) return;
    if (this.px === textSize()) return this.plot.setSize({ width, height });
    this.forget(); // the labels' size is that of the beginning
    this.draw(...this.drawn);
  }

  // forget makes the next drawing begin anew, in the theme's colours.
  forget() {
    this.plot?.destroy();
    this.plot = null;
  }

  // headlineOf returns a point's headline: a line on a scale of its own, at the right;
  // null where it is not known.
  draw(points, of, states, scales, headlineOf) {
    this.scales = scales;
    this.drawn = [points, of, states, scales, headlineOf];
    if (this.states !== states.join()) this.forget();
    this.states = states.join();
    const data = stack(points, of, states);
    if (scales.line) data.push(points.map(headlineOf));
    // A count is drawn from its sample on, and that of the newest is to be seen, too.
    const right = scales.to + (scales.to - scales.from) * tail;
    if (points.length) data.forEach((row, i) => row.push(i ? row.at(-1) : row.at(-1) + right - scales.to));
    const own = scales.headline !== null;
    if (this.plot && (this.own !== own || this.plot.series.length !== data.length)) this.forget();
    this.own = own;
    if (this.plot) {
      this.plot.setData(data, false);
      this.plot.setScale("x", { min: scales.from, max: right });
      this.plot.setScale("y", { min: 0, max: scales.top });
      if (own) this.plot.setScale("headline", { min: 0, max: scales.headline });
      return;
    }
    const px = this.px = textSize();
    const axis = {
      stroke: css("--dim"), font: px + "px system-ui, sans-serif", grid: { stroke: css("--line"), width: 1 },
      ticks: { stroke: css("--line"), width: 1, size: 5 },
    };
    const values = {
      incrs: steps, space: px, splits: (_u, _axis, _min, max) => labels(max), values: (_, at) => at.map((n) => n.toLocaleString("en")),
    };
    const fills = {};
    this.plot = new uPlot({
      width: Math.max(this.box.clientWidth, 50), height: Math.max(this.box.clientHeight, 50),
      legend: { show: false }, cursor: { show: false }, padding: [Math.ceil(px / 2) + 4, Math.max(14, 2 * px), 0, 0], // half of the last labels is beyond the chart
      scales: {
        x: { time: false, range: () => [this.scales.from, this.scales.to + (this.scales.to - this.scales.from) * tail] },
        y: { range: () => [0, this.scales.top] },
        headline: { range: () => [0, this.scales.headline ?? 1] },
      },
      axes: [
        { ...axis, size: 2 * px + 4, space: 5 * px, values: (_, at) => at.map((s) => s + " s") },
        { ...axis, ...values, size: 3 * px + 10 },
        ...(!own ? [] : [{ ...axis, scale: "headline", side: 1, ...values, size: 3 * px + 14, grid: { show: false } }]),
      ],
      series: [{}, ...[...states].reverse().map((state) => ({
        label: state, width: 0, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }),
        fill: (u) => (fills[state] ??= fillOf(state, u.ctx)),
      })), ...(!scales.line ? [] : [{
        label: "headline", scale: own ? "headline" : "y", stroke: css("--text"), width: 3, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }),
      }])],
      hooks: { draw: [(u) => { this.distribution(u); this.guess(u); }] },
    }, data, this.box);
  }

  // distribution draws how many have guessed which number, as bars from the left edge,
  // each for the guesses within 12 pixels. What is above the scale is in the highest.
  distribution(u) {
    const all = this.scales.guesses;
    if (!all.length) return;
    const own = this.scales.headline !== null;
    const top = own ? this.scales.headline : this.scales.top;
    const c = u.ctx, px = devicePixelRatio || 1, high = 12 * px;
    const bars = new Map();
    for (const n of all) {
      const row = Math.floor((u.bbox.top + u.bbox.height - u.valToPos(Math.min(n, top), own ? "headline" : "y", true)) / high);
      const low = Math.min(row, Math.floor(u.bbox.height / high) - 1);
      bars.set(low, (bars.get(low) ?? 0) + 1);
    }
    const unit = Math.min(14 * px, 0.4 * u.bbox.width / Math.max(...bars.values()));
    c.save();
    c.fillStyle = css("--text");
    c.strokeStyle = css("--panel"); // a rim, as the fills are below
    c.lineWidth = 2 * px;
    for (const [row, n] of bars) {
      for (let i = 0; i < n; i++) {
        c.fillRect(u.bbox.left + i * unit, u.bbox.top + u.bbox.height - (row + 1) * high, unit, high);
        c.strokeRect(u.bbox.left + i * unit, u.bbox.top + u.bbox.height - (row + 1) * high, unit, high);
      }
    }
    c.restore();
  }

  // guess draws what was guessed as a line, with its number.
  guess(u) {
    const n = this.scales.guess;
    if (n === null || n === undefined) return;
    const own = this.scales.headline !== null;
    const top = own ? this.scales.headline : this.scales.top;
    const above = n > top;
    const y = u.valToPos(Math.min(n, top), own ? "headline" : "y", true);
    const c = u.ctx, px = devicePixelRatio || 1;
    c.save();
    c.strokeStyle = c.fillStyle = css("--text");
    c.lineWidth = 2 * px;
    c.setLineDash([6 * px, 5 * px]);
    c.beginPath();
    c.moveTo(u.bbox.left, y);
    c.lineTo(u.bbox.left + u.bbox.width, y);
    c.stroke();
    c.font = `bold ${(this.px + 1) * px}px system-ui, sans-serif`;
    const high = y < u.bbox.top + (this.px + 8) * px;
    const bars = this.scales.guesses.length > 0; // they are at the left
    c.textAlign = bars ? "right" : "left";
    c.textBaseline = "alphabetic";
    c.setLineDash([]);
    c.strokeStyle = css("--panel"); // a rim, as the fills are below
    c.lineWidth = 4 * px;
    c.lineJoin = "round";
    const text = [`your guess: ${n}${above ? " (above)" : ""}`, bars ? u.bbox.left + u.bbox.width - 8 * px : u.bbox.left + 8 * px, y + (high ? this.px + 4 : -6) * px];
    c.strokeText(...text);
    c.fillText(...text);
    c.restore();
  }
}

// stack is the data of a chart: the sums from below, the highest first, so that
// each is drawn over the one before.
function stack(points, of, states) {
  const at = points.map((p) => p.at_ns / 1e9);
  const below = new Array(points.length).fill(0);
  const sums = states.map((state) => points.map((p, i) => (below[i] += of(p)[state] ?? 0)));
  return [at, ...sums.reverse()];
}
