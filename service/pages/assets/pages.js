// What the pages do beyond being read: values under the pointer, the map through time, new data without a reload, the reader's clock.
// Everything is there without it.
"use strict";

const OLD_AFTER_SECONDS = 90 * 60; // the same as service/pages/freshness.py; a test ties them
const SVG = "http://www.w3.org/2000/svg";

// ---- charts: a cursor, and the row of the table behind the chart
function readChart(chart) {
  const table = document.getElementById(chart.dataset.table);
  if (!table) return;
  const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
  const rows = [...table.tBodies[0].rows];
  if (!rows.length) return;
  const days = [];
  let day = "";
  for (const row of rows) {
    const [first, second] = row.cells[0].textContent.trim().split(", ");
    if (second) day = first;
    days.push(`${day}, ${second || first}`);
  }
  const line = document.createElementNS(SVG, "line");
  line.setAttribute("class", "cursor");
  line.setAttribute("y1", "18");
  line.setAttribute("y2", String(chart.getAttribute("height") - 22));
  line.setAttribute("visibility", "hidden");
  chart.append(line);
  const readout = document.createElement("output");
  readout.className = "readout";
  readout.hidden = true;
  chart.after(readout);
  let at = -1;
  function show(n) {
    at = Math.max(0, Math.min(rows.length - 1, n));
    const x = `${(100 * (at + 0.5)) / rows.length}%`;
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    line.setAttribute("visibility", "visible");
    const cells = [...rows[at].cells].slice(1).map((cell, i) => `${heads[i + 1]} ${cell.textContent.trim()}`);
    readout.textContent = `${days[at]}: ${cells.join(" · ")}${rows[at].classList.contains("synthetic") ? " · synthetic" : ""}`;
    readout.hidden = false;
  }
  function hide() {
    line.setAttribute("visibility", "hidden");
    readout.hidden = true;
  }
  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    show(Math.floor((rows.length * (event.clientX - box.left)) / box.width));
  });
  chart.addEventListener("pointerleave", hide);
  chart.tabIndex = 0;
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12 }[event.key];
    if (!step) return;
    event.preventDefault();
    show(at < 0 ? Math.floor(rows.length / 2) : at + step);
  });
  chart.addEventListener("blur", hide);
}

// ---- the map through time
function moveMap(map) {
  const slider = document.getElementById("when");
  const table = document.getElementById("curve");
  if (!slider || !table) return;
  const bounds = map.dataset.bounds.split(",").map(Number);
  const areas = [...map.querySelectorAll(".area")].map((area) => [area, area.dataset.values.split(",")]);
  const words = document.getElementById("when-words");
  const rows = [...table.tBodies[0].rows];
  function whenOf(n) {
    let m = n;
    while (m > 0 && !rows[m].cells[0].textContent.includes(", ")) m -= 1;
    const day = rows[m].cells[0].textContent.trim().split(", ")[0];
    return `${day}, ${rows[n].cells[0].textContent.trim().split(", ").pop()}`;
  }
  function show() {
    const n = Number(slider.value);
    for (const [area, values] of areas) {
      const text = values[n] ?? "";
      const value = text === "" ? null : Number(text);
      const look = value === null ? "unknown" : `c${bounds.filter((bound) => value >= bound).length}`;
      area.setAttribute("class", `area ${look}`);
      const said = `${area.dataset.name}: ${value === null ? "not known" : `${value} g`}`;
      area.querySelector("title").textContent = said;
      area.parentNode.setAttribute("aria-label", said);
    }
    const isNow = slider.value === slider.dataset.now;
    words.textContent = isNow ? `now (${whenOf(n)})` : whenOf(n);
    slider.setAttribute("aria-valuetext", words.textContent);
  }
  slider.closest(".time").hidden = false;
  slider.addEventListener("input", show);
  show();
}

// ---- copying a command
function copyable(block) {
  if (!navigator.clipboard) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.textContent.trim());
    button.textContent = "Copied";
  });
  block.before(button);
}

// ---- a click on the map of a form chooses its place
function chooses(map) {
  const field = document.getElementById("place");
  if (!field) return;
  map.addEventListener("click", (event) => {
    const area = event.target.closest(".area");
    if (!area) return;
    event.preventDefault();
    field.value = area.parentNode.dataset.region;
    field.form.requestSubmit();
  });
}

