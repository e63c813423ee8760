// SPDX-License-Identifier: MIT
// Opens the report in frames of several widths and once as on paper, and posts what it found. The test judges.
"use strict";

const PAPER = 688; // A4 within its margins, in CSS pixels
const VIEWS = [{ width: 1200 }, { width: 400 }, { width: PAPER, paper: true }];

function opened({ width }) {
  return new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.width = width;
    frame.height = 900;
    frame.addEventListener("load", () => resolve(frame));
    frame.src = "report.html";
    document.body.append(frame);
  });
}

// Lets the rules for paper hold, and none that are for a screen.
function putOnPaper(page) {
  for (const rule of page.styleSheets[0].cssRules) {
    if (!(rule instanceof page.defaultView.CSSMediaRule)) continue;
    rule.media.mediaText = rule.media.mediaText.includes("print") ? "all" : "not all";
  }
}

// ---- colours

const colours = new Map();

function rgb(text) {
  if (!colours.has(text)) colours.set(text, computed(text));
  return colours.get(text);
}

function computed(text) {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  pen.fillStyle = text;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data];
}

function luminance([red, green, blue]) {
  const [r, g, b] = [red, green, blue].map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

function background(element, win) {
  for (let at = element; at; at = at.parentElement) {
    const colour = rgb(win.getComputedStyle(at).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return [255, 255, 255, 255];
}

// The texts that are hardest to read, WCAG's contrast of each; those of charts too.
function worstContrasts(win) {
  const found = new Map();
  for (const element of win.document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.tagName === "title" || !element.getClientRects().length) continue;
    const style = win.getComputedStyle(element);
    const colour = element instanceof win.SVGElement ? style.fill : style.color;
    const key = `${colour} on ${background(element, win).slice(0, 3)}`;
    if (!found.has(key)) found.set(key, [contrast(rgb(colour), background(element, win)), element.outerHTML.slice(0, 80)]);
  }
  return [...found.values()].sort((a, b) => a[0] - b[0]).slice(0, 3);
}

// ---- charts

function overlap(one, other) {
  return one.x < other.x + other.width - 1 && other.x < one.x + one.width - 1 &&
    one.y < other.y + other.height - 1 && other.y < one.y + one.height - 1;
}

// What is wrong with how a chart is drawn: texts outside of it or upon each other, marks without their colour.
function faults(svg, win) {
  // A timeline has no view box: its places are per cent of its width, or pixels.
  const found = [], view = svg.hasAttribute("viewBox") ? svg.viewBox.baseVal : svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBBox()]);
  boxes.forEach(([text, box], i) => {
    if (box.x < -1 || box.x + box.width > view.width + 1 || box.y + box.height > view.height + 1) found.push(`outside: ${text}`);
    for (const [other, beside] of boxes.slice(0, i)) if (overlap(box, beside)) found.push(`${text} upon ${other}`);
  });
  for (const mark of svg.querySelectorAll(".mark")) {
    if (win.getComputedStyle(mark).stroke === "none" || !mark.getBoundingClientRect().width) found.push("a mark is not drawn");
  }
  return found;
}

// How high the letters of its first text are that is shown.
function lettersOf(svg) {
  const shown = [...svg.querySelectorAll("text")].find((text) => text.getClientRects().length);
  return shown ? shown.getBoundingClientRect().height : 0;
}

function chartOf(svg, win) {
  const box = svg.getBoundingClientRect();
  return {
    label: svg.getAttribute("aria-label"), strip: svg.classList.contains("strip"), timeline: svg.classList.contains("lanes"), width: box.width, height: box.height,
    marks: svg.querySelectorAll(".mark").length, thresholds: svg.querySelectorAll(".threshold").length, faults: faults(svg, win),
    letters: lettersOf(svg),
  };
}

// ---- the page

function focusable(page) {
  return [...page.querySelectorAll("a, [tabindex]")].filter((element) => element.tabIndex >= 0);
}

async function look(view) {
  const frame = await opened(view), win = frame.contentWindow, page = win.document;
  if (view.paper) putOnPaper(page);
  const charts = [...page.querySelectorAll("svg[role=img]")];
  const first = focusable(page)[0];
  first.focus();
  return {
    ...view, dark: win.matchMedia("(prefers-color-scheme: dark)").matches,
    hacked: win.hacked === undefined ? null : String(win.hacked), overflow: page.documentElement.scrollWidth - frame.clientWidth,
    background: win.getComputedStyle(page.body).backgroundColor, worst: worstContrasts(win),
    charts: charts.map((svg) => chartOf(svg, win)),
    skip: { href: first.getAttribute("href"), left: first.getBoundingClientRect().left },
    headings: [...page.querySelectorAll("h1, h2, h3")].map((heading) => Number(heading.tagName[1])),
    tables: page.querySelectorAll("table").length, captions: page.querySelectorAll("table > caption").length,
    scrolled: [...page.querySelectorAll(".table")].filter((table) => table.scrollWidth > table.clientWidth + 1 && table.tabIndex < 0).length,
    linksToNowhere: [...page.querySelectorAll("a")].filter((link) => !page.getElementById(link.getAttribute("href").slice(1))).length,
    images: page.querySelectorAll("img").length,
    landmarks: [...page.querySelectorAll("header, nav, main, footer")].map((element) => element.tagName.toLowerCase()),
  };
}

(async () => {
  const found = [];
  try {
    for (const view of VIEWS) found.push(await look(view));
  } catch (error) {
    found.push({ error: `${error}\n${error.stack}` });
  }
  await fetch("findings", { method: "POST", body: JSON.stringify(found) });
})();
