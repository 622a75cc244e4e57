"""Says what vobject reads in the cards whose paths are given: one JSON object a line."""
import json
import sys

import vobject


def texts(card, name):
    return [str(one.value) for one in card.contents.get(name, [])]


for path in sys.argv[1:]:
    with open(path, encoding="utf-8", newline="") as file:
        card = vobject.readOne(file.read())
    name = card.n.value
    print(json.dumps({
        "last": str(name.family),
        "first": str(name.given),
        "company": str(card.org.value[0]) if "org" in card.contents else "",
        "title": (texts(card, "title") or [""])[0],
        "emails": texts(card, "email"),
        "phones": texts(card, "tel"),
        "note": (texts(card, "note") or [""])[0],
        "city": [str(one.value.city) for one in card.contents.get("adr", [])],
        "unknown": sorted(key for key in card.contents if key.startswith("x-")),
    }))
