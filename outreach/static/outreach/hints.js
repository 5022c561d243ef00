"use strict";

/* What a title tells only a patient mouse is told at once, and to keyboards and fingers as well.
   Without this script the titles stay. */
(() => {
    const MARGIN = 8;
    const told = document.createElement("div");
    told.className = "desk-hint";
    told.role = "tooltip";
    told.hidden = true;
    document.body.append(told);

    const hide = () => { told.hidden = true; };

    function hinted(target) {
        const element = target instanceof Element && target.closest(".desk :is([title], [data-hint])");
        if (!element) return null;
        if (element.title) {
            element.dataset.hint = element.title;
            element.setAttribute("aria-description", element.title);
            element.removeAttribute("title");
        }
        return element;
    }

    function show(element) {
        told.textContent = element.dataset.hint;
        told.hidden = false;
        const around = element.getBoundingClientRect();
        const own = told.getBoundingClientRect();
        const left = Math.min(around.left, window.innerWidth - own.width - MARGIN);
        const below = around.bottom + MARGIN;
        const above = around.top - own.height - MARGIN;
        told.style.left = `${Math.max(MARGIN, left)}px`;
        told.style.top = `${below + own.height > window.innerHeight && above > 0 ? above : below}px`;
    }

    document.addEventListener("pointerover", (event) => {
        if (event.pointerType !== "mouse") return;
        const element = hinted(event.target);
        if (element) show(element); else hide();
    });
    document.addEventListener("focusin", (event) => {
        const element = hinted(event.target);
        if (element && element === event.target && element.matches(":focus-visible")) show(element);
    });
    document.addEventListener("focusout", hide);
    document.addEventListener("click", (event) => {
        const element = hinted(event.target);
        if (element && !event.target.closest("a")) show(element); else hide();
    });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
    document.addEventListener("scroll", hide, true);
})();
