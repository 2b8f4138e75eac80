// A blinded vote on pairs of pictures. Votes stay in this browser until they are downloaded; nothing is sent.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const PLACE = "edgegan-vote-" + DATA.page;
const KEYS = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "equal", " ": "equal" };
const at = (id) => document.getElementById(id);

let votes = kept();

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(PLACE)) || [];
    return found.filter((one, number) => one.pair === number && number < DATA.pairs.length);
  } catch {
    return []; // no storage here: the vote works, but not across a reload
  }
}

function keep() {
  try {
    localStorage.setItem(PLACE, JSON.stringify(votes));
  } catch {
    at("unsaved").hidden = false;
  }
}

function vote(choice) {
  if (votes.length >= DATA.pairs.length) return;
  votes.push({ pair: votes.length, choice });
  keep();
  show();
}

function undo() {
  if (!votes.length) return;
  votes.pop();
  keep();
  show();
}

function show() {
  const number = votes.length;
  const done = number >= DATA.pairs.length;
  at("count").textContent = done ? `All ${number} pairs are judged.` : `Pair ${number + 1} of ${DATA.pairs.length}`;
  at("progress").value = number;
  at("progress").max = DATA.pairs.length;
  at("undo").disabled = !number;
  at("voting").hidden = done;
  at("outcome").hidden = !done;
  if (done) return tell();
  const pair = DATA.pairs[number];
  at("wanted").textContent = pair.asked;
  for (const side of ["drawing", "left", "right"]) at(side).src = pair[side];
}

// Only now is it read which side was whose.
function unsealed() {
  const bytes = Uint8Array.from(atob(DATA.sealed), (letter) => letter.charCodeAt(0));
  let state = DATA.seed >>> 0;
  const open = bytes.map((byte) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return byte ^ (state >>> 24);
  });
  return JSON.parse(new TextDecoder().decode(open));
}

function tell() {
  const key = unsealed();
  const count = { first: 0, second: 0, equal: 0 };
  for (const { pair, choice } of votes) {
    const meant = choice === "equal" ? "equal" : (choice === "left") === key.first_left[pair] ? "first" : "second";
    count[meant] += 1;
  }
  at("first").textContent = key.models[0];
  at("second").textContent = key.models[1];
  for (const name of ["first", "second", "equal"]) at(`${name}-votes`).textContent = count[name];
  at("verdict").textContent = verdict(count.first, count.second, key.models);
}

function verdict(first, second, models) {
  const decided = first + second;
  if (!decided) return "No pair was decided, so nothing can be said.";
  const [low, high] = wilson(first, decided);
  const percent = (share) => (100 * share).toFixed(1) + " %";
  const chance = signTest(first, second);
  const told = chance < 0.05 ? "That is more than chance." : "That may be chance.";
  return `${models[0]} was preferred in ${percent(first / decided)} of the decided pairs `
    + `(95 % interval ${percent(low)} to ${percent(high)}; sign test p = ${chance.toFixed(4)}). ${told}`;
}

function wilson(count, of) {
  const share = count / of;
  const square = 1.959964 ** 2;
  const middle = (share + square / (2 * of)) / (1 + square / of);
  const reach = (1.959964 * Math.sqrt((share * (1 - share)) / of + square / (4 * of * of))) / (1 + square / of);
  return [Math.max(0, middle - reach), Math.min(1, middle + reach)];
}

function signTest(first, second) {
  const decided = first + second;
  let ways = Math.exp(-decided * Math.LN2);
  let tail = 0;
  for (let k = 0; k <= Math.min(first, second); k += 1) {
    tail += ways;
    ways *= (decided - k) / (k + 1);
  }
  return Math.min(1, 2 * tail);
}

function download(name, type, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function downloadJson() {
  download("votes.json", "application/json", JSON.stringify({ page: DATA.page, votes }, null, 1) + "\n");
}

function downloadCsv() {
  const rows = votes.map(({ pair, choice }) => `${pair},"${DATA.pairs[pair].source.replaceAll('"', '""')}",${choice}`);
  download("votes.csv", "text/csv", ["pair,drawing,choice", ...rows].join("\n") + "\n");
}

for (const side of ["left", "right"]) at(`choose-${side}`).addEventListener("click", () => vote(side));
at("choose-equal").addEventListener("click", () => vote("equal"));
at("undo").addEventListener("click", undo);
at("json").addEventListener("click", downloadJson);
at("csv").addEventListener("click", downloadCsv);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key === " " && event.target.tagName === "BUTTON") return; // it presses the button
  if (event.key in KEYS) {
    event.preventDefault();
    vote(KEYS[event.key]);
  } else if (event.key === "Backspace" || event.key === "z" || event.key === "u") undo();
});
show();
