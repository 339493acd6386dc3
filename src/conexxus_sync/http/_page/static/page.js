// Keeps the page as it is now: every second while a run is at work, else
// every quarter of a minute. Without this file the page works, too.
"use strict";

const BUSY_MS = 1000;
const CALM_MS = 15000;

// So long a click's outcome stays to be read.
const NOTE_MS = 60000;

let timer;
let noted = { note: null, until: 0 };

const live = () => document.getElementById("live");

const show = (html) => {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const next = fresh.getElementById("live");

  // Signed out, or not the page: let the browser show what it is.
  if (!next) {
    location.reload();
    return;
  }

  const open = [...live().querySelectorAll("details[open]")].map((details) => details.id);
  const focused = place(document.activeElement);
  const scrolled = [...live().querySelectorAll(".scroll")].map((part) => [part.scrollLeft, part.scrollTop]);

  live().replaceWith(next);
  document.title = fresh.title;
  keepNote(next);

  open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  next.querySelectorAll(".scroll").forEach((part, at) => part.scrollTo(...(scrolled[at] ?? [0, 0])));
  if (focused) {
    next.querySelector(focused)?.focus({ preventScroll: true });
  }
};

const keepNote = (next) => {
  const note = next.querySelector(".note");

  if (note) {
    noted = { note, until: Date.now() + NOTE_MS };
  } else if (noted.note && Date.now() < noted.until) {
    next.querySelector(".top").after(noted.note);
  }
};

// Where the focus is, in words that find the same place in a new page.
const place = (element) => {
  if (!element || !live().contains(element)) {
    return null;
  }
  if (element.matches("summary")) {
    return `[id="${CSS.escape(element.parentElement.id)}"] > summary`;
  }
  if (element.matches("a")) {
    return `a[href="${CSS.escape(element.getAttribute("href"))}"]`;
  }
  if (element.matches("[aria-label]")) {
    return `[aria-label="${CSS.escape(element.getAttribute("aria-label"))}"]`;
  }
  if (element.matches("pre")) {
    return `[id="${CSS.escape(element.closest("details").id)}"] pre`;
  }

  const form = element.closest("form");
  if (!form) {
    return null;
  }

  const field = form.querySelector("input[name=key], input[name=run]");
  const value = field ? `:has([value="${CSS.escape(field.value)}"])` : "";

  return `form[action="${CSS.escape(form.getAttribute("action"))}"]${value} button`;
};

const load = async (address, options) => {
  clearTimeout(timer);

  try {
    const answer = await fetch(address, options);
    if (answer.ok) {
      show(await answer.text());
    } else if (answer.status === 401) {
      location.reload();
      return;
    } else if (options) {
      report((await answer.json().catch(() => ({}))).error ?? `It answered ${answer.status}.`);
    }
  } catch {
    report("This page can't reach the SDK just now. Is it running?");
  }

  plan();
};

const report = (sentence) => {
  live().querySelector(".note")?.remove();
  const note = document.createElement("p");
  note.className = "note bad";
  note.setAttribute("role", "status");
  note.textContent = sentence;
  live().querySelector(".top").after(note);
};

const plan = () => {
  clearTimeout(timer);
  timer = setTimeout(refresh, live().dataset.busy === "yes" ? BUSY_MS : CALM_MS);
};

const refresh = () => (document.hidden ? plan() : load(live().dataset.address ?? location.pathname));

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("action") === "page/logout" || form.method === "get") {
    return;
  }

  event.preventDefault();
  // A button that is disabled would lose the focus.
  if (form.dataset.sent) {
    return;
  }
  form.dataset.sent = "yes";
  const body = new URLSearchParams(new FormData(form));
  load(form.action, { method: "POST", body }).finally(() => delete form.dataset.sent);
});

document.addEventListener("visibilitychange", () => document.hidden || refresh());
plan();
