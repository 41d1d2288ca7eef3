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

  // Rows that save themselves as they are typed: <form data-autosave>, <section data-save-to="…">.
  // A row waits two seconds after the last key, or until it is left, and is saved one at a time.
  var WAIT = 2000;
  var AGAIN = 15000;

  function rowOf(element) {
    var row = element instanceof Element && element.closest("[data-save-to]");
    return row && row.closest("form[data-autosave]") ? row : null;
  }

  function valuesOf(row) {
    var prefix = row.getAttribute("data-prefix");
    var body = new FormData();
    row.querySelectorAll("input, select, textarea").forEach(function (input) {
      var isOff = input.type === "checkbox" && !input.checked;
      if (input.name.indexOf(prefix) === 0 && input.type !== "file" && !isOff) {
        body.append(input.name, input.value);
      }
    });
    body.append(
      "csrfmiddlewaretoken",
      row.closest("form").querySelector("input[name=csrfmiddlewaretoken]").value
    );
    return body;
  }

  function later(row, milliseconds) {
    window.clearTimeout(row.saveTimer);
    row.saveTimer = window.setTimeout(function () {
      saveRow(row);
    }, milliseconds);
  }

  function versionOf(row) {
    return row.querySelector("input[type=hidden][name$='-version']");
  }

  function say(row, text) {
    var place = row.querySelector(".save-state");
    if (place) {
      place.textContent = text;
    }
  }

  function saveRow(row) {
    var form = row.closest("form");
    window.clearTimeout(row.saveTimer);
    if (!row.isDirty || row.isTold) {
      return Promise.resolve();
    }
    if (row.saving) {
      return row.saving.then(function () {
        return saveRow(row);
      });
    }
    row.isDirty = false;
    say(row, form.getAttribute("data-saving"));
    row.saving = window
      .fetch(row.getAttribute("data-save-to"), {
        method: "POST",
        body: valuesOf(row),
        credentials: "same-origin",
        redirect: "error"
      })
      .then(function (answer) {
        if (answer.status !== 200 && answer.status !== 409) {
          throw new Error(String(answer.status));
        }
        return answer.json().then(function (found) {
          show(row, found, answer.status === 409);
        });
      })
      .catch(function () {
        row.isDirty = true;
        say(row, form.getAttribute("data-lost"));
        later(row, AGAIN);
      })
      .then(function () {
        row.saving = null;
        settle(form);
      });
    return row.saving;
  }

  function show(row, found, isTold) {
    row.isTold = isTold;
    row.isDirty = row.isDirty || isTold;
    row.querySelector("[data-row-state]").innerHTML = found.state;
    if (isTold) {
      return;
    }
    versionOf(row).value = found.version;
    var reason = row.querySelector("[data-change-reason]");
    if (reason && found.has_moves) {
      reason.hidden = false;
    }
    var mark = row.querySelector("input[name$='-is_complete']");
    if (mark && !row.isDirty) {
      mark.checked = found.is_complete;
    }
    Object.keys(found.rates).forEach(function (target) {
      row.querySelector("[data-rate='" + target + "']").textContent = found.rates[target];
    });
    document.querySelectorAll("[data-return-count]").forEach(function (place) {
      place.innerHTML = found.count;
    });
  }

  function rowsOf(form) {
    return Array.prototype.slice.call(form.querySelectorAll("[data-save-to]"));
  }

  function settle(form) {
    var isOpen = rowsOf(form).some(function (row) {
      return row.isDirty || row.saving;
    });
    var hasFile = Array.prototype.some.call(
      form.querySelectorAll("input[type=file]"),
      function (input) {
        return input.value !== "";
      }
    );
    if (!isOpen && !hasFile) {
      form.removeAttribute("data-unsaved");
    }
  }

  document.addEventListener("input", function (event) {
    var row = rowOf(event.target);
    if (row && event.target.type !== "file") {
      row.isDirty = true;
      later(row, WAIT);
    }
  });
  document.addEventListener("change", function (event) {
    var row = rowOf(event.target);
    if (row && event.target.type !== "file") {
      row.isDirty = true;
      saveRow(row);
    }
  });
  document.addEventListener("click", function (event) {
    var button = event.target instanceof Element && event.target.closest("[data-keep-mine]");
    var row = button && rowOf(button);
    if (row) {
      versionOf(row).value = button.getAttribute("data-keep-mine");
      row.isTold = false;
      row.isDirty = true;
      saveRow(row);
    }
  });
  // A page on its way waits for the row that is on its way: nobody is faster than oneself.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (!matches(form, "form[data-autosave]")) {
      return;
    }
    var rows = rowsOf(form);
    rows.forEach(function (row) {
      window.clearTimeout(row.saveTimer);
    });
    var waiting = rows.filter(function (row) {
      return row.saving;
    });
    if (waiting.length) {
      var submitter = event.submitter;
      event.preventDefault();
      event.stopImmediatePropagation();
      Promise.all(
        waiting.map(function (row) {
          return row.saving;
        })
      ).then(function () {
        form.requestSubmit(submitter);
      });
    }
  }, true);

  // A form as a dialog over the page it belongs to: <a data-dialog href="page of the form">.
  // Without script, or when anything fails, the link leads to the page itself.
  document.addEventListener("click", function (event) {
    var link = event.target instanceof Element && event.target.closest("a[data-dialog]");
    var isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
    if (!link || !isPlain || !window.HTMLDialogElement) {
      return;
    }
    event.preventDefault();
    window
      .fetch(link.href, { credentials: "same-origin", redirect: "error" })
      .then(function (answer) {
        return answer.ok ? answer.text() : Promise.reject(new Error(String(answer.status)));
      })
      .then(function (text) {
        openDialog(new DOMParser().parseFromString(text, "text/html"), link);
      })
      .catch(function () {
        window.location.assign(link.href);
      });
  });

  function openDialog(page, link) {
    var form = page.querySelector("[data-dialog-content]");
    var dialog = document.createElement("dialog");
    var head = document.createElement("h2");
    dialog.className = "dialog";
    head.id = "dialog-title";
    head.textContent = page.querySelector("h1").textContent.trim();
    dialog.setAttribute("aria-labelledby", head.id);
    dialog.appendChild(head);
    dialog.appendChild(page.querySelector(".page-intro"));
    dialog.appendChild(form);
    document.body.appendChild(dialog);
    dialog.addEventListener("close", function () {
      dialog.remove();
      link.focus();
    });
    dialog.showModal();
    var first = dialog.querySelector("form input:not([type=hidden]), form select, form textarea");
    if (first) {
      first.focus();
    }
  }

  document.addEventListener("click", function (event) {
    var close = event.target instanceof Element && event.target.closest("[data-dialog-close]");
    var dialog = close && close.closest("dialog");
    if (dialog) {
      event.preventDefault();
      dialog.close();
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
