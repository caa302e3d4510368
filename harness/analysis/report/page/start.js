// Puts everything up, from the address.

function showAll() {
  showFilters();
  showTable();
  const row = rowOf.get(state.trial);
  if (row !== undefined) showTrial(row);
  else if (byId("trial").open) byId("trial").close();
}

byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("trials-heading").focus();
});
byId("trials").addEventListener("keydown", moveByArrows);
byId("trial").addEventListener("close", closed);
addEventListener("hashchange", () => { state = readAddress(); showAll(); });
buildFilters();
showAll();
(window.requestIdleCallback || setTimeout)(searched); // so that the first search is as fast as the next
