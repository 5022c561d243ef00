"use strict";

/* The frame of every page by keyboard: a way past the menu, unfold's buttons that are none, its menus and
   its dialogs. Without this script a mouse finds everything where it was. */
(() => {
    const PRESSED = "x-on\\:click";
    const NATIVE = "a[href], button, input, select, textarea, label, summary";
    const FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, [role=button]";
    const NAMES = { dock_to_right: "Menu", close: "Dismiss", more_horiz: "More", arrow_back: "Back" };
    let opener = null;

    const shown = (element) => element.getClientRects().length > 0;
    const soon = (act) => requestAnimationFrame(() => requestAnimationFrame(act));

    function name(element) {
        const icon = element.textContent.trim();
        if (NAMES[icon] && !element.hasAttribute("aria-label")) element.setAttribute("aria-label", NAMES[icon]);
    }

    function makePressable(inside) {
        for (const element of inside.querySelectorAll(`[${PRESSED}]`)) {
            name(element);
            if (element.matches(NATIVE) || element.querySelector(NATIVE) || !element.textContent.trim()) continue;
            element.tabIndex = 0;
            element.setAttribute("role", "button");
        }
    }

    function addSkipLink() {
        const main = document.getElementById("main");
        if (!main) return;
        main.setAttribute("role", "main");
        main.tabIndex = -1;
        const skip = document.createElement("a");
        skip.className = "frame-skip";
        skip.href = "#main";
        skip.textContent = "Skip the menu";
        document.body.prepend(skip);
    }

    /* What a press has opened: a menu, which unfold moves to the end of the page, or the filters of a list. */
    const openMenu = () => [...document.querySelectorAll("body > nav")].find(shown);
    const openFilters = () => [...document.querySelectorAll("#changelist-filter")].find(shown);

    function press(event) {
        const button = event.target.closest(`[${PRESSED}][role=button]`);
        if (!button || button !== event.target || ![" ", "Enter"].includes(event.key)) return;
        event.preventDefault();
        button.click();
        soon(() => {
            const place = openMenu() ?? openFilters();
            const first = place && [...place.querySelectorAll(`${FOCUSABLE}, [tabindex="0"]`)].find(shown);
            if (first) { opener = button; first.focus(); }
        });
    }

    function leave(event) {
        if (event.key !== "Escape" || !opener) return;
        if (openMenu()) document.body.click();
        const back = opener;
        soon(() => back.focus());
        opener = null;
    }

    function stay(event) {
        const dialog = document.getElementById("modal-content");
        if (event.key !== "Tab" || !dialog || !shown(dialog)) return;
        const all = [...dialog.querySelectorAll(FOCUSABLE)].filter(shown);
        if (!all.length) return;
        const at = all.indexOf(document.activeElement);
        const last = event.shiftKey ? 0 : all.length - 1;
        if (at !== -1 && at !== last) return;
        event.preventDefault();
        all[event.shiftKey ? all.length - 1 : 0].focus();
    }

    function enter(event) {
        if (event.target.id !== "modal-content") return;
        const dialog = event.target;
        const title = dialog.querySelector("h1");
        dialog.setAttribute("role", "dialog");
        dialog.setAttribute("aria-modal", "true");
        if (title) { title.id = "modal-title"; dialog.setAttribute("aria-labelledby", title.id); }
        makePressable(dialog);
        opener ??= document.activeElement;
        soon(() => {
            const first = dialog.querySelector("[autofocus], input:not([type=hidden]), select, textarea, [type=submit]");
            if (first) first.focus();
        });
    }

    /* Where several values can be chosen, select2 puts a field of its own in the place of the labelled one. */
    function nameChoices() {
        for (const field of document.querySelectorAll(".select2-search__field:not([aria-label])")) {
            const label = field.closest(".select2")?.parentElement.querySelector("label");
            if (label) field.setAttribute("aria-label", label.textContent.trim());
        }
    }

    document.addEventListener("DOMContentLoaded", () => {
        addSkipLink();
        makePressable(document);
        document.querySelectorAll("#header-inner a[title='Go back']").forEach(name);
        window.django?.jQuery?.(() => setTimeout(nameChoices));  // after select2, which waits for jQuery's word
    });
    document.addEventListener("keydown", press);
    document.addEventListener("keydown", leave);
    document.addEventListener("keydown", stay);
    document.addEventListener("htmx:afterSettle", enter);
})();
