// One trial, opened in a dialog: it keeps the focus inside, Esc closes it.

let opened = null;
const parsed = new Promise((done) => {
  if (document.readyState !== "loading") done();
  else document.addEventListener("DOMContentLoaded", done);
});

/** A packed document by its number. The page may still be loading behind the table. */
async function unpack(number) {
  if (!byId("b" + number)) await parsed;
  const bytes = Uint8Array.from(atob(byId("b" + number).textContent), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

function openTrial(row) {
  change({ trial: data.ids[row] });
  return showTrial(row);
}

async function showTrial(row) {
  opened = row;
  const dialog = byId("trial");
  byId("trial-title").replaceChildren(...shown(`${word("task", row)}, ${word("arm", row)}, ${word("agent", row)}`));
  showButtons(row);
  byId("trial-body").replaceChildren(make("p", { class: "note" }, "Opening ..."));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  byId("trial-title").focus();
  const nodes = await trialBody(row).catch((error) => [make("p", { class: "warning" }, `This trial cannot be shown: ${error.message}`)]);
  if (opened === row) byId("trial-body").replaceChildren(...nodes);
}

function showButtons(row) {
  const place = rows.indexOf(row);
  const step = (words, by) => {
    const next = rows[place + by];
    return make("button", { type: "button", disabled: place < 0 || next === undefined, onclick: () => openTrial(next) }, words);
  };
  byId("trial-buttons").replaceChildren(step("Previous", -1), step("Next", 1),
    make("button", { type: "button", id: "close", onclick: () => byId("trial").close() }, "Close"));
}

/** After closing, the focus goes back to the row, on whichever page it stands now. */
function closed() {
  const place = rows.indexOf(opened);
  const page = Math.floor(place / PAGE) + 1;
  change(place < 0 ? { trial: "" } : { trial: "", page: page > 1 ? String(page) : "" });
  if (place >= 0) showTable();
  const button = byId("trials").querySelector(`button[data-row="${opened}"]`);
  opened = null;
  (button ?? byId("trials-heading")).focus();
}

async function trialBody(row) {
  const [detail, instruction, talk, patch] = await Promise.all(data.parts[row].map(unpack));
  const id = data.ids[row];
  const record = Object.fromEntries(data.record.map(([name], place) => [name, detail.record[place]]));
  const sections = [
    ["Verdict", verdictSection(detail)],
    ["Instruction", instructionSection(instruction)],
    ["Conversation", await talkSection(talk, id)],
    ["Patch", patchSection(patch, id)],
    ["Tokens and time", effortSection(record, detail)],
    ["Everything recorded", recordSection(detail)],
  ];
  const heads = sections.map(([words]) => make("h3", { tabindex: "-1" }, words));
  const jump = make("div", { class: "jump", role: "group", "aria-label": "Parts of this trial" },
    ...heads.map((head) => make("button", { type: "button", onclick: () => { head.scrollIntoView(); head.focus({ preventScroll: true }); } }, head.textContent)));
  return [jump, facts(firstFacts(row, record)), ...sections.flatMap(([, nodes], place) => [heads[place], ...nodes])];
}

function facts(pairs) {
  return make("dl", { class: "facts" }, ...pairs.map(([name, value]) => make("div", { class: name.toLowerCase() }, make("dt", {}, name), make("dd", {}, ...shown(String(value))))));
}

function firstFacts(row, record) {
  return [
    ["Outcome", outcome(row)[1]], ["Model", record.model ?? "none (a control)"], ["Scope", record.scope], ["Context budget", record.context_budget],
    ["Played", record.variant ?? "nothing"], ["Repeat, seed", `${record.repeat}, ${record.seed}`], ["Status", record.status],
    ["Ending", record.agent_ending ?? "none"], ["Id", record.trial_id],
  ];
}

function table(heads, lines, look = "") {
  return make("div", { class: "scroll" }, make("table", { class: look },
    make("thead", {}, make("tr", {}, ...heads.map((words) => make("th", { scope: "col" }, words)))),
    make("tbody", {}, ...lines.map((cells) => make("tr", {}, ...cells.map((cell, place) => make(place ? "td" : "th", place ? {} : { scope: "row" }, ...(Array.isArray(cell) ? cell : shown(String(cell))))))))));
}

const HOLDS = { true: ["good", "✓ holds"], false: ["bad", "✗ does not hold"], null: ["", "○ no evidence"] };

function verdictSection(detail) {
  const mark = (holds) => [make("span", { class: HOLDS[holds][0] }, HOLDS[holds][1])];
  const nodes = [table(["Factor", "Verdict", "Reason"], detail.factors.map(([name, holds, reason]) => [name, mark(holds), reason ?? ""]), "verdict")];
  if (detail.note) nodes.push(make("p", { class: "note" }, ...shown(detail.note)));
  if (detail.failed.length) {
    nodes.push(make("h4", {}, "Hidden tests that did not pass"));
    nodes.push(table(["Test", "Start", "Message"], detail.failed.map((one) => [one.test, one.starts.join(", "), one.message]), "tests"));
    if (detail.failed_left_out) nodes.push(make("p", { class: "note" }, `${plural(detail.failed_left_out, "more test")} left out here; all are in tests.parquet.`));
  }
  if (detail.attempts.some(([, status]) => status !== "scored")) {
    nodes.push(make("h4", {}, "Attempts"));
    nodes.push(table(["Attempt", "Status", "Why", "Time"], detail.attempts.map(([n, status, why, time]) => [n, status, why ?? "", seconds(time)])));
  }
  return nodes;
}

function instructionSection(instruction) {
  if (instruction.note) return [make("p", { class: "note" }, ...shown(instruction.note))];
  return [make("pre", { class: "prose" }, ...shown(instruction.text))];
}

const plain = (cell) => (typeof cell === "number" ? amount(cell) : cell ?? "–");

function effortSection(record, detail) {
  const nodes = [facts([
    ["Input tokens", count(record.input_tokens)], ["of these from a cache", count(record.cache_read_tokens)],
    ["Output tokens", count(record.output_tokens)], ["of these reasoning", count(record.reasoning_tokens)],
    ["Largest request", plural(record.peak_context_tokens, "token")], ["Cost", usd(record.cost_usd)],
    ["Model calls", count(record.model_calls)], ["Tools used", count(record.tool_calls)],
    ["Agent", seconds(record.agent_seconds)], ["Verification", seconds(record.verify_seconds)],
    ["Harness", seconds(record.overhead_seconds)], ["Waits", seconds(record.waited_seconds)],
    ["From start to record", seconds(record.wall_seconds)],
  ])];
  if (detail.calls.length) {
    const heads = data.calls.map((name) => name.replace("_tokens", "").replaceAll("_", " "));
    nodes.push(make("h4", {}, "Calls of the model (tokens, seconds, USD)"), table(heads, detail.calls.map((cells) => cells.map(plain))));
  }
  return nodes;
}

function recordSection(detail) {
  const lines = data.record.map(([name, unit, meaning], place) => [name, detail.record[place] ?? "–", unit, meaning]);
  return [make("details", {}, make("summary", {}, `${lines.length} columns`), table(["Column", "Value", "Unit", "Meaning"], lines, "record"))];
}
