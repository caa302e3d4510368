// The trials: columns from the page's own data, filtering, sorting, searching.

const data = JSON.parse(byId("index").textContent);
const every = data.ids.map((_, row) => row);
const rowOf = new Map(data.ids.map((id, row) => [id, row]));

const word = (name, row) => data.words[name].values[data.words[name].codes[row]];
const number = (name, row) => data.numbers[name][row];
const refusedBy = (row) => data.factors.filter((_, place) => data.refused[row] & (1 << place));
const tokens = (row) => number("input_tokens", row) + number("output_tokens", row);

const FILTERS = [
  ["arm", "Arm"], ["task", "Task"], ["task_class", "Class"], ["agent", "Agent"], ["model", "Model"],
  ["scope", "Scope"], ["context_budget", "Budget"], ["dose", "Dose"], ["status", "Status"], ["resolved", "Resolved"],
];
const FAILING = ["factor", "Failing factor"];

const KEYS = {
  task: (row) => word("task", row), class: (row) => word("task_class", row), arm: (row) => word("arm", row),
  agent: (row) => word("agent", row) + " " + word("model", row), outcome: (row) => outcome(row)[1],
  reason: (row) => word("reason", row), lines: (row) => number("lines_added", row) + number("lines_deleted", row),
  tokens, time: (row) => number("wall_seconds", row),
};

/** How a trial ended: a class for its colour, and words that say it without colour. */
function outcome(row) {
  if (word("resolved", row) === "yes") return ["good", "✓ resolved"];
  const refused = refusedBy(row);
  const status = word("status", row);
  if (status === "lost") return ["", "○ lost"];
  if (!refused.length) return ["bad", "✗ " + word("failure_cause", row).replaceAll("_", " ")];
  return ["bad", "✗ " + refused[0] + (refused.length > 1 ? " +" + (refused.length - 1) : "")];
}

// Lower-cased once, at the first search; each word of a column once, not once a trial.
let lowered = null;
function searched() {
  const names = ["task", "agent", "model", "reason", "variant"];
  const lower = (texts) => texts.map((text) => text.toLowerCase());
  // What a trial does not have is called "none" for the filters, and is no word to be found.
  const known = (texts) => lower(texts).map((text) => (text === "none" ? "" : text));
  lowered ??= { ids: lower(data.ids), columns: names.map((name) => ({ codes: data.words[name].codes, values: known(data.words[name].values) })) };
  return lowered;
}

/** Whether a trial's words or its id hold `term`. */
function holds(term) {
  const { ids, columns } = searched();
  const hits = columns.map(({ codes, values }) => ({ codes, hit: values.map((value) => value.includes(term)) }));
  return (row) => hits.some(({ codes, hit }) => hit[codes[row]]) || ids[row].includes(term);
}

function tests(state) {
  const found = [];
  for (const [name] of FILTERS) {
    if (!state[name]) continue;
    const { values, codes } = data.words[name];
    const code = values.indexOf(state[name]);
    found.push((row) => codes[row] === code);
  }
  if (state.factor === "none") found.push((row) => data.refused[row] === 0);
  else if (state.factor) {
    const bit = 1 << data.factors.indexOf(state.factor);
    found.push((row) => (data.refused[row] & bit) !== 0);
  }
  for (const term of (state.q || "").toLowerCase().split(/\s+/).filter(Boolean)) {
    found.push(holds(term));
  }
  return found;
}

function compare(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** The rows that match, in the order asked for; ties keep the order of the tables. */
function matching(state) {
  const wanted = tests(state);
  const rows = wanted.length ? every.filter((row) => wanted.every((test) => test(row))) : every;
  const name = (state.sort || "").replace("-", "");
  if (!Object.hasOwn(KEYS, name)) return rows;
  const turn = state.sort.startsWith("-") ? -1 : 1;
  const keys = new Map(rows.map((row) => [row, KEYS[name](row)]));
  return [...rows].sort((one, other) => turn * compare(keys.get(one), keys.get(other)) || one - other);
}
