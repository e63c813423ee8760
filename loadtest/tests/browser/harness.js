// SPDX-License-Identifier: MIT
// Opens the report in frames of several widths, uses it, and posts what it found. The test judges.
"use strict";

const WIDTHS = [1200, 400];

function opened(width) {
  return new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.width = width;
    frame.height = 900;
    frame.addEventListener("load", () => resolve(frame));
    frame.src = "report.html";
    document.body.append(frame);
  });
}

// ---- colours

function rgb(text) {
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

// The texts that are hardest to read, WCAG's contrast of each.
function worstContrasts(win) {
  const found = new Map();
  for (const element of win.document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest("script, svg") || !element.getClientRects().length) continue;
    const style = win.getComputedStyle(element);
    const key = `${style.color} on ${background(element, win).slice(0, 3)}`;
    if (!found.has(key)) found.set(key, [contrast(rgb(style.color), background(element, win)), element.outerHTML.slice(0, 80)]);
  }
  return [...found.values()].sort((a, b) => a[0] - b[0]).slice(0, 3);
}

// ---- charts

// How many pixels of a canvas have each of the colours.
function ink(canvas, colours) {
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height;
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(canvas, 0, 0);
  const data = pen.getImageData(0, 0, copy.width, copy.height).data;
  const counts = Object.fromEntries(Object.keys(colours).map((name) => [name, 0]));
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 200) continue;
    for (const name in colours) {
      const [red, green, blue] = colours[name];
      if (Math.abs(data[i] - red) + Math.abs(data[i + 1] - green) + Math.abs(data[i + 2] - blue) < 12) counts[name]++;
    }
  }
  return counts;
}

function seriesColours(win) {
  const style = win.getComputedStyle(win.document.documentElement);
  return Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((i) => [i, rgb(style.getPropertyValue(`--s${i}`).trim())]));
}

function chartOf(figure, win) {
  const canvas = figure.querySelector("canvas"), colours = seriesColours(win);
  const chart = win.Chart.getChart(canvas);
  return {
    experiment: figure.dataset.experiment, drawn: Number(canvas.dataset.drawn), figure: canvas.dataset.figure,
    title: figure.querySelector(".title").textContent, note: figure.querySelector(".note").textContent,
    label: canvas.getAttribute("aria-label"), role: canvas.getAttribute("role"), type: chart.config.type,
    width: canvas.getBoundingClientRect().width, height: canvas.getBoundingClientRect().height,
    value: chart.scales[chart.options.indexAxis === "y" ? "x" : "y"].type,
    dashed: chart.data.datasets.filter((set) => (set.borderDash || []).length).map((set) => set.label),
    ink: ink(canvas, colours),
  };
}

async function hover(figure, win) {
  const canvas = figure.querySelector("canvas"), chart = win.Chart.getChart(canvas);
  const point = chart.getDatasetMeta(0).data.find((element) => Number.isFinite(element.x) && Number.isFinite(element.y));
  const box = canvas.getBoundingClientRect();
  canvas.dispatchEvent(new win.MouseEvent("mousemove", {
    bubbles: true, view: win, clientX: box.left + point.x, clientY: box.top + point.y,
  }));
  for (let i = 0; i < 100 && !chart.tooltip.opacity; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  const shown = chart.tooltip;
  return { opacity: shown.opacity, title: shown.title, lines: (shown.body || []).flatMap((part) => part.lines) };
}

function press(figure, win) {
  const key = figure.querySelector(".key");
  if (!key) return null;
  const before = Number(figure.querySelector("canvas").dataset.drawn);
  key.click();
  const after = Number(figure.querySelector("canvas").dataset.drawn), pressed = key.getAttribute("aria-pressed");
  key.click();
  return { before, after, pressed, again: Number(figure.querySelector("canvas").dataset.drawn) };
}

function choose(figure) {
  const select = figure.querySelector("select");
  if (!select) return null;
  const first = select.value;
  select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
  select.dispatchEvent(new Event("change"));
  const chosen = { value: select.value, first, figure: figure.querySelector("canvas").dataset.figure,
    title: figure.querySelector(".title").textContent };
  select.value = first;
  select.dispatchEvent(new Event("change"));
  return chosen;
}

// ---- the page

function printed(win) {
  const root = win.document.documentElement;
  const widths = () => [...win.document.querySelectorAll("canvas")].map((canvas) => canvas.getBoundingClientRect().width);
  win.dispatchEvent(new Event("beforeprint"));
  const paper = win.getComputedStyle(win.document.body).backgroundColor;
  const found = { paper, widths: widths() };
  win.dispatchEvent(new Event("afterprint"));
  return { ...found, classes: root.className, widthsAfter: widths() };
}

async function look(width) {
  const frame = await opened(width), win = frame.contentWindow, page = win.document;
  const figures = [...page.querySelectorAll("figure")];
  const hovers = [];
  for (const figure of figures) hovers.push(await hover(figure, win));
  return {
    width, dark: win.matchMedia("(prefers-color-scheme: dark)").matches, charts: Number(page.documentElement.dataset.charts),
    hacked: win.hacked === undefined ? null : String(win.hacked), overflow: page.documentElement.scrollWidth - frame.clientWidth,
    background: win.getComputedStyle(page.body).backgroundColor, worst: worstContrasts(win),
    figures: figures.map((figure) => chartOf(figure, win)), hovers,
    pressed: figures.map((figure) => press(figure, win)), chosen: figures.map(choose), print: printed(win),
    headings: [...page.querySelectorAll("h1, h2, h3")].map((heading) => Number(heading.tagName[1])),
    tables: page.querySelectorAll("table").length, captions: page.querySelectorAll("table > caption").length,
    linksToNowhere: [...page.querySelectorAll("a")].filter((link) => !page.querySelector(link.getAttribute("href"))).length,
    images: page.querySelectorAll("img").length,
  };
}

(async () => {
  const found = [];
  try {
    for (const width of WIDTHS) found.push(await look(width));
  } catch (error) {
    found.push({ error: `${error}\n${error.stack}` });
  }
  await fetch("findings", { method: "POST", body: JSON.stringify(found) });
})();
