"""How the personas talk. Each function is one side of a telephone call, driven by what Alex says."""

from __future__ import annotations

from sandbox.phone import Phone
from sandbox.small_talk import (
    ASKED_FOR_THIS_CALL,
    CONFIRM,
    FRIENDLY,
    GO_AHEAD,
    HERE,
    MYSELF,
    PERMISSION,
    Topic,
    brought_up,
    says_goodbye,
    topic,
)

MAX_TURNS = 14
"""A person who said so much without an end takes leave."""
LINGER_SECONDS = 8.0
"""How long a person stays on the line after Alex's goodbye."""
HELLOS = ("Hello?", "Yes, hello?", "Hello, who is this?", "Hi.")

NOT_INTERESTED: tuple[Topic, ...] = (
    HERE,
    topic(PERMISSION, "I have a minute, what is it about?", "If it is quick."),
    topic(
        r"\?",
        "No thank you, I'm not interested.",
        "I'm not interested, sorry.",
        "That is not for me, thank you.",
    ),
)
STAYS_AND_SAYS_STOP: tuple[Topic, ...] = (topic(r".", "Please stop calling me. Take me off your list."),)
WRONG_PERSON: tuple[Topic, ...] = (
    topic(
        r".",
        "You have the wrong number, there is nobody of that name here.",
        "No, wrong number. I don't know who that is.",
    ),
)
WANTS_HUMAN: tuple[Topic, ...] = (
    topic(r"what time|when (would|should|can|is|may)|which day|suit", "Tomorrow at eleven in the morning."),
    topic(CONFIRM, "Yes, that's right."),
    topic(r"colleague|team|human|real person|somebody|someone", "Yes please, thank you."),
    topic(r".", "I would rather talk to a real person. Can a human call me?"),
)
SPANISH: tuple[Topic, ...] = (topic(r".", "Lo siento, no hablo inglés."),)


async def chat(
    phone: Phone,
    *,
    topics: tuple[Topic, ...] = FRIENDLY,
    heard: str = "",
    otherwise: str = "Okay.",
    asks: tuple[str, ...] = (),
    turns: int = MAX_TURNS,
) -> None:
    """Answer what Alex says until he takes his leave, or for `turns` turns; ask `asks` before saying yes."""
    asking = list(asks)
    for _ in range(turns):
        heard = heard or await phone.listen()
        if says_goodbye(heard):
            await phone.until_ended(seconds=LINGER_SECONDS)
            return
        subject = brought_up(heard=heard, topics=topics)
        if asking and subject not in {HERE, MYSELF, GO_AHEAD}:
            await phone.say(asking.pop(0))
        else:
            await phone.say(phone.pick(subject.answers) if subject else otherwise)
        heard = ""
    await phone.say("I really have to go now. Bye.")


async def interested(phone: Phone) -> None:
    """Say yes to everything."""
    await phone.say(phone.pick(HELLOS))
    await chat(phone)


async def interested_with_questions(phone: Phone) -> None:
    """Ask what people ask before saying yes."""
    await phone.say(phone.pick(HELLOS))
    questions = ("Am I talking to a real person?", "What does it cost?", "How did you get my number?")
    await chat(phone, asks=questions)


async def not_interested(phone: Phone) -> None:
    """Listen for a moment and decline."""
    await phone.say(phone.pick(HELLOS))
    await chat(phone, topics=NOT_INTERESTED)


def busy(*, wish: str, when: str) -> tuple[Topic, ...]:
    """Return what somebody says who has no time now and wishes to be called `when`."""
    return (
        topic(CONFIRM, "Yes, that's right."),
        topic(r"what time|when (would|should|can|is|may)|which day", when),
        topic(r"\?", wish),
        topic(r"call you|speak (to you )?then|talk (to you )?then|tomorrow|two hours", "Great, thank you."),
    )


async def call_back(phone: Phone, *, wish: str, when: str) -> None:
    """Ask for another time; talk when this is the call that was asked for."""
    await phone.say(phone.pick(HELLOS))
    heard = await phone.listen()
    if ASKED_FOR_THIS_CALL.search(heard):
        await chat(phone, heard=heard)
    else:
        await chat(phone, heard=heard, topics=busy(wish=wish, when=when), otherwise=wish)


async def call_back_tomorrow(phone: Phone) -> None:
    """Have no time before three o'clock tomorrow."""
    wish = "I'm busy right now. Could you call me back tomorrow at three pm?"
    await call_back(phone, wish=wish, when="Tomorrow at three pm.")


async def call_back_in_two_hours(phone: Phone) -> None:
    """Have no time for two hours."""
    wish = "I'm in a meeting. Please call me again in two hours."
    await call_back(phone, wish=wish, when="In two hours.")


async def stop_calling(phone: Phone) -> None:
    """Say it, and stay to hear what Alex makes of it."""
    await phone.say(phone.pick(HELLOS))
    await chat(phone, topics=STAYS_AND_SAYS_STOP, turns=3)


async def stop_and_hang_up(phone: Phone) -> None:
    """Interrupt Alex with it and be gone before he can answer."""
    await phone.say(phone.pick(HELLOS))
    await phone.listen()
    await phone.say("What is this about?")
    await phone.until_speaking(pieces=1)
    await phone.say("Stop calling me!")
    await phone.hang_up()


async def wrong_person(phone: Phone) -> None:
    """Be somebody else."""
    await phone.say(phone.pick(HELLOS))
    await chat(phone, topics=WRONG_PERSON, turns=4)


async def silent(phone: Phone) -> None:
    """Pick up and say nothing at all."""
    await phone.until_ended()


async def hangs_up_mid_sentence(phone: Phone) -> None:
    """Be gone in the middle of Alex's sentence."""
    await phone.say(phone.pick(HELLOS))
    await phone.until_speaking(pieces=2)
    await phone.hang_up()


async def voicemail(phone: Phone) -> None:
    """Greet as a mailbox does and record what is said after the tone."""
    await phone.say("You have reached the voicemail of this number. Please leave a message after the tone.")
    await chat(phone, topics=(), otherwise="To listen to your message, press one.", turns=2)


async def ivr(phone: Phone) -> None:
    """Read a menu, again and again."""
    for _ in range(3):
        await phone.say(
            "Thank you for calling. For sales, press one. For support, press two. For all else, press three."
        )
        await phone.listen_or_quiet(seconds=4.0)


async def screened(phone: Phone) -> None:
    """Ask who calls, as a phone's call screening does, and hear the answer."""
    await phone.say(
        "Hi, the person you are calling is using a screening service. "
        "Please state your name and why you are calling."
    )
    await phone.listen()
    await phone.say("Thank you. Please stay on the line.")


async def screening_then_interested(phone: Phone) -> None:
    """Screen the call; then the person takes it and is interested."""
    await screened(phone)
    await phone.think()
    await phone.say("Hello? I'm on the line now. What is this about?")
    await chat(phone)


async def screening_then_gone(phone: Phone) -> None:
    """Screen the call; the person does not take it."""
    await screened(phone)
    await phone.say("The person you are calling is not available. Goodbye.")


async def speaks_spanish(phone: Phone) -> None:
    """Speak no English, say so, and leave politely."""
    await phone.say("¿Bueno?")
    await chat(phone, topics=SPANISH, turns=2)


async def wants_human(phone: Phone) -> None:
    """Ask for a person instead of a machine."""
    await phone.say(phone.pick(HELLOS))
    await chat(phone, topics=WANTS_HUMAN, turns=6)
