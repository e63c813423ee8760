// SPDX-License-Identifier: MIT
// Draws the charts of the report with Chart.js from the page's data. A chart says of itself in data-drawn how many
// figures it shows; the page says in data-charts how many charts were drawn.
(function () {
  "use strict";

  const root = document.documentElement;
  const experiments = JSON.parse(document.getElementById("data").textContent).experiments;
  const SHAPES = ["circle", "rect", "triangle", "rectRot", "rectRounded", "star", "crossRot", "cross"];
  const STEPS = [1, 2, 5, 10];

  // ---- figures as text: what lab/table.py does, for the round figures of an axis

  function number(value) {
    return value.toLocaleString("en", { maximumSignificantDigits: 3 });
  }

  // The multiple of the unit that suits a value: [its size, its name].
  function multiple(value, unit) {
    const size = Math.abs(value);
    const micro = { "µs": 1, us: 1, ms: 1e3, s: 1e6 }[unit];
    if (micro) {
      const all = [[1e6, "s"], [1e3, "ms"], [1, "µs"]].map(([of, name]) => [of / micro, name]);
      return all.find(([of]) => size >= of) || all[2];
    }
    if (unit === "B" || unit === "bytes") {
      const all = [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [1024, "KiB"], [1, "B"]];
      return all.find(([of]) => size >= of) || all[3];
    }
    return [1, unit.endsWith("/s") ? "" : unit];
  }

  function shown(value, unit) {
    const [size, name] = value === 0 ? [1, ""] : multiple(value, unit);
    return `${number(value / size)} ${name}`.trim();
  }

  // ---- axes

  // A step of 1, 2 or 5 times a power of ten of the unit's multiple, so that at most `count` of them reach `largest`.
  function step(largest, unit, count) {
    const size = multiple(largest, unit)[0];
    const rough = largest / size / count;
    const ten = 10 ** Math.floor(Math.log10(rough));
    return STEPS.find((factor) => factor * ten >= rough * 0.999) * ten * size;
  }

  function linear(values, unit) {
    const largest = Math.max(...values, 0), smallest = Math.min(...values, 0);
    const each = step(Math.max(largest, -smallest) || 1, unit, 6);
    const min = Math.floor(smallest / each) * each, max = Math.ceil((largest || 1) / each) * each;
    const ticks = [];
    for (let i = 0; min + i * each <= max + each / 2; i++) ticks.push(min + i * each);
    return { type: "linear", min, max, ticks };
  }

  // Powers of the base in which the unit counts, with steps between them where there are few.
  function logarithmic(values, unit) {
    const binary = unit === "B" || unit === "bytes";
    const low = Math.min(...values) / 1.15, high = Math.max(...values) * 1.15;
    const candidates = binary
      ? [[1], [1, 4], [1, 4, 16, 64, 256]].map((factors) => [1024, factors])
      : [[1], [1, 3], [1, 2, 5]].map((factors) => [10, factors]);
    let ticks = [];
    for (const [base, factors] of candidates) {
      const first = Math.floor(Math.log(low) / Math.log(base));
      const last = Math.ceil(Math.log(high) / Math.log(base));
      ticks = [];
      for (let power = first; power <= last; power++) {
        for (const factor of factors) ticks.push(factor * base ** power);
      }
      const inside = ticks.filter((tick) => tick >= low && tick <= high);
      if (inside.length >= 3) break;
    }
    const min = Math.max(...ticks.filter((tick) => tick <= low), -Infinity);
    const max = Math.min(...ticks.filter((tick) => tick >= high), Infinity);
    return {
      type: "logarithmic", ticks: ticks.filter((tick) => tick >= min && tick <= max),
      min: Number.isFinite(min) ? min : low, max: Number.isFinite(max) ? max : high,
    };
  }

  // With `zeros` a 0 may stand at the foot of a logarithmic axis: where its value is written beside it.
  function valueAxis(values, figure, zeros) {
    const positive = values.filter((value) => value > 0);
    const log = figure.log && positive.length > 0 && (positive.length === values.length || (zeros && Math.min(...values) === 0));
    return log ? logarithmic(positive, figure.unit) : linear(values, figure.unit);
  }

  function scale(axis, unit, title, ink) {
    return {
      type: axis.type, min: axis.min, max: axis.max,
      title: { display: Boolean(title), text: title, color: ink.muted },
      grid: { color: ink.line, borderColor: ink.muted },
      ticks: { color: ink.muted, callback: (value) => shown(value, unit), maxRotation: 0, autoSkipPadding: 12 },
      afterBuildTicks: (built) => { built.ticks = axis.ticks.map((value) => ({ value })); },
    };
  }

  // ---- colours, as the style sheet has them now

  function inks() {
    const style = getComputedStyle(root);
    const get = (name) => style.getPropertyValue(name).trim();
    return { text: get("--text"), muted: get("--muted"), line: get("--line"), panel: get("--panel"), paper: get("--paper"),
      series: (index) => get(`--s${index}`) };
  }

  function hatched(colour) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    for (const [x, y] of [[-2, 2], [0, 8], [6, 10]]) {
      pen.moveTo(x, y);
      pen.lineTo(x + (y === 8 ? 8 : 4), y - (y === 8 ? 8 : 4));
    }
    pen.stroke();
    return tile.getContext("2d").createPattern(tile, "repeat");
  }

  // ---- what Chart.js does not draw: the spread of the rounds, values beside bars

  function whisker(pen, element, horizontal, from, to) {
    const cap = 4;
    pen.beginPath();
    if (horizontal) {
      pen.moveTo(from, element.y); pen.lineTo(to, element.y);
      for (const x of [from, to]) { pen.moveTo(x, element.y - cap); pen.lineTo(x, element.y + cap); }
    } else {
      pen.moveTo(element.x, from); pen.lineTo(element.x, to);
      for (const y of [from, to]) { pen.moveTo(element.x - cap, y); pen.lineTo(element.x + cap, y); }
    }
    pen.stroke();
  }

  const spreads = {
    id: "spreads",
    afterDatasetsDraw(chart) {
      const pen = chart.ctx, horizontal = chart.options.indexAxis === "y";
      const axis = chart.scales[horizontal ? "x" : "y"];
      pen.save();
      pen.lineWidth = 1.5;
      chart.data.datasets.forEach((dataset, i) => {
        if (!dataset.points) return;
        chart.getDatasetMeta(i).data.forEach((element, j) => {
          const point = dataset.points[j];
          if (!point || point.failure || point.low === undefined || point.low === point.high) return;
          const low = axis.type === "logarithmic" ? Math.max(point.low, axis.min) : point.low;
          pen.strokeStyle = dataset.whisker;
          whisker(pen, element, horizontal, axis.getPixelForValue(low), axis.getPixelForValue(Math.min(point.high, axis.max)));
        });
      });
      pen.restore();
    },
  };

  const FONT = "12px system-ui, sans-serif";

  const barTexts = {
    id: "barTexts",
    afterDatasetsDraw(chart) {
      const dataset = chart.data.datasets[0];
      if (chart.options.indexAxis !== "y" || !dataset) return;
      const pen = chart.ctx, axis = chart.scales.x;
      pen.save();
      pen.font = FONT;
      pen.textBaseline = "middle";
      chart.getDatasetMeta(0).data.forEach((element, i) => {
        const point = dataset.points[i];
        const text = point.failure ? `no figure: ${point.failure}` : point.text;
        const end = point.failure ? axis.left : axis.getPixelForValue(Math.min(Math.max(point.high, point.y), axis.max));
        pen.fillStyle = point.failure ? dataset.muted : dataset.ink;
        pen.fillText(fitting(pen, text || "", chart.width - end - 10), end + 8, element.y);
      });
      pen.restore();
    },
  };

  function fitting(pen, text, width) {
    if (pen.measureText(text).width <= width) return text;
    let end = text.length;
    while (end > 0 && pen.measureText(`${text.slice(0, end)}…`).width > width) end--;
    return `${text.slice(0, end)}…`;
  }

  function textWidth(texts) {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = FONT;
    return Math.max(0, ...texts.map((text) => pen.measureText(text).width));
  }

  // ---- the charts

  // The points of a series for one figure, one for each x of the experiment; null where there is none.
  function pointsOf(experiment, series, figure) {
    return experiment.xs.map((x) => {
      const point = series.points.find((candidate) => candidate.x === x);
      if (!point) return null;
      if (point.failure) return { failure: point.failure };
      const sample = point.figures[figure.name];
      return sample ? { y: sample.median, low: sample.low, high: sample.high, text: sample.text, hover: sample.hover } : null;
    });
  }

  const valueOf = (point) => (point && !point.failure ? point.y : null);

  function tooltip(ink, title) {
    return {
      backgroundColor: ink.panel, titleColor: ink.text, bodyColor: ink.text, borderColor: ink.line, borderWidth: 1,
      usePointStyle: true, padding: 10, boxPadding: 4,
      itemSort: (a, b) => (b.raw ?? -1) - (a.raw ?? -1),
      callbacks: {
        title,
        label: (item) => {
          const point = item.dataset.points[item.dataIndex];
          return `${item.dataset.names ? item.dataset.names[item.dataIndex] : item.dataset.label}: ` +
            (point.failure ? `no figure: ${point.failure}` : point.hover);
        },
      },
    };
  }

  function options(ink, more) {
    return Object.assign({
      animation: false, responsive: true, maintainAspectRatio: false, normalized: true,
      devicePixelRatio: Math.max(window.devicePixelRatio || 1, 2), color: ink.text,
    }, more);
  }

  // One bar for each subject, with its value beside it.
  function bars(experiment, figure, ink) {
    const all = experiment.series.map((series) => [series, pointsOf(experiment, series, figure)[0]]);
    const entries = all.filter(([, point]) => point);
    const points = entries.map(([, point]) => point);
    const values = points.filter((point) => !point.failure).flatMap((point) => [point.y, point.high, point.low]);
    const axis = valueAxis(values, figure, true);
    const colours = entries.map(([series]) => ink.series(series.style));
    return {
      points: points.filter((point) => !point.failure).length,
      height: 34 * entries.length + 60,
      config: {
        type: "bar", plugins: [spreads, barTexts],
        data: {
          labels: entries.map(([series]) => series.subject),
          datasets: [{
            label: figure.title, points, names: entries.map(([series]) => series.subject),
            data: points.map((point) => (point.failure ? null : Math.max(point.y, axis.min))),
            backgroundColor: colours.map((colour, i) => (entries[i][0].kind === "ceiling" ? hatched(colour) : colour)),
            borderColor: colours, borderWidth: 1, whisker: ink.text, ink: ink.text, muted: ink.muted, maxBarThickness: 22,
            base: axis.min,
          }],
        },
        options: options(ink, {
          indexAxis: "y", interaction: { mode: "index", axis: "y", intersect: false },
          layout: { padding: { right: Math.min(textWidth(points.map((point) => point.text || "")) + 16, 200) } },
          scales: {
            x: scale(axis, figure.unit, "", ink),
            y: { ticks: { color: ink.text, autoSkip: false }, grid: { display: false, borderColor: ink.muted } },
          },
          plugins: { legend: { display: false }, tooltip: tooltip(ink, () => figure.title) },
        }),
      },
    };
  }

  function lineSet(series, points, ink) {
    const colour = ink.series(series.style), ceiling = series.kind === "ceiling";
    return {
      label: series.subject, yAxisID: "y", data: points.map(valueOf), points, borderColor: colour, borderWidth: 2,
      whisker: colour,
      backgroundColor: ceiling ? ink.paper : colour, borderDash: ceiling ? [6, 4] : [], pointBorderColor: colour,
      pointStyle: SHAPES[series.style - 1], pointRadius: 4, pointHoverRadius: 6, pointBorderWidth: 1.5, spanGaps: true,
    };
  }

  function groupSet(series, points, ink, base) {
    const colour = ink.series(series.style);
    return {
      label: series.subject, yAxisID: "y", data: points.map(valueOf), points, base, borderColor: colour, borderWidth: 1,
      backgroundColor: series.kind === "ceiling" ? hatched(colour) : colour, pointStyle: "rect", maxBarThickness: 28,
      whisker: ink.text,
    };
  }

  // Crosses in a band under the figures where a subject has none, one above the other.
  function failureSet(series, points, ink, level) {
    return {
      type: "line", label: series.subject, yAxisID: "failures", showLine: false, points, borderColor: ink.series(series.style),
      data: points.map((point) => (point && point.failure ? level : null)), pointStyle: "crossRot",
      pointRadius: 6, pointHoverRadius: 7, pointBorderWidth: 2.5,
    };
  }

  function failureScale(count, ink) {
    return {
      type: "linear", axis: "y", position: "left", stack: "figures", stackWeight: 0.9 + 0.35 * count, min: -0.7, max: count - 0.3,
      grid: { display: false, borderColor: ink.line }, ticks: { color: ink.muted, callback: () => "no figure" },
      afterBuildTicks: (built) => { built.ticks = [{ value: (count - 1) / 2 }]; },
    };
  }

  // Lines, or groups of bars, over what is varied.
  function overX(experiment, figure, hidden, ink) {
    const visible = experiment.series.filter((series) => !hidden.has(series.subject))
      .map((series) => [series, pointsOf(experiment, series, figure)]);
    const sound = visible.flatMap(([, points]) => points).filter((point) => point && !point.failure);
    const axis = valueAxis(sound.flatMap((point) => [point.y, point.high, point.low]), figure);
    const line = experiment.chart === "line", x = experiment.x;
    const failed = visible.filter(([, points]) => points.some((point) => point && point.failure));
    const numeric = line && experiment.xs.every((value) => typeof value === "number");
    const xAxis = {
      title: { display: true, text: x.title, color: ink.muted },
      grid: { color: ink.line, borderColor: ink.muted, display: line },
      ticks: { color: ink.muted, maxRotation: 0, autoSkipPadding: 10 },
    };
    if (numeric) {
      Object.assign(xAxis, {
        type: x.log && experiment.xs[0] > 0 ? "logarithmic" : "linear", min: experiment.xs[0], max: experiment.xs.at(-1),
        afterBuildTicks: (built) => { built.ticks = experiment.xs.map((value) => ({ value })); },
      });
      xAxis.ticks.callback = (value) => experiment.x_texts[experiment.xs.indexOf(value)];
    }
    const sets = visible.map(([series, points]) =>
      (line ? lineSet(series, points, ink) : groupSet(series, points, ink, axis.min)));
    return {
      points: sound.length,
      config: {
        type: line ? "line" : "bar", plugins: [spreads],
        data: {
          labels: numeric ? experiment.xs : experiment.x_texts,
          datasets: sets.concat(failed.map(([series, points], i) => failureSet(series, points, ink, i))),
        },
        options: options(ink, {
          interaction: { mode: "index", intersect: false }, clip: 8,
          scales: {
            x: xAxis,
            ...(failed.length ? { failures: failureScale(failed.length, ink) } : {}),
            y: { ...scale(axis, figure.unit, "", ink), stack: "figures", stackWeight: 8 },
          },
          plugins: {
            legend: { display: false },
            tooltip: tooltip(ink, ([item]) => (item ? `${experiment.x_texts[item.dataIndex]} ${x.plural}`.trim() : "")),
          },
        }),
      },
    };
  }

  function note(figure, log) {
    const better = { lower: "lower is better", higher: "higher is better" }[figure.better];
    return [better, log ? "logarithmic axis" : ""].filter(Boolean).join(", ");
  }

  // The chart of one experiment, its figure and what of it is hidden.
  function Panel(experiment, figureElement) {
    const plot = figureElement.querySelector(".plot");
    const hidden = new Set();
    let figure = experiment.figures.find((candidate) => candidate.name === experiment.figure);
    let chart = null;

    this.draw = function (width) {
      if (chart) chart.destroy();
      const canvas = plot.querySelector("canvas");
      const ink = inks();
      const made = experiment.xs.length === 1 ? bars(experiment, figure, ink) : overX(experiment, figure, hidden, ink);
      plot.style.height = made.height ? `${made.height * (width ? 0.8 : 1)}px` : "";
      plot.style.width = width ? `${width}px` : "";
      chart = new Chart(canvas, made.config);
      if (width) chart.resize(width, plot.clientHeight);
      const value = chart.scales[made.config.options.indexAxis === "y" ? "x" : "y"];
      figureElement.querySelector(".title").textContent = figure.title;
      figureElement.querySelector(".note").textContent = note(figure, value.type === "logarithmic");
      canvas.dataset.drawn = made.points;
      canvas.dataset.figure = figure.name;
    };

    const choice = figureElement.querySelector("select");
    if (choice) {
      choice.addEventListener("change", () => {
        figure = experiment.figures.find((candidate) => candidate.name === choice.value);
        this.draw();
      });
    }
    for (const key of figureElement.querySelectorAll(".key")) {
      key.addEventListener("click", () => {
        const subject = key.dataset.subject;
        if (!hidden.delete(subject)) hidden.add(subject);
        key.setAttribute("aria-pressed", String(!hidden.has(subject)));
        this.draw();
      });
    }
  }

  const PAPER_WIDTH = 660; // pixels of a line on A4 and on US Letter

  function drawAll(panels, width) {
    let drawn = 0;
    for (const panel of panels) {
      try {
        panel.draw(width);
        drawn++;
      } catch (error) {
        console.error(error);
      }
    }
    root.dataset.charts = drawn;
  }

  const panels = [];
  for (const figureElement of document.querySelectorAll("figure[data-experiment]")) {
    const experiment = experiments.find((candidate) => candidate.name === figureElement.dataset.experiment);
    panels.push(new Panel(experiment, figureElement));
  }
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  drawAll(panels);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(panels));
  window.addEventListener("beforeprint", () => { root.classList.add("paper"); drawAll(panels, PAPER_WIDTH); });
  window.addEventListener("afterprint", () => { root.classList.remove("paper"); drawAll(panels); });
})();