function wake() {
  document.querySelectorAll("svg.chart").forEach(readChart);
  document.querySelectorAll("svg.map:not(.choose)").forEach(moveMap);
  document.querySelectorAll("svg.map.choose").forEach(chooses);
  document.querySelectorAll("pre.copy").forEach(copyable);
}

// ---- the reader's clock
function offerZone() {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const link = document.getElementById("zone");
  if (!own || !link || own === document.body.dataset.zone || ["Europe/London", "UTC", "Etc/UTC"].includes(own)) return;
  const address = new URL(location.href);
  address.searchParams.set("tz", own);
  const offer = document.createElement("a");
  offer.href = address.pathname + address.search;
  offer.textContent = own;
  link.after(" · ", offer);
}

// ---- live: the server says when there is new data; the page asks for itself again and swaps what it shows
const LOST_AFTER_SECONDS = 120;
const focusable = "a, button, input, select, summary, [tabindex]";

// A form of the page stays as the reader left it, with what is typed and where the cursor is.
function swap(main, fresh) {
  const [form, given] = [main, fresh].map((one) => one.querySelector(":scope > form"));
  if (!form || !given) {
    main.replaceWith(fresh);
    return;
  }
  const nodes = [...fresh.childNodes];
  const at = nodes.indexOf(given);
  [...main.childNodes].forEach((node) => { if (node !== form) node.remove(); });
  form.before(...nodes.slice(0, at));
  form.after(...nodes.slice(at + 1));
}

async function renew() {
  let fresh;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (response.status === 401) location.reload(); // signed out elsewhere, or the token was revoked
    if (!response.ok) return;
    fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return; // asked again at the next look
  }
  const main = document.getElementById("main");
  const slider = document.getElementById("when");
  const moved = slider && slider.value !== slider.dataset.now ? slider.value : null;
  const open = [...main.querySelectorAll("details")].map((details) => details.open);
  const focused = [...main.querySelectorAll(focusable)].indexOf(document.activeElement);
  swap(main, fresh.getElementById("main"));
  document.querySelector("footer").replaceWith(fresh.querySelector("footer"));
  document.title = fresh.title;
  for (const name of ["knownAt", "fetchedAt"]) {
    if (fresh.body.dataset[name]) document.body.dataset[name] = fresh.body.dataset[name];
    else delete document.body.dataset[name];
  }
  const shown = document.getElementById("main");
  shown.querySelectorAll("details").forEach((details, n) => { details.open = open[n] || details.open; });
  if (moved !== null) document.getElementById("when").value = moved;
  wake();
  if (focused >= 0 && !shown.contains(document.activeElement)) {
    shown.querySelectorAll(focusable)[focused]?.focus({ preventScroll: true });
  }
}

function notLive(why) {
  const status = document.getElementById("status");
  if (!status || !status.matches(".live, .mixed")) return;
  status.className = "status old";
  status.querySelector("strong").textContent = "Not live";
  status.querySelector("span").textContent = why;
  document.title = `OLD · ${document.title.replace(/^OLD · /, "")}`;
}

function follow() {
  let source = null;
  let newest = ""; // instant of the last event
  let lost = 0; // since when there is no stream

  function open() {
    if (source && source.readyState !== EventSource.CLOSED) return; // a stream that was refused is closed for good
    source = new EventSource("/events");
    source.addEventListener("data", (event) => {
      newest = event.data;
      // not all readers at once
      if (lost || newest > document.body.dataset.knownAt) setTimeout(renew, 3000 * Math.random());
      lost = 0;
    });
    source.addEventListener("error", () => { lost = lost || Date.now(); });
  }

  function look() {
    if (document.hidden) return;
    open();
    if (lost && Date.now() - lost > 1000 * LOST_AFTER_SECONDS) {
      notLive("The connection to the service is lost; the figures are those of the last page.");
    }
    const at = document.body.dataset.fetchedAt;
    if (at && (Date.now() - Date.parse(at)) / 1000 > OLD_AFTER_SECONDS) {
      notLive("These figures are old: nothing real has been fetched for over 90 minutes.");
    }
    if (newest > document.body.dataset.knownAt) renew(); // what could not be renewed before
  }

  // a hidden tab holds no connection: a browser has six for a host
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && source) {
      source.close();
      lost = 0;
    }
    look();
  });
  look();
  setInterval(look, 30000);
}

wake();
offerZone();
if (document.body.hasAttribute("data-live")) follow();
