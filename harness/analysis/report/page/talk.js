// A conversation, turn by turn.

const WHO = {
  system: "System prompt", user: "Told to the model", model: "The model", thinking: "The model thinks",
  call: "The model uses a tool", result: "The tool gave back", error: "The tool gave an error",
};
const LONG = 2500;

function part(said, where) {
  const name = said.name ? [": ", ...shown(said.name)] : [];
  const body = clipped(said.text, where);
  const length = typeof said.text === "string" ? said.text.length : LONG + 1;
  const who = [WHO[said.who] ?? said.who, ...name];
  if (length <= LONG) return make("div", { class: "part " + said.who }, make("div", { class: "who" }, ...who), body);
  const about = typeof said.text === "string" ? said.text.length : said.text[0].length + said.text[1] + said.text[2].length;
  return make("details", { class: "part " + said.who, open: said.who === "model" }, make("summary", {}, ...who, `, ${count(about)} characters`), body);
}

function turn(one, where) {
  const used = `${count(one.tokens_in)} tokens in, ${count(one.tokens_out)} out, ${seconds(one.seconds)}`;
  return make("section", { class: "turn", "aria-label": "Turn " + one.turn },
    make("h4", {}, `Turn ${one.turn} `, make("span", { class: "soft" }, used)),
    one.note ? make("p", { class: "note" }, ...shown(one.note)) : null,
    ...one.said.map((said) => part(said, where)));
}

async function talkSection(talk, id) {
  if (talk.note) return [make("p", { class: "note" }, ...shown(talk.note))];
  const where = `trials/${id}/trajectory.json`;
  const opening = await unpack(talk.opening);
  const nodes = [...opening.map((said) => part(said, where)), ...talk.first.map((one) => turn(one, where))];
  if (talk.left_out) nodes.push(make("p", { class: "warning" }, `${plural(talk.left_out, "turn")} left out here; the whole conversation lies in ${where}`));
  nodes.push(...talk.last.map((one) => turn(one, where)));
  if (talk.closing.length) nodes.push(make("h4", {}, "After the last answer"), ...talk.closing.map((said) => part(said, where)));
  if (talk.ending) nodes.push(make("p", {}, "How it ended: ", ...shown(talk.ending.replaceAll("_", " "))));
  return nodes;
}
