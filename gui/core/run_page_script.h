// gui/core/run_page_script.h: the style and the script of a run's page (run_page.h).
#pragma once

namespace mqlab::gui {

inline constexpr const char* run_page_style = R"css(
:root { color-scheme: light dark; --line: #8884; --quiet: #767676; --bug: #b34700; --good: #00785a; --band: #d5520022; }
@media (prefers-color-scheme: dark) { :root { --quiet: #9a9a9a; --bug: #ff9a57; --good: #35c79e; --band: #ff9a5722; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; }
h2 { font-size: 1.1rem; margin: 1.8rem 0 .5rem; border-bottom: 1px solid var(--line); }
p.seen { font-size: 1.1rem; margin: .2rem 0 .8rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; color: var(--quiet); font-weight: 400; }
td:first-child { white-space: nowrap; }
th, td { padding: .2rem .8rem .2rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
.bug { color: var(--bug); font-weight: 600; }
.good { color: var(--good); }
.quiet { color: var(--quiet); }
pre { font: 13px/1.5 ui-monospace, monospace; overflow-x: auto; background: #8881; padding: .8rem 1rem; border-radius: 6px; max-height: 40rem; }
.picture { overflow-x: auto; }
.picture svg { min-width: 48rem; }
#run { width: 100%; border: 1px solid var(--line); border-radius: 6px; touch-action: none; display: block; cursor: grab; }
#bar { display: flex; gap: .5rem; align-items: center; margin: .5rem 0; flex-wrap: wrap; }
#bar button { font: inherit; padding: .1rem .7rem; }
#said { min-height: 1.5em; font-family: ui-monospace, monospace; font-size: 13px; }
footer { color: var(--quiet); margin-top: 2rem; font-size: .9rem; }
@media print { #whole { display: none; } pre { max-height: none; } }
)css";

// Reads the block of JSON and the packed messages, and draws the part of the run that is asked for.
inline constexpr const char* run_page_script = R"js(
(async () => {
  const run = JSON.parse(document.getElementById("data").textContent);
  const canvas = document.getElementById("run"), said = document.getElementById("said");
  const raw = Uint8Array.from(atob(document.getElementById("messages").textContent.trim()), c => c.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const n = run.messages_shown;
  const sent = new Float64Array(n), came = new Float64Array(n), from = new Uint16Array(n), to = new Uint16Array(n), kind = new Uint16Array(n);
  let at = 0;
  const number = () => { let v = 0, f = 1; for (;;) { const b = bytes[at++]; v += (b & 127) * f; if (b < 128) return v; f *= 128; } };
  for (let i = 0, t = 0; i < n; ++i) { t += number(); came[i] = t; sent[i] = t - number(); from[i] = number(); to[i] = number(); kind[i] = number(); }

  const left = 90, row = 44, top = 26, height = top + row * run.lanes.length + 8;
  let begin = 0, end = Math.max(run.end, 1);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const hues = () => dark.matches ? ["#e69f00", "#56b4e9", "#35c79e", "#f0e442", "#4d9be6", "#ff8a4d", "#e08bbd", "#c8c8c8"]
                                  : ["#a86f00", "#1f7fb8", "#00785a", "#8a7d00", "#005a96", "#b34700", "#a04c80", "#555555"];
  const unit = ns => { const u = [[1, "ns"], [1e3, "µs"], [1e6, "ms"], [1e9, "s"]]; let c = u[0]; for (const x of u) if (ns >= x[0]) c = x; return c; };
  const say = ns => { const [f, w] = unit(Math.abs(ns)); return (ns / f).toFixed(f === 1 ? 0 : 3) + " " + w; };
  const first_after = t => { let a = 0, b = n; while (a < b) { const m = (a + b) >> 1; if (came[m] < t) a = m + 1; else b = m; } return a; };

  let width = 0;
  const x_of = t => left + (t - begin) / (end - begin) * (width - left);
  const y_of = lane => top + row * lane + row / 2;
  const end_of = l => { const way = y_of(l.to) - y_of(l.from); return y_of(l.from) + Math.sign(way) * Math.max(Math.abs(way) * l.part, Math.min(9, Math.abs(way))); };
  function draw() {
    const scale = devicePixelRatio || 1;
    width = canvas.clientWidth;
    canvas.style.height = height + "px";
    canvas.width = width * scale; canvas.height = height * scale;
    const g = canvas.getContext("2d");
    g.scale(scale, scale);
    g.font = "12px system-ui, sans-serif";
    const ink = getComputedStyle(document.body).color, colours = hues();
    g.clearRect(0, 0, width, height);
    g.save(); g.beginPath(); g.rect(left, 0, width - left, height); g.clip();
    g.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--band");
    for (const f of run.faults) g.fillRect(x_of(f.from), top, Math.max(2, x_of(f.to) - x_of(f.from)), height - top);
    g.strokeStyle = ink; g.globalAlpha = .3;
    run.lanes.forEach((_, i) => { g.beginPath(); g.moveTo(left, y_of(i)); g.lineTo(width, y_of(i)); g.stroke(); });
    g.globalAlpha = 1;
    let step = 1; const wanted = (end - begin) / Math.max(2, (width - left) / 120);
    while (step < wanted) step *= (String(step)[0] === "1" ? 2 : String(step)[0] === "2" ? 2.5 : 2);
    g.fillStyle = ink;
    for (let t = Math.ceil(begin / step) * step; t <= end; t += step) g.fillText(say(t), x_of(t) + 3, 14), g.fillRect(x_of(t), 4, 1, 14);
    // Too many arrows say nothing: then each column says how many there are.
    const a = first_after(begin);
    let shown = 0, all = 0;
    for (let i = a; i < n && all <= 3000; ++i) all += sent[i] <= end;
    if (all > 3000) {
      const columns = new Map();
      for (let i = a; i < n && came[i] <= end; ++i) { const k = Math.round(x_of(came[i])) * 1024 + to[i]; columns.set(k, (columns.get(k) || 0) + 1); }
      let most = 1; for (const v of columns.values()) most = Math.max(most, v);
      g.fillStyle = colours[4];
      for (const [k, v] of columns) { const h = Math.max(1, v / most * (row - 12)); g.fillRect(Math.floor(k / 1024), y_of(k % 1024) - h / 2, 1, h); }
    } else {
      for (let i = a; i < n && shown <= 3000; ++i) {
        if (sent[i] > end) continue;
        ++shown;
        g.strokeStyle = g.fillStyle = colours[run.kinds[kind[i]].hue % 8];
        const x1 = x_of(sent[i]), y1 = y_of(from[i]), x2 = x_of(came[i]), y2 = y_of(to[i]);
        g.beginPath(); g.moveTo(x1, y1); g.lineTo(x2, y2); g.stroke();
        g.beginPath(); g.arc(x2, y2, 2.5, 0, 7); g.fill();
      }
    }
    // What never arrived: as far as it came, and a cross.
    const bug = getComputedStyle(document.documentElement).getPropertyValue("--bug");
    const gone = run.lost.filter(l => l.t >= begin && l.sent <= end);
    if (gone.length <= 600) for (const l of gone) {
      const x1 = x_of(l.sent), y1 = y_of(l.from), x2 = x_of(l.t), y2 = end_of(l);
      g.strokeStyle = colours[run.kinds[l.kind].hue % 8]; g.beginPath(); g.moveTo(x1, y1); g.lineTo(x2, y2); g.stroke();
      g.strokeStyle = bug; g.lineWidth = 2; g.beginPath(); g.moveTo(x2 - 4, y2 - 4); g.lineTo(x2 + 4, y2 + 4); g.moveTo(x2 - 4, y2 + 4); g.lineTo(x2 + 4, y2 - 4); g.stroke(); g.lineWidth = 1;
    } else { g.fillStyle = bug; for (const l of gone) g.fillRect(x_of(l.t), end_of(l) - 2, 1, 4); }
    g.fillStyle = ink;
    for (const m of run.marks) if (m.t >= begin && m.t <= end) { const x = x_of(m.t), y = y_of(m.lane); g.beginPath(); g.moveTo(x, y - 5); g.lineTo(x + 5, y); g.lineTo(x, y + 5); g.lineTo(x - 5, y); g.fill(); }
    g.fillStyle = g.strokeStyle = colours[5]; g.lineWidth = 2;
    for (const v of run.witness) { const x = x_of(v.t), y = y_of(v.lane); g.beginPath(); g.arc(x, y, 7, 0, 7); g.stroke(); }
    g.restore();
    g.fillStyle = ink;
    run.lanes.forEach((name, i) => g.fillText(name.length > 12 ? name.slice(0, 11) + "…" : name, 4, y_of(i) + 4));
    document.getElementById("span").textContent = say(begin) + " to " + say(end) + (all > 3000 ? ", density: too many messages to draw each" : ", " + shown + " messages");
  }
  const set = (b, e) => { const min = 1000, w = Math.min(Math.max(e - b, min), Math.max(run.end, min)); begin = Math.min(Math.max(0, b), Math.max(0, run.end - w)); end = begin + w; draw(); };
  const zoom = (f, x) => { const t = begin + (x - left) / (width - left) * (end - begin); set(t - (t - begin) * f, t + (end - t) * f); };
  canvas.addEventListener("wheel", e => { e.preventDefault(); zoom(e.deltaY > 0 ? 1.25 : .8, Math.max(left, e.offsetX)); }, { passive: false });
  let held = null;
  canvas.addEventListener("pointerdown", e => { held = { x: e.offsetX, begin, end }; canvas.setPointerCapture(e.pointerId); });
  canvas.addEventListener("pointerup", () => { held = null; });
  canvas.addEventListener("pointermove", e => {
    if (held) { const d = (held.x - e.offsetX) / (width - left) * (held.end - held.begin); set(held.begin + d, held.end + d); return; }
    let best = 64, text = "";
    const near = (x, y, t) => { const d = (x - e.offsetX) ** 2 + (y - e.offsetY) ** 2; if (d < best) { best = d; text = t; } };
    for (const m of run.marks) near(x_of(m.t), y_of(m.lane), say(m.t) + "  " + m.text);
    for (const v of run.witness) near(x_of(v.t), y_of(v.lane), say(v.t) + "  " + v.text);
    for (const l of run.lost) if (l.sent <= end && l.t >= begin) near(x_of(l.t), end_of(l), say(l.t) + "  " + run.lanes[l.from] + " → " + run.lanes[l.to] + " " + run.kinds[l.kind].name + " never arrived: " + l.why + "; sent " + say(l.sent));
    if (!text) for (let i = first_after(begin), k = 0; i < n && k < 3000; ++i, ++k) if (sent[i] <= end) near(x_of(came[i]), y_of(to[i]), say(came[i]) + "  " + run.lanes[from[i]] + " → " + run.lanes[to[i]] + " " + run.kinds[kind[i]].name + ", sent " + say(sent[i]));
    said.textContent = text;
  });
  document.getElementById("in").onclick = () => zoom(.5, (left + width) / 2);
  document.getElementById("out").onclick = () => zoom(2, (left + width) / 2);
  document.getElementById("back").onclick = () => set(begin - (end - begin) / 2, end - (end - begin) / 2);
  document.getElementById("on").onclick = () => set(begin + (end - begin) / 2, end + (end - begin) / 2);
  document.getElementById("all").onclick = () => set(0, run.end);
  document.getElementById("to").onclick = () => { const w = run.witness; if (w.length) { const a = w[0].t, b = w[w.length - 1].t, m = Math.max((b - a) * .3, 1e6); set(a - m, b + m); } };
  document.getElementById("to").hidden = run.witness.length === 0;
  new ResizeObserver(draw).observe(canvas);
  dark.addEventListener("change", draw);
  document.body.dataset.drawn = n;
})();
)js";

}  // namespace mqlab::gui
