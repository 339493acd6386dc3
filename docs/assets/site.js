// Names and focus that the theme does not give: for readers without a mouse or a screen.
(() => {
  let waits = false;

  const name = () => {
    waits = false;
    document.querySelector("[data-md-component=search]")?.setAttribute("aria-label", "Search");
    document.querySelectorAll(".md-code__nav").forEach((nav, index) => {
      nav.setAttribute("aria-label", `Code block ${index + 1}`);
    });
    document.querySelectorAll("pre > code, .md-typeset__scrollwrap").forEach((box) => {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    });
  };
  const soon = () => {
    if (!waits) requestAnimationFrame(name);
    waits = true;
  };

  new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  addEventListener("resize", soon);
  soon();
})();
