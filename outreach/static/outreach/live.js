"use strict";

/* One EventSource per page. Without one the page stays as the server wrote it. */
(() => {
    const board = document.querySelector("[data-board]");
    const talk = document.querySelector("[data-transcript]");
    if (!("EventSource" in window)) return;
    if (board) watchBoard(board);
    if (talk && talk.querySelector("[data-turns]")) followCall(talk);
    document.addEventListener("desk:follow", (event) => followCall(event.target));

    function connect(url, said) {
        const source = new EventSource(url);
        source.onopen = () => said("live");
        source.onerror = () => said(source.readyState === EventSource.CLOSED ? "not live: reload the page" : "connecting again…");
        window.addEventListener("pagehide", () => source.close());
        return source;
    }

    function watchBoard(root) {
        const state = root.querySelector("[data-live-state]");
        let ahead = 0;
        const now = () => performance.now() / 1000 + ahead;
        const readClock = () => { ahead = Number(root.querySelector("[data-now]").dataset.now) - performance.now() / 1000; };
        const tick = () => {
            for (const time of root.querySelectorAll("[data-since]")) {
                const seconds = Math.max(0, Math.floor(now() - Number(time.dataset.since)));
                time.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
            }
        };
        /* unfold draws each chart once; what changes is put into the chart that is there. */
        const redraw = (section) => {
            for (const name of ["hours", "days"]) {
                const canvas = root.querySelector(`[data-chart="${name}"] canvas`);
                const drawn = canvas && window.Chart && window.Chart.getChart(canvas);
                if (!drawn) continue;
                const told = JSON.parse(section.querySelector(`[data-chart-${name}]`).textContent);
                drawn.data.labels = told.labels;
                told.datasets.forEach((set, n) => {
                    if (drawn.data.datasets[n]) drawn.data.datasets[n].data = set.data;
                    else drawn.data.datasets.push(set);
                });
                drawn.data.datasets.length = told.datasets.length;
                drawn.update("none");
            }
        };
        /* Whoever goes through the page by keyboard stays where they are when a section is drawn anew. */
        const focusIn = (section) => {
            const stops = () => [...section.querySelectorAll("a, button, [tabindex]")];
            const at = stops().indexOf(document.activeElement);
            const address = at < 0 ? null : document.activeElement.getAttribute("href");
            return () => {
                if (at < 0) return;
                const now = stops();
                const same = now.find((stop) => address && stop.getAttribute("href") === address) || now[at];
                if (same) same.focus({ preventScroll: true });
            };
        };
        readClock();
        tick();
        setInterval(tick, 1000);

        const source = connect(root.dataset.board, (text) => {
            state.textContent = text === "live" ? "Live" : `Not live: ${text.replace("not live: ", "")}`;
            state.classList.toggle("desk-live-now", text === "live");
        });
        source.addEventListener("board", (event) => {
            for (const [name, html] of Object.entries(JSON.parse(event.data))) {
                const section = root.querySelector(`[data-live="${name}"]`);
                if (!section) continue;
                const focus = focusIn(section);
                section.innerHTML = html;
                focus();
                if (window.htmx) window.htmx.process(section);
                if (name === "clock") readClock();
                if (name === "charts") redraw(section);
            }
            tick();
        });
    }

    function followCall(root) {
        const turns = root.querySelector("[data-turns]");
        const state = root.querySelector("[data-live-state]");
        const counter = root.querySelector("[data-turn-count]");
        const person = root.querySelector("[data-person-name]").textContent;
        const seen = new Set([...turns.querySelectorAll("[data-seq]")].map((li) => Number(li.dataset.seq)));
        const notes = new Set([...turns.querySelectorAll("[data-note-seq]")].map((li) => Number(li.dataset.noteSeq)));
        const tools = new Set([...turns.querySelectorAll("[data-tool-used]")].map((li) => li.dataset.toolUsed));
        const stages = [...turns.querySelectorAll(".desk-stage span")];
        let stage = stages.length ? stages.at(-1).textContent.toLowerCase() : "";
        let speaking = null;
        turns.scrollTop = turns.scrollHeight;

        const source = connect(`${root.dataset.transcript}?after=${root.dataset.after}`, (text) => { state.textContent = text; });
        source.addEventListener("word", (event) => show(JSON.parse(event.data)));
        source.addEventListener("call", (event) => {
            const facts = JSON.parse(event.data);
            root.querySelector("[data-call-status]").innerHTML = facts.status;
            if (!facts.settled) return;
            source.close();
            const settled = new CustomEvent("desk:settled", { bubbles: true, cancelable: true });
            if (root.dispatchEvent(settled)) window.location.reload();
        });

        function show(word) {
            const near = turns.scrollHeight - turns.scrollTop - turns.clientHeight < 80;
            root.querySelector("[data-waiting]").hidden = true;
            if (word.kind === "partial") { showPartial(word); }
            else if (word.kind === "turn") { showTurn(word); }
            else if (word.kind === "note" && !notes.has(word.seq)) {
                notes.add(word.seq);
                const note = copy("[data-note]");
                note.querySelector("[data-text]").textContent = word.text;
                put(note);
            }
            else if (word.kind === "stage") { showStage(word.stage); }
            else if (word.kind === "tool") { showTool(word); }
            if (near) turns.scrollTop = turns.scrollHeight;
        }

        function showTool(word) {
            const used = `${word.name} ${Date.parse(word.at)}`;
            if (tools.has(used) || !root.querySelector("template[data-tool]")) return;
            tools.add(used);
            const tool = copy("[data-tool]");
            tool.classList.toggle("calls-failed", word.failed);
            tool.querySelector("[data-text]").textContent = `Used “${word.name.replaceAll("_", " ")}”${word.failed ? ": it failed" : ""}`;
            put(tool);
        }

        function showStage(name) {
            if (!name || name === stage) return;
            stage = name;
            const line = copy("[data-stage]");
            line.querySelector("span").textContent = name[0].toUpperCase() + name.slice(1);
            put(line);
        }

        function showTurn(word) {
            if (speaking && speaking.dataset.speaker === word.speaker) { speaking.remove(); speaking = null; }
            if (seen.has(word.seq)) return;
            seen.add(word.seq);
            counter.textContent = `${seen.size} turn${seen.size === 1 ? "" : "s"}`;
            showStage(word.stage);
            const time = new Date(word.at).toLocaleTimeString("en-GB", { timeZone: root.dataset.zone });
            const turn = bubble(word.speaker, word.text + (word.interrupted ? " —" : ""));
            turn.dataset.seq = word.seq;
            turn.querySelector("small").textContent = `${word.seq} · ${name(word.speaker)} · ${time}`;
            put(turn);
        }

        function showPartial(word) {
            if (!speaking || speaking.dataset.speaker !== word.speaker) {
                if (speaking) speaking.remove();
                speaking = bubble(word.speaker, "");
                speaking.dataset.speaker = word.speaker;
                speaking.classList.add("desk-speaking");
                turns.append(speaking);
            }
            speaking.querySelector("p").textContent = word.text || "speaking…";
            speaking.querySelector("small").textContent = name(word.speaker);
        }

        function bubble(speaker, text) {
            const turn = copy("[data-turn]");
            turn.classList.add(`desk-${speaker}`);
            turn.querySelector("p").textContent = text;
            return turn;
        }

        function put(line) {
            if (speaking) speaking.before(line); else turns.append(line);
        }

        function copy(which) {
            return root.querySelector(`template${which}`).content.firstElementChild.cloneNode(true);
        }

        function name(speaker) {
            return speaker === "alex" ? "Alex" : person;
        }
    }
})();
