"use strict";

/* A talk with Alex: microphone first, then a room, then the two. Whatever goes wrong is said in a sentence. */
(() => {
    const page = document.querySelector("[data-talk]");
    if (!page || !page.querySelector("[data-choice]")) return;
    const find = (name) => page.querySelector(`[data-${name}]`);
    const choice = find("choice");
    choosePerson();
    if (!find("start")) return;

    LivekitClient.setLogLevel("warn");
    const PLACE_WITHIN_MS = 10000;
    const ALEX_WITHIN_MS = 10000;
    const NO_AGENT = "Alex did not come within ten seconds: no agent worker took the talk. While manage.py up runs, see logs/agent.log in its data directory; elsewhere look at the output of python -m agentworker.";
    const MICROPHONE = {
        PermissionDenied: "This page may not use the microphone. Allow it beside the address of the page, then start again.",
        NotFound: "There is no microphone. Plug one in, or choose one in the sound settings of this computer, then start again.",
        DeviceInUse: "Another program uses the microphone. Close it, then start again.",
    };
    const LOST = {
        SERVER_SHUTDOWN: "The LiveKit server was stopped. Start it, then talk again.",
        PARTICIPANT_REMOVED: "An operator hung up.",
        DUPLICATE_IDENTITY: "This talk goes on in another window.",
    };
    let talk = null;
    let ending = false;

    find("start").addEventListener("click", start);
    find("hang-up").addEventListener("click", () => over("You hung up."));
    find("again").addEventListener("click", () => {
        const chosen = new URLSearchParams(new FormData(choice));
        chosen.delete("csrfmiddlewaretoken");
        window.location.search = chosen;
    });
    window.addEventListener("pagehide", () => { if (talk && talk.call && !ending) navigator.sendBeacon(window.location.pathname, form({ end: talk.call })); });
    page.addEventListener("desk:settled", (event) => {
        event.preventDefault();
        page.querySelector("[data-live-state]").textContent = "";
    });

    async function start() {
        talk = { analysers: [], chosen: [...new FormData(choice)] };
        ending = false;
        enter("starting");
        problem("");
        try {
            talk.microphone = await microphone();
            if (ending) return close();
            meter("you", talk.microphone);
            Object.assign(talk, await room());
            if (ending) return close();
            say("Connecting…");
            await join();
        } catch (error) {
            fail(error);
        }
    }

    async function microphone() {
        if (!navigator.mediaDevices) throw new Trouble("Browsers give a microphone only to pages that are opened over https:// or at http://127.0.0.1 and http://localhost. Open this page so.");
        say("Your browser asks for the microphone. Allow it to go on.");
        try {
            return await LivekitClient.createLocalAudioTrack({ echoCancellation: true, noiseSuppression: true, autoGainControl: true });
        } catch (error) {
            throw new Trouble(MICROPHONE[LivekitClient.MediaDeviceFailure.getFailure(error)] || `The microphone cannot be used (${error.name}). Choose another one in the browser's settings, then start again.`);
        }
    }

    async function room() {
        const patience = performance.now() + PLACE_WITHIN_MS;
        for (;;) {
            const chosen = form({});
            for (const [name, value] of talk.chosen) chosen.set(name, value);
            let answer;
            try {
                answer = await fetch(window.location.pathname, { method: "POST", body: chosen, redirect: "error" });
            } catch {
                throw new Trouble("This page's own server does not answer. Is manage.py up still running?");
            }
            if (answer.ok) return answer.json();
            if (answer.status !== 409) throw new Trouble(answer.status === 403 ? "You may not talk to Alex any more, or you were logged out. Reload the page." : "The server could not begin the talk. Its log says why: logs/web.log in the data directory of manage.py up.");
            const refusal = await answer.json();
            if (!refusal.again || performance.now() > patience) throw new Trouble(refusal.error);
            if (ending) throw new Trouble("");
            say("Alex has no free place yet; asking again…");
            await new Promise((done) => setTimeout(done, 1000));
        }
    }

    async function join() {
        const { Room, RoomEvent, ConnectionState } = LivekitClient;
        const joined = new Room({ adaptiveStream: false, dynacast: false });
        talk.room = joined;
        joined.on(RoomEvent.TrackSubscribed, (track, _publication, participant) => hear(track, participant));
        joined.on(RoomEvent.ParticipantConnected, (participant) => { if (participant.isAgent) alexIsThere(); });
        joined.on(RoomEvent.Reconnecting, () => say("The connection is lost; connecting again…"));
        joined.on(RoomEvent.Reconnected, () => say("You are talking with Alex."));
        joined.on(RoomEvent.Disconnected, (reason) => leftBy(reason));
        try {
            await joined.connect(talk.url, talk.token);
        } catch (error) {
            throw new Trouble(`LiveKit at ${talk.url} cannot be reached from this browser (${error.message}). manage.py doctor checks its address and keys.`);
        }
        if (ending || joined.state !== ConnectionState.Connected) return;
        if (find("turns")) follow();
        say("Alex is joining…");
        talk.noAgent = setTimeout(() => fail(new Trouble(NO_AGENT)), ALEX_WITHIN_MS);
        for (const participant of joined.remoteParticipants.values()) if (participant.isAgent) alexIsThere();
        await joined.localParticipant.publishTrack(talk.microphone);
        await joined.startAudio().catch(() => say("Click anywhere on this page to hear Alex."));
    }

    function follow() {
        const words = find("words");
        words.dataset.transcript = talk.words;
        words.dispatchEvent(new CustomEvent("desk:follow", { bubbles: true }));
    }

    function alexIsThere() {
        clearTimeout(talk.noAgent);
        if (talk.since) return;
        talk.since = performance.now();
        talk.clock = setInterval(tick, 500);
        tick();
        find("talk-time").hidden = false;
        enter("talking");
        say("You are talking with Alex.");
    }

    function hear(track, participant) {
        if (track.kind !== "audio" || !participant.isAgent) return;
        alexIsThere();
        document.body.append(track.attach());
        meter("alex", track);
    }

    function leftBy(reason) {
        if (ending || !talk) return;
        const name = LivekitClient.DisconnectReason[reason] || "";
        if (!talk.since || !["ROOM_DELETED", "ROOM_CLOSED"].includes(name)) problem(LOST[name] || "The connection to LiveKit is lost. Talk again; if it happens again, manage.py doctor checks the address and the keys.");
        over("The other side hung up.");
    }

    function over(sentence) {
        if (ending) return;
        ending = true;
        if (!talk) return;
        const length = talk.since ? ` after ${lasted()}` : "";
        close();
        enter("ended");
        const plain = talk.since ? "The talk is over." : "The talk did not begin.";
        say(problemIsShown() ? plain : `${sentence.replace(/\.$/, "")}${length}.`);
    }

    function fail(error) {
        if (ending) return;
        if (!(error instanceof Trouble)) console.error(error);
        problem(error instanceof Trouble ? error.message : `Something unexpected went wrong in this page (${error.message}). Reload it and try again.`);
        over("");
    }

    function close() {
        clearTimeout(talk.noAgent);
        clearInterval(talk.clock);
        for (const stop of talk.analysers) stop();
        if (talk.room) talk.room.disconnect();
        if (talk.microphone) talk.microphone.stop();
        for (const sound of document.querySelectorAll("body > audio")) sound.remove();
        if (!talk.call) return;
        fetch(window.location.pathname, { method: "POST", body: form({ end: talk.call }), keepalive: true }).catch(() => {});
        const link = find("call-page");
        link.href = talk.page;
        link.hidden = false;
    }

    function meter(who, track) {
        const bar = page.querySelector(`[data-level="${who}"] i`);
        const { calculateVolume, cleanup } = LivekitClient.createAudioAnalyser(track, { smoothingTimeConstant: 0.6 });
        let going = true;
        const draw = () => {
            if (!going) return;
            bar.style.transform = `scaleX(${Math.min(1, calculateVolume() * 1.6)})`;
            requestAnimationFrame(draw);
        };
        draw();
        talk.analysers.push(() => { going = false; bar.style.transform = ""; cleanup(); });
    }

    function enter(state) {
        page.dataset.state = state;
        find("start").hidden = state !== "idle";
        find("hang-up").hidden = !["starting", "talking"].includes(state);
        find("again").hidden = state !== "ended";
        find("levels").hidden = !["starting", "talking"].includes(state);
        for (const field of choice.elements) if (field.type !== "hidden") field.disabled = state !== "idle" && state !== "ended";
    }

    function say(sentence) { find("talk-state").textContent = sentence; }

    function problem(sentence) {
        const shown = find("talk-problem");
        shown.textContent = sentence;
        shown.hidden = !sentence;
    }

    function problemIsShown() { return !find("talk-problem").hidden; }

    function lasted() {
        const seconds = Math.floor((performance.now() - talk.since) / 1000);
        return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    }

    function tick() { find("talk-time").textContent = lasted(); }

    function form(fields) {
        const filled = new FormData();
        filled.set("csrfmiddlewaretoken", choice.querySelector("[name=csrfmiddlewaretoken]").value);
        for (const [name, value] of Object.entries(fields)) filled.set(name, value);
        return filled;
    }

    function choosePerson() {
        const campaigns = find("campaign");
        if (campaigns) campaigns.addEventListener("change", () => { window.location.search = new URLSearchParams({ campaign: campaigns.value }); });
        const search = find("find");
        if (!search) return;
        const people = find("person");
        let asked = 0;
        choice.addEventListener("submit", (event) => event.preventDefault());
        search.addEventListener("input", async () => {
            const mine = ++asked;
            await new Promise((done) => setTimeout(done, 250));
            if (mine !== asked) return;
            const question = new URLSearchParams({ people: search.value });
            if (campaigns) question.set("campaign", campaigns.value);
            const answer = await fetch(`${window.location.pathname}?${question}`);
            if (!answer.ok || mine !== asked) return;
            const found = (await answer.json()).people;
            people.replaceChildren(people.options[0], ...found.map((one) => new Option(one.name, one.id)));
            people.selectedIndex = search.value.trim() && found.length ? 1 : 0;
        });
    }

    class Trouble extends Error {}
})();
