// The board: it asks its own server who is where, and sends nothing.
const $ = (id) => document.getElementById(id);
const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const cell = (text, className = "") => {
  const td = document.createElement("td");
  td.className = className;
  td.textContent = text;
  return td;
};

function row(p, exercises) {
  const tr = document.createElement("tr");
  const open = p.work.filter((w) => !w.done);
  const now = open.length ? open.reduce((a, b) => Date.parse(a.newest) > Date.parse(b.newest) ? a : b) : null;
  const done = p.work.length - open.length;
  // A participant works on, also between two checks.
  const minutes = now ? String(Math.max(0, Math.floor((Date.now() - Date.parse(now.began)) / 60000))) : "";
  tr.append(cell(p.name), cell(now ? now.exercise : p.work.length ? "–" : "joined"), cell(now ? String(now.checks ?? 0) : "", "n"), cell(minutes, "n"), cell(String(done), "n"));
  const bar = document.createElement("progress");
  bar.max = exercises.length;
  bar.value = done;
  bar.setAttribute("aria-label", `${done} of ${exercises.length} exercises`);
  const td = cell("", "progress");
  td.append(bar);
  td.title = p.work.filter((w) => w.done).map((w) => `${w.exercise} (${Math.floor((Date.parse(w.newest) - Date.parse(w.began)) / 60000)} min)`).join(", ");
  tr.append(td);
  return tr;
}

async function look() {
  try {
    const answer = await fetch("board");
    if (!answer.ok) throw new Error(answer.statusText);
    const b = await answer.json();
    put($("join"), `sockwatch exercise join ${b.url} --name NAME`);
    put($("about"), `${b.participants.length} here · ${b.exercises.length} exercises`);
    $("rows").replaceChildren(...b.participants.map((p) => row(p, b.exercises)));
    $("none").hidden = b.participants.length > 0;
    put($("link"), "● live");
    $("link").classList.remove("lost");
  } catch {
    put($("link"), "○ connection lost, trying again");
    $("link").classList.add("lost");
  }
  setTimeout(look, 2000);
}
look();
