"use strict";
// Elements from strings. Everything on the page is made here, with text nodes only.

const byId = (id) => document.getElementById(id);

/** An element; `props` are attributes, "on..." listeners; children are nodes or strings. */
function make(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

// Signs that show nothing or turn the direction of writing: a patch could hide behind them.
const ODD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;

/** Text as nodes, with invisible signs written out. */
function shown(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(ODD)) {
    const code = match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    nodes.push(text.slice(end, match.index), make("span", { class: "odd" }, "U+" + code));
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

/** A text that may have been cut: whole, or [start, how much is left out, end]. */
function clipped(text, where) {
  if (typeof text === "string") return make("pre", {}, ...shown(text));
  const [start, left, end] = text;
  const words = `${count(left)} characters are left out here; the whole text lies in ${where}`;
  return make("pre", {}, ...shown(start), make("span", { class: "cut" }, words), ...shown(end));
}

const grouped = new Intl.NumberFormat("en"); // one for all: making it takes longer than using it
const count = (number) => grouped.format(number);
const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

function seconds(value) {
  if (value === null) return "–";
  if (value < 10) return value.toFixed(1) + " s";
  const whole = Math.round(value);
  return whole < 120 ? whole + " s" : Math.floor(whole / 60) + " min " + (whole % 60) + " s";
}

// What is small keeps the digits that say something.
const amount = (value) => value.toLocaleString("en", Math.abs(value) < 1 ? { maximumSignificantDigits: 4 } : { maximumFractionDigits: 4 });
const usd = (value) => (value === null ? "unknown" : "$" + (value < 1 ? amount(value) : value.toFixed(2)));
