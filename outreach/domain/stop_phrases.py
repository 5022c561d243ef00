"""Words that mean "never call me again", whatever a model makes of them.

In a call with Alex the list acts on every final transcript before any tool does, so a "stop" is never lost
to a model that misunderstood, was slow, or was down. It is deliberately short: each phrase names calling,
numbers or lists, because a false alarm costs a person who might have wanted the call, and a tool catches the
rest. Who rings our number back is heard by the same list.
"""

from __future__ import annotations

import re
import unicodedata

_ME = r"(me|us|my (phone |mobile )?number|this number|my details|my data)"
_PHRASES = (
    # English
    r"stop (calling|phoning|ringing|contacting)( (me|us|here|this number))?",
    r"(do not|don t|dont|never|(not|never) to) (ever )?(call|phone|ring|contact) "
    r"(me|us|here|this number|again|any ?more)",
    r"(do not|don t|dont) call$",
    r"(take|get|strike|cross) "
    + _ME
    + r" off (of )?(your|the|this|that)( call(ing)?| phone)? ?(lists?|database)",
    r"(remove|delete|erase) " + _ME,
    r"(lose|forget) my number",
    r"no more (phone )?calls",
    r"(on|to) (the|your) do not call list",
    r"unsubscribe",
    # Spanish
    r"(no me llame[ns]?|no me vuelva[ns]? a llamar|dej(e|en|a) de llamar(me)?|no llame[ns]? mas)",
    r"(borr|quit|elimin)(e|en|a)( me|me)? (mi numero|de (su|la) lista)",
    # German
    r"(rufen sie|ruft|ruf) (mich |hier |bitte )*(nicht|nie)( wieder| mehr)*( an)?",
    r"(hoeren sie auf|hor(en sie)? auf|horen sie auf) (mich )?anzurufen",
    r"(streichen|loschen|nehmen) sie (mich|meine nummer)",
    # French
    r"(ne m ?appele[zs]? plus|ne me rappele[zs]? (plus|pas)|arrete[zs]? de m ?appeler)",
    r"(retire[zs]?|supprime[zs]?|enleve[zs]?)[ -](moi|mon numero)",
)
#: "We stop calling at six" speaks of somebody else.
_OPT_OUT = re.compile(r"(?<!\bi )(?<!\bwe )(?<!\bthey )\b(?:" + "|".join(_PHRASES) + r")\b")
#: What turns a match round: a wish for another time, or for another number, is no opt-out.
_NOT_MEANT = re.compile(
    r"(do not|don t|dont|not) (call|phone|ring|contact) (me|us|here) "
    r"(today|now|right now|tomorrow|tonight|before|after|until|on|in the|at|so (early|late)"
    r"|this (week|morning|afternoon|evening))\b"
    r"|(do|did) you never (call|phone|ring|contact) (me|us)"
    r"|\b(i|we) (did not|didn t|do not|don t|never) (say|said|ask|asked|want|mean|meant)( you)?( to)? "
    r"(stop|remove|take)"
)


def asks_to_stop(text: str) -> bool:
    """Tell whether `text` asks never to be called again."""
    plain = plain_words(text)
    turned = [found.span() for found in _NOT_MEANT.finditer(plain)]
    return any(
        not any(start <= found.start() < end for start, end in turned) for found in _OPT_OUT.finditer(plain)
    )


def plain_words(text: str) -> str:
    """Return `text` in lower case without accents and punctuation, single-spaced."""
    decomposed = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss"))
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", " ", letters).strip()
