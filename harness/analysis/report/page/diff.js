// A patch as files and lines. Lines inside a hunk are counted, so that a changed line that looks
// like a header is still a line.

function readPatch(text) {
  const files = [];
  let file = null, old = 0, now = 0, oldLeft = 0, nowLeft = 0;
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines) {
    if (oldLeft > 0 || nowLeft > 0) {
      const sign = line[0] ?? " ";
      if (sign === "+") { file.lines.push(["add", "", now++, "+", line.slice(1)]); nowLeft--; file.added++; continue; }
      if (sign === "-") { file.lines.push(["del", old++, "", "−", line.slice(1)]); oldLeft--; file.deleted++; continue; }
      if (sign === " ") { file.lines.push(["same", old++, now++, " ", line.slice(1)]); oldLeft--; nowLeft--; continue; }
    }
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (line.startsWith("diff --git ") || file === null) {
      files.push((file = { name: line.replace(/^diff --git /, ""), added: 0, deleted: 0, lines: [] }));
      const both = /^diff --git a\/(.*) b\/\1$/.exec(line);
      if (both) file.name = both[1];
      oldLeft = nowLeft = 0;
    }
    if (hunk) {
      [old, oldLeft, now, nowLeft] = [hunk[1], hunk[2] ?? 1, hunk[3], hunk[4] ?? 1].map(Number);
      file.lines.push(["hunk", "", "", "", line]);
    } else if (!line.startsWith("diff --git ")) file.lines.push(["meta", "", "", "", line]);
  }
  return files;
}

const LINES = { add: "ins", del: "del" };

function diffLine([kind, old, now, sign, text]) {
  return make(LINES[kind] ?? "div", { class: "line " + kind },
    make("span", { class: "no" }, String(old)), make("span", { class: "no" }, String(now)),
    make("span", { class: "sign" }, sign), make("span", { class: "code" }, ...shown(text)));
}

function diffFile(file) {
  const head = make("summary", {}, ...shown(file.name), ` (+${file.added} −${file.deleted})`);
  const lines = make("div", { class: "lines" }, ...file.lines.map(diffLine));
  return make("details", { class: "file", open: true }, head, lines);
}

function patchSection(patch, id) {
  if (patch.note) return [make("p", { class: "note" }, ...shown(patch.note))];
  const nodes = readPatch(patch.text).map(diffFile);
  if (patch.lines_left_out) {
    nodes.push(make("p", { class: "warning" }, `${plural(patch.lines_left_out, "more line")} left out; the whole patch lies in trials/${id}/patch.diff`));
  }
  return nodes;
}
