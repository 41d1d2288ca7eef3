/* Single keys for pages that carry a legend (components/shortcuts.html). Runs on Chromium 86.
   They work outside text fields only and can be switched off; the choice stays on this computer. */
(function () {
  "use strict";

  var KEPT = "single-keys";
  var legend = document.querySelector("[data-shortcuts]");
  if (!legend) {
    return;
  }
  var choice = legend.querySelector("[data-shortcuts-switch]");

  function isOn() {
    return choice.checked;
  }

  function show() {
    legend.classList.toggle("shortcuts-off", !isOn());
  }

  try {
    choice.checked = window.localStorage.getItem(KEPT) !== "off";
  } catch (error) {
    // Storage may be forbidden; the switch then holds for this page.
  }
  legend.hidden = false;
  show();
  choice.addEventListener("change", function () {
    show();
    try {
      window.localStorage.setItem(KEPT, isOn() ? "on" : "off");
    } catch (error) {
      return;
    }
  });

  function isTyping(element) {
    return element.isContentEditable || (
      element.matches("input, textarea, select") &&
      !element.matches("input[type=checkbox], input[type=radio], input[type=submit]")
    );
  }

  function press(target) {
    if (target.tagName === "SUMMARY") {
      var box = target.parentElement;
      document.querySelectorAll("details.act[open]").forEach(function (other) {
        if (other !== box) {
          other.removeAttribute("open");
        }
      });
      box.setAttribute("open", "");
      var field = box.querySelector("input:not([type=hidden]), select, textarea, button");
      (field || target).focus();
      return;
    }
    target.click();
  }

  document.addEventListener("keydown", function (event) {
    var at = event.target;
    if (event.isComposing || event.repeat || !(at instanceof Element)) {
      return;
    }
    var form = at.closest("form.act-panel");
    if (event.key === "Enter" && event.ctrlKey && form) {
      event.preventDefault();
      form.querySelector("button[type=submit]").click();
      return;
    }
    if (event.key === "Escape" && form) {
      var box = form.closest("details");
      box.removeAttribute("open");
      box.querySelector("summary").focus();
      return;
    }
    if (!isOn() || event.ctrlKey || event.altKey || event.metaKey || isTyping(at)) {
      return;
    }
    var key = event.key.toLowerCase();
    if (!/^[a-z]$/.test(key)) {
      return;
    }
    var target = document.querySelector('[data-key="' + key + '"]');
    if (target) {
      event.preventDefault();
      press(target);
    }
  });
})();
