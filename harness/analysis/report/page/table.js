// The filters, the table and its pages.

const PAGE = 50;
let rows = every;

const HEADS = [
  ["task", "Task"], ["class", "Class"], ["arm", "Arm"], ["agent", "Agent"], ["outcome", "Outcome"],
  ["reason", "Reason"], ["lines", "Lines"], ["tokens", "Tokens"], ["time", "Time"],
];
const NUMERIC = new Set(["lines", "tokens", "time"]);

/** A label beside its field: one around it would be read out with every option. */
function field(label, control, look = "") {
  control.id = "filter-" + control.name;
  return make("div", { class: "field " + look }, make("label", { for: control.id }, label), control);
}

function choice(name, label, values) {
  const options = values.map(([value, words]) => make("option", { value }, words));
  const select = make("select", { name }, make("option", { value: "" }, "all"), ...options);
  return field(label, select);
}

function buildFilters() {
  const form = byId("filters");
  const search = make("input", { type: "search", name: "q", autocomplete: "off", placeholder: "task, reason, agent, model, id" });
  form.append(field("Search", search, "wide"));
  for (const [name, label] of FILTERS) {
    const { values, codes } = data.words[name];
    const sums = new Array(values.length).fill(0);
    for (const code of codes) sums[code] += 1;
    form.append(choice(name, label, values.map((value, place) => [value, `${value} (${count(sums[place])})`])));
  }
  const held = [...data.factors.map((name) => [name, name]), ["none", "none failed"]];
  form.append(choice(...FAILING, held));
  form.append(make("div", { class: "field end" }, make("button", { type: "reset" }, "Clear filters")));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => narrow({ [event.target.name]: event.target.value }));
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    narrow(Object.fromEntries([...FILTERS, FAILING, ["q"]].map(([name]) => [name, ""])));
    showFilters();
  });
}

function narrow(parts) {
  change({ ...parts, page: "" });
  showTable();
}

function showFilters() {
  for (const control of byId("filters").elements) {
    if (control.name) control.value = state[control.name] || "";
  }
}

function showHeads() {
  const cells = HEADS.map(([name, words]) => {
    const sorted = state.sort === name ? "ascending" : state.sort === "-" + name ? "descending" : "none";
    const mark = { ascending: " ▲", descending: " ▼", none: "" }[sorted];
    const next = sorted === "ascending" ? "-" + name : sorted === "descending" ? "" : name;
    const button = make("button", { type: "button", onclick: () => sortBy(name, next) }, words, make("span", { "aria-hidden": "true" }, mark));
    return make("th", { scope: "col", "aria-sort": sorted, class: `w-${name}${NUMERIC.has(name) ? " num" : ""}` }, button);
  });
  byId("trials").tHead.replaceChildren(make("tr", {}, ...cells));
}

function sortBy(name, next) {
  narrow({ sort: next });
  byId("trials").tHead.querySelector(`.w-${name} button`).focus();
}

function cells(row) {
  const [look, words] = outcome(row);
  const model = word("model", row);
  const scope = word("scope", row);
  const agent = word("agent", row) + (model === "none" ? "" : ` (${model})`) + (scope === "all" ? "" : `, ${scope}`);
  return [
    ["", word("task_class", row)], ["", word("arm", row)], ["", agent], [look, words], ["why", why(row)],
    ["num", `+${count(number("lines_added", row))} −${count(number("lines_deleted", row))}`],
    ["num", count(tokens(row))], ["num", seconds(number("wall_seconds", row))],
  ];
}

/** The reason without the factor before it, which the outcome names already. */
function why(row) {
  const reason = word("reason", row);
  const [first] = refusedBy(row);
  return first && reason.startsWith(first + ": ") ? reason.slice(first.length + 2) : reason;
}

/** Names of files and tests may break after their signs, rather than anywhere. */
function breakable(text) {
  return text.split(/(?<=[/_:[])/).flatMap((piece) => [...shown(piece), make("wbr")]);
}

function line(row) {
  const open = make("button", { type: "button", "data-row": row, "aria-haspopup": "dialog" }, ...shown(word("task", row)));
  const rest = cells(row).map(([look, text]) => make("td", { class: look, title: text }, make("span", {}, ...(look === "why" ? breakable(text) : shown(text)))));
  return make("tr", { onclick: () => openTrial(row) }, make("th", { scope: "row" }, open), ...rest);
}

function told() {
  const resolved = rows.filter((row) => word("resolved", row) === "yes").length;
  const lost = rows.filter((row) => word("status", row) === "lost").length;
  const matches = rows.length === every.length ? plural(rows.length, "trial") : `${count(rows.length)} of ${plural(every.length, "trial")} match`;
  return `${matches}: ${count(resolved)} resolved, ${count(lost)} lost`;
}

const pages = () => Math.max(1, Math.ceil(rows.length / PAGE));
const pageNow = () => Math.min(Math.max(1, parseInt(state.page || "1", 10) || 1), pages());

function showTable() {
  rows = matching(state);
  for (const control of byId("filters").elements) control.classList.toggle("on", control.name !== "q" && !!control.value);
  showHeads();
  byId("count").textContent = told();
  const start = (pageNow() - 1) * PAGE;
  byId("trials").tBodies[0].replaceChildren(...rows.slice(start, start + PAGE).map(line));
  showPager();
}

function showPager() {
  const step = (words, by, id) =>
    make("button", { type: "button", id, disabled: pageNow() + by < 1 || pageNow() + by > pages(), onclick: () => turnPage(pageNow() + by, id) }, words);
  byId("pager").replaceChildren(
    step("Previous page", -1, "page-back"), make("span", {}, `Page ${count(pageNow())} of ${count(pages())}`), step("Next page", 1, "page-on"),
  );
}

function turnPage(page, id) {
  change({ page: page > 1 ? String(page) : "" });
  showTable();
  byId("scroll").scrollIntoView({ block: "nearest" });
  const same = byId(id);
  (same.disabled ? byId("pager").querySelector("button:enabled") : same)?.focus();
}

/** Up and down move between the trials of a page. */
function moveByArrows(event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by || !event.target.dataset.row) return;
  const buttons = [...byId("trials").tBodies[0].querySelectorAll("button")];
  const next = buttons[buttons.indexOf(event.target) + by];
  if (next) { event.preventDefault(); next.focus(); }
}
