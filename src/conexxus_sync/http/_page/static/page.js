// Keeps the page as it is now: every second while a run is at work, else
// every quarter of a minute. Without this file the page works, too.
"use strict";

const BUSY_MS = 1000;
const CALM_MS = 15000;

let timer;

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
  const focused = path(document.activeElement);
  const scrolled = [...live().querySelectorAll(".scroll")].map((part) => [part.scrollLeft, part.scrollTop]);

  live().replaceWith(next);
  document.title = fresh.title;

  open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  next.querySelectorAll(".scroll").forEach((part, at) => part.scrollTo(...(scrolled[at] ?? [0, 0])));
  if (focused) {
    next.querySelector(focused)?.focus({ preventScroll: true });
  }
};

// Where the focus is, in words that find the same place in a new page.
const path = (element) => {
  const form = element?.closest("form");
  if (!form || !live().contains(form)) {
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
      tell((await answer.json().catch(() => ({}))).error ?? `It answered ${answer.status}.`);
    }
  } catch {
    tell("This page can't reach the SDK just now. Is it running?");
  }

  plan();
};

const tell = (sentence) => {
  const note = live().querySelector(".note") ?? document.createElement("p");
  note.className = "note bad";
  note.setAttribute("role", "status");
  note.textContent = sentence;
  live().querySelector(".top").after(note);
};

const plan = () => {
  clearTimeout(timer);
  timer = setTimeout(refresh, live().dataset.busy === "yes" ? BUSY_MS : CALM_MS);
};

// What a click became stays to be read; what is shown is that of now.
const refresh = () => (document.hidden ? plan() : load(location.href));

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("action") === "page/logout") {
    return;
  }

  event.preventDefault();
  // A button that is disabled would lose the focus.
  if (form.dataset.sent) {
    return;
  }
  form.dataset.sent = "yes";
  load(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
});

document.addEventListener("visibilitychange", () => document.hidden || refresh());
plan();
