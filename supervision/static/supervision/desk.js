/* Comfort only: every page works without this file. Runs on Chromium 86. */
(function () {
  "use strict";

  function matches(element, selector) {
    return element instanceof Element && element.matches(selector);
  }

  // Ask before an act that cannot be taken back: <form data-confirm="…">, <button data-confirm="…">.
  document.addEventListener("submit", function (event) {
    var question =
      (event.submitter && event.submitter.getAttribute("data-confirm")) ||
      event.target.getAttribute("data-confirm");
    if (question && !window.confirm(question)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);

  // Send once: <form data-once>. Buttons come back if the answer never replaces the page.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || !matches(form, "form[data-once]")) {
      return;
    }
    if (form.getAttribute("data-sent") === "yes") {
      event.preventDefault();
      return;
    }
    form.setAttribute("data-sent", "yes");
    window.setTimeout(function () {
      // After the browser has read the button's name and value.
      setButtons(form, true);
    }, 0);
    window.setTimeout(function () {
      release(form);
    }, 15000);
  });

  function setButtons(form, disabled) {
    form.querySelectorAll("button[type=submit], input[type=submit]").forEach(function (button) {
      if (disabled) {
        button.setAttribute("aria-disabled", "true");
      } else {
        button.removeAttribute("aria-disabled");
      }
    });
  }

  function release(form) {
    form.removeAttribute("data-sent");
    setButtons(form, false);
  }

  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(release);
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    var form = event.target instanceof Element && event.target.closest("form[data-sent]");
    if (form) {
      release(form);
    }
    if (event.detail && event.detail.successful && matches(event.target, "form")) {
      event.target.removeAttribute("data-unsaved");
    }
  });

  // Unsaved text: <form data-warn-unsaved>.
  document.addEventListener("input", function (event) {
    var form = event.target instanceof Element && event.target.closest("form[data-warn-unsaved]");
    if (form) {
      form.setAttribute("data-unsaved", "yes");
    }
  });
  document.addEventListener("submit", function (event) {
    if (!event.defaultPrevented && event.target instanceof Element) {
      event.target.removeAttribute("data-unsaved");
    }
  });
  document.addEventListener("reset", function (event) {
    event.target.removeAttribute("data-unsaved");
  });
  window.addEventListener("beforeunload", function (event) {
    if (document.querySelector("form[data-unsaved]")) {
      event.preventDefault();
      event.returnValue = "";
    }
  });

  // The user's menu closes on Escape and on a click elsewhere.
  function closeMenus(except) {
    document.querySelectorAll("details.user-menu[open]").forEach(function (menu) {
      if (menu !== except) {
        menu.removeAttribute("open");
      }
    });
  }
  document.addEventListener("click", function (event) {
    closeMenus(event.target instanceof Element && event.target.closest("details.user-menu"));
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      var menu = document.querySelector("details.user-menu[open]");
      if (menu) {
        menu.removeAttribute("open");
        menu.querySelector("summary").focus();
      }
    }
  });
})();
