// What is looked at, kept in the address so that a view can be linked.

const NAMES = [...FILTERS.map(([name]) => name), "factor", "q", "sort", "page", "trial"];
let state = readAddress();

function readAddress() {
  const found = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(NAMES.filter((name) => found.get(name)).map((name) => [name, found.get(name)]));
}

/** Change what is looked at; an empty value takes a part away. */
function change(parts) {
  state = Object.fromEntries(Object.entries({ ...state, ...parts }).filter(([, value]) => value));
  history.replaceState(null, "", "#" + new URLSearchParams(state));
}
